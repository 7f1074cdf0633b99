"""What becomes of a delivery after an attempt."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contracts.redact import register_secret
from subscriptions.channel import Sent, failed
from subscriptions.retry import judge
from subscriptions.types import RetryPolicy

POLICY = RetryPolicy()


def test_the_table() -> None:
    assert judge(Sent(True, 200), 1, 0, POLICY, 0.5) == ("delivered", 0.0)
    waits = [judge(failed("x"), n, 10, POLICY, 0.0).wait_s for n in range(1, 10)]
    assert waits == [1, 5, 15, 30, 60, 120, 300, 300, 300]
    assert judge(failed("x"), 1, 10, POLICY, 0.5) == (None, 1.1)
    assert judge(failed("x", 422), 1, 0, POLICY, 0.0).end == "dead"
    assert judge(failed("x", 401), 1, 0, POLICY, 0.0).end is None
    assert judge(failed("x", 503, 90.0), 1, 0, POLICY, 0.0).wait_s == 90
    assert judge(failed("x", 503, 1e9), 1, 0, POLICY, 0.0).wait_s == 3600
    assert judge(failed("x"), 1000, 0, POLICY, 0.0).end == "dead"
    assert judge(failed("x"), 1, 4 * 86_400, POLICY, 0.0).end == "dead"


@given(st.integers(1, 2000), st.floats(0, 1e6), st.floats(0, 0.999), st.integers(100, 599))
def test_it_ends_or_it_waits(attempts: int, age: float, chance: float, status: int) -> None:
    verdict = judge(failed("x", status), attempts, age, POLICY, chance)
    assert (verdict.end == "dead") != (0 < verdict.wait_s <= 360)


def test_what_is_said_is_one_clean_line() -> None:
    register_secret("hunter2hunter2")
    assert failed("a\nb\x07 hunter2hunter2 " + "x" * 500).detail.startswith("a b *** xxx")
    assert len(failed("x" * 500).detail) == 300
