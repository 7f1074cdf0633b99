"""Which rules did not watch which part of a replay, and why: not watching is not calm. Live: `pipeline.coverage`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contracts.records import UnwatchedReason
from pipeline.coverage import GRACE_S

EVERY_RULE = "*"


@dataclass(frozen=True, slots=True)
class Blind:
    """A stretch of stream time, s, that a rule (`EVERY_RULE`: any) did not watch."""

    rule: str
    reason: str
    start: float
    end: float


class Blindness:
    """Gathers such stretches of one camera while it is replayed. Mutable."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[str, float]] = {}
        self._told: list[Blind] = []
        self._watched: float | None = None
        self._lost = False

    def lost(self) -> None:
        """A look was due, and no picture came of it."""
        self._lost = True

    def watched(self, time: float, every: float) -> float:
        """The camera was watched at stream time `time`, s; a look is promised each `every` s.

        Returns:
            The seconds before it that nobody watched; 0 where the look is as late as looks may be.
        """
        before, self._watched = self._watched, time
        reason: UnwatchedReason = "error" if self._lost else "offline"
        self._lost = False
        if before is None or time - before < 3 * every + GRACE_S:
            return 0.0
        self._told.append(Blind(EVERY_RULE, reason, before, time))
        return time - before

    def judged(self, time: float, reasons: Mapping[str, tuple[str, float]]) -> None:
        """A look at `time` went through the rules, except these: rule -> why not, and since when, s."""
        for rule in [rule for rule, (reason, _) in self._open.items() if reasons.get(rule, ("",))[0] != reason]:
            reason, since = self._open.pop(rule)
            self._told.append(Blind(rule, reason, since, time))
        for rule, (reason, since) in reasons.items():
            begun = self._open.get(rule, (reason, since))[1]
            self._open[rule] = (reason, min(begun, since))

    def until(self, end: float) -> tuple[Blind, ...]:
        """Everything so far; what goes on lasts to `end`, s."""
        going = [Blind(rule, reason, since, end) for rule, (reason, since) in self._open.items()]
        return tuple(sorted((*self._told, *going), key=lambda one: (one.start, one.rule)))


def seconds_by_reason(blind: Iterable[Blind], rule: str, end: float) -> dict[str, float]:
    """How long a rule did not watch, by reason, s; a moment that has several reasons counts for the earliest.

    Args:
        blind: of one camera, in the order of `start`.
        rule: its event type.
        end: stream time at which watching ended, s.
    """
    found: dict[str, float] = {}
    covered = 0.0
    for one in blind:
        if one.rule in (rule, EVERY_RULE):
            seconds = min(one.end, end) - max(one.start, covered)
            covered = max(covered, one.end)
            if seconds > 0:
                found[one.reason] = found.get(one.reason, 0.0) + seconds
    return found
