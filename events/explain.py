"""Why an event came, or why none came: a camera's trace read for one algorithm and one stretch of time. Pure.

A trace holds changes only (`contracts.trace`), so what a line says holds until the next line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo
from itertools import zip_longest
from typing import Literal

from contracts.records import Contract
from contracts.trace import StepName, TracedCondition, TraceLine
from events.condition_words import Unit, words_of
from events.verdict import Verdict, clock_in, judge

_SLACK_S = 2.0
_HEARTBEAT_S = 10.0  # no camera that is watched goes longer without a look


class Span(Contract):
    """A stretch in which a condition held, or failed; `low` and `high` bound its value."""

    since: float
    until: float
    holds: bool
    low: float
    high: float
    last: float


class Course(Contract):
    """One condition of one matter over the window.

    `subject` is empty where the zone as a whole is meant; `label` is the condition's name, {"zh": …, "en": …}.
    """

    zone: str
    subject: str
    name: str
    label: dict[str, str]
    unit: Unit
    needed: float
    at_least: bool
    spans: tuple[Span, ...]


class Watched(Contract):
    """Whether anybody looked: `unseen` where nothing was looked at, `paused` where the rule did not judge (`why`)."""

    since: float
    until: float
    state: Literal["watched", "paused", "unseen"]
    why: str = ""


class Seen(Contract):
    """What one line of the trace says of the zones that were asked for; counts are the most since the line before."""

    utc: float
    why: str
    looks: int
    gated: int
    people: int
    vehicles: int
    others: int
    senses: dict[str, float]


class StepTaken(Contract):
    utc: float
    zone: str
    subject: str
    step: StepName
    event: str


class Explanation(Contract):
    """Times are s since 1970 UTC (of a file without a start: s of stream time)."""

    camera: str
    type: str
    zone: str | None
    at: float
    since: float
    until: float
    looks: int
    gated: int
    watched: tuple[Watched, ...]
    courses: tuple[Course, ...]
    seen: tuple[Seen, ...]
    steps: tuple[StepTaken, ...]
    verdict: Verdict


def explain(
    lines: Iterable[TraceLine],
    camera: str,
    event_type: str,
    at: float,
    *,
    zone: str | None = None,
    window: float = 120.0,
    where: tzinfo | None = None,
) -> Explanation:
    """What happened around `at`, and the closing sentence.

    Args:
        lines: of the camera's trace, in any order; those outside the window are left out.
        camera: its id.
        event_type: the algorithm that is asked about.
        at: the moment in question, s since 1970 UTC.
        zone: only this zone; None: all.
        window: how long a stretch around `at` is told of, s.
        where: the time zone of the times in the sentence; None: this machine's.
    """
    since, until = max(0.0, at - window / 2), at + window / 2
    told = _covering(sorted(lines, key=lambda line: line.utc), since, until)
    relevant = [_narrow(line, event_type, zone) for line in told]
    inside = [line for line in relevant if line.utc >= since]
    return Explanation(
        camera=camera,
        type=event_type,
        zone=zone,
        at=at,
        since=since,
        until=until,
        looks=sum(line.looks for line in inside),
        gated=sum(line.gated for line in inside),
        watched=_watched(relevant, event_type, since, until),
        courses=_courses(relevant, since, until),
        seen=tuple(_seen(line) for line in inside),
        steps=tuple(
            StepTaken(utc=line.utc, zone=step.zone, subject=step.subject, step=step.step, event=step.event)
            for line in inside
            for step in line.steps
        ),
        verdict=judge(relevant, event_type, at, since, until, clock_in(where)),
    )


def _covering(lines: Sequence[TraceLine], since: float, until: float) -> list[TraceLine]:
    """The lines of the window and the one before, which holds until the first of them."""
    before = [line for line in lines if since - _silence(line) <= line.utc < since][-1:]
    return before + [line for line in lines if since <= line.utc <= until]


def _with_next(lines: Sequence[TraceLine]) -> Iterator[tuple[TraceLine, TraceLine | None]]:
    return zip_longest(lines, lines[1:])


def _silence(line: TraceLine) -> float:
    """How long after a line the next one comes at the latest while the camera is watched, s."""
    return 1.5 * max(line.every, _HEARTBEAT_S) + _SLACK_S


def _known_until(line: TraceLine, following: TraceLine) -> float:
    """How long what a line says is known to hold: where looks were lost, or none was traced in time, nobody knows."""
    end = following.utc - following.gap
    if following.utc - line.utc > _silence(line):
        end = min(end, line.utc + line.every)
    return end


def _narrow(line: TraceLine, event_type: str, zone: str | None) -> TraceLine:
    """The line without what was not asked for."""

    def asked(other_type: str, other_zone: str) -> bool:
        return other_type == event_type and zone in (None, other_zone)

    return line.model_copy(
        update={
            "zones": tuple(count for count in line.zones if zone in (None, count.zone)),
            "conditions": tuple(one for one in line.conditions if asked(one.type, one.zone)),
            "steps": tuple(step for step in line.steps if asked(step.type, step.zone)),
            "open": tuple(key for key in line.open if asked(key[0], key[1])),
        }
    )


def _watched(lines: Sequence[TraceLine], event_type: str, since: float, until: float) -> tuple[Watched, ...]:
    found: list[Watched] = []

    def add(begin: float, end: float, state: Literal["watched", "paused", "unseen"], why: str = "") -> None:
        begin, end = max(begin, since), min(end, until)
        if end <= begin:
            return
        if found and (found[-1].state, found[-1].why) == (state, why):
            found[-1] = found[-1].model_copy(update={"until": end})
        else:
            found.append(Watched(since=begin, until=end, state=state, why=why))

    reached = since
    for line, following in _with_next(lines):
        add(reached, line.utc, "unseen")
        end = line.utc + _silence(line) if following is None else _known_until(line, following)
        why = line.paused.get(event_type, "")
        add(line.utc, end, "paused" if why else "watched", why)
        reached = max(reached, end)
    add(reached, until, "unseen")
    return tuple(found)


def _courses(lines: Sequence[TraceLine], since: float, until: float) -> tuple[Course, ...]:
    spans: dict[tuple[str, str, str, str], list[Span]] = {}
    newest: dict[tuple[str, str, str, str], TracedCondition] = {}
    for line, following in _with_next(lines):
        end = line.utc + line.every if following is None else _known_until(line, following)
        begin, end = max(line.utc, since), min(end, until)
        for one in line.conditions:
            newest[one.key] = one
            _extend(spans.setdefault(one.key, []), one, begin, max(begin, end))
    return tuple(
        Course(
            zone=one.zone,
            subject=one.subject,
            name=one.name,
            label={"zh": words_of(one.name).zh, "en": words_of(one.name).en},
            unit=words_of(one.name).unit,
            needed=one.needed,
            at_least=one.at_least,
            spans=tuple(spans[key]),
        )
        for key, one in newest.items()
    )


def _extend(spans: list[Span], one: TracedCondition, begin: float, end: float) -> None:
    last = spans[-1] if spans else None
    if last is not None and last.holds == one.holds and begin - last.until < 1e-3:
        update = {
            "until": end,
            "low": min(last.low, one.value),
            "high": max(last.high, one.value),
            "last": one.value,
        }
        spans[-1] = last.model_copy(update=update)
    else:
        spans.append(Span(since=begin, until=end, holds=one.holds, low=one.value, high=one.value, last=one.value))


def _seen(line: TraceLine) -> Seen:
    return Seen(
        utc=line.utc,
        why=line.why,
        looks=line.looks,
        gated=line.gated,
        people=sum(count.people for count in line.zones),
        vehicles=sum(count.vehicles for count in line.zones),
        others=sum(count.others for count in line.zones),
        senses=line.senses,
    )
