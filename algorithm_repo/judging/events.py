"""Two versions on the same clips: events of both by type and slice, and whether the candidate may go on. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from algorithm_repo.evaluation.metrics import DAY_S, Score, figures
from algorithm_repo.evaluation.outcome import Outcome
from algorithm_repo.judging.bootstrap import interval95, often
from algorithm_repo.judging.changes import same_truths
from contracts.records import Contract

Counts = NDArray[np.float64]
_FOUND, _TRUE, _FALSE, _SECONDS = range(4)


class EventLimits(Contract):
    """What is asked of a candidate.

    Attributes:
        fall: neither F1 nor recall of a type or slice may fall by more, once the fall is sure: the upper end of its
            95 % interval below 0.
        alarms: nor may its false alarms grow by more a camera-day, once the growth is sure.
        later_s: in the middle, an event that both find may be opened so much later.
        clips: slices of fewer clips are told, not judged; of fewer clips of a type, any fall refuses, and one type at
            least has to have so many.
        least_gain: where it is set, the lower end of the interval of the whole F1's gain has to be above it.
    """

    fall: float = Field(0.02, ge=0, le=1)
    alarms: float = Field(0.2, ge=0)
    later_s: float = Field(10.0, ge=0)
    clips: int = Field(4, ge=1)
    least_gain: float | None = Field(None, ge=-1, le=1)


class Side(Contract):
    """One version on the clips of a row; see docs/evaluation.md for each figure."""

    truths: int
    found: int
    false_alarms: int
    precision: float | None
    recall: float | None
    f1: float | None
    false_alarms_per_camera_day: float | None
    time_to_detect_p50: float | None
    time_to_detect_p95: float | None
    hours: float


class Growth(Contract):
    """What the candidate has more than production, and the interval that holds 95 % of what a bootstrap gave."""

    by: float
    low: float
    high: float


class Row(Contract):
    """One type, or one slice of it, on the clips where it watched.

    Attributes:
        type: of the events; "" for all of them together, where a camera-day counts once for each type.
        slice: of the clips; "" for all of them.
        clips: so many.
        before, after: production and candidate.
        f1, recall: None where no event is true.
        alarms: a camera-day; None where nothing was watched.
        later_s: the middle of how much later the candidate opened what both found, s; None where there is none.
    """

    type: str
    slice: str
    clips: int
    before: Side
    after: Side
    f1: Growth | None
    recall: Growth | None
    alarms: Growth | None
    later_s: float | None

    @property
    def name(self) -> str:
        """Of what, in words."""
        return ", slice ".join(filter(None, (self.type or "all types", self.slice)))

    def falls(self, limits: EventLimits) -> tuple[str, ...]:
        """Why the candidate may not go on for this row alone, in words; empty: it may.

        On too few clips a fall need not be sure to hold a type back: nobody can say that it is none.
        """
        few = self.clips < limits.clips
        if few and self.slice:
            return ()
        found = []
        for name, grown in (("F1", self.f1), ("recall", self.recall)):
            if grown is not None and -grown.by > limits.fall and (few or grown.high < 0):
                found.append(f"{name} fell by {-grown.by:.3f} ({-grown.high:.3f} to {-grown.low:.3f})")
        if self.alarms is not None and self.alarms.by > limits.alarms and (few or self.alarms.low > 0):
            more = self.alarms
            found.append(f"{more.by:.2f} false alarms a camera-day more ({more.low:.2f} to {more.high:.2f})")
        if self.later_s is not None and self.later_s > limits.later_s:
            found.append(f"events are opened {self.later_s:.1f} s later")
        clips = f"{self.clips} clips" if not few else f"{self.clips} clips, too few to tell whether by chance"
        return tuple(f"{self.name}: {what}, on {clips}" for what in found)


class EventVerdict(Contract):
    """Whether it passed.

    Attributes:
        passed: nothing stands against it.
        reasons: what does, in words.
        whole: all types together.
        rows: each type, and after it each of its slices.
        failed: clips that could not be run with one of them, and why; they are in no figure.
    """

    passed: bool
    reasons: tuple[str, ...]
    whole: Row
    rows: tuple[Row, ...]
    failed: tuple[str, ...] = ()


def judged_events(
    before: Sequence[Outcome], after: Sequence[Outcome], limits: EventLimits, seed: int = 1
) -> EventVerdict:
    """The candidate (`after`) against the version in production (`before`), in whatever order their clips come.

    Args:
        before, after: an outcome a clip.
        seed: of the bootstrap, which draws clips.

    Raises:
        ValueError: they are not the same clips, or none could be run with both.
    """
    pairs = paired(before, after)
    whole = [(old, new) for old, new in pairs if not old.failed and not new.failed]
    if not whole:
        raise ValueError("no clip could be run with both versions")
    rows = tuple(_rows(whole, seed))
    together = _row("", "", whole, seed)
    broken = [new for old, new in pairs if new.failed and not old.failed]
    reasons = [f"{one.file} cannot be run with it: {one.failed}" for one in broken]
    if not any(row.clips >= limits.clips for row in rows if not row.slice):
        reasons.append(f"no type is watched on {limits.clips} clips or more: too few to judge by")
    if limits.least_gain is not None:
        reasons += _too_little(together, limits.least_gain)
    reasons += [reason for row in rows for reason in row.falls(limits)]
    return EventVerdict(
        passed=not reasons,
        reasons=tuple(reasons),
        whole=together,
        rows=rows,
        failed=tuple(f"{old.file}: {old.failed or new.failed}" for old, new in pairs if old.failed or new.failed),
    )


def paired(before: Sequence[Outcome], after: Sequence[Outcome]) -> list[tuple[Outcome, Outcome]]:
    """Both outcomes of each clip, in the order of the clips' numbers.

    Raises:
        ValueError: they are not the same clips.
    """
    old, new = ({one.number: one for one in outcomes} for outcomes in (before, after))
    if {n: one.file for n, one in old.items()} != {n: one.file for n, one in new.items()} or len(old) != len(before):
        raise ValueError("both versions have to be replayed on the same clips")
    return [(old[number], new[number]) for number in sorted(old)]


def _rows(pairs: Sequence[tuple[Outcome, Outcome]], seed: int) -> list[Row]:
    """A row a type, and below it one a slice, each of the clips on which the type watched."""
    found: dict[tuple[str, str], list[tuple[Outcome, Outcome]]] = {}
    for pair in pairs:
        for score in pair[0].scores:
            for name in ("", *score.slices):
                found.setdefault((score.type, name), []).append(pair)
    return [_row(*key, found[key], seed) for key in sorted(found)]


def _row(kind: str, name: str, pairs: Sequence[tuple[Outcome, Outcome]], seed: int) -> Row:
    scores = [[_scores(pair[side], kind) for pair in pairs] for side in (0, 1)]
    old, new = (np.array([_counts(of_clip) for of_clip in side]) for side in scores)
    draws = often(len(pairs), seed)
    # A draw without a true event says nothing of what was found of them.
    telling = draws[draws @ old[:, _TRUE] > 0]
    any_true = bool(old[:, _TRUE].any())
    watched = bool(old[:, _SECONDS].any() and new[:, _SECONDS].any())
    later = [wait for pair in pairs for wait in _later(*pair, kind)]
    return Row(
        type=kind,
        slice=name,
        clips=len(pairs),
        before=_side(scores[0]),
        after=_side(scores[1]),
        f1=_growth(_f1, old, new, telling) if any_true else None,
        recall=_growth(_recall, old, new, telling) if any_true else None,
        alarms=_growth(_alarms, old, new, draws) if watched else None,
        later_s=round(float(np.median(later)), 3) if later else None,
    )


def _scores(outcome: Outcome, kind: str) -> list[Score]:
    return [score for score in outcome.scores if kind in ("", score.type)]


def _side(scores: Sequence[Sequence[Score]]) -> Side:
    told = figures([score for of_clip in scores for score in of_clip])
    return Side.model_validate({key: told[key] for key in Side.model_fields})


def _counts(scores: Sequence[Score]) -> tuple[float, float, float, float]:
    """Of one clip: found, true, false alarms, watched seconds."""
    return (
        float(sum(len(score.waits) for score in scores)),
        float(sum(score.truths for score in scores)),
        float(sum(score.false_alarms for score in scores)),
        sum(score.seconds for score in scores),
    )


def _later(before: Outcome, after: Outcome, kind: str) -> list[float]:
    """How much later `after` opened each true event that both found, s."""
    return [
        new.raised.opened - old.raised.opened
        for old, new in same_truths(before, after)
        if kind in ("", old.type) and old.raised is not None and new.raised is not None
    ]


def _growth(figure: Callable[[Counts], Counts], old: Counts, new: Counts, draws: Counts) -> Growth:
    """Of a figure of summed counts [n, 4] -> [n], from all clips and from draws of them (see `often`)."""
    by = float((figure(new.sum(axis=0)[None]) - figure(old.sum(axis=0)[None]))[0])
    low, high = interval95(figure(draws @ new) - figure(draws @ old))
    return Growth(by=round(by, 4), low=round(low, 4), high=round(high, 4))


def _f1(counts: Counts) -> Counts:
    found = counts[:, _FOUND]
    return np.asarray(2 * found / (found + counts[:, _FALSE] + counts[:, _TRUE]))


def _recall(counts: Counts) -> Counts:
    return np.asarray(counts[:, _FOUND] / counts[:, _TRUE])


def _alarms(counts: Counts) -> Counts:
    days = counts[:, _SECONDS] / DAY_S
    return np.divide(counts[:, _FALSE], days, out=np.zeros_like(days), where=days > 0)


def _too_little(whole: Row, least: float) -> list[str]:
    grown = whole.f1
    if grown is None:
        return ["no event is true in any clip, so no gain can be told"]
    if grown.low > least:
        return []
    return [f"the gain of F1 of {grown.by:+.3f} ({grown.low:+.3f} to {grown.high:+.3f}) is not surely above {least:g}"]
