"""Which vehicles stand still, where, and since when: places with memory, not tracks.

A tracker loses a parked car behind a bus, swaps two ids, starts anew after a reconnect. The place does not move,
so a vehicle at rest is kept here as a place (a robust anchor box) and found again by place and appearance; its
clock runs on. Pure: everything is in `Scene`, a frozen value that goes to JSON and back.

Lengths are in body lengths: the longer side of the anchor box, in true proportions. A box's displacement is what
its opposite edges agree on, so a box cut off by a passer-by, or blown up by headlights, has not moved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from contracts.geometry import iou, overlap_area
from contracts.vision import VEHICLES, Look

Box = tuple[float, float, float, float]
Sample = tuple[float, Box]

MEMORY_S = 600.0  # a place not seen for longer, for whatever reason, is given up
SETTLE_S = 1.5  # at rest this long: it has stopped
RELEASE_S = 1.0  # a track elsewhere this long, and in two looks: it has driven off
_LONGEST_STEP_S = 15.0  # looks further apart than this, and three promised intervals, are a gap
_ANCHOR_SAMPLES = 9
_ANCHOR_SPACING_S = 0.5
_RECENT_SPACING_S = 0.3
_RECENT_SAMPLES = 10
_WINDOW_S = 3.0  # where a settled vehicle is now: the median over this time, or of three looks
_SETTLING_WINDOW_S = 1.0
_NEAR = 1.0  # a track this close to its own place, body lengths, may still be dancing there
_SAME_PLACE = 0.5  # IoU
_SAME_PLACE_BLIND = 0.7  # IoU, when nothing else speaks for it (after a gap, without appearance)
_SAME_BOX = 0.7  # IoU of two detections of one vehicle in one look
_SAME_FOOT = 0.2  # of the height: a car parked in front of another has its wheels lower
_PART = 0.8  # share of the smaller box inside the larger: a part of the same vehicle, when their wheels are level
_ALIKE = 0.6  # cosine of two signatures below which they are clearly not the same vehicle
_COVERING = 0.35  # share of the place that something in front must hide
_KEEP_MOVING_S = 3.0  # an unsettled track not seen for longer is forgotten
_APPEARANCE_EVERY_S = 30.0
_FEWEST_SHARE = 0.25
_NOBODY = -1


@dataclass(frozen=True, slots=True)
class Stand:
    """A vehicle and the place where it rests, or last began to.

    Attributes:
        number: unique in the scene, never reused.
        track: the track it is linked to now; -1 while none is.
        object_class: value of `ObjectClass`.
        anchor: the place: median of the first boxes there, normalised x1 y1 x2 y2.
        since: stream time of the first sighting there, s.
        from_start: it was there already when watching began (or went on after a gap).
        settled: it has stopped (see `SETTLE_S`).
        last_seen: stream time when it was last seen at its place, s.
        here: it was seen at its place in the newest look.
        first: the boxes the anchor is made of.
        recent: the newest boxes, for where it is now.
        seen_s, unseen_s, covered_s, unwatched_s: how the time since `since` was spent; covered: something stood
            or drove in front of it; unwatched: nobody looked.
        missing_s: how long it has been looked for in vain, without anything in front, s; part of `unseen_s`.
        missed: looks in that time.
        away: when its track was first seen elsewhere; None while it is not.
        looks_since_gap: looks that saw it since the last unwatched stretch.
        heading: unit vector in which it arrived (true proportions); None when nobody saw it move.
        travelled: body lengths it was seen to move before.
        last_box: its newest box.
        before: the box before that one; the same as `last_box` in its first look.
        appearance: its signature, unit length; None when there is none.
        appearance_at: when that was taken, s.
    """

    number: int
    track: int
    object_class: int
    anchor: Box
    since: float
    from_start: bool
    settled: bool
    last_seen: float
    here: bool
    first: tuple[Sample, ...]
    recent: tuple[Sample, ...]
    last_box: Box
    before: Box
    seen_s: float = 0.0
    unseen_s: float = 0.0
    covered_s: float = 0.0
    unwatched_s: float = 0.0
    missing_s: float = 0.0
    missed: int = 0
    away: float | None = None
    looks_since_gap: int = 1
    heading: tuple[float, float] | None = None
    travelled: float = 0.0
    appearance: tuple[float, ...] | None = None
    appearance_at: float = 0.0

    @property
    def looks_share(self) -> float:
        """Share of the watched time in which it was seen, the search going on now left out; 1 at first."""
        looked_for = self.seen_s + self.unseen_s - self.missing_s
        return self.seen_s / looked_for if looked_for > 0 else 1.0

    @property
    def still_s(self) -> float:
        """How long it has been known to stand there, s."""
        return self.last_seen - self.since


@dataclass(frozen=True, slots=True)
class Ended:
    """A settled vehicle whose standing is over.

    Attributes:
        stand: its last state.
        cause: "left": seen driving off; "gone": not seen at its place for `leave_after`; "replaced": another
            vehicle has stopped in its place; "lost": hidden or not watched for longer than `MEMORY_S`.
    """

    stand: Stand
    cause: str


@dataclass(frozen=True, slots=True)
class Scene:
    """The vehicles of one camera (at one preset).

    Attributes:
        time: stream time of the newest look; None before the first.
        stands: vehicles at rest and moving, in order of `number`.
        began: stream time when watching began, or went on after the last gap, s.
        next_number: for the next one.
    """

    time: float | None = None
    began: float = 0.0
    stands: tuple[Stand, ...] = ()
    next_number: int = 0


@dataclass(frozen=True, slots=True)
class Stillness:
    """What counts as still; see `contracts.algorithms.IllegalParking`."""

    max_move: float
    leave_after: float
    min_score: float
    settle: float
    longest_step: float

    @staticmethod
    def of(max_move: float, leave_after: float, min_score: float, dwell: float, look_every: float) -> Stillness:
        return Stillness(
            max_move, leave_after, min_score, min(SETTLE_S, dwell / 2), max(_LONGEST_STEP_S, 3 * look_every)
        )


def body_length(box: Box, aspect: float) -> float:
    """The longer side of the box in true proportions, in picture heights."""
    return max((box[2] - box[0]) * aspect, box[3] - box[1], 1e-6)


def centre(box: Box, aspect: float) -> tuple[float, float]:
    """Middle of the box in true proportions, in picture heights."""
    return (box[0] + box[2]) / 2 * aspect, (box[1] + box[3]) / 2


def _agreed(a: float, b: float) -> float:
    """What two edges agree on: nothing when they moved apart, else the smaller movement."""
    if a * b <= 0:
        return 0.0
    return a if abs(a) < abs(b) else b


def moved(box: Box, anchor: Box, aspect: float) -> float:
    """How far `box` is from `anchor`, in body lengths of the anchor.

    Shift of the opposite edges as far as they agree, plus the growth (natural logarithm) on which width and height
    agree: a vehicle driving straight at the camera hardly shifts, it grows.
    """
    dx = _agreed(box[0] - anchor[0], box[2] - anchor[2]) * aspect
    dy = _agreed(box[1] - anchor[1], box[3] - anchor[3])
    wider = math.log(max(box[2] - box[0], 1e-6) / max(anchor[2] - anchor[0], 1e-6))
    taller = math.log(max(box[3] - box[1], 1e-6) / max(anchor[3] - anchor[1], 1e-6))
    return math.hypot(dx, dy) / body_length(anchor, aspect) + abs(_agreed(wider, taller))


def _median_box(samples: tuple[Sample, ...]) -> Box:
    boxes = [box for _, box in samples]
    if len(boxes) == 1:
        return boxes[0]
    x1, y1, x2, y2 = (median(column) for column in zip(*boxes, strict=True))
    return x1, y1, x2, y2


def place_now(stand: Stand) -> Box:
    """Where the vehicle is now, robustly: the median box of the last seconds (see `_WINDOW_S`)."""
    span, fewest = (_WINDOW_S, 3) if stand.settled else (_SETTLING_WINDOW_S, 1)
    newest = stand.recent[-1][0]
    inside = [i for i, (time, _) in enumerate(stand.recent) if time >= newest - span]
    start = min(inside[0], max(0, len(stand.recent) - fewest))
    return _median_box(stand.recent[start:])


def moved_now(stand: Stand, aspect: float) -> float:
    """How far the vehicle is from its place now, body lengths."""
    return moved(place_now(stand), stand.anchor, aspect)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The vehicles of one look as plain values, and everything seen as arrays."""

    ids: list[int]
    boxes: list[Box]
    classes: list[int]
    matrix: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    everything: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    appearance: list[tuple[float, ...] | None]
    here_since: list[float]

    @staticmethod
    def of(look: Look, min_score: float, max_move: float, last_look: float) -> _Rows:
        tracks = look.tracks
        keep = [
            i for i in range(len(tracks)) if int(tracks.classes[i]) in VEHICLES and float(tracks.scores[i]) >= min_score
        ]
        everything = tracks.boxes.astype(np.float64)
        boxes: list[Box] = [(b[0], b[1], b[2], b[3]) for b in everything[keep].tolist()]
        looks: list[tuple[float, ...] | None] = [None] * len(keep)
        if tracks.appearance is not None:
            looks = [tuple(round(float(v), 4) for v in tracks.appearance[i]) for i in keep]
        # A tracker confirms a track at its second sighting; one that did not move in between was here already then.
        here_since = [look.time] * len(keep)
        for k, i in enumerate(keep):
            age = look.time - max(float(tracks.first_seen[i]), last_look)
            vx, vy = float(tracks.velocity[i, 0]) * look.aspect, float(tracks.velocity[i, 1])
            if age > 0 and math.hypot(vx, vy) * age <= max_move * body_length(boxes[k], look.aspect):
                here_since[k] = max(float(tracks.first_seen[i]), last_look)
        return _Rows(
            [int(tracks.ids[i]) for i in keep],
            boxes,
            [int(tracks.classes[i]) for i in keep],
            everything[keep].reshape(-1, 4),
            everything.reshape(-1, 4),
            looks,
            here_since,
        )


