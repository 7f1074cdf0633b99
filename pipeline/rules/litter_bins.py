"""The bins of one camera: an event while one overflows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from contracts.algorithms import Litter
from contracts.pool import Zone
from contracts.records import Subject
from contracts.vision import Look
from pipeline.rules.base import Condition, Output, Step
from pipeline.rules.bins import MEMORY_S, READINGS, BinState, read
from pipeline.rules.litter_words import bin_reason

_KEY = "bin"
_LONGEST_STEP_S = 15.0


@dataclass(frozen=True, slots=True)
class BinZone:
    """What is remembered of one bin's zone.

    Attributes:
        zone: its id.
        polygon: in which it was read.
        preset: at which it can be seen.
        time: stream time of the newest look at it, s.
        bin: its readings and state.
        opened: an event; else at most a candidate.
        next_lasting_s: duration at which the next milestone is told, s.
        told_at: stream time of the last transition, s.
        started: of the candidate or event, s; None: neither.
    """

    zone: str
    polygon: tuple[tuple[float, float], ...]
    preset: str
    time: float | None = None
    bin: BinState = field(default_factory=BinState)
    opened: bool = False
    next_lasting_s: float = 0.0
    told_at: float = 0.0
    started: float | None = None


class BinWatch:
    """The part of the litter rule that concerns bins."""

    def __init__(self, parameters: Litter, zones: tuple[Zone, ...]) -> None:
        self._parameters = parameters
        self._zones = {zone.id: zone for zone in zones}

    def busy(self, bins: tuple[BinZone, ...]) -> bool:
        """Whether any bin overflows or may."""
        return any(b.started is not None for b in bins)

    def due(self, bins: tuple[BinZone, ...], time: float, every: float) -> bool:
        """Whether any bin should be read again, `every` s after its last reading (or after the last try)."""
        read_at = {b.zone: b.bin.read_at for b in bins}
        return any((at := read_at.get(zone)) is None or time - at >= every for zone in self._zones)

    def step(self, bins: tuple[BinZone, ...], look: Look, outputs: list[Output]) -> tuple[BinZone, ...]:
        """The bins after a look."""
        known = {b.zone: b for b in bins}
        for old in bins:
            zone = self._zones.get(old.zone)
            if zone is None or zone.polygon != old.polygon or (zone.preset or "") != old.preset:
                del known[old.zone]
                self._end(old, look, old.time, "zone", outputs)
        after = []
        for zone in self._zones.values():
            before = known.get(zone.id) or BinZone(zone.id, zone.polygon, zone.preset or "")
            if before.preset != look.preset or (before.time is not None and look.time <= before.time):
                after.append(before)
            else:
                after.append(self._watch(before, look, outputs))
        return tuple(after)

    def _watch(self, one: BinZone, look: Look, outputs: list[Output]) -> BinZone:
        p = self._parameters
        away = 0.0 if one.time is None else look.time - one.time
        if look.gap > 0 or away > max(_LONGEST_STEP_S, 3 * p.look_every):
            one = replace(one, bin=replace(one.bin, readings=(), below_since=None))
        one = replace(one, time=look.time)
        read_at = one.bin.read_at
        if one.bin.since is not None and read_at is not None and look.time - read_at > MEMORY_S:
            ended = self._end(one, look, read_at, "lost", outputs)
            return BinZone(one.zone, one.polygon, one.preset, look.time, told_at=ended)
        mine = [reading for reading in look.senses.bins or () if reading.zone == one.zone]
        if not mine:
            return one
        was_below = one.bin.below_since
        one = replace(one, bin=read(one.bin, look.time, mine[0].overflowing, p.min_litter, p.leave_after))
        if one.started is not None and one.bin.since is None:
            ended = self._end(one, look, was_below, "emptied", outputs)
            return replace(one, started=None, opened=False, next_lasting_s=0.0, told_at=ended)
        if one.started is None and one.bin.since is not None:
            one = replace(one, started=max(one.bin.since, one.told_at))
            outputs.append(self._output(Step.CANDIDATE, one, look.time))
        return self._tell(one, look, outputs)

    def _tell(self, one: BinZone, look: Look, outputs: list[Output]) -> BinZone:
        dwell = self._parameters.dwell
        if one.started is None or not one.bin.sure or one.bin.overflowing < self._parameters.min_litter:
            return one
        lasting = look.time - one.started
        if not one.opened and lasting >= dwell - 1e-6:
            outputs.append(self._output(Step.OPENED, one, look.time))
        elif one.opened and lasting >= one.next_lasting_s:
            outputs.append(self._output(Step.UPDATED, one, look.time))
        else:
            return one
        milestone = max(one.next_lasting_s, 2 * dwell)
        while milestone <= lasting:
            milestone *= 2
        return replace(one, opened=True, next_lasting_s=milestone, told_at=look.time)

    def _end(self, one: BinZone, look: Look, time: float | None, cause: str, outputs: list[Output]) -> float:
        """Says that a candidate or event is over, and returns when."""
        if one.started is None:
            return one.told_at
        if not one.opened:
            outputs.append(self._output(Step.DISSOLVED, one, look.time))
            return look.time
        ended = look.time if time is None else max(time, one.told_at)
        outputs.append(self._output(Step.CLOSED, one, ended, cause))
        return ended

    def _output(self, step: Step, one: BinZone, time: float, cause: str = "") -> Output:
        started = time if one.started is None else one.started
        xs, ys = zip(*one.polygon, strict=True)
        numbers = {"overflowing": round(one.bin.overflowing, 3), "lasting_s": round(time - started, 1)}
        silent = step in {Step.CANDIDATE, Step.DISSOLVED}
        return Output(
            step=step,
            key=_KEY,
            zone=one.zone,
            started=started,
            time=time,
            subject=Subject(object_class="bin", box=(min(xs), min(ys), max(xs), max(ys))),
            numbers=numbers,
            reason={} if silent else bin_reason(numbers, cause),
        )

    def conditions(self, bins: tuple[BinZone, ...]) -> list[Condition]:
        """See `Rule.conditions`."""
        p, found = self._parameters, []
        for one in bins:
            readings = float(len(one.bin.readings))
            found.append(Condition(one.zone, _KEY, "readings", readings, float(READINGS)))
            found.append(Condition(one.zone, _KEY, "overflowing", round(one.bin.overflowing, 3), p.min_litter))
            if one.started is not None and one.time is not None:
                found.append(Condition(one.zone, _KEY, "lasting_s", round(one.time - one.started, 1), p.dwell))
        return found
