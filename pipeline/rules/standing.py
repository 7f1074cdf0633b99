"""Which vehicles stand still, where, and since when: places with memory, not tracks.

A tracker loses a parked car behind a bus, swaps two ids, starts anew after a reconnect. The place does not move,
so a vehicle at rest is kept here as a place (a robust anchor box) and found again by place and appearance; its
clock runs on. Pure: everything is in `Scene`, a frozen value that goes to JSON and back.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from contracts.geometry import iou, overlap_area
from contracts.vision import Look
from pipeline.rules.boxes import SAME_FOOT, body_length, centre, moved, same_vehicle
from pipeline.rules.match import SAME_PLACE, Rows, match
from pipeline.rules.stand import Ended, Scene, Stand, Stillness, median_box, moved_now, with_sample

MEMORY_S = 600.0  # a place not seen for longer, for whatever reason, is given up
RELEASE_S = 1.0  # a track elsewhere this long, and in two looks: it has driven off
_ANCHOR_SAMPLES = 9
_ANCHOR_SPACING_S = 0.5
_CHANCE = 0.06  # of the detector missing a vehicle that often running: above it, its place is not yet empty
# How far a vehicle gets from rest in t, body lengths: the steps of a slow look, and half of 4 m/s² t² where one seen
# from the front is 1.8 m long.
_START, _PULL = 1.5, 1.1
_COVERING = 0.35  # share of the place that something in front must hide
_KEEP_MOVING_S = 3.0  # an unsettled track not seen for longer is forgotten
_APPEARANCE_EVERY_S = 30.0
_FEWEST_SHARE = 0.25
_NOBODY = -1


def _seen(stand: Stand, row: int, rows: Rows, look: Look, watched: float, stillness: Stillness) -> Stand:
    """The stand after a look that saw it (or its track close to its place)."""
    box, time = rows.boxes[row], look.time
    at_home = moved(box, stand.anchor, look.aspect, rolling_in=not stand.settled) <= stillness.max_move
    first = stand.first
    anchor = stand.anchor
    if at_home and len(first) < _ANCHOR_SAMPLES and time - first[-1][0] >= _ANCHOR_SPACING_S:
        first = (*first, (time, box))
        anchor = median_box(first)
    appearance, taken = stand.appearance, stand.appearance_at
    if rows.signatures is not None and (appearance is None or time - taken >= _APPEARANCE_EVERY_S):
        appearance, taken = rows.appearance(row), time
    return replace(
        stand,
        track=rows.ids[row],
        object_class=rows.classes[row],
        anchor=anchor,
        first=first,
        recent=with_sample(stand.recent, (time, box)),
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


def _begun(number: int, row: int, rows: Rows, look: Look, began: float) -> Stand:
    """A vehicle not known so far. A tracker confirms a track at its second sighting: what it did since its first
    one follows from its speed."""
    box, time = rows.boxes[row], look.time
    since, before = rows.here_since[row], rows.came_from[row]
    (x0, y0), (x1, y1) = centre(before, look.aspect), centre(box, look.aspect)
    way = math.hypot(x1 - x0, y1 - y0)
    driving = since >= time and way > 0
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
        before=before if driving else box,
        heading=((x1 - x0) / way, (y1 - y0) / way) if driving else None,
        travelled=way / body_length(box, look.aspect) if driving else 0.0,
        appearance=rows.appearance(row),
        appearance_at=time,
    )


def _restarted(stand: Stand, number: int, time: float, aspect: float) -> Stand:
    """The same vehicle, under way: its place begins anew where it is now."""
    box = stand.last_box
    (x0, y0), (x1, y1) = centre(stand.anchor, aspect), centre(box, aspect)
    dx, dy = x1 - x0, y1 - y0
    if stand.heading is not None:
        # The old direction smooths what the detector's jitter, or something in front, does to a short step: a step of
        # less than half a body length does not turn a vehicle around that was seen to drive further before.
        driven = min(stand.travelled, 1.0) * body_length(stand.anchor, aspect)
        old = max(math.hypot(dx, dy), driven) / 2
        dx, dy = dx + stand.heading[0] * old, dy + stand.heading[1] * old
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


def _hidden(stand: Stand, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N] share of the stand's place that each of the boxes [N, 4] lies over."""
    x1, y1, x2, y2 = stand.anchor
    shares: NDArray[np.float64] = overlap_area(np.array([stand.anchor]), boxes)[0] / max((x2 - x1) * (y2 - y1), 1e-9)
    return shares


