"""What another version of a network changed on a clip, event by event. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from algorithm_repo.evaluation.match import Span, match
from algorithm_repo.evaluation.outcome import Finding, Outcome

Kind = Literal["found", "calm", "missed", "alarm"]


@dataclass(frozen=True, slots=True)
class Change:
    """One event about which the versions differ, and one of them is wrong.

    Attributes:
        kind: of the candidate: found (production misses it), calm (production raises it falsely), missed, alarm.
        finding: of the version that is wrong, with its picture.
        slices: of the clip.
    """

    kind: Kind
    finding: Finding
    slices: tuple[str, ...]

    @property
    def better(self) -> bool:
        """Whether it is the candidate that is right."""
        return self.kind in ("found", "calm")


@dataclass(frozen=True, slots=True)
class ClipChange:
    """One clip on which they differ; `better` and `worse` in the order of time."""

    number: int
    file: str
    better: tuple[Change, ...]
    worse: tuple[Change, ...]


def changed(pairs: Sequence[tuple[Outcome, Outcome]]) -> list[ClipChange]:
    """The clips on which the versions differ, those first on which most changed, then by number.

    Args:
        pairs: production's and the candidate's outcome of each clip; where one failed, nothing is told.
    """
    clips = [_of_clip(*pair) for pair in pairs if not pair[0].failed and not pair[1].failed]
    found = [clip for clip in clips if clip.better or clip.worse]
    return sorted(found, key=lambda clip: (-len(clip.better) - len(clip.worse), clip.number))


def same_truths(before: Outcome, after: Outcome) -> list[tuple[Finding, Finding]]:
    """What became of each true event of a clip with both versions.

    Raises:
        ValueError: the clips are not the same.
    """
    old, new = (
        sorted(
            (one for one in outcome.findings if one.truth is not None),
            key=lambda one: (one.truth or (0.0, 0.0), one.type, one.zone),
        )
        for outcome in (before, after)
    )
    return list(zip(old, new, strict=True))


def _of_clip(before: Outcome, after: Outcome) -> ClipChange:
    slices = before.scores[0].slices if before.scores else ()
    better, worse = [], []
    for old, new in same_truths(before, after):
        if old.verdict == "missed" and new.verdict == "found":
            better.append(Change("found", old, slices))
        if old.verdict == "found" and new.verdict == "missed":
            worse.append(Change("missed", new, slices))
    gone, come = _differing(_alarms(before), _alarms(after), max(before.seconds, after.seconds))
    better += [Change("calm", one, slices) for one in gone]
    worse += [Change("alarm", one, slices) for one in come]
    return ClipChange(before.number, before.file, _ordered(better), _ordered(worse))


def _alarms(outcome: Outcome) -> list[Finding]:
    return [one for one in outcome.findings if one.verdict == "false_alarm" and one.raised is not None]


def _differing(before: Sequence[Finding], after: Sequence[Finding], end: float) -> tuple[list[Finding], list[Finding]]:
    """The false alarms that only one of them raised; those of one type and zone that share a moment are the same.

    Args:
        end: of the clip, s: what was still open lasts to it.
    """
    same = match([_span(one, end) for one in before], [_span(one, end) for one in after])
    old, new = ({pair[side] for pair in same} for side in (0, 1))
    gone = [one for number, one in enumerate(before) if number not in old]
    return gone, [one for number, one in enumerate(after) if number not in new]


def _span(finding: Finding, end: float) -> Span:
    first, last = moments(finding)
    return Span(finding.type, finding.zone, first, max(first, end if last is None else last))


def moments(finding: Finding) -> tuple[float, float | None]:
    """From when to when it lasts, s of stream time: by the truth, else by the raised event's own word.

    The end is None where the event was still open at the clip's end.
    """
    raised = finding.raised
    if finding.truth is not None or raised is None:
        return finding.truth or (0.0, 0.0)
    return min(raised.started, raised.opened), None if raised.ended is None else max(raised.ended, raised.opened)


def _ordered(found: Sequence[Change]) -> tuple[Change, ...]:
    return tuple(sorted(found, key=lambda one: (moments(one.finding)[0], one.finding.type, one.finding.zone)))
