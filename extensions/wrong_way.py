"""逆行, wrong-way cycling: a bicycle or motorcycle that rides against its lane. A short example of an algorithm.

A rider's way through the zone is measured from where they were first seen in it. Once they have come `min_travel`
body lengths along the lane against its direction, mostly against it and for at least `hold`, that is an event. It ends
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
_STRAIGHT = 0.7  # share of the way that leads against the lane: who crosses it is not riding against it
_BEGUN = 1 / 3  # of `min_travel`: from here on it is a candidate


@algorithm("wrong_way")
class WrongWay(AlgorithmParameters):
    """逆行: a rider who goes `min_travel` body lengths against the lane's direction."""

    zone_kinds: ClassVar[frozenset[str]] = frozenset({"road"})

    look_every: Duration = Field(0.5, ge=0.04, le=2, description="stream time between looks, s")
    direction: Annotated[tuple[float, float], Field(description="of the lane, [x, y], x right, y down")]
    min_travel: float = Field(4.0, gt=0, le=100, description="body lengths against the lane")
    hold: Duration = Field(1.5, ge=0, le=60, description="T: riding that way for this long, s")
    leave_after: Duration = Field(3.0, ge=0.5, le=60, description="not seen in the zone for this long: gone, s")


@dataclass(frozen=True, slots=True)
class Rider:
    """One track in one zone.

    Attributes:
        track: its number.
        zone: id of the zone.
        entered: stream time when it was first seen in the zone, s.
        first: box then; `last`: box now.
        last_seen: stream time, s.
        against: way against the lane since it entered, body lengths; negative: along it.
        way: all the way it came, body lengths.
        step: what was last said of it, a `Step` as text; empty: nothing yet.
    """

    track: int
    zone: str
    entered: float
    first: Box
    last: Box
    last_seen: float
    object_class: int
    against: float = 0.0
    way: float = 0.0
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
        for zone, track, box, object_class in self._present(look):
            rider = known.pop((zone, track), None) or Rider(track, zone, look.time, box, box, look.time, object_class)
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

    def _ridden(self, rider: Rider, box: Box, look: Look) -> Rider:
        """The rider further on; lengths in those of the box in between, which perspective makes larger or smaller."""
        length = (body_length(rider.last, look.aspect) + body_length(box, look.aspect)) / 2
        dx = ((box[0] + box[2]) - (rider.last[0] + rider.last[2])) / 2 * look.aspect / length
        dy = (box[3] - rider.last[3]) / length
        against = rider.against - (dx * self._lane[0] + dy * self._lane[1])
        return replace(rider, last=box, last_seen=look.time, against=against, way=rider.way + math.hypot(dx, dy))

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
        p, key = self._parameters, f"track:{rider.track}"
        straight = rider.against / rider.way if rider.way > 0 else 0.0
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
            key=f"track:{rider.track}",
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
