"""积水, waterlogging: standing water over a share of a zone, for `hold` seconds.

Water is judged cell by cell (`puddle`): it must keep its place for most of `hold`, in pieces larger than specks, beyond
what this camera takes for water when the ground is dry (`dryness`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from contracts.algorithms import Waterlogging
from contracts.errors import ConfigError
from contracts.pool import Camera, Zone
from contracts.records import Subject
from contracts.senses import NOTHING, Ask, WaterMap
from contracts.vision import Look
from pipeline.rules.base import Condition, Output, Step
from pipeline.rules.cells import Grid, Reading
from pipeline.rules.codec import decode, encode
from pipeline.rules.dryness import DryReference, check, expected, hour_of, learn, unlearn
from pipeline.rules.puddle import Extent, Puddle, depth_cm, extent, seep
from pipeline.rules.registry import register
from pipeline.rules.waterstate import Flood, Measure, WaterloggingState, ZoneState, with_share
from pipeline.rules.watertext import depth_class, reason

_KEY = "water"
_EARLY = 0.9  # of `look_every`: a look this early counts
_FOUND = 0.25  # of `hold`: water that is there this soon after watching began was not seen to come …
_FOUND_HOLDS = 2.0  # … and has to stay this many times as long
_WATCHED_SHARE = 0.5  # of `hold`: less was not watched enough to say anything
_STEADY = 0.75  # of the time watched there must be too much water: a puddle does not come and go
_DOUBTFUL_SHARE = 0.5  # of `min_share`: a candidate with less standing water after `hold` dissolves
_VISIBLE = 0.3  # of the zone: with less in sight nobody can say that the water is gone
_NEAR = 0.5  # of `min_share`: from here on looks are wanted
_HIGHER = 1.25  # a peak this much higher is told
_UPDATE_S = 30.0  # but not more often than this
_OPEN_LOOKS_S = 5.0
_FORGET_S = 60.0  # a candidate not watched for longer dissolves
_MEMORY_S = 600.0  # an event not watched for longer is closed
_LONGEST_STEP_S = 15.0


@register("waterlogging")
class WaterloggingRule:
    """The rule for one camera; `Rule[WaterloggingState]`.

    Args:
        camera: for error texts only.
        parameters: see `contracts.algorithms.Waterlogging`.
        zones: the zones to watch.

    Raises:
        ConfigError: a zone's calibration does not fit it, or it is too thin to be looked at.
    """

    type: ClassVar[str] = "waterlogging"

    def __init__(self, camera: Camera, parameters: Waterlogging, zones: tuple[Zone, ...]) -> None:
        self._parameters = parameters
        self._zones: dict[str, tuple[Zone, Grid]] = {}
        for zone in zones:
            try:
                self._zones[zone.id] = (zone, Grid(zone))
            except ValueError as error:
                raise ConfigError(f"camera {camera.id}, zone {zone.id}: {error}") from error

    def initial(self) -> WaterloggingState:
        """Nothing seen yet."""
        return WaterloggingState()

    def wants(self, state: WaterloggingState) -> float | None:
        """Every promised look near the limit and while a candidate waits; seldom more than every 5 s afterwards."""
        p, wanted = self._parameters, []
        for zone in state.zones:
            if zone.flood is not None and zone.flood.opened:
                wanted.append(max(p.look_every, min(_OPEN_LOOKS_S, p.clear_hold / 2)))
            elif zone.flood is not None or zone.measure.share >= _NEAR * p.min_share:
                wanted.append(p.look_every)
        return min(wanted, default=None)

    def asks(self, state: WaterloggingState, time: float) -> Ask:
        """A water map at this rule's own `look_every`, whatever the camera's is."""
        known = {zone.zone: zone for zone in state.zones}
        for name in self._zones:
            last = known[name].time if name in known else None
            if last is None or time - last >= _EARLY * self._parameters.look_every:
                return Ask(water=True)
        return NOTHING

    def conditions(self, state: WaterloggingState) -> list[Condition]:
        """See `Rule.conditions`."""
        return [
            one
            for zone in state.zones
            if zone.zone in self._zones and zone.time is not None
            for one in self._conditions(zone, zone.time)
        ]

    def _conditions(self, zone: ZoneState, time: float) -> list[Condition]:
        p, flood = self._parameters, zone.flood
        enough = Condition(zone.zone, "", "share", round(zone.measure.share, 4), p.min_share)
        if flood is None:
            return [enough]
        return [
            enough,
            Condition(zone.zone, _KEY, "lasting_s", round(time - flood.since, 1), self._needed(flood)),
            Condition(zone.zone, _KEY, "watched_s", round(flood.watched_s, 1), _WATCHED_SHARE * self._needed(flood)),
            Condition(zone.zone, _KEY, "wet_s", round(flood.wet_s, 1), _STEADY * flood.watched_s),
            Condition(zone.zone, _KEY, "standing_share", round(zone.measure.standing_share, 4), p.min_share),
        ]

    def _needed(self, flood: Flood) -> float:
        """How long it must last, s."""
        return self._parameters.hold * (_FOUND_HOLDS if flood.found else 1.0)

    def step(self, state: WaterloggingState, look: Look) -> tuple[WaterloggingState, list[Output]]:
        """See `Rule.step`. Off a zone's preset that zone is not judged."""
        outputs: list[Output] = []
        known = {zone.zone: zone for zone in state.zones}
        for old in state.zones:
            entry = self._zones.get(old.zone)
            if entry is None or entry[0].polygon != old.polygon:
                del known[old.zone]
                if old.flood is not None:
                    outputs.append(self._end(old, old.flood, look.time, look.time, "zone"))
        zones = []
        for zone, grid in self._zones.values():
            before = known.get(zone.id, ZoneState(zone.id, zone.polygon))
            if (zone.preset or "") != look.preset or (before.heard is not None and look.time <= before.heard):
                zones.append(before)
            elif look.senses.water is None:
                zones.append(replace(before, heard=look.time, gap=before.gap + max(look.gap, 0.0)))
            else:
                zones.append(self._watch(before, zone, grid, look, look.senses.water, outputs))
        return WaterloggingState(tuple(zones)), outputs

    def _watch(
        self, state: ZoneState, zone: Zone, grid: Grid, look: Look, water: WaterMap, outputs: list[Output]
    ) -> ZoneState:
        """One water map of one zone."""
        p = self._parameters
        step = 0.0 if state.time is None else look.time - state.time
        gap = min(state.gap + max(look.gap, 0.0), step)
        if step - gap > max(_LONGEST_STEP_S, 3 * p.look_every):
            gap = step
        watched = step - gap
        if gap > 0:
            state = self._after_gap(state, look, gap, outputs)
        reading = grid.read(water.probability, p.min_water, look.tracks)
        hour = hour_of(look.utc)
        dry = expected(state.reference, hour, grid.weights, p.min_share)
        puddle = seep(state.puddle, reading, dry, step if state.time is not None else None, watched, p.hold)
        found = extent(puddle, grid, reading, p.min_share)
        state = replace(
            state,
            time=look.time,
            begun=look.time if state.begun is None else state.begun,
            heard=look.time,
            gap=0.0,
            puddle=puddle,
            measure=Measure(
                found.share,
                found.standing_share,
                found.reliability,
                found.visible,
                float(grid.weights @ dry),
                depth_cm(puddle, tuple(mark.height_cm for mark in zone.depth_marks)),
            ),
            shares=with_share(state.shares, look.time, found.share),
        )
        state = replace(state, flood=self._judge(state, grid, look.time, watched, found, outputs))
        return replace(state, reference=self._learnt(state, hour, watched, reading))

    def _learnt(self, state: ZoneState, hour: int, watched: float, reading: Reading) -> DryReference:
        """Never from an event; from a candidate once it has dissolved."""
        if state.flood is not None and state.flood.opened:
            return unlearn(state.reference)
        return learn(state.reference, hour, watched, reading, doubtful=state.flood is not None)

    def _after_gap(self, state: ZoneState, look: Look, gap: float, outputs: list[Output]) -> ZoneState:
        """What a stretch of time without looks leaves: an event, if it was not long; a candidate, if it was short."""
        flood = state.flood
        if flood is not None and gap > (_MEMORY_S if flood.opened else min(_FORGET_S, self._parameters.hold)):
            outputs.append(self._end(state, flood, look.time, state.time or flood.since, "lost"))
            flood = None
        if gap > _MEMORY_S:
            return replace(state, flood=flood, shares=(), puddle=Puddle(), begun=None)
        return replace(state, flood=flood, shares=())

    def _judge(
        self, state: ZoneState, grid: Grid, time: float, watched: float, found: Extent, outputs: list[Output]
    ) -> Flood | None:
        p, share, flood = self._parameters, found.share, state.flood
        wet = share >= p.min_share
        if flood is None:
            if not wet:
                return None
            there = state.begun is not None and time - state.begun < _FOUND * p.hold
            flood, watched = Flood(time, there, box=grid.box(found.cells)), 0.0
            outputs.append(self._output(Step.CANDIDATE, state, flood, time))
        flood = replace(flood, peak=max(flood.peak, share), watched_s=flood.watched_s + watched)
        if wet:
            flood = replace(flood, wet_s=flood.wet_s + watched, box=grid.box(found.cells) or flood.box)
        low = share < p.clear * p.min_share if flood.opened else not wet
        if not low:
            flood = replace(flood, low_since=None, low_s=0.0)
        elif flood.low_since is None:
            flood = replace(flood, low_since=time, low_s=0.0)
        elif found.visible >= _VISIBLE:
            flood = replace(flood, low_s=flood.low_s + watched)
        if flood.opened:
            return self._go_on(state, flood, time, wet, outputs)
        return self._ripen(state, flood, time, wet, outputs)

    def _ripen(self, state: ZoneState, flood: Flood, time: float, wet: bool, outputs: list[Output]) -> Flood | None:
        """A candidate: an event, nothing after all, or still open."""
        p, lasting, standing = self._parameters, time - flood.since, state.measure.standing_share
        over = flood.low_since is not None and flood.low_s >= min(p.clear_hold, p.hold)
        patience = p.hold * (2 if wet else 1)  # one look that shows nothing must not be the one that decides
        if over or (flood.watched_s >= patience and standing < _DOUBTFUL_SHARE * p.min_share):
            outputs.append(self._output(Step.DISSOLVED, state, flood, time))
            return None
        enough = flood.watched_s >= _WATCHED_SHARE * self._needed(flood) - 1e-6
        steady = flood.wet_s >= _STEADY * flood.watched_s - 1e-6
        if not (wet and lasting >= self._needed(flood) - 1e-6 and enough and steady and standing >= p.min_share):
            return flood
        flood = replace(flood, opened=True, next_lasting_s=p.hold)
        outputs.append(self._output(Step.OPENED, state, flood, time))
        return self._told(flood, state.measure, time)

    def _go_on(self, state: ZoneState, flood: Flood, time: float, wet: bool, outputs: list[Output]) -> Flood | None:
        """An event: over, changed, or neither."""
        if flood.low_since is not None and flood.low_s >= self._parameters.clear_hold - 1e-6:
            outputs.append(self._end(state, flood, time, flood.low_since, "cleared"))
            return None
        calm = time - flood.told_at < _UPDATE_S
        milestone = time - flood.since >= flood.next_lasting_s
        deeper = (state.measure.depth_cm or 0.0) > flood.told_depth_cm
        if wet and (milestone or (not calm and (deeper or flood.peak >= _HIGHER * flood.told_peak))):
            outputs.append(self._output(Step.UPDATED, state, flood, time))
            return self._told(flood, state.measure, time)
        return flood

    def _told(self, flood: Flood, measure: Measure, time: float) -> Flood:
        milestone = max(flood.next_lasting_s, self._parameters.hold)
        while milestone <= time - flood.since:
            milestone *= 2
        depth = max(flood.told_depth_cm, measure.depth_cm or 0.0)
        return replace(flood, told_peak=flood.peak, told_depth_cm=depth, told_at=time, next_lasting_s=milestone)

    def _end(self, state: ZoneState, flood: Flood, now: float, ended: float, cause: str) -> Output:
        if not flood.opened:
            return self._output(Step.DISSOLVED, state, flood, now)
        return self._output(Step.CLOSED, state, flood, ended, cause)

    def _output(self, step: Step, state: ZoneState, flood: Flood, time: float, cause: str = "") -> Output:
        numbers = self._numbers(state, flood, time)
        silent = step in {Step.CANDIDATE, Step.DISSOLVED}
        return Output(
            step=step,
            key=_KEY,
            zone=state.zone,
            started=flood.since,
            time=time,
            subject=Subject(box=flood.box),
            numbers=numbers,
            reason={} if silent else reason(numbers, cause),
        )

    def _numbers(self, state: ZoneState, flood: Flood, time: float) -> dict[str, float]:
        measure, entry = state.measure, self._zones.get(state.zone)
        numbers = {
            "share": round(measure.share, 4),
            "standing_share": round(measure.standing_share, 4),
            "peak_share": round(max(flood.peak, measure.share), 4),
            "limit_share": self._parameters.min_share,
            "growth_per_min": round(state.growth, 4),
            "lasting_s": round(time - flood.since, 1),
            "seen_since_start": float(flood.found),
            "reference": round(measure.reference, 4),
            "certainty": round(measure.reliability, 3),
            "visible_share": round(measure.visible, 3),
        }
        if entry is not None and entry[1].area_m2 is not None:
            numbers["area_m2"] = round(measure.share * entry[1].area_m2, 2)
        if measure.depth_cm is not None:
            numbers["depth_cm"] = measure.depth_cm
            numbers["depth_class"] = float(depth_class(measure.depth_cm))
        return numbers

    def rezone(self, state: WaterloggingState, zones: tuple[Zone, ...]) -> WaterloggingState:
        """Zones whose polygon did not change go on; the next `step` ends what went on in the others."""
        return state

    def dump(self, state: WaterloggingState) -> dict[str, object]:
        """The state as JSON-able data."""
        return encode(state)

    def load(self, data: dict[str, object]) -> WaterloggingState:
        """Inverse of `dump`. Raises ValueError when the data is of another shape."""
        state = decode(WaterloggingState, data)
        for zone in state.zones:
            zone.puddle.check()
            check(zone.reference)
        return state
