"""An explanation as lines of text: what was seen, which condition held (✓) or failed (✗), and the closing sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from contracts.trace import TracedCondition, TraceLine
from events.condition_words import amount, words_of
from events.explain import Course, Explanation
from events.verdict import clock_in

_MOST_LOOKS = 40
_clock = clock_in()


def told(found: Explanation, lines: Iterable[TraceLine]) -> Iterator[str]:
    """Line by line.

    Args:
        found: the explanation.
        lines: the trace it was made from.
    """
    where = f" · zone {found.zone}" if found.zone is not None else ""
    yield f"{found.camera} · {found.type}{where} · {_clock(found.since)} to {_clock(found.until)}"
    yield ""
    for part in found.watched:
        why = f" ({part.why})" if part.why else ""
        yield f"  {_clock(part.since)}–{_clock(part.until)}  {part.state}{why}"
    yield f"  {found.looks} looks, {found.gated} more sent away by the gate because nothing changed"
    yield ""
    yield from _looks(found, lines)
    yield ""
    yield from _courses(found.courses)
    for step in found.steps:
        yield f"  {_clock(step.utc)}  {step.step:<10} {step.zone}/{step.subject}  event {step.event[:8]}"
    yield ""
    yield found.verdict.text["en"]


def _looks(found: Explanation, lines: Iterable[TraceLine]) -> Iterator[str]:
    inside = [line for line in lines if found.since <= line.utc <= found.until]
    # Where there are more than fit a page: those around the moment that was asked for.
    near = sorted(inside, key=lambda line: abs(line.utc - found.at))[:_MOST_LOOKS]
    if len(near) < len(inside):
        yield f"  the {len(near)} changes around {_clock(found.at)}, of {len(inside)}:"
    for line in sorted(near, key=lambda one: one.utc):
        yield _look(found, line)


def _look(found: Explanation, line: TraceLine) -> str:
    counts = [count for count in line.zones if found.zone in (None, count.zone)]
    seen = " ".join(
        f"{count.zone}: {count.vehicles} vehicles {count.people} people" for count in counts if count[1:] != (0, 0, 0)
    )
    senses = " ".join(f"{name} {value:g}" for name, value in line.senses.items())
    conditions = "; ".join(
        f"{'✓' if one.holds else '✗'} {one.subject + ' ' if one.subject else ''}{_short(one)}"
        for one in line.conditions
        if one.type == found.type and found.zone in (None, one.zone)
    )
    gated = f"+{line.gated} gated" if line.gated else ""
    parts = [seen or "nobody in its zones", senses, conditions]
    return f"  {_clock(line.utc)}  {line.why:<9} {gated:<10} " + "  |  ".join(part for part in parts if part)


def _short(one: TracedCondition) -> str:
    unit = words_of(one.name).unit
    value, needed = amount(one.value, unit)[1], amount(one.needed, unit)[1]
    return f"{one.name} {value}" if unit == "yes" else f"{one.name} {value} {'≥' if one.at_least else '≤'} {needed}"


def _courses(courses: Iterable[Course]) -> Iterator[str]:
    for course in courses:
        words = words_of(course.name)
        sign = "" if words.unit == "yes" else "≥ " if course.at_least else "≤ "
        limit = f"{sign}{amount(course.needed, words.unit)[1]}"
        yield f"  {course.zone}{'/' + course.subject if course.subject else ''}  {words.en}, needed {limit}"
        for span in course.spans:
            low, high = amount(span.low, words.unit)[1], amount(span.high, words.unit)[1]
            values = low if low == high else f"{low} … {high}"
            yield f"    {'✓' if span.holds else '✗'} {_clock(span.since)}–{_clock(span.until)}  {values}"