def likeness(a: tuple[float, ...] | None, b: tuple[float, ...] | None) -> float | None:
    """Cosine of two signatures, −1..1; None when one is missing."""
    if a is None or b is None or len(a) != len(b):
        return None
    return sum(x * y for x, y in zip(a, b, strict=True))


def same_vehicle(a: Box, b: Box) -> bool:
    """Whether two boxes are one vehicle: nearly the same box, or one a part of the other, with the wheels level.

    A detector that is not sure boxes the front, the rear and the whole of one car.
    """
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return False
    area_a, area_b = (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])
    shared = width * height
    if shared >= _SAME_BOX * (area_a + area_b - shared):
        return True
    level = abs(a[3] - b[3]) <= _SAME_FOOT * max(a[3] - a[1], b[3] - b[1])
    return level and shared >= _PART * min(area_a, area_b)


def _admissible(stand: Stand, row: int, rows: _Rows, overlap: float, owner: Stand | None) -> bool:
    """Whether a detection under another id can be the vehicle that stood at this place.

    Not one that was seen driving elsewhere just before, not one that clearly looks different, not one whose wheels
    stand lower or higher. Without a signature to compare, after a gap, the place must fit closely.
    """
    if owner is not None and not owner.settled:
        return False
    height = stand.anchor[3] - stand.anchor[1]
    if abs(rows.boxes[row][3] - stand.anchor[3]) > _SAME_FOOT * height:
        return False
    # What is left of a tall bus beside a car is not the car: parts are of about the same height.
    if rows.boxes[row][3] - rows.boxes[row][1] > 1.5 * height:
        return False
    alike = likeness(stand.appearance, rows.appearance[row])
    if alike is not None:
        return alike >= _ALIKE
    return overlap >= _SAME_PLACE_BLIND if stand.looks_since_gap == 0 else True