def _covered(stand: Stand, rows: Rows, bystanders: list[Stand]) -> bool:
    """Something in front hides the place: anything whose lower edge is nearer to the camera.

    What stood there already while this vehicle was still seen hides nothing; but something that has stood since
    then may have come to hide it after its first moment only, as a bus does that rolls up.
    """
    if len(rows.everything) == 0:
        return False
    y1, y2 = stand.anchor[1], stand.anchor[3]
    hidden = _hidden(stand, rows.everything)
    in_front = rows.everything[:, 3] >= y2 - 0.1 * (y2 - y1)
    beside = [s for s in bystanders if s.number != stand.number and s.here and s.since <= stand.last_seen]
    old = np.array([s.last_box for s in beside if _hidden(stand, np.array([s.first[0][1]]))[0] >= _COVERING])
    for box in rows.everything[(hidden >= _COVERING) & in_front]:
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
        self.rows = Rows.of(look, stillness.min_score, stillness.max_move, last_look)
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
        matched = match(self.stands, self.rows, self.look.aspect, self.stillness, self.look.time)
        used = set(matched.values())
        owners = {stand.track: i for i, stand in enumerate(self.stands)}
        elsewhere = {
            owners[track]: r
            for r, track in enumerate(self.rows.ids)
            if r not in used and track in owners and owners[track] not in matched and self._reached(owners[track], r)
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

    def _reached(self, i: int, row: int) -> bool:
        """Whether a vehicle can have come that far from rest since it was last seen there; else its track was taken."""
        stand = self.stands[i]
        since = self.look.time - stand.last_seen
        far = moved(self.rows.boxes[row], stand.anchor, self.look.aspect)
        return not stand.settled or stand.away is not None or far <= _START + _PULL * since * since

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
            return replace(stand, settled=True, rested=True)
        return stand

    def _away(self, stand: Stand, row: int) -> list[Stand]:
        """Its track was seen elsewhere and nobody at its place: driven off, once a second look says so too."""
        time = self.look.time
        # Its first look away counts for nothing: a vehicle whose track was taken needs a look to be followed again.
        chance = (1.0 - min(stand.looks_share, 0.95)) ** stand.missed
        # One that goes on is the vehicle driving off; one that stands elsewhere may be another that took its track.
        going = moved(self.rows.boxes[row], stand.last_box, self.look.aspect) > self.stillness.max_move
        gone = chance <= (_CHANCE if going else _CHANCE**2)
        if stand.away is not None and time - stand.away >= RELEASE_S and gone:
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
        if _covered(stand, self.rows, self.stands):
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
            begun.append(_begun(self._number(), r, self.rows, self.look, self.began))
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
                same_foot = abs(other.anchor[3] - stand.anchor[3]) <= SAME_FOOT * height
                if overlaps[i, j] >= SAME_PLACE and same_foot and other.since > stand.last_seen:
                    gone.add(stand.number)
                    self.ended.append(Ended(stand, "replaced"))
                    break
        return [s for s in stands if s.number not in gone]


def observe(scene: Scene, look: Look, stillness: Stillness) -> tuple[Scene, list[Ended]]:
    """The scene after a look, and whose standing is over. A look not newer than the last changes nothing."""
    if scene.time is not None and look.time <= scene.time:
        return scene, []
    return Watch(scene, look, stillness).run()
