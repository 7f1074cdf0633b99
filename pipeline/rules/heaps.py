"""Pieces that lie together are one heap; and the ground they lie on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from contracts.errors import ConfigError
from contracts.geometry import homography, project, share_in_polygon
from contracts.pool import Zone
from pipeline.rules.boxes import Box
from pipeline.rules.things import Thing

_INSIDE = 0.5  # of a thing's lower half
_STILL_INSIDE = 0.25  # after the zone was edited
_AT_BIN = 0.5  # widths of a bin: what lies this close to it is a matter of the bin
_APART = 2.0  # widths of the wider one: pieces farther apart are two heaps


class Ground:
    """One zone in which things may lie.

    Args:
        camera: its id, for error texts.
        zone: the zone.
        bins: the camera's bin zones: what lies beside one belongs to it.

    Raises:
        ConfigError: the zone's calibration does not fit it.
    """

    def __init__(self, camera: str, zone: Zone, bins: Sequence[Zone] = ()) -> None:
        self.zone = zone
        self._bins = [_grown(bounds(other)) for other in bins if other.preset == zone.preset]
        self._matrix = None
        if zone.calibration is not None:
            try:
                self._matrix = homography(zone.calibration.image, zone.calibration.ground_m)
                project((*zone.calibration.image, *zone.polygon), self._matrix)
            except ValueError as error:
                raise ConfigError(f"camera {camera}, zone {zone.id}: calibration: {error}") from error

    def holds(self, box: Box, *, known: bool) -> bool:
        """Whether a thing lies here, and not beside a bin; one that is `known` to is let go later."""
        x1, y1, x2, y2 = box
        middle = (x1 + x2) / 2
        if any(b[0] <= middle <= b[2] and b[1] <= y2 <= b[3] for b in self._bins):
            return False
        share = _share((x1, (y1 + y2) / 2, x2, y2), self.zone.polygon)
        return share >= (_STILL_INSIDE if known else _INSIDE)

    def width_m(self, box: Box) -> float | None:
        """How wide a thing is, metres; None where the zone is not calibrated."""
        if self._matrix is None:
            return None
        try:
            left, right = project(((box[0], box[3]), (box[2], box[3])), self._matrix)
        except ValueError:
            return None
        return math.dist(left, right)


@dataclass(frozen=True, slots=True)
class Heap:
    """A candidate or an open event.

    Attributes:
        key: see `Output.key`.
        zone: id of the zone.
        preset: preset of the scene its pieces belong to.
        started: stream time when its first piece came, s.
        members: `Thing.key` of its pieces.
        lead: the piece that nobody has attended to for the longest, as last seen.
        unattended_s: of that piece.
        box: around its pieces.
        litter: the highest probability of any piece.
        last_seen: stream time when any piece was last seen, s.
        opened: an event; else a candidate.
        next_lying_s: duration at which the next milestone is told, s.
        told_pieces, told_at: what the last transition said, and its stream time.
    """

    key: str
    zone: str
    preset: str
    started: float
    members: tuple[int, ...]
    lead: Thing
    unattended_s: float
    box: Box
    litter: float
    last_seen: float
    opened: bool = False
    next_lying_s: float = 0.0
    told_pieces: int = 0
    told_at: float = 0.0

    @staticmethod
    def of(key: str, zone: str, preset: str, thing: Thing, time: float) -> Heap:
        """A heap of one piece."""
        unattended = thing.unattended_s(time)
        return Heap(
            key, zone, preset, thing.since, (thing.key,), thing, unattended, thing.box, thing.litter, thing.last_seen
        )

    def with_pieces(self, things: Sequence[Thing], time: float) -> Heap:
        """The heap of these pieces, at least one, as they are now."""
        lead = max(things, key=lambda thing: (thing.unattended_s(time), -thing.key))
        return replace(
            self,
            members=tuple(sorted(thing.key for thing in things)),
            lead=lead,
            unattended_s=lead.unattended_s(time),
            box=_around([thing.box for thing in things]),
            litter=max(thing.litter for thing in things),
            last_seen=max(thing.last_seen for thing in things),
        )

    def told(self, time: float, dwell: float) -> Heap:
        """After an OPENED or UPDATED at `time`: the next milestone is 2, 4, 8 … times `dwell`."""
        milestone = max(self.next_lying_s, 2 * dwell)
        while milestone <= time - self.started:
            milestone *= 2
        return replace(self, opened=True, next_lying_s=milestone, told_pieces=len(self.members), told_at=time)


def together(heap: Heap, thing: Thing, aspect: float) -> bool:
    """Whether a thing lies so close to a heap that it belongs to it."""
    a, b = heap.box, thing.box
    beside = max(a[0] - b[2], b[0] - a[2], 0.0) * aspect
    # What lies behind is foreshortened: half as far in the picture.
    behind = 2 * max(a[1] - b[3], b[1] - a[3], 0.0)
    lead = heap.lead.box
    widest = max(lead[2] - lead[0], b[2] - b[0]) * aspect
    return math.hypot(beside, behind) <= _APART * widest


@lru_cache(maxsize=1024)  # things lie still: the same few boxes are asked for at every look
def _share(box: Box, polygon: tuple[tuple[float, float], ...]) -> float:
    return share_in_polygon(box, polygon)


def bounds(zone: Zone) -> Box:
    """The box around a zone."""
    xs, ys = zip(*zone.polygon, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _grown(box: Box) -> Box:
    by = _AT_BIN * (box[2] - box[0])
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def _around(boxes: Sequence[Box]) -> Box:
    x1, y1, x2, y2 = zip(*boxes, strict=True)
    return min(x1), min(y1), max(x2), max(y2)