def _match(stands: list[Stand], rows: _Rows, aspect: float, stillness: Stillness) -> dict[int, int]:
    """Which row shows which stand: index of the row by index of the stand; one row for one stand at most."""
    if not stands or not rows.ids:
        return {}
    owners = {stand.track: i for i, stand in enumerate(stands)}
    places = np.array([s.anchor if s.settled else s.last_box for s in stands], np.float64)
    overlaps = iou(places, rows.matrix)
    offers: list[tuple[float, int, int]] = []
    away_from_home: set[int] = set()
    for r, track in enumerate(rows.ids):
        own = owners.get(track)
        if own is None:
            continue
        stand = stands[own]
        distance = moved(rows.boxes[r], stand.anchor, aspect)
        if not stand.settled:
            offers.append((0.95, own, r))
        elif distance <= stillness.max_move and overlaps[own, r] > 0:
            offers.append((1.0 + float(overlaps[own, r]), own, r))
        else:
            away_from_home.add(r)
            if distance <= _NEAR and overlaps[own, r] > 0:
                offers.append((float(overlaps[own, r]) + 0.1, own, r))
    fitting = overlaps >= _SAME_PLACE
    for s, r in np.argwhere((overlaps > 0) & ~fitting).tolist():
        fitting[s, r] = stands[s].settled and same_vehicle(stands[s].anchor, rows.boxes[r])
    for s, r in np.argwhere(fitting).tolist():
        owner = owners.get(rows.ids[r])
        if owner == s or (owner is not None and stands[owner].settled and r not in away_from_home):
            continue
        overlap = float(overlaps[s, r])
        if _admissible(stands[s], r, rows, overlap, None if owner is None else stands[owner]):
            offers.append((overlap * (1.0 if stands[s].settled else 0.8), s, r))
    taken: dict[int, int] = {}
    used: set[int] = set()
    for _, s, r in sorted(offers, key=lambda offer: (-offer[0], offer[1], offer[2])):
        if s not in taken and r not in used:
            taken[s] = r
            used.add(r)
    return taken


