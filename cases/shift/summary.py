"""Which open cases are handed on by name, and how many there are: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cases.shift.types import HandedCase, HandedIncident, Look, Mark
from cases.types import Status
from contracts.records import Severity

MOST_CASES = 500
_MARKS: tuple[Mark, ...] = ("late", "due", "supervised", "resumes", "look", "noted")


@dataclass(frozen=True, slots=True)
class ShiftCase:
    """What the summary needs of an open case; times are s since 1970 UTC."""

    id: int
    category: str
    status: Status
    severity: Severity
    address: str
    camera: str
    zone: str
    grid: str
    handler: str
    opened_utc: float
    due_utc: float | None
    supervised: bool
    incident: int | None
    look: Look = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """The open cases of a desk, as `cases.shift.types.Snapshot` has them."""

    by_status: dict[Status, int]
    marked: dict[Mark, int]
    cases: tuple[HandedCase, ...]
    left_out: int
    incidents: tuple[HandedIncident, ...]


def marks(case: ShiftCase, now: float, until: float, noted: bool) -> tuple[Mark, ...]:
    """Why whoever is on shift until `until` has to know of a case."""
    suspended = case.status is Status.SUSPENDED
    ends = case.due_utc is not None and case.due_utc < until
    late = case.due_utc is not None and case.due_utc < now
    said: dict[Mark, bool] = {
        "late": late and not suspended,
        "due": ends and not late and not suspended,
        "supervised": case.supervised,
        "resumes": ends and suspended,
        "look": case.look != "",
        "noted": noted,
    }
    return tuple(mark for mark in _MARKS if said[mark])


def summarise(
    found: Sequence[ShiftCase],
    notes: Mapping[int, str],
    now: float,
    until: float,
    where: Callable[[ShiftCase], str],
    most: int = MOST_CASES,
) -> Summary:
    """Counts all of `found`, and names those that have a mark.

    Args:
        notes: by case, of whoever hands over; these are always listed.
        where: what the place of a case is called.
        most: of the others how many are listed.
    """
    marked = {case.id: marks(case, now, until, bool(notes.get(case.id))) for case in found}
    named = [case for case in found if marked[case.id]]
    named.sort(key=lambda case: (not notes.get(case.id), case.due_utc is None, case.due_utc or 0.0, case.id))
    kept = named[: max(most, sum("noted" in marked[case.id] for case in named))]
    kept.sort(key=lambda case: (case.due_utc is None, case.due_utc or 0.0, case.id))
    counts = Counter(mark for all_of in marked.values() for mark in all_of)
    return Summary(
        by_status=dict(Counter(case.status for case in found)),
        marked={mark: counts[mark] for mark in _MARKS},
        cases=tuple(_handed(case, marked[case.id], notes.get(case.id, ""), where(case)) for case in kept),
        left_out=len(named) - len(kept),
        incidents=_incidents(found, marked),
    )


def _handed(case: ShiftCase, why: tuple[Mark, ...], note: str, where: str) -> HandedCase:
    return HandedCase(
        id=case.id,
        category=case.category,
        status=case.status,
        severity=case.severity,
        where=where,
        grid=case.grid,
        handler=case.handler,
        opened_utc=case.opened_utc,
        due_utc=case.due_utc,
        incident=case.incident,
        marks=why,
        look=case.look,
        note=note,
    )


def _incidents(found: Sequence[ShiftCase], marked: Mapping[int, tuple[Mark, ...]]) -> tuple[HandedIncident, ...]:
    """Those with open cases, most cases first."""
    members: dict[int, list[ShiftCase]] = {}
    for case in found:
        if case.incident is not None:
            members.setdefault(case.incident, []).append(case)
    return tuple(
        HandedIncident(
            id=number,
            category=of[0].category,
            open=len(of),
            late=sum("late" in marked[case.id] for case in of),
        )
        for number, of in sorted(members.items(), key=lambda item: (-len(item[1]), item[0]))
    )
