"""When a camera is asked for a picture, and whether it is taken. Pure, and the same at every asking.

The moments of a day are drawn from the seed before the day begins: nothing that is seen moves them, so what is random
stays random, and a process that was killed finds the same moments again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from algorithm_repo.collection.types import CollectionPolicy, Reason

HOURS = 24
WEATHER_LOOKS = 48  # moments of a day at which weather may stand, where any such picture is wanted
PROBES = 4  # looks for something uncertain for each such picture that is wanted


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """When a camera is asked, s since 1970 UTC, and what for."""

    utc: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class Stream:
    """Whose moments are drawn."""

    project: int
    camera: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a picture before anybody looks at it.

    Attributes:
        scores: of the detections in it that the project is about, 0..1.
        about: event types that the project asks of.
        standing: event types of which an event stands at the camera.
        alike: the picture is as good as there already.
        weather: some stands at the camera, as somebody told.
    """

    scores: tuple[float, ...] = ()
    about: frozenset[str] = frozenset()
    standing: frozenset[str] = frozenset()
    alike: bool = False
    weather: bool = False

    @property
    def unalerted(self) -> bool:
        """Of at least one type that is asked of (of all types, where none is) no event stands."""
        return bool(self.about - self.standing) if self.about else not self.standing


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken of a camera in a day, by reason."""

    counts: Mapping[Reason, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def quotas(policy: CollectionPolicy) -> dict[Reason, int]:
    """How many pictures a camera and day for each reason: whole numbers that add up to `pictures`."""
    wanted = {reason: policy.shares.get(reason, 0.0) * policy.pictures for reason in Reason}
    whole = {reason: int(share + 1e-9) for reason, share in wanted.items()}
    left = policy.pictures - sum(whole.values())
    by_rest = sorted(Reason, key=lambda reason: whole[reason] - wanted[reason])
    for reason in by_rest[:left]:
        whole[reason] += 1
    return whole


def day_of(policy: CollectionPolicy, utc: float) -> date:
    """The day, by the policy's time zone, that a moment lies in."""
    return datetime.fromtimestamp(utc, UTC).astimezone(ZoneInfo(policy.timezone)).date()


def bounds(policy: CollectionPolicy, day: date) -> tuple[float, float]:
    """Where a day begins and ends, s since 1970 UTC."""
    return _start(policy, day), _start(policy, day + timedelta(days=1))


def moments(policy: CollectionPolicy, stream: Stream, day: date) -> tuple[Moment, ...]:
    """When a camera is asked on a day, in order."""
    wanted = quotas(policy)
    begin, end = bounds(policy, day)
    found: list[Moment] = []
    for reason, count in (
        (Reason.RANDOM, wanted[Reason.RANDOM]),
        (Reason.UNCERTAIN, PROBES * wanted[Reason.UNCERTAIN]),
        (Reason.WEATHER, WEATHER_LOOKS if wanted[Reason.WEATHER] else 0),
    ):
        length = (end - begin) / max(count, 1)
        for number in range(count):
            inside = _uniform(policy, stream, day.toordinal(), reason.value, number)
            found.append(Moment(begin + (number + inside) * length, reason))
    found += _hourly(policy, stream, day, wanted[Reason.HOURLY])
    return tuple(sorted(found))


def decide(policy: CollectionPolicy, asked: Reason, taken: Taken, seen: Seen) -> Reason | None:
    """What a picture that was asked for is taken for; None: it is not taken."""
    if asked is Reason.RANDOM and seen.unalerted and room(policy, taken, Reason.RANDOM):
        return Reason.RANDOM
    if seen.alike:
        return None
    if asked is Reason.HOURLY and room(policy, taken, Reason.HOURLY):
        return Reason.HOURLY
    if asked is Reason.WEATHER and seen.weather and room(policy, taken, Reason.WEATHER):
        return Reason.WEATHER
    near = any(abs(score - policy.near) <= policy.within for score in seen.scores)
    return Reason.UNCERTAIN if near and room(policy, taken, Reason.UNCERTAIN) else None


def room(policy: CollectionPolicy, taken: Taken, reason: Reason) -> bool:
    """Whether one more picture may be taken of a camera and day for a reason."""
    return taken.total < policy.pictures and taken.counts.get(reason, 0) < quotas(policy)[reason]


def _hourly(policy: CollectionPolicy, stream: Stream, day: date, count: int) -> list[Moment]:
    """Hours in an order of the camera's own, gone through over and over from day to day: each comes as often."""
    order = sorted(range(HOURS), key=lambda hour: _uniform(policy, stream, "hours", hour))
    first = day.toordinal() * count
    found = []
    for number in range(first, first + count):
        inside = _uniform(policy, stream, Reason.HOURLY.value, number)
        found.append(Moment(_start(policy, day, order[number % HOURS]) + inside * 3600, Reason.HOURLY))
    return found


def _start(policy: CollectionPolicy, day: date, hour: int = 0) -> float:
    return datetime.combine(day, time(hour), ZoneInfo(policy.timezone)).timestamp()


def _uniform(policy: CollectionPolicy, stream: Stream, *what: object) -> float:
    """A number of 0..1 (1 excluded) that this alone decides."""
    told = repr((policy.seed, stream.project, stream.camera, *what)).encode()
    return (int.from_bytes(hashlib.sha256(told).digest()[:8], "big") >> 11) / 2**53