def _spaced(samples: tuple[Sample, ...], sample: Sample, spacing: float) -> tuple[Sample, ...]:
    """The samples and the new one; the newest old one gives way when it is too close to its predecessor."""
    if len(samples) >= 2 and samples[-1][0] - samples[-2][0] < spacing:
        samples = samples[:-1]
    return (*samples, sample)


def _seen(stand: Stand, row: int, rows: _Rows, look: Look, watched: float, stillness: Stillness) -> Stand:
    """The stand after a look that saw it (or its track close to its place)."""
    box, time = rows.boxes[row], look.time
    at_home = moved(box, stand.anchor, look.aspect) <= stillness.max_move
    first = stand.first
    anchor = stand.anchor
    if at_home and len(first) < _ANCHOR_SAMPLES and time - first[-1][0] >= _ANCHOR_SPACING_S:
        first = (*first, (time, box))
        anchor = _median_box(first)
    appearance, taken = stand.appearance, stand.appearance_at
    if rows.appearance[row] is not None and (appearance is None or time - taken >= _APPEARANCE_EVERY_S):
        appearance, taken = rows.appearance[row], time
    return replace(
        stand,
        track=rows.ids[row],
        object_class=rows.classes[row],
        anchor=anchor,
        first=first,
        recent=_spaced(stand.recent, (time, box), _RECENT_SPACING_S)[-_RECENT_SAMPLES:],
        last_seen=time if at_home else stand.last_seen,
        here=at_home,
        before=stand.last_box,
        last_box=box,
        seen_s=stand.seen_s + watched,
        missing_s=0.0,
        missed=0,
        away=None,
        looks_since_gap=stand.looks_since_gap + 1,
        appearance=appearance,
        appearance_at=taken,
    )


def _begun(number: int, row: int, rows: _Rows, time: float, began: float) -> Stand:
    box = rows.boxes[row]
    since = rows.here_since[row]
    return Stand(
        number=number,
        track=rows.ids[row],
        object_class=rows.classes[row],
        anchor=box,
        since=since,
        seen_s=time - since,
        from_start=since <= began,
        settled=False,
        last_seen=time,
        here=True,
        first=((time, box),),
        recent=((time, box),),
        last_box=box,
        before=box,
        appearance=rows.appearance[row],
        appearance_at=time,
    )


