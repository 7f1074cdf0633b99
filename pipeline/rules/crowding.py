"""拥挤, crowding: more people in a zone than it takes, for `hold` seconds.

People who have been in the zone for `linger` are counted (see `people`); the count is the median of the last seconds.
The zone is crowded when the count is above its limit; that in at least 80 % of the last `hold` seconds is an event.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import ClassVar

from contracts.algorithms import Crowding
from contracts.errors import ConfigError
from contracts.pool import Camera, Zone
from contracts.records import Subject
from contracts.senses import NOTHING, Ask
from contracts.vision import Look
from pipeline.rules.base import Condition, Output, Step
from pipeline.rules.boxes import Box
from pipeline.rules.codec import decode, encode
from pipeline.rules.crowdclock import SMOOTH_S, Bins, Count, Ebb, began, dated_back, ebbing, entered, share
from pipeline.rules.crowdtext import reason_of
from pipeline.rules.crowdzone import Cars, Limit, Sizes, estimated_area, limit_of, measured, measured_cars, peak_density
from pipeline.rules.people import PACE_S, Gathering, Visitor, gather, pace
from pipeline.rules.registry import register

_KEY = "crowd"
_SMOOTH_SPACING_S = 0.5
_CROWDED_SHARE = 0.8  # of `hold`
_DOUBTFUL_SHARE = 0.5  # a candidate crowded in less of `hold` dissolves
_WATCHED_SHARE = 0.5  # of `hold`: less was not watched enough to say anything
_STILL_THERE = 0.8  # of the least crowd: so many in the very look that opens it
_NEAR = 0.7  # of the limit: from here on looks are wanted
_HIGHER = 1.25  # a peak this much higher is told
_UPDATE_S = 30.0  # but not more often than this
_OPEN_LOOKS_S = 5.0
_FORGET_S = 60.0  # a candidate not watched for longer dissolves
_MEMORY_S = 600.0  # an event not watched for longer is closed
_LONGEST_STEP_S = 15.0
_WALKING = 0.7  # m/s: who gets along faster passes through, however long the way


@dataclass(frozen=True, slots=True)
class Crowd:
    """A candidate or an open event.

    Attributes:
        since: stream time when the zone was first too full, s.
        opened: an event; else a candidate.
        peak: the highest count.
        told_peak, told_at: what the last transition said, and its stream time.
        next_lasting_s: duration at which the next milestone is told, s.
        ebb: while the count is below (candidate: the limit; event: `clear` of it).
        box: around the people counted when it was last too full.
    """

    since: float
    opened: bool = False
    peak: float = 0.0
    told_peak: float = 0.0
    told_at: float = 0.0
    next_lasting_s: float = 0.0
    ebb: Ebb | None = None
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class ZoneState:
    """What is remembered of one zone.

    Attributes:
        zone: its id.
        polygon: the polygon all this was counted in.
        time: stream time of the newest look at it, s; None before the first.
        gathering: see `people`.
        counts: the newest, for the median.
        feet: where the people counted in the newest look stand, and how tall they look: x, y, height, normalised.
        sizes, cars: of people and cars, where the zone is not calibrated; see `crowdzone`.
        aspect: width / height of the picture they were taken in.
        bins: see `crowdclock`.
        over: stream time when the last candidate or event was, s.
        crowd: what is going on, if anything.
    """

    zone: str
    polygon: tuple[tuple[float, float], ...]
    time: float | None = None
    gathering: Gathering = field(default_factory=Gathering)
    counts: tuple[Count, ...] = ()
    feet: tuple[tuple[float, float, float], ...] = ()
    sizes: Sizes = ()
    cars: Cars = ()
    aspect: float = 1.0
    bins: Bins = ()
    over: float | None = None
    crowd: Crowd | None = None

    @property
    def people(self) -> float:
        """How many are there now, robustly."""
        if not self.counts:
            return 0.0
        newest = self.counts[-1].time
        inside = [i for i, count in enumerate(self.counts) if count.time >= newest - SMOOTH_S]
        start = min(inside[0], max(0, len(self.counts) - 3))
        return float(median(count.people for count in self.counts[start:]))


@dataclass(frozen=True, slots=True)
class _Now:
    """One look: its stream time, watched time before it (s), whether the zone is too full by the smoothed count, how
    many are there whether they stand or walk, and the box around those counted."""

    time: float
    watched: float
    crowded: bool
    there: int
    box: Box | None


@dataclass(frozen=True, slots=True)
class CrowdingState:
    """Everything the rule remembers, by zone."""

    zones: tuple[ZoneState, ...] = ()


@register("crowding")
class CrowdingRule:
    """The rule for one camera; `Rule[CrowdingState]`.

    Args:
        camera: for error texts only.
        parameters: see `contracts.algorithms.Crowding`.
        zones: the zones to watch.

    Raises:
        ConfigError: a zone has no limit, or its calibration does not fit it (the horizon runs through it).
    """

    type: ClassVar[str] = "crowding"

    def __init__(self, camera: Camera, parameters: Crowding, zones: tuple[Zone, ...]) -> None:
        self._parameters = parameters
        self._zones: dict[str, tuple[Zone, Limit]] = {}
        for zone in zones:
            where = f"camera {camera.id}, zone {zone.id}"
            try:
                limit = limit_of(zone, parameters)
            except ValueError as error:
                raise ConfigError(f"{where}: calibration: {error}") from error
            if limit is None and parameters.zones is None and len(zones) > 1:
                continue  # left to itself it watches the zones that have a limit: a carriageway has none
            if limit is None:
                fix = "give the zone a capacity or a calibration, or the algorithm max_people"
                raise ConfigError(f"{where}: crowding has no limit there", fix)
            self._zones[zone.id] = (zone, limit)

    def initial(self) -> CrowdingState:
        """Nothing seen yet."""
        return CrowdingState()

    def wants(self, state: CrowdingState) -> float | None:
        """Every promised look near the limit and while a candidate waits; seldom more than every 5 s afterwards."""
        wanted: list[float] = []
        every = self._parameters.look_every
        for zone in state.zones:
            if zone.crowd is not None and zone.crowd.opened:
                wanted.append(max(every, min(_OPEN_LOOKS_S, self._parameters.clear_hold / 2)))
            elif zone.crowd is not None or (
                zone.zone in self._zones and zone.people >= _NEAR * self._zones[zone.zone][1].people
            ):
                wanted.append(every)
        return min(wanted, default=None)

    def asks(self, state: CrowdingState, time: float) -> Ask:
        """Tracks are enough."""
        return NOTHING

    def conditions(self, state: CrowdingState) -> list[Condition]:
        """See `Rule.conditions`."""
        return [
            one
            for zone in state.zones
            if zone.zone in self._zones and zone.time is not None
            for one in self._conditions(zone, self._zones[zone.zone][1], zone.time)
        ]

    def _conditions(self, zone: ZoneState, limit: Limit, time: float) -> list[Condition]:
        more = Condition(zone.zone, "", "people", zone.people, math.floor(limit.people) + 1)
        if zone.crowd is None:
            return [more]
        watched, crowded = share(zone.bins, self._parameters.hold, time)
        hold = self._parameters.hold
        return [
            more,
            Condition(zone.zone, _KEY, "lasting_s", round(time - zone.crowd.since, 1), hold),
            Condition(zone.zone, _KEY, "watched_s", round(watched, 1), _WATCHED_SHARE * hold),
            Condition(zone.zone, _KEY, "crowded_share", round(crowded, 3), _CROWDED_SHARE),
        ]

    def step(self, state: CrowdingState, look: Look) -> tuple[CrowdingState, list[Output]]:
        """See `Rule.step`. Off a zone's preset that zone is not judged."""
        outputs: list[Output] = []
        known = {zone.zone: zone for zone in state.zones}
        for old in state.zones:
            entry = self._zones.get(old.zone)
            if entry is None or entry[0].polygon != old.polygon:
                del known[old.zone]
                if old.crowd is not None:
                    outputs.append(self._end(old, old.crowd, entry[1] if entry else None, look.time, look.time, "zone"))
        zones = []
        for zone, limit in self._zones.values():
            before = known.get(zone.id, ZoneState(zone.id, zone.polygon))
            elsewhere = (zone.preset or "") != look.preset
            if elsewhere or (before.time is not None and look.time <= before.time):
                zones.append(before)
            else:
                zones.append(self._watch(before, zone, limit, look, outputs))
        return CrowdingState(tuple(zones)), outputs

    def _watch(self, state: ZoneState, zone: Zone, limit: Limit, look: Look, outputs: list[Output]) -> ZoneState:
        """One look at one zone."""
        p = self._parameters
        step = 0.0 if state.time is None else look.time - state.time
        gap = min(max(look.gap, 0.0), step)
        if step - gap > max(_LONGEST_STEP_S, 3 * p.look_every):
            gap = step
        watched = step - gap
        if gap > 0:
            state = self._after_gap(state, limit, look, gap, outputs)
        gathering, present, hidden = gather(state.gathering, look, zone.polygon, p.min_score, watched)
        to_ground = limit.to_ground if limit.matrix is not None else None
        there = [v for v in (*present, *hidden) if v.last_seen - v.entered >= p.linger - 1e-6]
        # Who is to count sooner than a pace can be told counts however they go.
        slow = p.linger < PACE_S
        counted = [v for v in there if slow or pace(v, look.aspect, to_ground) <= _WALKING]
        counts = state.counts
        if len(counts) >= 2 and counts[-1].time - counts[-2].time < _SMOOTH_SPACING_S:
            counts = counts[:-1]
        counts = (*counts, Count(look.time, len(counted), len(present)))[-(round(SMOOTH_S / _SMOOTH_SPACING_S) + 2) :]
        state = replace(state, time=look.time, gathering=gathering, counts=counts, feet=_feet(counted))
        if limit.area_m2 is None:
            sizes, cars = measured(state.sizes, look, p.min_score), measured_cars(state.cars, look, p.min_score)
            state = replace(state, sizes=sizes, cars=cars, aspect=look.aspect)
        crowded = state.people > limit.people
        state = replace(state, bins=entered(state.bins, look.time, p.hold, watched, crowded))
        crowd = state.crowd
        if crowd is None and not crowded:
            return state
        if crowd is None:
            earliest = -math.inf if state.over is None else state.over
            since = began(there, limit.people, p.linger, look.time, watched, earliest)
            crowd = Crowd(since, box=_around(counted))
            state = replace(state, bins=dated_back(state.bins, p.hold, since, look.time))
            outputs.append(self._output(Step.CANDIDATE, state, crowd, limit, look.time))
        now = _Now(look.time, watched, crowded, len(there), _around(counted))
        crowd = self._judge(state, crowd, limit, now, outputs)
        return replace(state, crowd=crowd, over=state.over if crowd is not None else look.time)

    def _after_gap(self, state: ZoneState, limit: Limit, look: Look, gap: float, outputs: list[Output]) -> ZoneState:
        """What a stretch of time without looks leaves: an event, if it was not long; a candidate, if it was short."""
        crowd = state.crowd
        if crowd is not None and gap > (_MEMORY_S if crowd.opened else min(_FORGET_S, self._parameters.hold)):
            outputs.append(self._end(state, crowd, limit, look.time, state.time or crowd.since, "lost"))
            crowd = None
        # Nobody knows who stayed meanwhile: everybody's time in the zone begins anew.
        gathering = replace(state.gathering, visitors=())
        return replace(state, crowd=crowd, counts=(), gathering=gathering)

    def _judge(self, state: ZoneState, crowd: Crowd, limit: Limit, now: _Now, outputs: list[Output]) -> Crowd | None:
        """What a look makes of a candidate or an event; None: it is over."""
        people = state.people
        crowd = replace(crowd, peak=max(crowd.peak, people))
        if now.crowded:
            crowd = replace(crowd, box=now.box or crowd.box)
        least = self._parameters.clear * limit.people if crowd.opened else math.nextafter(limit.people, math.inf)
        earliest = max(crowd.since, crowd.told_at)
        ebb = None if people >= least else ebbing(crowd.ebb, state.counts, least, earliest, now.watched)
        crowd = replace(crowd, ebb=ebb)
        if crowd.opened:
            return self._go_on(state, crowd, limit, now, outputs)
        return self._ripen(state, crowd, limit, now, outputs)

    def _ripen(self, state: ZoneState, crowd: Crowd, limit: Limit, now: _Now, outputs: list[Output]) -> Crowd | None:
        """A candidate: an event, nothing after all, or still open."""
        p = self._parameters
        watched, most = share(state.bins, p.hold, now.time)
        lasting = now.time - crowd.since
        over = crowd.ebb is not None and crowd.ebb.lasting >= p.clear_hold - 1e-6
        if over or (lasting >= p.hold and most < _DOUBTFUL_SHARE):
            outputs.append(self._output(Step.DISSOLVED, state, crowd, limit, now.time))
            return None
        enough = watched >= _WATCHED_SHARE * p.hold
        # The median lags: those who make the crowd must still be there, but for those a single look does not find.
        there = now.crowded and now.there >= _STILL_THERE * (math.floor(limit.people) + 1)
        if not (there and lasting >= p.hold - 1e-6 and enough and most >= _CROWDED_SHARE):
            return crowd
        crowd = replace(crowd, opened=True, next_lasting_s=p.hold)
        outputs.append(self._output(Step.OPENED, state, crowd, limit, now.time))
        return self._told(crowd, now.time)

    def _go_on(self, state: ZoneState, crowd: Crowd, limit: Limit, now: _Now, outputs: list[Output]) -> Crowd | None:
        """An event: over, changed, or neither."""
        if crowd.ebb is not None and crowd.ebb.over(self._parameters.clear_hold):
            outputs.append(self._end(state, crowd, limit, now.time, crowd.ebb.ended, "cleared"))
            return None
        milestone = now.time - crowd.since >= crowd.next_lasting_s
        higher = crowd.peak >= _HIGHER * crowd.told_peak and now.time - crowd.told_at >= _UPDATE_S
        if now.crowded and (milestone or higher):
            outputs.append(self._output(Step.UPDATED, state, crowd, limit, now.time))
            return self._told(crowd, now.time)
        return crowd

    def _told(self, crowd: Crowd, time: float) -> Crowd:
        milestone = max(crowd.next_lasting_s, self._parameters.hold)
        while milestone <= time - crowd.since:
            milestone *= 2
        return replace(crowd, told_peak=crowd.peak, told_at=time, next_lasting_s=milestone)

    def _end(self, state: ZoneState, crowd: Crowd, limit: Limit | None, now: float, time: float, cause: str) -> Output:
        if not crowd.opened:
            return self._output(Step.DISSOLVED, state, crowd, limit, now)
        return self._output(Step.CLOSED, state, crowd, limit, time, cause)

    def _output(
        self, step: Step, state: ZoneState, crowd: Crowd, limit: Limit | None, time: float, cause: str = ""
    ) -> Output:
        numbers = {
            "people": state.people,
            "peak": crowd.peak,
            "lasting_s": round(time - crowd.since, 1),
            "crowded_share": round(share(state.bins, self._parameters.hold, time)[1], 3),
            "fixtures": float(len(state.gathering.fixtures)),
        }
        if limit is not None:
            numbers["limit"] = round(limit.people, 2)
        if limit is not None and limit.area_m2 is not None:
            numbers["area_m2"] = round(limit.area_m2, 2)
            numbers["density"] = round(state.people / limit.area_m2, 3)
            numbers["density_peak"] = round(peak_density([(x, y) for x, y, _ in state.feet], limit), 3)
            numbers["limit_density"] = round(limit.people / limit.area_m2, 3)
        silent = step in {Step.CANDIDATE, Step.DISSOLVED}
        if not silent and (area := estimated_area(state.sizes, state.cars, state.polygon, state.aspect)) is not None:
            numbers["density_low"] = round(state.people / area[0] * math.exp(-area[1]), 3)
            numbers["density_high"] = round(state.people / area[0] * math.exp(area[1]), 3)
        return Output(
            step=step,
            key=_KEY,
            zone=state.zone,
            started=crowd.since,
            time=time,
            subject=Subject(object_class="person", box=crowd.box),
            numbers=numbers,
            reason={} if silent else reason_of(numbers, cause),
            spots=state.feet,
        )

    def rezone(self, state: CrowdingState, zones: tuple[Zone, ...]) -> CrowdingState:
        """Zones whose polygon did not change go on; the next `step` ends what went on in the others."""
        return state

    def dump(self, state: CrowdingState) -> dict[str, object]:
        """The state as JSON-able data."""
        return encode(state)

    def load(self, data: dict[str, object]) -> CrowdingState:
        """Inverse of `dump`. Raises ValueError when the data is of another shape."""
        return decode(CrowdingState, data)


def _feet(visitors: Sequence[Visitor]) -> tuple[tuple[float, float, float], ...]:
    return tuple(
        (round((v.box[0] + v.box[2]) / 2, 4), round(v.box[3], 4), round(v.box[3] - v.box[1], 4)) for v in visitors
    )


def _around(visitors: Sequence[Visitor]) -> Box | None:
    """The box around all of them."""
    if not visitors:
        return None
    x1, y1, x2, y2 = zip(*(visitor.box for visitor in visitors), strict=True)
    return min(x1), min(y1), max(x2), max(y2)
