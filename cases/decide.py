"""What an event is to dispatchers: a new case, one that is there already, or none; pure, and with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from cases.book import Book, Mass
from cases.types import OPEN, Status
from contracts.records import Event, Severity

RANK = {severity: rank for rank, severity in enumerate(Severity)}
"""Severities, the least first."""

Kind = Literal["new", "join", "reopen", "none", "silenced"]


@dataclass(frozen=True, slots=True)
class KnownCase:
    """What deciding needs of a case.

    Attributes:
        id: the case's.
        category, place: what and where; see `Book.place`.
        status: where it stands.
        started_utc: when the first of its events began, s since 1970.
        closed_utc: when it was closed last; None before.
    """

    id: int
    category: str
    place: str
    status: Status
    started_utc: float
    closed_utc: float | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """Somebody wants no cases of some events for a while; empty fields mean all.

    Attributes:
        id: its own.
        who, note: whose wish it is, and why.
        types, cameras, grids: which events.
        from_utc, until_utc: s since 1970; it always ends.
    """

    id: int
    who: str
    note: str
    from_utc: float
    until_utc: float
    types: frozenset[str] = frozenset()
    cameras: frozenset[str] = frozenset()
    grids: frozenset[str] = frozenset()

    def covers(self, event: Event) -> bool:
        """Whether it wants no case of this event."""
        return (
            self.from_utc <= event.started_utc < self.until_utc
            and (not self.types or event.type in self.types)
            and (not self.cameras or event.camera in self.cameras)
            and (not self.grids or event.grid in self.grids)
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of an event.

    Attributes:
        kind: "new", "join" or "reopen" a case; "none" where no rule makes one; "silenced".
        category: of the case; "" where there is none.
        case: id of the one that is joined or opened again.
        silence: id of the silence that hides it.
        reason: in words, {"zh": …, "en": …}; kept with the case.
    """

    kind: Kind
    reason: dict[str, str]
    category: str = ""
    case: int | None = None
    silence: int | None = None


def decide(event: Event, cases: Iterable[KnownCase], silences: Iterable[Silence], book: Book) -> Decision:
    """What becomes of an event that no case knows yet.

    Args:
        event: any transition of it.
        cases: at least all of its category and place that are open or were closed within `reopen_within`.
        silences: those that may be in force.
    """
    category = book.for_event(event.type)
    if category is None:
        return Decision("none", {"zh": f"{event.type} 不自动立案", "en": f"No category makes cases of {event.type}."})
    if RANK[event.severity] < RANK[category.min_severity]:
        zh = f"严重程度 {event.severity} 低于 {category.min_severity}"
        return Decision("none", {"zh": zh, "en": f"Severity {event.severity} is below {category.min_severity}."})
    hiding = min((s for s in silences if s.covers(event)), key=lambda s: s.id, default=None)
    if hiding is not None:
        zh, en = f"{hiding.who} 已静默：{hiding.note}", f"Silenced by {hiding.who}: {hiding.note}"
        return Decision("silenced", {"zh": zh, "en": en}, category.code, silence=hiding.id)
    place = book.place(event.camera, event.zone)
    same = [case for case in cases if case.category == category.code and case.place == place]
    going = min((case for case in same if case.status in OPEN), key=lambda c: (c.started_utc, c.id), default=None)
    if going is not None:
        reason = {
            "zh": f"同一地点同类案件 {going.id} 尚未结案",
            "en": f"Case {going.id} of this kind is open at this place.",
        }
        return Decision("join", reason, category.code, going.id)
    closed = [c for c in same if c.closed_utc is not None and c.status in {Status.CLOSED, Status.RATED}]
    again = max(closed, key=lambda c: (c.closed_utc or 0.0, c.id), default=None)
    if again is not None and event.started_utc - (again.closed_utc or 0.0) <= category.reopen_within:
        minutes = max(0, round((event.started_utc - (again.closed_utc or 0.0)) / 60))
        reason = {
            "zh": f"案件 {again.id} 结案后 {minutes} 分钟再次发生",
            "en": f"It happened again {minutes} minutes after case {again.id} was closed.",
        }
        return Decision("reopen", reason, category.code, again.id)
    return Decision(
        "new", {"zh": "该地点没有同类案件", "en": "No case of this kind is open at this place."}, category.code
    )


def incidents(cases: Sequence[KnownCase], mass: Mass) -> list[frozenset[int]]:
    """Which open cases of one category belong to one mass incident; a function of the set alone.

    Every stretch of `mass.within` seconds in which `mass.count` cases began is dense; stretches that share a case are
    one incident.

    Args:
        cases: open, of one category, in any order.

    Returns:
        ids of the cases of each incident, the earliest incident first.
    """
    ordered = sorted(cases, key=lambda case: (case.started_utc, case.id))
    found: list[set[int]] = []
    last = -1  # index of the last case of the newest incident
    for first in range(len(ordered) - mass.count + 1):
        end = first + mass.count - 1
        if ordered[end].started_utc - ordered[first].started_utc > mass.within:
            continue
        members = {case.id for case in ordered[first : end + 1]}
        if found and first <= last:
            found[-1] |= members
        else:
            found.append(members)
        last = end
    return [frozenset(members) for members in found]
