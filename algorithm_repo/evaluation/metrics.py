"""From matched clips to figures, for each type and slice. Pure; `None` where a figure is not defined."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv

DAY_S = 86_400.0
Figure = float | int | None
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Score:
    """One event type on one clip.

    Attributes:
        type: of the events.
        slices: of the clip.
        seconds: stream time in which the type watched, s; what it was blind for is not in it.
        truths: true events.
        waits: of each found one, from its start to the `opened`, s.
        delays: of each found one, how much later than T after its start it was opened, s; empty where T is unknown.
        false_alarms: raised events without a true one.
        blind: why it did not watch, and for how many s of stream time.
    """

    type: str
    slices: tuple[str, ...]
    seconds: float
    truths: int
    waits: tuple[float, ...]
    delays: tuple[float, ...]
    false_alarms: int
    blind: tuple[tuple[str, float], ...] = ()

    @property
    def blind_seconds(self) -> float:
        """Stream time in which it did not watch, s."""
        return sum(seconds for _, seconds in self.blind)


def poisson_upper(count: int, confidence: float = CONFIDENCE) -> float:
    """The exact one-sided upper bound of the mean of a Poisson variable of which `count` was seen."""
    return float(gammaincinv(count + 1, confidence))


def by_type(scores: Sequence[Score], types: Iterable[str]) -> dict[str, dict[str, object]]:
    """The figures of each type, with why it was blind, and with those of each slice below `slices`."""
    table: dict[str, dict[str, object]] = {}
    for kind in types:
        mine = [score for score in scores if score.type == kind]
        names = sorted({name for score in mine for name in score.slices})
        slices = {name: figures([score for score in mine if name in score.slices]) for name in names}
        table[kind] = {**figures(mine), "blind_reasons": blind_reasons(mine), "slices": slices}
    return table


def figures(scores: Sequence[Score]) -> dict[str, Figure]:
    """The figures of some scores of one type taken together (see docs/evaluation.md for each)."""
    truths = sum(score.truths for score in scores)
    found = sum(len(score.waits) for score in scores)
    false_alarms = sum(score.false_alarms for score in scores)
    days = sum(score.seconds for score in scores) / DAY_S
    waits = [wait for score in scores for wait in score.waits]
    delays = [delay for score in scores for delay in score.delays]
    return {
        "precision": _ratio(found, found + false_alarms),
        "recall": _ratio(found, truths),
        "f1": _ratio(2 * found, found + false_alarms + truths),
        "false_alarms": false_alarms,
        **alarm_rate(false_alarms, days),
        "time_to_detect_p50": _quantile(waits, 0.50),
        "time_to_detect_p95": _quantile(waits, 0.95),
        "delay_p50": _quantile(delays, 0.50),
        "delay_p95": _quantile(delays, 0.95),
        "truths": truths,
        "found": found,
        "clips": len(scores),
        "positive_clips": sum(score.truths > 0 for score in scores),
        "negative_clips": sum(score.truths == 0 for score in scores),
        "hours": round(days * 24, 6),
        "blind_seconds": round(sum(score.blind_seconds for score in scores), 3),
    }


def blind_reasons(scores: Iterable[Score]) -> dict[str, float]:
    """Why some scores' types did not watch -> for how many s of stream time."""
    found: dict[str, float] = {}
    for reason, seconds in (one for score in scores for one in score.blind):
        found[reason] = round(found.get(reason, 0.0) + seconds, 3)
    return dict(sorted(found.items()))


def alarm_rate(false_alarms: int, days: float) -> dict[str, Figure]:
    """False alarms per camera-day, and the exact upper 95 % bound of it; None where nothing was watched."""
    return {
        "false_alarms_per_camera_day": round(false_alarms / days, 6) if days > 0 else None,
        "false_alarms_upper95": round(poisson_upper(false_alarms) / days, 6) if days > 0 else None,
    }


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _quantile(values: Sequence[float], share: float) -> float | None:
    return round(float(np.quantile(values, share)), 3) if values else None
