"""What becomes of a delivery after an attempt. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple

from subscriptions.channel import Sent
from subscriptions.types import RetryPolicy

_LONGEST_S = 3600.0  # that a receiver may ask us to wait


class Verdict(NamedTuple):
    """`end` None: tried again after `wait_s`, and what comes behind it waits too."""

    end: Literal["delivered", "dead"] | None
    wait_s: float = 0.0


def judge(sent: Sent, attempts: int, age_s: float, policy: RetryPolicy, chance: float) -> Verdict:
    """What to do now.

    Args:
        attempts: made so far, this one included.
        age_s: since the delivery was written.
        chance: 0 ≤ chance < 1, drawn at random.
    """
    if sent.ok:
        return Verdict("delivered")
    if sent.status in policy.permanent or attempts >= policy.max_attempts or age_s >= policy.max_age_s:
        return Verdict("dead")
    delay = policy.delays_s[min(attempts, len(policy.delays_s)) - 1]
    asked = min(sent.retry_after_s or 0.0, _LONGEST_S)
    return Verdict(None, max(asked, delay * (1 + policy.jitter * chance)))
