"""One camera's trace: what each look saw and which conditions held, as changes only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from contracts.geometry import foot_points, points_in_polygon
from contracts.pool import Zone
from contracts.senses import Senses
from contracts.trace import TracedCondition, TracedStep, TraceLine, ZoneCount
from contracts.vision import VEHICLES, Look, ObjectClass, Tracks

EVERY_S = 10.0  # a line at least this often while there are looks
_MOVED = 0.05  # of the value, or of what it is compared with
_VEHICLES = tuple(int(label) for label in VEHICLES)
UNGATED = "ungated"

Open = tuple[tuple[str, str, str], ...]


class Tracer:
    """Gathers what happens to one camera's looks and writes a line when something changed. Mutable; cheap.

    Belongs to the compute thread. Lines wait until somebody takes them, the newest `kept` at most.
    """

    def __init__(self, kept: int = 1500) -> None:
        self._kept = kept
        self._lines: list[TraceLine] = []
        self._last: TraceLine | None = None
        self._looks = 0
        self._gated = 0
        self._gap = 0.0
        self._why = UNGATED
        self._zones: dict[str, ZoneCount] = {}
        self._steps: list[TracedStep] = []

    def gated(self) -> None:
        """The gate sent a look away."""
        self._gated += 1

    def looking(self, why: str) -> None:
        """The look to come is worth it, because of this (`pipeline.gate.Why`)."""
        self._why = why

    def step(self, step: TracedStep) -> None:
        """A rule said something."""
        self._steps.append(step)

    def looked(
        self,
        look: Look,
        zones: Sequence[Zone],
        every: float,
        conditions: Sequence[TracedCondition],
        opened: Open,
        paused: Mapping[str, str],
    ) -> None:
        """A look went through the rules; a line is written if it says anything new.

        Args:
            look: what the rules saw.
            zones: those that any algorithm watches.
            every: the promised interval between looks, s.
            conditions: how they stand after the look.
            opened: which events are open.
            paused: algorithm -> why it did not judge this look.
        """
        why, self._why = self._why, UNGATED
        self._looks += 1
        self._gap = max(self._gap, look.gap)
        self._count(look.tracks, zones)
        last = self._last
        if last is not None and not (self._steps or look.gap or self._news(last, look, conditions, opened, paused)):
            return
        line = TraceLine(
            time=round(look.time, 3),
            utc=round(look.utc, 3),
            why=why,
            every=every,
            looks=self._looks,
            gated=self._gated,
            gap=round(self._gap, 1),
            tracks=len(look.tracks),
            zones=tuple(self._zones.values()),
            senses=senses_in_numbers(look.senses),
            conditions=tuple(conditions),
            steps=tuple(self._steps),
            open=opened,
            paused=dict(paused),
        )
        self._lines = [*self._lines, line][-self._kept :]
        self._last = line
        self._looks = self._gated = 0
        self._gap = 0.0
        self._zones.clear()
        self._steps.clear()

    def take(self) -> list[TraceLine]:
        """The lines written since the last call, oldest first."""
        lines, self._lines = self._lines, []
        return lines

    def _news(
        self,
        last: TraceLine,
        look: Look,
        conditions: Sequence[TracedCondition],
        opened: Open,
        paused: Mapping[str, str],
    ) -> bool:
        if not 0 <= look.time - last.time < EVERY_S - 1e-6 or opened != last.open or paused != last.paused:
            return True
        before = {condition.key: condition for condition in last.conditions}
        return len(before) != len(conditions) or any(
            one.key not in before or _differs(before[one.key], one) for one in conditions
        )

    def _count(self, tracks: Tracks, zones: Sequence[Zone]) -> None:
        """Most that stood in each zone since the last line."""
        feet = foot_points(tracks.boxes)
        vehicles = np.isin(tracks.classes, _VEHICLES)
        people = tracks.classes == int(ObjectClass.PERSON)
        for zone in zones:
            inside = points_in_polygon(feet, np.asarray(zone.polygon)) if len(tracks) else np.zeros(0, np.bool_)
            known = self._zones.get(zone.id, ZoneCount(zone.id, 0, 0, 0))
            self._zones[zone.id] = ZoneCount(
                zone.id,
                max(known.people, int(np.count_nonzero(inside & people))),
                max(known.vehicles, int(np.count_nonzero(inside & vehicles))),
                max(known.others, int(np.count_nonzero(inside & ~people & ~vehicles))),
            )


def _differs(before: TracedCondition, now: TracedCondition) -> bool:
    if before.holds != now.holds or before.needed != now.needed:
        return True
    return abs(now.value - before.value) > _MOVED * max(abs(now.needed), abs(before.value))


def senses_in_numbers(senses: Senses) -> dict[str, float]:
    """What was sensed besides tracks, a few numbers a sense; nothing for what nobody asked."""
    numbers: dict[str, float] = {}
    if senses.water is not None:
        numbers["water_share"] = float(np.mean(senses.water.probability >= 128))
    if senses.leftovers is not None:
        numbers["leftovers"] = float(len(senses.leftovers))
        numbers["litter"] = max((one.litter for one in senses.leftovers), default=0.0)
    for one in senses.bins or ():
        numbers[f"bin:{one.zone}"] = one.overflowing
    if senses.health is not None:
        health = senses.health
        told = {
            "brightness": health.brightness,
            "contrast": health.contrast,
            "detail": health.detail,
            "changed": health.changed,
            "likeness": health.likeness,
        }
        numbers |= {name: value for name, value in told.items() if value is not None}
    return {name: round(value, 3) for name, value in numbers.items()}
