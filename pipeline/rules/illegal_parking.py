"""违停, illegal parking: a vehicle still for `dwell` inside a no-parking zone.

A standing vehicle (see `standing`) whose foot region lies in the zone is a candidate as soon as it has stopped, an
event once it stood for T and does not stand in a queue (see `queue`), and over when it has left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from contracts.algorithms import IllegalParking
from contracts.geometry import share_in_polygon
from contracts.pool import Camera, Zone
from contracts.records import Subject
from contracts.senses import NOTHING, Ask
from contracts.vision import Look, ObjectClass
from pipeline.rules.base import Condition, Output, Step
from pipeline.rules.boxes import Box
from pipeline.rules.codec import decode, encode
from pipeline.rules.parkingcase import Case, numbers_of, reason_of
from pipeline.rules.queue import accompany, held_back
from pipeline.rules.registry import register
from pipeline.rules.stand import Ended, Scene, Stand, Stillness
from pipeline.rules.standing import observe

# Which part of a box stands on the ground, from its lower edge. A high camera sees the road under the whole car, a
# low one only where the wheels are; of a bus or truck the upper part is always air.
_FOOT = {"high": 0.5, "low": 0.3}
_TALL = frozenset({ObjectClass.BUS, ObjectClass.TRUCK})
_TALL_FOOT = 0.6
_INSIDE = 0.5  # of the foot region
_SUBJECT_CHANGE_S = 30.0  # a new track number alone is told no more often than this
_CALM_LOOKS_S = 5.0
_PLATE_AHEAD_S = 20.0  # before T: from here on, and from T/2 on, the plate is read


@dataclass(frozen=True, slots=True)
class ParkingState:
    """Everything the rule remembers.

    Attributes:
        scenes: the vehicles, a scene for each preset.
        cases: candidates and open events, in the order they began.
        next_case: number of the next one, never reused.
    """

    scenes: tuple[tuple[str, Scene], ...] = ()
    cases: tuple[Case, ...] = ()
    next_case: int = 0


def foot_region(box: Box, object_class: int, mounting: str) -> Box:
    """The part of a vehicle's box that stands on the ground."""
    x1, y1, x2, y2 = box
    share = _FOOT[mounting] * (_TALL_FOOT if object_class in _TALL else 1.0)
    return x1, y2 - share * (y2 - y1), x2, y2


