"""逆行, wrong-way cycling: a bicycle or motorcycle that rides against its lane. A short example of an algorithm.

A rider's way through the zone is measured from where they were first seen in it. Once they have come `min_travel`
body lengths against the lane's direction, straight enough and for at least `hold`, that is an event. It ends
when they have left the zone, or turned around.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from contracts.algorithms import AlgorithmParameters, Duration, algorithm
from contracts.geometry import foot_points, points_in_polygon
from contracts.pool import Camera, Zone
from contracts.records import Subject
from contracts.senses import NOTHING, Ask
from contracts.vision import Look, ObjectClass
from pipeline.rules.base import Condition, Output, Step
from pipeline.rules.boxes import Box, body_length
from pipeline.rules.codec import decode, encode
from pipeline.rules.registry import register

_RIDERS = (ObjectClass.BICYCLE, ObjectClass.MOTORCYCLE)
_CLASS_NAMES = {int(one): one.name.lower() for one in _RIDERS}
# Cosine between the way and the lane, reversed: 26 degrees. Cameras that look along a kerb fold the way of somebody who
# crosses the lane to within 36 degrees of it.
_STRAIGHT = 0.9
_BEGUN = 1 / 3  # of `min_travel`: from here on it is a candidate
_FASTEST = 5.0  # body lengths a second


@algorithm("wrong_way")
class WrongWay(AlgorithmParameters):
    """逆行: a rider who goes `min_travel` body lengths against the lane's direction."""

    zone_kinds: ClassVar[frozenset[str]] = frozenset({"road"})

    look_every: Duration = Field(0.5, ge=0.04, le=2, description="stream time between looks, s")
    min_score: float = Field(
        0.2, ge=0.05, le=0.99, description="lower than elsewhere: a rider seen head-on is thin, 0..1"
    )
    direction: Annotated[tuple[float, float], Field(description="of the lane, [x, y], x right, y down")]
    min_travel: float = Field(4.0, gt=0, le=100, description="body lengths against the lane")
    hold: Duration = Field(1.5, ge=0, le=60, description="T: riding that way for this long, s")
    leave_after: Duration = Field(3.0, ge=0.5, le=60, description="not seen in the zone for this long: gone, s")


@dataclass(frozen=True, slots=True)
class Rider:
    """Somebody in one zone.

    Attributes:
        name: the number of the track in which they were first seen; an event's key.
        track: the number of the track now.
        zone: id of the zone.
        entered: stream time when it was first seen in the zone, s.
        last: box when they were last seen.
        last_seen: stream time, s.
        against: way against the lane since it entered, body lengths; negative: along it.
        across: way to the right of that, body lengths; negative: to the left.
        step: what was last said of it, a `Step` as text; empty: nothing yet.
    """

    name: int
    track: int
    zone: str
    entered: float
    last: Box
    last_seen: float
    object_class: int
    against: float = 0.0
    across: float = 0.0
    step: str = ""


@dataclass(frozen=True, slots=True)
class WrongWayState:
    """Everything the rule remembers."""

    time: float | None = None
    riders: tuple[Rider, ...] = ()


