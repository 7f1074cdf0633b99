"""What one clip came to: plain values that travel between processes, and how events are judged. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from algorithm_repo.evaluation.match import Span, match
from algorithm_repo.evaluation.metrics import Score
from algorithm_repo.evaluation.suite import Clip, TruthEvent
from contracts.records import Event, Transition
from pipeline.blindness import Blind, seconds_by_reason

Verdict = Literal["found", "missed", "false_alarm"]


@dataclass(frozen=True, slots=True)
class Raised:
    """One event as the chain told of it.

    Attributes:
        id, type, zone: as the event.
        started: when its condition began by its own word, s of stream time.
        opened: stream time of `opened`, s.
        ended: when it ended, s; None while it is open.
        box: of its subject when it was opened, normalised.
        numbers, reason: of the `opened` (the reason in English).
        confidence: as the event.
    """

    id: str
    type: str
    zone: str
    started: float
    opened: float
    ended: float | None
    box: tuple[float, float, float, float] | None
    numbers: dict[str, float]
    reason: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One true or raised event and what became of it.

    Attributes:
        verdict: found (both), missed (a true one alone), false_alarm (a raised one alone).
        clip, file: which clip: its number and its file.
        type, zone: of the event.
        truth: (start, end) s of stream time, of the true one.
        raised: the raised one.
        picture: JPEG with zone and boxes drawn, of misses and false alarms.
    """

    verdict: Verdict
    clip: int
    file: str
    type: str
    zone: str
    truth: tuple[float, float] | None
    raised: Raised | None
    picture: bytes | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One clip after its replay.

    Attributes:
        number, file: of the clip.
        seconds: stream time replayed, s.
        looks: pictures that were looked at.
        wall_s: how long that took.
        scores: a row a type that watched; none where the clip failed.
        findings: every true and every raised event, in the order of time.
        failed: why the clip could not be replayed; "" where it was.
        model: the detector's version.
        entry: the clip, where it was rendered for this run.
    """

    number: int
    file: str
    seconds: float = 0.0
    looks: int = 0
    wall_s: float = 0.0
    scores: tuple[Score, ...] = ()
    findings: tuple[Finding, ...] = field(default=())
    failed: str = ""
    model: str = ""
    entry: Clip | None = None


def raised_events(events: Iterable[Event], start_utc: float = 0.0) -> list[Raised]:
    """One `Raised` an event, in the order of opening, from all its transitions.

    Args:
        events: transitions in the order they were said.
        start_utc: UTC of stream time 0, s.
    """
    found: dict[str, Raised] = {}
    for event in events:
        known = found.get(event.id)
        ended = None if event.ended_utc is None else event.ended_utc - start_utc
        if event.transition is Transition.OPENED:
            found[event.id] = Raised(
                id=event.id,
                type=event.type,
                zone=event.zone,
                started=event.started_utc - start_utc,
                opened=event.stream_time,
                ended=None,
                box=event.subject.box,
                numbers=event.numbers,
                reason=event.reason.get("en", ""),
                confidence=event.confidence,
            )
        elif known is not None and ended is not None:
            found[event.id] = Raised(
                known.id, known.type, known.zone, known.started, known.opened, ended, known.box, known.numbers,
                known.reason, known.confidence,
            )  # fmt: skip
    return sorted(found.values(), key=lambda one: (one.opened, one.type, one.zone, one.id))


def asked_for(clip: Clip, events: Iterable[Event]) -> list[Raised]:
    """The events of the types that the clip names: of others (a camera's health, watched unasked) no truth is told."""
    return [one for one in raised_events(events) if one.type in clip.camera.algorithms]


def judge(clip: Clip, raised: Sequence[Raised], end: float) -> tuple[Finding, ...]:
    """What became of every true and every raised event of a clip that lasted to stream time `end`, s."""
    true = [_true_span(truth, end) for truth in clip.truth]
    spans = [_raised_span(one, end) for one in raised]
    pairs = dict(match(true, spans))
    matched = set(pairs.values())
    findings = [
        Finding(
            "found" if row in pairs else "missed",
            clip.number,
            clip.file,
            span.type,
            span.zone,
            (span.start, span.end),
            raised[pairs[row]] if row in pairs else None,
        )
        for row, span in enumerate(true)
    ]
    findings += [
        Finding("false_alarm", clip.number, clip.file, one.type, one.zone, None, one)
        for column, one in enumerate(raised)
        if column not in matched
    ]
    return tuple(sorted(findings, key=lambda f: (_moment(f), f.type, f.zone, f.verdict)))


def scored(clip: Clip, findings: Sequence[Finding], seconds: float, blind: Sequence[Blind] = ()) -> tuple[Score, ...]:
    """A row for each type that was to watch the clip for `seconds` of stream time, and did, but for `blind`."""
    return tuple(_score(clip, kind, findings, seconds, blind) for kind in sorted(clip.camera.algorithms))


def _score(clip: Clip, kind: str, findings: Sequence[Finding], seconds: float, blind: Sequence[Blind]) -> Score:
    mine = [finding for finding in findings if finding.type == kind]
    waits = [f.raised.opened - f.truth[0] for f in mine if f.raised is not None and f.truth is not None]
    hold = holding_time(clip, kind)
    reasons = seconds_by_reason(blind, kind, seconds)
    return Score(
        type=kind,
        slices=clip.slices,
        seconds=max(0.0, seconds - sum(reasons.values())),
        truths=sum(finding.truth is not None for finding in mine),
        waits=tuple(waits),
        delays=() if hold is None else tuple(wait - hold for wait in waits),
        false_alarms=sum(finding.verdict == "false_alarm" for finding in mine),
        blind=tuple((reason, round(lasted, 3)) for reason, lasted in reasons.items()),
    )


def holding_time(clip: Clip, kind: str) -> float | None:
    """T of a type on this clip, s; None where the type has none."""
    parameters = clip.camera.algorithms[kind]
    value = getattr(parameters, "dwell", None) or getattr(parameters, "hold", None)
    return None if value is None else float(value)


def _true_span(truth: TruthEvent, end: float) -> Span:
    last = max(end, truth.start) if truth.end is None else truth.end
    return Span(truth.type, truth.zone, truth.start, last)


def _raised_span(one: Raised, end: float) -> Span:
    """From the beginning by its own word to its end; a `closed` may tell an end before the last look's moment."""
    last = max(end, one.opened) if one.ended is None else one.ended
    return Span(one.type, one.zone, min(one.started, last), last)


def _moment(finding: Finding) -> float:
    return finding.truth[0] if finding.truth is not None else finding.raised.opened if finding.raised else 0.0
