"""The closing sentence of an explanation: the event and what made it, or the condition that failed. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, tzinfo
from typing import Literal, NamedTuple

from contracts.records import Contract
from contracts.trace import TracedCondition, TraceLine
from events.condition_words import reading, words_of

Outcome = Literal["opened", "open", "failed", "waiting", "nothing", "paused", "unknown"]
_VETO = 0.99
_YEAR_S = 366 * 86_400.0  # less is not a date but the time of a file


class Failure(Contract):
    """The condition that kept the event from coming: the one that was furthest off when the matter came nearest."""

    zone: str
    subject: str
    name: str
    value: float
    needed: float
    at_least: bool
    since: float
    until: float


class Verdict(Contract):
    """Attributes:
    outcome: opened: an event began in the window; open: one was open all along; failed: `failure` says what was
        missing; waiting: nothing was missing, but nothing had been decided yet; nothing: there was nothing to judge;
        paused: the rule did not judge; unknown: no trace is kept of that time.
    event: the id of the event, where there is one.
    text: the sentence, {"zh": …, "en": …}.
    failure: see there.
    """

    outcome: Outcome
    text: dict[str, str]
    event: str | None = None
    failure: Failure | None = None


class _Moment(NamedTuple):
    """One matter at one line of the trace."""

    line: TraceLine
    conditions: tuple[TracedCondition, ...]

    @property
    def nearness(self) -> tuple[float, float]:
        """How near it was to being an event: the worst condition, then all of them."""
        parts = [_progress(one) for one in self.conditions]
        return min(parts), sum(parts)


Clock = Callable[[float], str]


def clock_in(where: tzinfo | None = None) -> Clock:
    """Times as people read them: hh:mm:ss of the day in a time zone (None: this machine's); of a file m:ss."""

    def clock(utc: float) -> str:
        if utc < _YEAR_S:
            return f"{int(utc // 60)}:{utc % 60:04.1f}"
        return datetime.fromtimestamp(utc, where).strftime("%H:%M:%S")

    return clock


def judge(lines: Sequence[TraceLine], event_type: str, at: float, since: float, until: float, clock: Clock) -> Verdict:
    """What came of it.

    Args:
        lines: what the trace says of this algorithm: those of the window, and the one before.
        event_type: the algorithm.
        at: the moment that was asked for.
        since, until: the window.
        clock: writes times.
    """
    if not lines:
        text = {
            "zh": "没有这段时间的追踪记录：当时没有查看，或记录已被新的覆盖。",
            "en": "Nothing is known of that time: nothing was looked at, or its trace has made room for newer ones.",
        }
        return Verdict(outcome="unknown", text=text)
    event = _opened(lines, at, since, clock) or _open(lines, at, clock)
    if event is not None:
        return event
    moments = _moments(lines)
    if moments:
        return _failed(lines, _nearest(moments, at, until), until, clock)
    return _paused(lines, event_type, clock) or _nothing(lines, since, until, clock)


def _opened(lines: Sequence[TraceLine], at: float, since: float, clock: Clock) -> Verdict | None:
    found = [(line, step) for line in lines if line.utc >= since for step in line.steps if step.step == "opened"]
    if not found:
        return None
    line, step = min(found, key=lambda pair: abs(pair[0].utc - at))
    made = [
        one
        for one in line.conditions
        if (one.zone, one.subject) == (step.zone, step.subject) or (one.zone, one.subject) == (step.zone, "")
    ]
    zh, en = ("；".join(reading(one)[0] for one in made), "; ".join(reading(one)[1] for one in made))
    text = {
        "zh": f"{clock(line.utc)} 触发事件" + (f"，依据：{zh}。" if zh else "。"),
        "en": f"Event opened at {clock(line.utc)}" + (f" because {en}." if en else "."),
    }
    return Verdict(outcome="opened", event=step.event, text=text)


def _open(lines: Sequence[TraceLine], at: float, clock: Clock) -> Verdict | None:
    found = [line for line in lines if line.open]
    if not found:
        return None
    line = min(found, key=lambda one: abs(one.utc - at))
    key = line.open[0]
    event = next((step.event for other in lines for step in other.steps if _key(step) == key), None)
    text = {
        "zh": f"{clock(line.utc)} 已有事件在进行中，早于这段时间触发。",
        "en": f"An event was open at {clock(line.utc)}; it had opened before this stretch of time.",
    }
    return Verdict(outcome="open", event=event, text=text)


def _key(step: tuple[str, str, str, str, str]) -> tuple[str, str, str]:
    return step[0], step[1], step[2]


def _moments(lines: Sequence[TraceLine]) -> list[_Moment]:
    """Every matter at every line, with what its zone as a whole waits for."""
    found = []
    for line in lines:
        by_matter: dict[tuple[str, str], list[TracedCondition]] = defaultdict(list)
        for one in line.conditions:
            by_matter[one.zone, one.subject].append(one)
        for (zone, subject), conditions in by_matter.items():
            alone = subject == "" and any(other[0] == zone and other[1] for other in by_matter)
            if not alone:
                common = by_matter.get((zone, ""), []) if subject else []
                found.append(_Moment(line, (*common, *conditions)))
    return found


def _nearest(moments: Sequence[_Moment], at: float, until: float) -> _Moment:
    """The moment to speak of: when what was there at `at` (else anything) came nearest to being an event."""
    lines = sorted({moment.line.utc for moment in moments})
    now = max((utc for utc in lines if utc <= at), default=lines[0])
    there = {_matter(moment) for moment in moments if moment.line.utc == now}
    chosen = [moment for moment in moments if _matter(moment) in there and moment.line.utc <= until] or moments
    return max(chosen, key=lambda moment: (*moment.nearness, -abs(moment.line.utc - at)))


def _matter(moment: _Moment) -> tuple[str, str]:
    return moment.conditions[-1].zone, moment.conditions[-1].subject


def _failed(lines: Sequence[TraceLine], moment: _Moment, until: float, clock: Clock) -> Verdict:
    worst = min(moment.conditions, key=_progress)
    if worst.holds:
        text = {
            "zh": f"{clock(moment.line.utc)} 所有条件都满足，但当时还没有作出判定。",
            "en": f"No event: at {clock(moment.line.utc)} every condition held, but nothing had been decided yet.",
        }
        return Verdict(outcome="waiting", text=text)
    begin, end = _stretch(lines, worst, moment.line.utc, until)
    failure = Failure(
        zone=worst.zone,
        subject=worst.subject,
        name=worst.name,
        value=worst.value,
        needed=worst.needed,
        at_least=worst.at_least,
        since=begin,
        until=end,
    )
    zh, en = reading(worst)
    gone = next((step for line in lines for step in line.steps if _ends(step, worst)), None)
    text = {
        "zh": f"没有事件：{clock(begin)} 至 {clock(end)} 未满足：{zh}{'，随后该对象消失' if gone else ''}。",
        "en": f"No event: from {clock(begin)} to {clock(end)} this failed: {en}{'; then it was gone' if gone else ''}.",
    }
    return Verdict(outcome="failed", event=None, text=text, failure=failure)


def _ends(step: tuple[str, str, str, str, str], condition: TracedCondition) -> bool:
    return step[1:4] == (condition.zone, condition.subject, "dissolved")


def _stretch(lines: Sequence[TraceLine], one: TracedCondition, utc: float, until: float) -> tuple[float, float]:
    """From when to when a condition failed without a pause, around `utc`."""
    begin, end, inside = utc, until, False
    for line in lines:
        fails = any(other.key == one.key and not other.holds for other in line.conditions)
        if fails and not inside:
            begin = line.utc
        elif inside and not fails and line.utc > utc:
            return begin, line.utc
        inside = fails
    return begin, end if inside else utc


def _paused(lines: Sequence[TraceLine], event_type: str, clock: Clock) -> Verdict | None:
    paused = [line for line in lines if event_type in line.paused]
    if not paused:
        return None
    first, last, why = paused[0].utc, paused[-1].utc, paused[0].paused[event_type]
    text = {
        "zh": f"没有事件：{clock(first)} 至 {clock(last)} 该算法因画面问题（{why}）暂停判断。",
        "en": f"No event: from {clock(first)} to {clock(last)} the rule was paused ({why}).",
    }
    return Verdict(outcome="paused", text=text)


def _nothing(lines: Sequence[TraceLine], since: float, until: float, clock: Clock) -> Verdict:
    people = _most(sum(count.people for count in line.zones) for line in lines)
    vehicles = _most(sum(count.vehicles for count in line.zones) for line in lines)
    text = {
        "zh": f"没有事件：{clock(since)} 至 {clock(until)} 没有需要判断的对象。"
        f"区域内最多出现 {vehicles} 辆车、{people} 人。",
        "en": f"No event: from {clock(since)} to {clock(until)} nothing came into question."
        f" At most {vehicles} vehicles and {people} people were seen in its zones.",
    }
    return Verdict(outcome="nothing", text=text)


def _most(values: Iterable[int]) -> int:
    return max(values, default=0)


def _progress(one: TracedCondition) -> float:
    """1 where it holds, else how near it is, 0..1."""
    if one.holds:
        return 1.0
    if words_of(one.name).unit == "yes":
        return _VETO  # a matter that only a veto holds back is nearer than one that has not come so far
    if one.at_least:
        return max(0.0, one.value / one.needed) if one.needed > 0 else 0.0
    return max(0.0, one.needed / one.value) if one.value > 0 else 0.0