def _restarted(stand: Stand, number: int, time: float, aspect: float) -> Stand:
    """The same vehicle, under way: its place begins anew where it is now."""
    box = stand.last_box
    (x0, y0), (x1, y1) = centre(stand.anchor, aspect), centre(box, aspect)
    dx, dy = x1 - x0, y1 - y0
    if stand.heading is not None:
        # Half of the old direction smooths what the detector's jitter does to a short step.
        length = math.hypot(dx, dy)
        dx, dy = dx + stand.heading[0] * length / 2, dy + stand.heading[1] * length / 2
    norm = math.hypot(dx, dy)
    return replace(
        stand,
        number=number,
        anchor=box,
        since=time,
        from_start=False,
        settled=False,
        last_seen=time,
        here=True,
        first=((time, box),),
        recent=((time, box),),
        seen_s=0.0,
        unseen_s=0.0,
        covered_s=0.0,
        unwatched_s=0.0,
        missing_s=0.0,
        missed=0,
        away=None,
        heading=(dx / norm, dy / norm) if norm > 0 else stand.heading,
        travelled=stand.travelled + moved(box, stand.anchor, aspect),
    )


def _covered(stand: Stand, rows: _Rows, bystanders: list[Stand], own_row: int | None) -> bool:
    """Something in front hides the place: anything whose lower edge is nearer to the camera.

    What stood there already while this vehicle was still seen hides nothing.
    """
    if len(rows.everything) == 0:
        return False
    place = np.array([stand.anchor])
    x1, y1, x2, y2 = stand.anchor
    hidden = overlap_area(place, rows.everything)[0] / max((x2 - x1) * (y2 - y1), 1e-9)
    in_front = rows.everything[:, 3] >= y2 - 0.1 * (y2 - y1)
    old = np.array(
        [s.last_box for s in bystanders if s.number != stand.number and s.here and s.since <= stand.last_seen]
    )
    for box in rows.everything[(hidden >= _COVERING) & in_front]:
        if own_row is not None and np.array_equal(box, rows.matrix[own_row]):
            continue
        if len(old) and float(np.max(iou(box[None], old))) > 0.9:
            continue
        return True
    return False


