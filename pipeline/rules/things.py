"""Things that were left behind: since when each lies there, who attends to it, and whether it can be seen.

The sense says what is there (`contracts.senses.Leftover`); what a rule needs beside it comes from the tracks: whoever
was at the place when the thing came brought it, whoever stands there attends to it, whoever walks past does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from contracts.geometry import iou, overlap_area
from contracts.senses import Leftover
from contracts.vision import VEHICLES, Look, ObjectClass
from pipeline.rules.attendance import Attendant, Person, attend, people_of
from pipeline.rules.boxes import Box

MEMORY_S = 600.0  # a thing not watched for longer may be another one
_HISTORY_S = 30.0  # a thing is told some time after it came: who was there then is looked up
_HISTORY_SPACING_S = 0.5  # so fine it is known when whoever brought it left, if that was …
_LATELY_S = 10.0
_OLD_SPACING_S = 1.5
_CAME_S = 2.0  # whoever is close this long before or after it came (or a look) may have brought it
_SAME_PLACE = 0.3  # IoU: a new number here is the thing that was lost here
_HIDDEN = 0.3  # of its box behind something tracked: not being seen says nothing
_PART = 0.5  # of its box on a vehicle, bicycle or cart: it is a part of that
_LONGEST_STEP_S = 15.0
_OVER = 64
_WHEELED = np.array(sorted({*VEHICLES, ObjectClass.BICYCLE, ObjectClass.MOTORCYCLE}))


@dataclass(frozen=True, slots=True)
class Thing:
    """Something left behind.

    Attributes:
        key: names it for good, also where the sense loses and finds it under another number.
        number: `Leftover.number` as last told.
        box: as last seen, normalised.
        since: stream time when it came, s.
        litter: probability that it is litter, 0..1.
        last_seen: stream time, s.
        left: stream time since when nobody has attended to it, s.
        attendants: who is close to it.
        unwatched_s: time not watched since `left`.
        seen_s, missed_s: watched time in which it was seen, and in which it should have been and was not.
        missing_s: of that, in a row until now.
        hidden_s: watched time in which something tracked was in front of it.
        wheeled_s: watched time in which a vehicle or bicycle was where it is.
        wheeled_at: stream time when that was last so, s; None: never.
        looks: in which it was seen since it came or since the last gap.
        person_height, person_width: of whoever attended to it, how tall, in picture heights and in picture widths;
            0: nobody did.
    """

    key: int
    number: int
    box: Box
    since: float
    litter: float
    last_seen: float
    left: float
    attendants: tuple[Attendant, ...] = ()
    unwatched_s: float = 0.0
    seen_s: float = 0.0
    missed_s: float = 0.0
    missing_s: float = 0.0
    hidden_s: float = 0.0
    wheeled_s: float = 0.0
    wheeled_at: float | None = None
    looks: int = 0
    person_height: float = 0.0
    person_width: float = 0.0

    @property
    def bodies(self) -> float | None:
        """Its longer side in body heights; None where nobody has stood beside it."""
        if self.person_height <= 0 or self.person_width <= 0:
            return None
        x1, y1, x2, y2 = self.box
        return max((x2 - x1) / self.person_width, (y2 - y1) / self.person_height)

    def unattended_s(self, time: float) -> float:
        """How long nobody has attended to it, of the time watched."""
        return max(0.0, time - self.left - self.unwatched_s)

    @property
    def seen_share(self) -> float:
        """Of the time looked for, while nothing was in front."""
        whole = self.seen_s + self.missed_s
        return self.seen_s / whole if whole > 0 else 1.0

    @property
    def wheeled_share(self) -> float:
        """Of the watched time, a vehicle or bicycle was where it is."""
        whole = self.seen_s + self.missed_s + self.hidden_s
        return min(1.0, self.wheeled_s / whole) if whole > 0 else float(self.wheeled_at is not None)


@dataclass(frozen=True, slots=True)
class Seen:
    """The people of one look."""

    time: float
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """What was left behind in front of a camera (at one of its presets).

    Attributes:
        begun_at: stream time from which on it was watched without too long a gap, s; nothing came before that.
        time: stream time of the newest look, s; None before the first.
        sensed_at: of the newest look in which things were looked for; None before the first.
        pending_s: watched time since then.
        things: in the order in which they were told.
        next_key: of the next thing, never reused.
        history: who was there lately.
        over: (number, stream time) of things that have gone: what comes back under that number came back then.
    """

    begun_at: float | None = None
    time: float | None = None
    sensed_at: float | None = None
    pending_s: float = 0.0
    things: tuple[Thing, ...] = ()
    next_key: int = 0
    history: tuple[Seen, ...] = ()
    over: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Habits:
    """What of the algorithm's parameters concerns things.

    Attributes:
        attended: body heights within which somebody attends to a thing.
        leave_after: not seen for this long: gone, s.
        min_score: of a person's detection.
        look_every: s.
    """

    attended: float
    leave_after: float
    min_score: float
    look_every: float


@dataclass(frozen=True, slots=True)
class Ended:
    """A thing that is not there any more, as last known; `cause` is "gone" or "lost"."""

    thing: Thing
    cause: str


def observe(scene: Scene, look: Look, habits: Habits) -> tuple[Scene, list[Ended]]:
    """The scene after a look, and what has gone from it. The look must be newer than the scene."""
    step = 0.0 if scene.time is None else look.time - scene.time
    gap = min(max(look.gap, 0.0), step)
    if step - gap > max(_LONGEST_STEP_S, 3 * habits.look_every):
        gap = step
    if scene.begun_at is None:
        scene = replace(scene, begun_at=look.time)
    ended: list[Ended] = []
    if gap > 0:
        scene, ended = _after_gap(scene, look.time, gap)
    seen = Seen(look.time, people_of(look, habits.min_score))
    things = tuple(_attended(thing, seen, look.aspect, step - gap, habits) for thing in scene.things)
    scene = replace(
        scene,
        time=look.time,
        pending_s=scene.pending_s + step - gap,
        things=things,
        history=_remembered(scene.history, seen),
    )
    if look.senses.leftovers is not None:
        scene, gone = _sensed(scene, look.senses.leftovers, look, habits)
        ended += gone
    if ended:
        over = (*scene.over, *((end.thing.number, look.time) for end in ended))[-_OVER:]
        scene = replace(scene, over=over)
    return scene, ended


def _after_gap(scene: Scene, time: float, gap: float) -> tuple[Scene, list[Ended]]:
    """Nobody knows who stood there meanwhile: that time counts for nobody, and people are met anew."""
    if gap > MEMORY_S:
        fresh = Scene(time, scene.time, scene.sensed_at, next_key=scene.next_key, over=scene.over)
        return fresh, [Ended(thing, "lost") for thing in scene.things]
    kept = tuple(replace(t, attendants=(), unwatched_s=t.unwatched_s + gap, looks=0) for t in scene.things)
    return replace(scene, things=kept, history=()), []


def _remembered(history: tuple[Seen, ...], seen: Seen) -> tuple[Seen, ...]:
    """The history with one more look. The newest is always there; those before it keep their distance."""
    if len(history) >= 2 and history[-1].time - history[-2].time < _HISTORY_SPACING_S:
        history = history[:-1]
    kept: list[Seen] = []
    for one in history:
        old = one.time < seen.time - _LATELY_S
        if one.time >= seen.time - _HISTORY_S and not (old and kept and one.time - kept[-1].time < _OLD_SPACING_S):
            kept.append(one)
    return (*kept, seen)


def _attended(thing: Thing, seen: Seen, aspect: float, step: float, habits: Habits) -> Thing:
    """Who attends to a thing right after a look."""
    bringing = abs(seen.time - thing.since) <= max(_CAME_S, step)
    attendants = attend(thing.attendants, thing.box, seen.people, seen.time, aspect, habits.attended, bringing, step)
    here = [a for a in attendants if a.attends and a.last == seen.time]
    if attendants != thing.attendants:
        thing = replace(thing, attendants=attendants)
    if not here:
        return thing
    height = max(a.box[3] - a.box[1] for a in here)
    return replace(thing, left=seen.time, unwatched_s=0.0, person_height=height, person_width=height / aspect)


def _sensed(scene: Scene, leftovers: tuple[Leftover, ...], look: Look, habits: Habits) -> tuple[Scene, list[Ended]]:
    """The scene after it was looked for things; one whose number changed is found by its place."""
    numbers = {thing.number for thing in scene.things}
    by_number = {leftover.number: leftover for leftover in leftovers}
    unknown = [leftover for leftover in leftovers if leftover.number not in numbers]
    hidden, wheeled = _in_front([thing.box for thing in scene.things], look)
    things: list[Thing] = []
    gone: list[Ended] = []
    for i, thing in enumerate(scene.things):
        found = by_number.get(thing.number) or _take_same_place(unknown, thing.box)
        front = _Front(bool(hidden[i]), bool(wheeled[i]))
        after = _looked_for(thing, found, look.time, scene.pending_s, front)
        if after.missing_s >= habits.leave_after - 1e-6:
            gone.append(Ended(after, "gone"))
        else:
            things.append(after)
    things += [_begun(new, scene.next_key + i, look, scene, habits) for i, new in enumerate(unknown)]
    next_key = scene.next_key + len(unknown)
    return replace(scene, sensed_at=look.time, pending_s=0.0, things=tuple(things), next_key=next_key), gone


@dataclass(frozen=True, slots=True)
class _Front:
    """What is in front of a thing: anything tracked, something on wheels where it lies."""

    hidden: bool
    wheeled: bool


def _looked_for(thing: Thing, found: Leftover | None, time: float, watched: float, front: _Front) -> Thing:
    if front.wheeled:
        thing = replace(thing, wheeled_s=thing.wheeled_s + watched, wheeled_at=time)
    if found is not None:
        return replace(
            thing,
            number=found.number,
            box=found.box,
            litter=found.litter,
            last_seen=time,
            seen_s=thing.seen_s + watched,
            missing_s=0.0,
            looks=thing.looks + 1,
        )
    if front.hidden:
        return replace(thing, hidden_s=thing.hidden_s + watched)
    return replace(thing, missed_s=thing.missed_s + watched, missing_s=thing.missing_s + watched)


def _take_same_place(unknown: list[Leftover], box: Box) -> Leftover | None:
    if not unknown:
        return None
    overlaps = iou(np.array([box]), np.array([leftover.box for leftover in unknown]))[0]
    best = int(np.argmax(overlaps))
    return unknown.pop(best) if overlaps[best] >= _SAME_PLACE else None


def _begun(new: Leftover, key: int, look: Look, scene: Scene, habits: Habits) -> Thing:
    """A thing told for the first time, with what the people around it did since it came."""
    over = [time for number, time in scene.over if number == new.number]
    since = min(max(new.since, scene.begun_at or 0.0, *over), look.time)
    thing = Thing(key, new.number, new.box, since, new.litter, look.time, since, looks=1)
    for before, seen in zip((None, *scene.history), scene.history, strict=False):
        step = 0.0 if before is None else seen.time - before.time
        if seen.time >= since - max(_CAME_S, step):
            thing = _attended(thing, seen, look.aspect, step, habits)
    thing = replace(thing, left=max(thing.left, since))
    _, wheeled = _in_front([new.box], look)
    return replace(thing, wheeled_at=look.time) if wheeled[0] else thing


def _in_front(
    boxes: Sequence[Box], look: Look
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.bool_]], np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    """Which boxes something tracked covers in part, and which lie on something with wheels."""
    tracks = look.tracks
    if not boxes or len(tracks) == 0:
        nothing = np.zeros(len(boxes), np.bool_)
        return nothing, nothing
    things = np.array(boxes, np.float64)
    area = np.maximum((things[:, 2] - things[:, 0]) * (things[:, 3] - things[:, 1]), 1e-12)
    share = overlap_area(things, tracks.boxes.astype(np.float64)) / area[:, None]
    wheels = np.isin(tracks.classes, _WHEELED)
    on_wheels = (share[:, wheels] >= _PART).any(axis=1)
    covered: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = (share >= _HIDDEN).any(axis=1)
    return covered, on_wheels
