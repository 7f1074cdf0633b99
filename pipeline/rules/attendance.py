"""Who attends to a thing on the ground: whoever was there when it came, and whoever stands by; not passers-by.

Lengths are in body heights of the person concerned. What lies behind or in front is foreshortened in a picture, so
vertical distances count double (a camera that looks down by 30°).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from contracts.vision import Look, ObjectClass
from pipeline.rules.boxes import Box

_DEPTH = 2.0
_STANDS_S = 4.0  # at one spot for this long: stands by
_SPOT = 0.5  # body heights: who moves farther walks
_SAME_SPOT = 0.3  # body heights: a new track here is whoever was lost here
_KEEP_S = 15.0  # somebody not seen at all for longer has left: detectors miss people who stand still
_AWAY_S = 5.0  # and so has somebody who was seen elsewhere, and not close for longer
_MOST_PEOPLE = 24


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a look."""

    track: int
    box: Box


@dataclass(frozen=True, slots=True)
class Attendant:
    """Somebody close to a thing.

    Attributes:
        track: the track they are linked to now.
        box: as last seen close, normalised.
        last: stream time then, s.
        spot: where they have not walked away from since `spot_since`.
        attends: they brought it, or stood by for some seconds.
        away: they were seen elsewhere since.
    """

    track: int
    box: Box
    last: float
    spot: Box
    spot_since: float
    attends: bool
    away: bool = False

    def has_left(self, time: float, step: float) -> bool:
        """Whether who was not seen close is taken to have gone; `step` is the time since the look before, s."""
        return time - self.last > max(_AWAY_S if self.away else _KEEP_S, step) + 1e-6


def people_of(look: Look, min_score: float) -> tuple[Person, ...]:
    """The people of a look by track number; of many the largest."""
    tracks = look.tracks
    rows = np.flatnonzero((tracks.classes == ObjectClass.PERSON) & (tracks.scores >= min_score))
    if len(rows) > _MOST_PEOPLE:
        heights = tracks.boxes[rows, 3] - tracks.boxes[rows, 1]
        rows = rows[np.lexsort((tracks.ids[rows], -heights))[:_MOST_PEOPLE]]
    rows = rows[np.argsort(tracks.ids[rows])]
    boxes = tracks.boxes[rows].astype(np.float64).round(4).tolist()  # they are remembered for half a minute
    ids = tracks.ids[rows].tolist()
    return tuple(Person(track, (b[0], b[1], b[2], b[3])) for track, b in zip(ids, boxes, strict=True))


def distance(person: Box, thing: Box, aspect: float) -> float:
    """From a person's feet to a thing's lower edge, in heights of the person."""
    feet = (person[0] + person[2]) / 2
    beside = max(thing[0] - feet, feet - thing[2], 0.0) * aspect
    return math.hypot(beside, _DEPTH * (person[3] - thing[3])) / max(person[3] - person[1], 1e-6)


def _apart(a: Box, b: Box, aspect: float) -> float:
    """Distance of the feet, in heights of `a`."""
    across = ((a[0] + a[2]) - (b[0] + b[2])) / 2 * aspect
    return math.hypot(across, _DEPTH * (a[3] - b[3])) / max(a[3] - a[1], 1e-6)


def attend(
    before: tuple[Attendant, ...],
    thing: Box,
    people: tuple[Person, ...],
    time: float,
    aspect: float,
    reach: float,
    bringing: bool,
    step: float,
) -> tuple[Attendant, ...]:
    """Who is close to a thing right after a look.

    Args:
        before: who was, after the look before.
        reach: body heights that are close.
        bringing: the thing has just come, so whoever is close may have brought it.
        step: watched time since the look before, s.
    """
    close = [person for person in people if distance(person.box, thing, aspect) <= reach]
    if not close and not before:
        return ()
    known = {attendant.track: attendant for attendant in before}
    near, seen = {person.track for person in close}, {person.track for person in people}
    lost = [replace(a, away=a.away or a.track in seen) for a in before if a.track not in near]
    lost = [a for a in lost if not a.has_left(time, step)]
    present = []
    for person in close:
        old = known.get(person.track)
        if old is not None and old.has_left(time, step):
            old = None  # they were away: whoever comes back is met anew
        old = old or _take_same_spot(lost, person.box, aspect)
        present.append(_met(old, person, time, aspect, bringing))
    return (*present, *lost)


def _take_same_spot(lost: list[Attendant], box: Box, aspect: float) -> Attendant | None:
    for i, attendant in enumerate(lost):
        if _apart(attendant.box, box, aspect) <= _SAME_SPOT:
            return lost.pop(i)
    return None


def _met(old: Attendant | None, person: Person, time: float, aspect: float, bringing: bool) -> Attendant:
    if old is None:
        return Attendant(person.track, person.box, time, person.box, time, bringing)
    walked = _apart(old.spot, person.box, aspect) > _SPOT
    since = time if walked else old.spot_since
    return replace(
        old,
        track=person.track,
        box=person.box,
        last=time,
        spot=person.box if walked else old.spot,
        spot_since=since,
        attends=old.attends or bringing or time - since >= _STANDS_S - 1e-6,
        away=False,
    )