@register("wrong_way")
class WrongWayRule:
    """The rule for one camera; `Rule[WrongWayState]`."""

    type: ClassVar[str] = "wrong_way"

    def __init__(self, camera: Camera, parameters: WrongWay, zones: tuple[Zone, ...]) -> None:
        self._parameters = parameters
        self._zones = {zone.id: zone for zone in zones}
        x, y = parameters.direction
        length = math.hypot(x, y) or 1.0
        self._lane = (x / length, y / length)

    def initial(self) -> WrongWayState:
        """Nothing seen yet."""
        return WrongWayState()

    def wants(self, state: WrongWayState) -> float | None:
        """Every promised look while somebody rides in a zone."""
        return self._parameters.look_every if state.riders else None

    def asks(self, state: WrongWayState, time: float) -> Ask:
        """Tracks are enough."""
        return NOTHING

    def step(self, state: WrongWayState, look: Look) -> tuple[WrongWayState, list[Output]]:
        """See `Rule.step`."""
        if look.preset is None or (state.time is not None and look.time <= state.time):
            return state, []
        outputs: list[Output] = []
        known = {(rider.zone, rider.track): rider for rider in state.riders}
        riders = []
        present = self._present(look)
        seen = {(zone, track) for zone, track, _, _ in present}
        for zone, track, box, object_class in present:
            rider = known.pop((zone, track), None) or self._found_again(known, seen, (zone, track), box, look)
            rider = rider or Rider(track, track, zone, look.time, box, look.time, object_class)
            riders.append(self._judge(self._ridden(rider, box, look), look, outputs))
        for rider in known.values():
            if rider.zone not in self._zones or look.time - rider.last_seen >= self._parameters.leave_after:
                self._end(rider, look, outputs)
            else:
                riders.append(rider)
        return WrongWayState(look.time, tuple(riders)), outputs

    def _present(self, look: Look) -> list[tuple[str, int, Box, int]]:
        """Zone, track, box and class of everyone who rides in a zone that is in view."""
        found = []
        tracks = look.tracks
        ride = np.isin(tracks.classes, _RIDERS) & (tracks.scores >= self._parameters.min_score)
        feet = foot_points(tracks.boxes)
        for zone in self._zones.values():
            if (zone.preset or "") != look.preset:
                continue
            for row in np.flatnonzero(ride & points_in_polygon(feet, np.array(zone.polygon))):
                x1, y1, x2, y2 = (float(value) for value in tracks.boxes[row])
                found.append((zone.id, int(tracks.ids[row]), (x1, y1, x2, y2), int(tracks.classes[row])))
        return found

    def _found_again(
        self,
        known: dict[tuple[str, int], Rider],
        seen: set[tuple[str, int]],
        new: tuple[str, int],
        box: Box,
        look: Look,
    ) -> Rider | None:
        """Whose way the new track goes on with: a detector loses riders for a look or two, and their numbers change.

        It must be somebody who rode against the lane already, is not seen now, and came further that way since.
        """
        for key, rider in known.items():
            if rider.step and rider.zone == new[0] and key not in seen:
                further = self._ridden(rider, box, look).against - rider.against
                if 0 <= further <= _FASTEST * (look.time - rider.last_seen):
                    del known[key]
                    return replace(rider, track=new[1])
        return None

    def _ridden(self, rider: Rider, box: Box, look: Look) -> Rider:
        """The rider further on; lengths in those of the box in between, which perspective makes larger or smaller."""
        length = (body_length(rider.last, look.aspect) + body_length(box, look.aspect)) / 2
        dx = ((box[0] + box[2]) - (rider.last[0] + rider.last[2])) / 2 * look.aspect / length
        dy = (box[3] - rider.last[3]) / length
        against = rider.against - (dx * self._lane[0] + dy * self._lane[1])
        across = rider.across + dx * self._lane[1] - dy * self._lane[0]
        return replace(rider, last=box, last_seen=look.time, against=against, across=across)

    def _judge(self, rider: Rider, look: Look, outputs: list[Output]) -> Rider:
        p = self._parameters
        if rider.step == "" and rider.against >= _BEGUN * p.min_travel:
            rider = replace(rider, step=Step.CANDIDATE.value)
            outputs.append(self._output(Step.CANDIDATE, rider, look.time))
        if rider.step == Step.CANDIDATE.value and all(one.holds for one in self._waits_for(rider)):
            rider = replace(rider, step=Step.OPENED.value)
            outputs.append(self._output(Step.OPENED, rider, look.time))
        return rider

    def _end(self, rider: Rider, look: Look, outputs: list[Output]) -> None:
        if rider.step == Step.OPENED.value:
            outputs.append(self._output(Step.CLOSED, rider, rider.last_seen))
        elif rider.step:
            outputs.append(self._output(Step.DISSOLVED, rider, look.time))

    def _waits_for(self, rider: Rider) -> list[Condition]:
        p, key = self._parameters, f"track:{rider.name}"
        # From both sums, not from the length of the path: that grows with every look's jitter.
        way = math.hypot(rider.against, rider.across)
        straight = rider.against / way if way > 0 else 0.0
        return [
            Condition(rider.zone, key, "against_body_lengths", round(rider.against, 2), p.min_travel),
            Condition(rider.zone, key, "straight", round(straight, 3), _STRAIGHT),
            Condition(rider.zone, key, "riding_s", round(rider.last_seen - rider.entered, 2), p.hold),
        ]

    def conditions(self, state: WrongWayState) -> list[Condition]:
        """See `Rule.conditions`."""
        return [one for rider in state.riders for one in self._waits_for(rider)]

    def _output(self, step: Step, rider: Rider, time: float) -> Output:
        numbers = {one.name: one.value for one in self._waits_for(rider)}
        way, seconds = numbers["against_body_lengths"], numbers["riding_s"]
        return Output(
            step=step,
            key=f"track:{rider.name}",
            zone=rider.zone,
            started=rider.entered,
            time=time,
            subject=Subject(
                track=rider.track, object_class=ObjectClass(rider.object_class).name.lower(), box=rider.last
            ),
            numbers=numbers,
            reason={
                "zh": f"逆向骑行 {way:.1f} 个车身长，{seconds:.1f} 秒",
                "en": f"rode {way:.1f} body lengths against the lane in {seconds:.1f} s",
            },
        )

    def rezone(self, state: WrongWayState, zones: tuple[Zone, ...]) -> WrongWayState:
        """Riders go on; those of a zone that is gone end with the next `step`."""
        return state

    def dump(self, state: WrongWayState) -> dict[str, object]:
        """The state as JSON-able data."""
        return encode(state)

    def load(self, data: dict[str, object]) -> WrongWayState:
        """Inverse of `dump`. Raises ValueError when the data is of another shape."""
        return decode(WrongWayState, data)