class Watch:
    """One look at one scene: the working state of `observe`."""

    def __init__(self, scene: Scene, look: Look, stillness: Stillness) -> None:
        step = 0.0 if scene.time is None else look.time - scene.time
        gap = min(max(look.gap, 0.0), step)
        if step - gap > stillness.longest_step:
            gap = step
        self.look = look
        self.stillness = stillness
        self.began = look.time if scene.time is None or gap > 0 else scene.began
        self.gap = gap
        self.watched = step - gap
        last_look = look.time if scene.time is None or gap > 0 else scene.time
        self.rows = _Rows.of(look, stillness.min_score, stillness.max_move, last_look)
        self.next_number = scene.next_number
        self.ended: list[Ended] = []
        self.stands: list[Stand] = []
        for stand in scene.stands:
            self._remember(stand)

    def _remember(self, stand: Stand) -> None:
        """Carries a stand into this look; one not seen for too long is given up before it is looked for."""
        if self.look.time - stand.last_seen > MEMORY_S:
            if stand.settled:
                self.ended.append(Ended(stand, "lost"))
            return
        if self.gap > 0:
            stand = replace(
                stand, unwatched_s=stand.unwatched_s + self.gap, looks_since_gap=0, recent=(), away=None, here=False
            )
        self.stands.append(stand)

    def _number(self) -> int:
        self.next_number += 1
        return self.next_number - 1

    def run(self) -> tuple[Scene, list[Ended]]:
        matched = _match(self.stands, self.rows, self.look.aspect, self.stillness)
        used = set(matched.values())
        owners = {stand.track: i for i, stand in enumerate(self.stands)}
        elsewhere = {
            owners[track]: r
            for r, track in enumerate(self.rows.ids)
            if r not in used and track in owners and owners[track] not in matched
        }
        followed = {self.rows.ids[r] for r in used}
        kept: list[Stand] = []
        for i, stand in enumerate(self.stands):
            if i not in matched and stand.track in followed:
                stand = replace(stand, track=_NOBODY)  # its track is at another place now  # noqa: PLW2901
            if i in matched:
                kept.append(self._follow(_seen(stand, matched[i], self.rows, self.look, self.watched, self.stillness)))
            elif i in elsewhere:
                kept.extend(self._away(stand, elsewhere[i]))
            else:
                kept.extend(self._missing(stand))
        kept.extend(self._new(used | set(elsewhere.values()), kept))
        kept = self._without_replaced(kept)
        kept.sort(key=lambda stand: stand.number)
        return Scene(self.look.time, self.began, tuple(kept), self.next_number), self.ended

    def _follow(self, stand: Stand) -> Stand:
        """Has it settled, or moved?"""
        if not stand.recent:
            return stand
        away = moved_now(stand, self.look.aspect) > self.stillness.max_move
        if away and stand.settled:
            self.ended.append(Ended(stand, "left"))
        if away:
            return _restarted(stand, self._number(), self.look.time, self.look.aspect)
        if not stand.settled and stand.here and stand.still_s >= self.stillness.settle - 1e-6:
            return replace(stand, settled=True)
        return stand

    def _away(self, stand: Stand, row: int) -> list[Stand]:
        """Its track was seen elsewhere and nobody at its place: driven off, once a second look says so too."""
        time = self.look.time
        if stand.away is not None and time - stand.away >= RELEASE_S:
            self.ended.append(Ended(stand, "left"))
            seen = replace(
                stand, before=stand.last_box, last_box=self.rows.boxes[row], object_class=self.rows.classes[row]
            )
            return [_restarted(seen, self._number(), time, self.look.aspect)]
        return [
            replace(
                stand,
                here=False,
                away=stand.away if stand.away is not None else time,
                before=stand.last_box,
                last_box=self.rows.boxes[row],
                unseen_s=stand.unseen_s + self.watched,
                missing_s=stand.missing_s + self.watched,
                missed=stand.missed + 1,
            )
        ]

    def _missing(self, stand: Stand) -> list[Stand]:
        """Not in this look at all."""
        stand = replace(stand, here=False)
        if not stand.settled:
            stand = replace(stand, missing_s=stand.missing_s + self.watched, missed=stand.missed + 1)
            return [stand] if stand.missing_s <= _KEEP_MOVING_S or stand.missed <= 2 else []
        if _covered(stand, self.rows, self.stands, None):
            return [replace(stand, covered_s=stand.covered_s + self.watched)]
        stand = replace(
            stand,
            unseen_s=stand.unseen_s + self.watched,
            missing_s=stand.missing_s + self.watched,
            missed=stand.missed + 1,
        )
        # A vehicle the detector finds in half of the looks only is given twice the time.
        expected = stand.missing_s * max(stand.looks_share, _FEWEST_SHARE)
        if expected >= self.stillness.leave_after and stand.missed >= 2:
            self.ended.append(Ended(stand, "gone"))
            return []
        return [stand]

    def _new(self, used: set[int], kept: list[Stand]) -> list[Stand]:
        """Vehicles not known so far; a second box on a vehicle that is already accounted for is not one."""
        begun: list[Stand] = []
        accounted = [self.rows.boxes[r] for r in sorted(used)]
        accounted += [stand.anchor for stand in kept if stand.settled and stand.here]
        for r, box in enumerate(self.rows.boxes):
            if r in used or any(same_vehicle(box, other) for other in accounted):
                continue
            accounted.append(box)
            begun.append(_begun(self._number(), r, self.rows, self.look.time, self.began))
        return begun

    def _without_replaced(self, stands: list[Stand]) -> list[Stand]:
        """Ends the stands in whose place another vehicle has come to rest."""
        absent = [s for s in stands if s.settled and not s.here]
        present = [s for s in stands if s.settled and s.here]
        if not absent or not present:
            return stands
        overlaps = iou(np.array([s.anchor for s in absent]), np.array([s.anchor for s in present]))
        gone = set()
        for i, stand in enumerate(absent):
            height = stand.anchor[3] - stand.anchor[1]
            for j, other in enumerate(present):
                same_foot = abs(other.anchor[3] - stand.anchor[3]) <= _SAME_FOOT * height
                if overlaps[i, j] >= _SAME_PLACE and same_foot and other.since > stand.last_seen:
                    gone.add(stand.number)
                    self.ended.append(Ended(stand, "replaced"))
                    break
        return [s for s in stands if s.number not in gone]


def observe(scene: Scene, look: Look, stillness: Stillness) -> tuple[Scene, list[Ended]]:
    """The scene after a look, and whose standing is over. A look not newer than the last changes nothing."""
    if scene.time is not None and look.time <= scene.time:
        return scene, []
    return Watch(scene, look, stillness).run()