@register("illegal_parking")
class IllegalParkingRule:
    """The rule for one camera; `Rule[ParkingState]`.

    Args:
        camera: its mounting decides which part of a box counts as foot.
        parameters: see `contracts.algorithms.IllegalParking`.
        zones: the zones to watch.
    """

    type: ClassVar[str] = "illegal_parking"

    def __init__(self, camera: Camera, parameters: IllegalParking, zones: tuple[Zone, ...]) -> None:
        self._mounting = camera.mounting
        self._parameters = parameters
        self._zones = {zone.id: zone for zone in zones}
        p = parameters
        self._stillness = Stillness.of(p.max_move, p.leave_after, p.min_score, p.dwell, p.look_every)

    def initial(self) -> ParkingState:
        """Nothing seen yet."""
        return ParkingState()

    def wants(self, state: ParkingState) -> float | None:
        """Every promised look when a candidate's T is near or over; while one stands, a look every 5 s at least.

        In between nothing is decided, and whatever stirs wakes the gate.
        """
        if not state.cases:
            return None
        p = self._parameters
        seldom = max(p.look_every, min(_CALM_LOOKS_S, p.leave_after / 2))
        soon = p.dwell - seldom - p.look_every
        if any(not case.opened and case.last.still_s >= soon for case in state.cases):
            return p.look_every
        return seldom

    def step(self, state: ParkingState, look: Look) -> tuple[ParkingState, list[Output]]:
        """See `Rule.step`. Off a zone's preset that zone is not judged, and its clocks know they were not watched."""
        outputs: list[Output] = []
        state = self._without_dropped_zones(state, look, outputs)
        if look.preset is None:
            return state, outputs
        scenes = dict(state.scenes)
        before = scenes.get(look.preset, Scene())
        if before.time is not None and look.time <= before.time:
            return state, outputs
        scene, ended = observe(before, look, self._stillness)
        scenes[look.preset] = scene
        watched = 0.0 if before.time is None else max(0.0, look.time - before.time - look.gap)
        if watched > self._stillness.longest_step:
            watched = 0.0
        cases, next_case = self._judge(state, scene, ended, look, watched, outputs)
        return ParkingState(tuple(sorted(scenes.items())), tuple(cases), next_case), outputs

    def _judge(
        self,
        state: ParkingState,
        scene: Scene,
        ended: list[Ended],
        look: Look,
        watched: float,
        outputs: list[Output],
    ) -> tuple[list[Case], int]:
        over = {end.stand.number: end for end in ended}
        stands = {stand.number: stand for stand in scene.stands}
        cases: list[Case] = []
        for case in state.cases:
            if case.preset != look.preset:
                cases.append(case)
            elif case.stand in over:
                outputs.append(self._end(case, over[case.stand].stand, over[case.stand].cause, look))
            else:
                kept = self._advance(case, stands[case.stand], scene, look, watched, outputs)
                if kept is not None:
                    cases.append(kept)
        known = {(case.zone, case.stand) for case in cases}
        number = state.next_case
        for zone in self._zones.values():
            if (zone.preset or "") != look.preset:
                continue
            for stand in scene.stands:
                if not (stand.settled and stand.here) or (zone.id, stand.number) in known:
                    continue
                share = self._in_zone(stand, zone)
                if share < _INSIDE:
                    continue
                begun = Case(f"track:{stand.track}#{number}", zone.id, look.preset, stand.number, stand, in_zone=share)
                number += 1
                outputs.append(self._output(Step.CANDIDATE, begun, stand, look.time, look.aspect))
                advanced = self._advance(begun, stand, scene, look, stand.seen_s, outputs)
                if advanced is not None:
                    cases.append(advanced)
        return cases, number

    def _advance(
        self, case: Case, stand: Stand, scene: Scene, look: Look, watched: float, outputs: list[Output]
    ) -> Case | None:
        """One look at one case; None when it dissolved."""
        parameters = self._parameters
        company = accompany(case.company, stand, scene.stands, watched, look.aspect, parameters.dwell)
        plates = case.plates
        for read in look.senses.plates:
            if stand.here and read.vehicle == case.last.anchor:
                plates = plates.with_read(read, look.time)
        case = replace(case, company=company, plates=plates, last=stand if stand.here else case.last)
        if not case.opened and stand.here:
            share = self._in_zone(stand, self._zones[case.zone])
            case = replace(case, in_zone=share)
            if share < _INSIDE:
                outputs.append(self._output(Step.DISSOLVED, case, stand, look.time, look.aspect))
                return None
        if not stand.here:
            return case
        if not case.opened:
            return self._open(case, stand, look, outputs) if self._ripe(case, stand) else case
        milestone = stand.still_s >= case.next_still_s
        news = stand.track != case.told_track or (bool(plates.plate) and plates.plate != case.told_plate)
        first_plate = bool(plates.plate) and not case.told_plate
        if milestone or first_plate or (news and look.time - case.told_at >= _SUBJECT_CHANGE_S):
            outputs.append(self._output(Step.UPDATED, case, stand, look.time, look.aspect))
            return self._told(case, stand, look)
        return case

    def _ripe(self, case: Case, stand: Stand) -> bool:
        """T is over, it was seen often enough, again after any gap, and it does not merely stand in a queue."""
        parameters = self._parameters
        if stand.still_s < parameters.dwell or stand.looks_share < parameters.min_seen or stand.looks_since_gap < 2:
            return False
        return not (parameters.ignore_queues and held_back(case.company, stand.still_s, parameters.dwell))

    def _open(self, case: Case, stand: Stand, look: Look, outputs: list[Output]) -> Case:
        outputs.append(self._output(Step.OPENED, case, stand, look.time, look.aspect))
        return self._told(replace(case, opened=True, next_still_s=self._parameters.dwell), stand, look)

    def _told(self, case: Case, stand: Stand, look: Look) -> Case:
        milestone = max(case.next_still_s, self._parameters.dwell)
        while milestone <= stand.still_s:
            milestone *= 2
        return replace(
            case, next_still_s=milestone, told_track=stand.track, told_at=look.time, told_plate=case.plates.plate
        )

    def _end(self, case: Case, stand: Stand, cause: str, look: Look) -> Output:
        if not case.opened:
            return self._output(Step.DISSOLVED, case, stand, look.time, look.aspect)
        return self._output(Step.CLOSED, case, stand, stand.last_seen, look.aspect, cause)

    def _without_dropped_zones(self, state: ParkingState, look: Look, outputs: list[Output]) -> ParkingState:
        """Ends the cases whose zone was taken away, or was edited and no longer holds the vehicle."""
        kept = []
        for case in state.cases:
            zone = self._zones.get(case.zone)
            if zone is None or (zone.preset or "") != case.preset or self._in_zone(case.last, zone) < _INSIDE / 2:
                outputs.append(self._end(case, case.last, "zone", look))
            else:
                kept.append(case)
        return state if len(kept) == len(state.cases) else replace(state, cases=tuple(kept))

    def _in_zone(self, stand: Stand, zone: Zone) -> float:
        return share_in_polygon(foot_region(stand.anchor, stand.object_class, self._mounting), zone.polygon)

    def _output(self, step: Step, case: Case, stand: Stand, time: float, aspect: float, cause: str = "") -> Output:
        numbers, plate = numbers_of(case, stand, aspect), case.plates.plate
        silent = step in {Step.CANDIDATE, Step.DISSOLVED}
        return Output(
            step=step,
            key=case.key,
            zone=case.zone,
            started=stand.since,
            time=time,
            subject=Subject(
                track=stand.track,
                object_class=ObjectClass(stand.object_class).name.lower(),
                box=stand.anchor,
                plate=plate,
                plate_score=case.plates.score,
            ),
            numbers=numbers,
            reason={} if silent else reason_of(numbers, plate, cause),
        )

    def asks(self, state: ParkingState, time: float) -> Ask:
        """The plate of one vehicle that is about to be reported, or is: the one that was tried least.

        It is asked for by the vehicle's place as the state has it, and known again by that.
        """
        p = self._parameters
        if not p.read_plates:
            return NOTHING
        soon = max(p.dwell / 2, p.dwell - _PLATE_AHEAD_S)
        due = [
            case
            for case in state.cases
            if (case.opened or case.last.still_s >= soon) and case.plates.due(time, p.look_every)
        ]
        chosen = min(due, key=lambda case: case.plates.tries, default=None)
        return NOTHING if chosen is None else Ask(plates=(chosen.last.anchor,))

    def conditions(self, state: ParkingState) -> list[Condition]:
        """See `Rule.conditions`."""
        return [one for case in state.cases for one in self._conditions(case)]

    def _conditions(self, case: Case) -> list[Condition]:
        p, stand = self._parameters, case.last
        told = [
            ("in_zone_share", case.in_zone, _INSIDE),
            ("still_s", stand.still_s, p.dwell),
            ("looks_share", stand.looks_share, p.min_seen),
        ]
        found = [Condition(case.zone, case.key, name, round(value, 3), needed) for name, value, needed in told]
        if p.ignore_queues:
            held = float(held_back(case.company, stand.still_s, p.dwell))
            found.append(Condition(case.zone, case.key, "held_back_by_queue", held, 0.0, at_least=False))
        return found

    def rezone(self, state: ParkingState, zones: tuple[Zone, ...]) -> ParkingState:
        """Every vehicle keeps its clock; the next `step` ends the cases that no zone holds any more."""
        return state

    def dump(self, state: ParkingState) -> dict[str, object]:
        """The state as JSON-able data."""
        return encode(state)

    def load(self, data: dict[str, object]) -> ParkingState:
        """Inverse of `dump`. Raises ValueError when the data is of another shape."""
        return decode(ParkingState, data)
