"""Which detection of a look shows which standing vehicle: the place first, then the track."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts.geometry import iou
from contracts.vision import VEHICLES, Look
from pipeline.rules.boxes import SAME_FOOT, Box, body_length, moved, same_vehicle
from pipeline.rules.stand import Stand, Stillness

_NEAR = 1.0  # a track this close to its own place, body lengths, may still be dancing there
SAME_PLACE = 0.5  # IoU
_SAME_PLACE_BLIND = 0.7  # IoU, when nothing else speaks for it (after a gap, without appearance)
_ALIKE = 0.6  # cosine of two signatures below which they are clearly not the same vehicle
_NO_TIME_S = 6.0  # nobody drives off and is replaced by another within this
_SURELY_THERE = 0.6  # IoU with the place for that
_SAME_LOOK = 0.85  # cosine of two signatures for that: in so short a time the light is the same
_DANCING = 0.25  # IoU with its place below which a track is elsewhere
_DRIVING = 0.5  # body lengths a second: a box that goes this fast stands nowhere
_TALLER = 1.5  # what shows of a bus beside a car is no part of the car
_UNDER_WAY = 0.95  # a vehicle under way is followed by its track, but a place that fits goes first

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rows:
    """The vehicles of one look as plain values, and everything seen as arrays."""

    ids: list[int]
    boxes: list[Box]
    classes: list[int]
    matrix: Array
    everything: Array
    signatures: NDArray[np.float32] | None
    here_since: list[float]
    speeds: list[float]  # body lengths a second
    came_from: list[Box]  # where a track was first seen, as far as its speed tells

    @staticmethod
    def of(look: Look, min_score: float, max_move: float, last_look: float) -> Rows:
        tracks = look.tracks
        keep = [
            i for i in range(len(tracks)) if int(tracks.classes[i]) in VEHICLES and float(tracks.scores[i]) >= min_score
        ]
        everything = tracks.boxes.astype(np.float64)
        boxes: list[Box] = [(b[0], b[1], b[2], b[3]) for b in everything[keep].tolist()]
        # A tracker confirms a track at its second sighting; one that did not move in between was here already then.
        here_since = [look.time] * len(keep)
        speeds, came_from = [0.0] * len(keep), list(boxes)
        for k, i in enumerate(keep):
            age = look.time - max(float(tracks.first_seen[i]), last_look)
            vx, vy = (float(v) for v in tracks.velocity[i])
            speeds[k] = math.hypot(vx * look.aspect, vy) / body_length(boxes[k], look.aspect)
            if age > 0 and speeds[k] * age <= max_move:
                here_since[k] = max(float(tracks.first_seen[i]), last_look)
            x1, y1, x2, y2 = boxes[k]
            back = min(look.time - float(tracks.first_seen[i]), _NO_TIME_S)
            came_from[k] = (x1 - vx * back, y1 - vy * back, x2 - vx * back, y2 - vy * back)
        return Rows(
            [int(tracks.ids[i]) for i in keep],
            boxes,
            [int(tracks.classes[i]) for i in keep],
            everything[keep].reshape(-1, 4),
            everything.reshape(-1, 4),
            None if tracks.appearance is None else tracks.appearance[keep],
            here_since,
            speeds,
            came_from,
        )

    def appearance(self, row: int) -> tuple[float, ...] | None:
        """The signature of one vehicle; None when the look has none."""
        return None if self.signatures is None else tuple(round(float(v), 4) for v in self.signatures[row])


def likeness(a: tuple[float, ...] | None, b: tuple[float, ...] | None) -> float | None:
    """Cosine of two signatures, −1..1; None when one is missing."""
    if a is None or b is None or len(a) != len(b):
        return None
    return sum(x * y for x, y in zip(a, b, strict=True))


def _admissible(stand: Stand, row: int, rows: Rows, overlap: float, owner: Stand | None, unseen_s: float) -> bool:
    """Whether a detection under another id can be the vehicle that stood at this place.

    Not one that was seen driving elsewhere just before, or drives now; not one that clearly looks different, not one
    whose wheels stand lower or higher. Nor, at a place where nobody has come to rest yet, one that turns up after
    looks that saw nobody there: that is the next one driving through. Without a signature to compare, after a gap, the
    place must fit closely. But where the vehicle was seen a moment ago, a track number that comes from elsewhere was
    swapped onto it.
    """
    if not stand.settled and stand.missed:
        return False
    alike = likeness(stand.appearance, rows.appearance(row))
    swapped = stand.settled and unseen_s <= _NO_TIME_S and overlap >= _SURELY_THERE
    swapped = swapped and (alike is None or alike >= _SAME_LOOK)
    if not swapped and ((owner is not None and not owner.settled) or rows.speeds[row] > _DRIVING):
        return False
    height = stand.anchor[3] - stand.anchor[1]
    if abs(rows.boxes[row][3] - stand.anchor[3]) > SAME_FOOT * height:
        return False
    if rows.boxes[row][3] - rows.boxes[row][1] > _TALLER * height:
        return False
    if alike is not None:
        return alike >= _ALIKE
    return overlap >= _SAME_PLACE_BLIND if stand.looks_since_gap == 0 else True


def match(stands: list[Stand], rows: Rows, aspect: float, stillness: Stillness, time: float) -> dict[int, int]:
    """Which row shows which stand: index of the row by index of the stand; one row for one stand at most.

    `time` is that of the look, s.
    """
    if not stands or not rows.ids:
        return {}
    places = np.array([s.anchor if s.settled else s.last_box for s in stands], np.float64)
    overlaps = iou(places, rows.matrix)
    owners = {stand.track: i for i, stand in enumerate(stands)}
    offers, astray = _by_track(stands, rows, owners, overlaps, aspect, stillness)
    offers += _by_place(stands, rows, owners, overlaps, astray, time)
    taken: dict[int, int] = {}
    used: set[int] = set()
    for _, s, r in sorted(offers, key=lambda offer: (-offer[0], offer[1], offer[2])):
        if s not in taken and r not in used:
            taken[s] = r
            used.add(r)
    return taken


_Offer = tuple[float, int, int]  # how well it fits, stand, row


def _by_track(
    stands: list[Stand], rows: Rows, owners: dict[int, int], overlaps: Array, aspect: float, stillness: Stillness
) -> tuple[list[_Offer], set[int]]:
    """Offers of the tracks that stands are linked to, and the rows that are not where their stand is."""
    offers: list[_Offer] = []
    astray: set[int] = set()
    for r, track in enumerate(rows.ids):
        own = owners.get(track)
        if own is None:
            continue
        overlap = float(overlaps[own, r])
        distance = moved(rows.boxes[r], stands[own].anchor, aspect)
        if not stands[own].settled:
            offers.append((_UNDER_WAY, own, r))
        elif distance <= stillness.max_move and overlap > 0:
            offers.append((1.0 + overlap, own, r))
        else:
            astray.add(r)
            if distance <= _NEAR and overlap >= _DANCING:
                offers.append((overlap + 0.1, own, r))
    return offers, astray


def _by_place(
    stands: list[Stand], rows: Rows, owners: dict[int, int], overlaps: Array, astray: set[int], time: float
) -> list[_Offer]:
    """Offers of boxes at a stand's place under another track number."""
    fitting = overlaps >= SAME_PLACE
    for s, r in np.argwhere((overlaps > 0) & ~fitting).tolist():
        fitting[s, r] = stands[s].settled and same_vehicle(stands[s].anchor, rows.boxes[r])
    offers: list[_Offer] = []
    for s, r in np.argwhere(fitting).tolist():
        own = owners.get(rows.ids[r])
        owner = None if own is None else stands[own]
        if own == s or (owner is not None and owner.settled and r not in astray):
            continue
        overlap = float(overlaps[s, r])
        if _admissible(stands[s], r, rows, overlap, owner, time - stands[s].last_seen):
            offers.append((overlap * (1.0 if stands[s].settled else 0.8), s, r))
    return offers
