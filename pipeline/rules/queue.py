"""Does a vehicle stand by itself, or in a queue or a jam with others?

The test in numbers, for one standing vehicle S (lengths in body lengths of the two vehicles' mean):

- *Companion*: another vehicle that stands at most 2.5 lengths away, of similar size in the picture, not facing the
  other way, that stopped at most 120 s before S or at any time after it. One looked for in vain for 3 s and two
  looks is none any more.
- *Queue share*: share of S's standing time during which it had a companion.
- S is *on its own* for good once it stood 60 s (or half of T, where that is shorter, but at least 20 s) without a
  companion, or 20 s after its last companion drove off, or 10 s after a second vehicle going its way drove past it
  or, where both were seen arriving, past one of its companions (when a jam dissolves, one lane moves some seconds
  before the other). One that nobody saw arriving is taken to face as the nearest of its companions that somebody did.
- S is held back while it is not on its own, its queue share is 0.4 or more, and it has stood for less than T + 300 s
  (with three companions or more: T + 900 s). Nobody waits longer in a line that does not move at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from pipeline.rules.boxes import body_length, centre
from pipeline.rules.stand import Stand

REACH = 2.5
EARLIER_S = 120.0
ALONE_S = 60.0
RELEASED_S = 20.0
PASSES = 2
PASSED_S = 10.0
HOLD_S = 300.0
LONG_HOLD_S = 900.0
LINE = 3  # companions that make a line
SHARE = 0.4
_LOST_S = 3.0  # a vehicle not seen for longer may have left: what drives by now is no sign
_PASS_REACH = 1.5
_PASS_REACH_BLIND = 1.0  # where nobody knows which way S faces: the oncoming lane lies further away than the next one
_STEPS_BACK = 4.0
_SIZE_RATIO = 3.0
_SAME_WAY = 0.5  # cosine


@dataclass(frozen=True, slots=True)
class Company:
    """What stood and drove around one standing vehicle, since it stopped.

    Attributes:
        stood_s: watched standing time so far, s.
        queued_s: of it, with a companion.
        alone_s: without one, up to now, in one stretch.
        had: it had a companion at some time.
        now: companions in the newest look.
        most: the most at one time.
        passed: track numbers of vehicles that drove past it, the last few.
        passes: how many did.
        passed_s: standing time since `PASSES` of them had, s.
        own: it stands by itself for good.
    """

    stood_s: float = 0.0
    queued_s: float = 0.0
    alone_s: float = 0.0
    had: bool = False
    now: int = 0
    most: int = 0
    passed: tuple[int, ...] = ()
    passes: int = 0
    passed_s: float = 0.0
    own: bool = False

    @property
    def queue_share(self) -> float:
        return self.queued_s / self.stood_s if self.stood_s > 0 else 0.0


def is_companion(stand: Stand, other: Stand, aspect: float) -> bool:
    """See the module's docstring."""
    if other.number == stand.number or not other.settled or other.since < stand.since - EARLIER_S:
        return False
    if other.missed >= 2 and other.missing_s > _LOST_S:
        return False
    length, others = body_length(stand.anchor, aspect), body_length(other.anchor, aspect)
    if max(length, others) > _SIZE_RATIO * min(length, others):
        return False
    (x0, y0), (x1, y1) = centre(stand.anchor, aspect), centre(other.anchor, aspect)
    if math.hypot(x1 - x0, y1 - y0) > REACH * (length + others) / 2:
        return False
    return _same_way(stand.heading, other.heading)


def _same_way(a: tuple[float, float] | None, b: tuple[float, float] | None) -> bool:
    """Not known to face different ways."""
    return a is None or b is None or a[0] * b[0] + a[1] * b[1] >= _SAME_WAY


def _way(stand: Stand, companions: list[Stand], aspect: float) -> tuple[float, float] | None:
    """Which way a standing vehicle faces, as far as somebody saw it, or its companions, arriving."""
    if stand.heading is not None:
        return stand.heading
    x, y = centre(stand.anchor, aspect)
    seen = [(math.dist((x, y), centre(other.anchor, aspect)), other.number, other.heading) for other in companions]
    return min(((apart, n, heading) for apart, n, heading in seen if heading is not None), default=(0, 0, None))[2]


def drove_past(stand: Stand, other: Stand, aspect: float, way: tuple[float, float] | None) -> bool:
    """Whether `other`, in its newest step, came level with `stand` and beyond, close by and going its `way`.

    A fast vehicle is followed only once it is beyond, where looks are a second apart: one that never stood, and turns
    up under way just beyond, came from behind. Steps shrink with the distance, so its earlier ones were longer.
    """
    if other.settled or not other.here or other.heading is None or not _same_way(way, other.heading):
        return False
    hx, hy = other.heading
    sx, sy = centre(stand.anchor, aspect)
    (bx, by), (nx, ny) = centre(other.before, aspect), centre(other.last_box, aspect)
    ahead_before = (sx - bx) * hx + (sy - by) * hy
    ahead_now = (sx - nx) * hx + (sy - ny) * hy
    aside = abs((sx - nx) * hy - (sy - ny) * hx)
    length = body_length(stand.anchor, aspect)
    if aside > (_PASS_REACH if way is not None else _PASS_REACH_BLIND) * length:
        return False
    if other.travelled >= 1.0 and ahead_before > 0 >= ahead_now:
        return True
    step = ahead_before - ahead_now
    own_step = math.hypot(nx - bx, ny - by) / body_length(other.last_box, aspect)
    fresh = not other.rested and 0.3 <= other.travelled <= 1.2 * own_step
    return fresh and ahead_before <= 0 and -ahead_before <= _STEPS_BACK * step and -ahead_now <= REACH * length


def accompany(
    company: Company, stand: Stand, stands: tuple[Stand, ...], watched: float, aspect: float, dwell: float
) -> Company:
    """The company after one look."""
    companions = [other for other in stands if is_companion(stand, other, aspect)]
    now, way = len(companions), _way(stand, companions, aspect)
    passed, passes = company.passed, company.passes
    known = [one for one in companions if stand.heading is not None and one.heading is not None]
    row = [(one, one.heading or way) for one in (stand, *known) if one.missing_s <= _LOST_S]
    for other in stands:
        if other.track not in passed and any(drove_past(one, other, aspect, faces) for one, faces in row):
            passed, passes = (*passed, other.track)[-4:], passes + 1
    passed_s = company.passed_s + watched if company.passes >= PASSES and stand.here else company.passed_s
    alone = 0.0 if now else company.alone_s + watched
    enough = RELEASED_S if company.had else min(ALONE_S, max(RELEASED_S, dwell / 2))
    return replace(
        company,
        stood_s=company.stood_s + watched,
        queued_s=company.queued_s + (watched if now else 0.0),
        alone_s=alone,
        had=company.had or now > 0,
        now=now,
        most=max(company.most, now),
        passed=passed,
        passes=passes,
        passed_s=passed_s,
        own=company.own or alone >= enough or passed_s >= PASSED_S,
    )


def held_back(company: Company, still_s: float, dwell: float) -> bool:
    """Whether the event has to wait because the vehicle may stand in a queue or a jam."""
    if company.own or company.queue_share < SHARE:
        return False
    return still_s < dwell + (LONG_HOLD_S if company.most >= LINE else HOLD_S)
