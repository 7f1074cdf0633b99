"""垃圾暴露, litter: a thing left on the ground for `dwell` after whoever left it has gone, or a bin that overflows.

What was left behind and how likely it is litter comes from a sense; who attends to it comes from the tracks (see
`things`). Pieces that lie together are one heap and one event (see `heaps`); a bin is an event by its state
(see `bins`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from contracts.algorithms import Litter
from contracts.pool import Camera, Zone, ZoneKind
from contracts.senses import Ask
from contracts.vision import Look
from pipeline.rules.base import Condition, Output, Step
from pipeline.rules.bins import READ_EVERY_S
from pipeline.rules.codec import decode, encode
from pipeline.rules.heaps import Ground, Heap, together
from pipeline.rules.litter_bins import BinWatch, BinZone
from pipeline.rules.litter_words import heap_output
from pipeline.rules.registry import register
from pipeline.rules.things import Ended, Habits, Scene, Thing, observe

LET_GO = 0.15  # below `min_litter` by this much: taken for something else after all
MIN_SEEN = 0.6  # of the time it was looked for
MAX_WHEELED = 0.3  # of the time: more, and it is a part of a parked vehicle
_CLEAR_S = 5.0  # nothing on wheels in its place for this long before it is told
_LOOKS = 2  # since any gap
_SMALL, _LARGE = 0.25, 1.7  # body heights
_SURELY = 0.9  # litter: asked of what is of another size, and of what nobody was beside when it came
_UPDATE_S = 30.0  # a heap that grows is told no more often
_CALM_LOOKS_S = 5.0
_EARLY = 0.9  # a look this share of its interval after the last one is in time


@dataclass(frozen=True, slots=True)
class LitterState:
    """Everything the rule remembers.

    Attributes:
        scenes: what was left behind, a scene for each preset.
        heaps: candidates and open events.
        next_heap: number of the next one, never reused.
        bins: one for each bin zone that was watched.
    """

    scenes: tuple[tuple[str, Scene], ...] = ()
    heaps: tuple[Heap, ...] = ()
    next_heap: int = 0
    bins: tuple[BinZone, ...] = ()


@register("litter")
class LitterRule:
    """The rule for one camera; `Rule[LitterState]`.

    Args:
        camera: unused; every rule is built from the same three.
        parameters: see `contracts.algorithms.Litter`.
        zones: the zones to watch; in those of kind `bin` the bin, in others the ground.

    Raises:
        ConfigError: a zone's calibration does not fit it.
    """

    type: ClassVar[str] = "litter"

    def __init__(self, camera: Camera, parameters: Litter, zones: tuple[Zone, ...]) -> None:
        self._parameters = parameters
        bins = tuple(zone for zone in zones if zone.kind is ZoneKind.BIN)
        around = tuple(zone for zone in camera.zones if zone.kind is ZoneKind.BIN)
        self._grounds = {z.id: Ground(camera.id, z, around) for z in zones if z.kind is not ZoneKind.BIN}
        self._bins = BinWatch(parameters, bins)
        p = parameters
        self._habits = Habits(p.attended, p.leave_after, p.min_score, p.look_every)

    def initial(self) -> LitterState:
        """Nothing seen yet."""
        return LitterState()

    def wants(self, state: LitterState) -> float | None:
        """Every promised look when a candidate's T is near; while something is going on, a look every 5 s."""
        p = self._parameters
        seldom = max(p.look_every, min(_CALM_LOOKS_S, p.leave_after / 2))
        soon = p.dwell - seldom - p.look_every
        candidates = [heap for heap in state.heaps if not heap.opened]
        if any(heap.unattended_s >= soon for heap in candidates):
            return p.look_every
        return seldom if state.heaps or self._bins.busy(state.bins) else None

    def asks(self, state: LitterState, time: float) -> Ask:
        """Leftovers at this rule's own looks, bins every 5 s."""
        due = _EARLY * self._parameters.look_every
        sensed = [scene.sensed_at for _, scene in state.scenes if scene.sensed_at is not None]
        leftovers = bool(self._grounds) and time - max(sensed, default=-due) >= due
        return Ask(leftovers=leftovers, bins=self._bins.due(state.bins, time, max(READ_EVERY_S * _EARLY, due)))

    def step(self, state: LitterState, look: Look) -> tuple[LitterState, list[Output]]:
        """See `Rule.step`. Off a zone's preset that zone is not judged, and its clocks know they were not watched."""
        outputs: list[Output] = []
        state = self._without_dropped_zones(state, look, outputs)
        bins = self._bins.step(state.bins, look, outputs)
        state = replace(state, bins=bins)
        if look.preset is None or not self._grounds:
            return state, outputs
        scenes = dict(state.scenes)
        before = scenes.get(look.preset, Scene())
        if before.time is not None and look.time <= before.time:
            return state, outputs
        scene, ended = observe(before, look, self._habits)
        scenes[look.preset] = scene
        state = replace(state, scenes=tuple(sorted(scenes.items())))
        for ground in self._grounds.values():
            if (ground.zone.preset or "") == look.preset:
                state = self._judge(ground, state, scene, ended, look, outputs)
        return state, outputs

    def _judge(
        self,
        ground: Ground,
        state: LitterState,
        scene: Scene,
        ended: list[Ended],
        look: Look,
        outputs: list[Output],
    ) -> LitterState:
        """One look at one zone's ground."""
        heaps = [heap for heap in state.heaps if heap.zone == ground.zone.id]
        if not heaps and not scene.things:
            return state
        pieces = {t.key: t for t in scene.things if self._is_piece(t, ground, heaps)}
        causes = {end.thing.key: end for end in ended}
        after: list[Heap] = []
        for heap in heaps:
            mine = [pieces.pop(key) for key in heap.members if key in pieces]
            if mine:
                after.append(heap.with_pieces(mine, look.time))
            else:
                outputs.append(self._end(heap, [causes[k] for k in heap.members if k in causes], ground, look))
        number = state.next_heap
        for thing in pieces.values():
            home = next((i for i, h in enumerate(after) if together(h, thing, look.aspect)), None)
            if home is not None:
                members = [t for t in scene.things if t.key in after[home].members]
                after[home] = after[home].with_pieces([*members, thing], look.time)
                continue
            begun = Heap.of(f"item:{number}", ground.zone.id, look.preset or "", thing, look.time)
            number += 1
            outputs.append(heap_output(Step.CANDIDATE, begun, ground, look.time))
            after.append(begun)
        after = [self._advance(heap, scene, ground, look, outputs) for heap in after]
        others = tuple(heap for heap in state.heaps if heap.zone != ground.zone.id)
        return replace(state, heaps=(*others, *after), next_heap=number)

    def _is_piece(self, thing: Thing, ground: Ground, heaps: list[Heap]) -> bool:
        """Whether a thing is, or still counts as, litter on this ground."""
        p = self._parameters
        known = next((heap for heap in heaps if thing.key in heap.members), None)
        least = p.min_litter if known is None else p.min_litter - min(LET_GO, p.min_litter / 2)
        return thing.litter >= least and ground.holds(thing.box, known=known is not None)

    def _advance(self, heap: Heap, scene: Scene, ground: Ground, look: Look, outputs: list[Output]) -> Heap:
        things = {thing.key: thing for thing in scene.things}
        if not heap.opened:
            if not any(self._ripe(things[key], look.time) for key in heap.members):
                return heap
            outputs.append(heap_output(Step.OPENED, heap, ground, look.time))
            return heap.told(look.time, self._parameters.dwell)
        milestone = look.time - heap.started >= heap.next_lying_s
        grown = len(heap.members) > heap.told_pieces and look.time - heap.told_at >= _UPDATE_S
        if (milestone or grown) and any(things[key].missing_s == 0.0 for key in heap.members):
            outputs.append(heap_output(Step.UPDATED, heap, ground, look.time))
            return heap.told(look.time, self._parameters.dwell)
        return heap

    def _ripe(self, thing: Thing, time: float) -> bool:
        """T is over, it is there now, was mostly seen, and is not a part of something parked."""
        clear = thing.wheeled_at is None or time - thing.wheeled_at >= _CLEAR_S
        return (
            thing.unattended_s(time) >= self._parameters.dwell - 1e-6
            and thing.litter >= self._least(thing)
            and thing.missing_s == 0.0
            and thing.looks >= _LOOKS
            and thing.seen_share >= MIN_SEEN
            and clear
            and thing.wheeled_share <= MAX_WHEELED
        )

    def _least(self, thing: Thing) -> float:
        """How surely it must be litter: what is larger than a person is more often parked than left, what nobody
        brought has more often been blown there, as leaves are, and the smallest things show too few pixels to guess."""
        likely = thing.bodies is not None and _SMALL <= thing.bodies <= _LARGE
        return self._parameters.min_litter if likely else max(self._parameters.min_litter, _SURELY)

    def _end(self, heap: Heap, ended: list[Ended], ground: Ground | None, look: Look, cause: str = "") -> Output:
        if not heap.opened:
            return heap_output(Step.DISSOLVED, heap, ground, look.time)
        cause = cause or (ended[-1].cause if ended else "other")
        last = max([end.thing.last_seen for end in ended], default=heap.last_seen)
        return heap_output(Step.CLOSED, heap, ground, max(last, heap.told_at), cause)

    def _without_dropped_zones(self, state: LitterState, look: Look, outputs: list[Output]) -> LitterState:
        """Ends the heaps whose zone was taken away, or was edited and no longer holds its leading piece."""
        kept = []
        for heap in state.heaps:
            ground = self._grounds.get(heap.zone)
            if (
                ground is None
                or (ground.zone.preset or "") != heap.preset
                or not ground.holds(heap.lead.box, known=True)
            ):
                outputs.append(self._end(heap, [], ground, look, "zone"))
            else:
                kept.append(heap)
        return state if len(kept) == len(state.heaps) else replace(state, heaps=tuple(kept))

    def conditions(self, state: LitterState) -> list[Condition]:
        """See `Rule.conditions`: every thing that lies in a zone, litter ("item:…") or not ("thing:…"), and bins."""
        found = self._bins.conditions(state.bins)
        scenes = dict(state.scenes)
        for ground in self._grounds.values():
            scene = scenes.get(ground.zone.preset or "")
            if scene is None or scene.time is None:
                continue
            heaps = [heap for heap in state.heaps if heap.zone == ground.zone.id]
            inside = [thing for thing in scene.things if ground.holds(thing.box, known=False)]
            found.append(Condition(ground.zone.id, "", "things", float(len(inside)), 1.0))
            for thing in inside:
                heap = next((heap for heap in heaps if thing.key in heap.members), None)
                found += self._conditions(ground.zone.id, heap.key if heap else f"thing:{thing.key}", thing, scene.time)
        return found

    def _conditions(self, zone: str, key: str, thing: Thing, time: float) -> list[Condition]:
        p = self._parameters
        by = sum(1 for attendant in thing.attendants if attendant.attends)
        clear = time - thing.wheeled_at if thing.wheeled_at is not None else p.dwell
        return [
            Condition(zone, key, "litter", round(thing.litter, 3), self._least(thing)),
            Condition(zone, key, "unattended_s", round(thing.unattended_s(time), 1), p.dwell),
            Condition(zone, key, "attended_by", float(by), 0.0, at_least=False),
            Condition(zone, key, "missing_s", round(thing.missing_s, 1), 0.0, at_least=False),
            Condition(zone, key, "looks_since_gap", float(thing.looks), float(_LOOKS)),
            Condition(zone, key, "seen_share", round(thing.seen_share, 3), MIN_SEEN),
            Condition(zone, key, "vehicle_share", round(thing.wheeled_share, 3), MAX_WHEELED, at_least=False),
            Condition(zone, key, "no_vehicle_s", round(clear, 1), _CLEAR_S),
        ]

    def rezone(self, state: LitterState, zones: tuple[Zone, ...]) -> LitterState:
        """Every thing keeps its clock; the next `step` ends what no zone holds any more."""
        return state

    def dump(self, state: LitterState) -> dict[str, object]:
        """The state as JSON-able data."""
        return encode(state)

    def load(self, data: dict[str, object]) -> LitterState:
        """Inverse of `dump`. Raises ValueError when the data is of another shape."""
        return decode(LitterState, data)
