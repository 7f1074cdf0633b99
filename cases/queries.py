"""Reading cases. Every function works on its caller's connection and only reads; what `Sight` hides does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)

from cases import pictures, store
from cases.incident import Group
from cases.pictures import CasePicture
from cases.tables import case_decisions, case_lines, case_looks, case_silences, cases
from cases.types import OPEN, Action, Case, Line, Status
from contracts.records import Contract, LookResult
from store.database import at

MAX_LIMIT = 200
Order = Literal["newest", "due"]
Dimension = Literal["status", "category", "grid", "handler", "department", "source", "day"]


@dataclass(frozen=True, slots=True)
class Sight:
    """Whose eyes: everything, or what concerns some departments (as owner of the camera, handler, or now in turn)."""

    everything: bool = False
    departments: tuple[str, ...] = ()

    def condition(self) -> ColumnElement[bool]:
        """Of `cases`, for WHERE."""
        if self.everything:
            return true()
        mine = list(self.departments)
        return or_(cases.c.department.in_(mine), cases.c.handler.in_(mine), cases.c.owner.in_(mine))


class CaseFilter(Contract):
    """Which cases; empty fields mean all.

    Attributes:
        statuses, categories, owners, handlers, grids, sources: any of these.
        late: past its time, or not.
        incident: of one mass incident.
        since_utc, until_utc: opened in between, s since 1970.
    """

    statuses: tuple[Status, ...] = ()
    categories: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    handlers: tuple[str, ...] = ()
    grids: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    late: bool | None = None
    incident: int | None = None
    since_utc: float | None = None
    until_utc: float | None = None

    def conditions(self, now: float) -> list[ColumnElement[bool]]:
        """Of `cases`, for WHERE; `now` decides what is late."""
        c = cases.c
        several = (
            (c.status, tuple(status.value for status in self.statuses)),
            (c.category, self.categories),
            (c.owner, self.owners),
            (c.handler, self.handlers),
            (c.grid, self.grids),
            (c.source, self.sources),
        )
        found: list[ColumnElement[bool]] = [column.in_(values) for column, values in several if values]
        if self.late is not None:
            late = func.coalesce(c.due < at(now), False)
            found.append(late if self.late else ~late)
        if self.incident is not None:
            found.append(c.incident == self.incident)
        if self.since_utc is not None:
            found.append(c.opened >= at(self.since_utc))
        if self.until_utc is not None:
            found.append(c.opened < at(self.until_utc))
        return found


class Decided(Contract):
    """What was decided of one event, and why."""

    event: str
    kind: str
    case: int | None
    reason: dict[str, str]
    utc: float


class Looked(Contract):
    """A second look: when it was asked for, and what it saw (None: not answered)."""

    asked_utc: float
    until_utc: float
    result: LookResult | None


class CaseDetail(Contract):
    """A case with all that is known of it, oldest first."""

    case: Case
    lines: tuple[Line, ...]
    events: tuple[Decided, ...]
    looks: tuple[Looked, ...]
    pictures: tuple[CasePicture, ...]


class Tally(Contract):
    """Cases of one value: how many, how many of them late now, and the median hours from 受理 to 结案 of the closed."""

    value: str
    cases: int
    late: int
    closed: int
    median_hours: float | None = Field(ge=0)


class HeldBack(Contract):
    """A silence, and how many events it has kept from becoming cases."""

    id: int
    who: str
    note: str
    from_utc: float
    until_utc: float
    types: tuple[str, ...]
    cameras: tuple[str, ...]
    grids: tuple[str, ...]
    events: int


def list_cases(
    connection: Connection,
    sight: Sight,
    which: CaseFilter,
    now: float,
    after: int | None = None,
    limit: int = 50,
    order: Order = "newest",
) -> tuple[tuple[Case, ...], int | None, int]:
    """Cases, newest first or the soonest due first (those without a clock last).

    Args:
        after: the id of the last case of the page before.

    Returns:
        a page, what to give as `after` for the next (None: it was the last), how many match in all.
    """
    limit = max(1, min(limit, MAX_LIMIT))
    matching = [sight.condition(), *which.conditions(now)]
    total: int = connection.execute(select(func.count()).select_from(cases).where(*matching)).scalar_one()
    c = cases.c
    by = (c.due.nulls_last(), c.id) if order == "due" else (c.id.desc(),)
    query = select(cases).where(*matching).order_by(*by).limit(limit + 1)
    if after is not None:
        query = query.where(_due_after(connection, after) if order == "due" else c.id < after)
    rows = connection.execute(query).all()
    page = tuple(store.case_of(row) for row in rows[:limit])
    return page, page[-1].id if len(rows) > limit else None, total


def _due_after(connection: Connection, number: int) -> ColumnElement[bool]:
    """What comes behind a case where the soonest due come first."""
    c = cases.c
    due = connection.execute(select(c.due).where(c.id == number)).scalar_one_or_none()
    if due is None:
        return and_(c.due.is_(None), c.id > number)
    return or_(c.due.is_(None), tuple_(c.due, c.id) > tuple_(literal(due), literal(number)))


def to_handle(
    connection: Connection, sight: Sight, statuses: Iterable[Status], crew: str = "", limit: int = 50
) -> tuple[tuple[Case, ...], tuple[str, ...], int]:
    """Cases that departments have to handle: of `sight` alone those that it has itself.

    Args:
        crew: of this crew alone; "": of all.

    Returns:
        the soonest due first, the crews that have any (also of other crews than `crew`), how many there are in all.
    """
    c, crew_of = cases.c, cases.c.state["crew"].astext
    mine = [c.handler != "" if sight.everything else c.handler.in_(sight.departments)]
    mine.append(c.status.in_([status.value for status in statuses]))
    crews = connection.execute(select(crew_of).where(*mine, crew_of != "").distinct().order_by(crew_of)).scalars()
    if crew:
        mine.append(crew_of == crew)
    total: int = connection.execute(select(func.count()).select_from(cases).where(*mine)).scalar_one()
    query = select(cases).where(*mine).order_by(c.due.nulls_last(), c.id).limit(max(1, min(limit, MAX_LIMIT)))
    return tuple(store.case_of(row) for row in connection.execute(query)), tuple(crews), total


def get_case(connection: Connection, sight: Sight, number: int) -> CaseDetail | None:
    """One case; None where there is none to be seen."""
    row = connection.execute(select(cases).where(cases.c.id == number, sight.condition())).one_or_none()
    if row is None:
        return None
    looks = connection.execute(select(case_looks).where(case_looks.c.case_id == number).order_by(case_looks.c.asked))
    return CaseDetail(
        case=store.case_of(row),
        lines=tuple(store.lines(connection, number)),
        events=_decided(connection, select(case_decisions).where(case_decisions.c.case_id == number)),
        looks=tuple(
            Looked(
                asked_utc=look.asked.timestamp(),
                until_utc=look.until.timestamp(),
                result=None if look.result is None else LookResult.model_validate(look.result),
            )
            for look in looks
        ),
        pictures=pictures.of_case(connection, number),
    )


def behind_open(sight: Sight, number: int, event: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether an event stands behind a case that can be seen and is not over, for WHERE.

    Args:
        event: its id.
    """
    d = case_decisions.c
    going = [cases.c.id == number, cases.c.status.in_([status.value for status in OPEN]), sight.condition()]
    return exists().where(d.event_id == event, d.case_id == cases.c.id, *going).correlate_except(case_decisions, cases)


def members(connection: Connection, sight: Sight, incident: int, statuses: Iterable[Status]) -> tuple[int, ...]:
    """Ids of the cases of a mass incident that can be seen and have one of these statuses."""
    which = CaseFilter(incident=incident, statuses=tuple(statuses))
    query = select(cases.c.id).where(sight.condition(), *which.conditions(now=0.0)).order_by(cases.c.id)
    return tuple(connection.execute(query).scalars())


def done_under(connection: Connection, sight: Sight, incident: int, key: str) -> Action | None:
    """What was done to cases of a mass incident under a key; None: nothing."""
    lines = case_lines.c.case_id == cases.c.id, case_lines.c.body["key"].astext == key
    query = select(case_lines.c.body["action"].astext).where(cases.c.incident == incident, sight.condition(), *lines)
    action = connection.execute(query.limit(1)).scalar_one_or_none()
    return None if action is None else Action(action)


def groups(connection: Connection, sight: Sight, incident: int) -> tuple[Group, ...]:
    """The cases of a mass incident that can be seen, counted by status and by the department that has them."""
    c, which = cases.c, CaseFilter(incident=incident)
    query = (
        select(c.status, c.handler, func.count().label("cases"))
        .where(sight.condition(), *which.conditions(now=0.0))
        .group_by(c.status, c.handler)
        .order_by(c.status, c.handler)
    )
    return tuple(Group.model_validate(dict(row)) for row in connection.execute(query).mappings())


def handlers(connection: Connection, numbers: Iterable[int]) -> tuple[str, ...]:
    """The departments that have these cases, each once."""
    query = select(cases.c.handler).where(cases.c.id.in_(tuple(numbers))).distinct()
    return tuple(connection.execute(query).scalars())


def tallies(
    connection: Connection, sight: Sight, which: CaseFilter, by: Dimension | FromClause, now: float, zone: str
) -> tuple[Tally, ...]:
    """Cases by one dimension, most first (days in their order).

    Args:
        zone: by whose days they are counted.
        by: or what another room says of each case: at most one row with the column `value`; none counts as "".
    """
    c = cases.c
    counted: FromClause = cases
    if not isinstance(by, str):
        counted = cases.outerjoin(by, true())
        value: ColumnElement[Any] = func.coalesce(by.c["value"], "")
    else:
        value = func.to_char(func.timezone(zone, c.opened), "YYYY-MM-DD") if by == "day" else c[by]
    over = case((c.status.in_([Status.CLOSED.value, Status.RATED.value]), c.closed))  # not one that is open again
    hours = func.extract("epoch", over - c.opened) / 3600
    late = func.count(case((c.due < at(now), 1)))
    query = (
        select(
            value.label("value"),
            func.count().label("cases"),
            late.label("late"),
            func.count(over).label("closed"),
            func.percentile_cont(0.5).within_group(hours).label("median"),
        )
        .select_from(counted)
        .where(sight.condition(), *which.conditions(now))
        .group_by(value)
        .order_by(*([value] if by == "day" else [func.count().desc(), value]))
    )
    return tuple(
        Tally(
            value=row.value,
            cases=row.cases,
            late=row.late,
            closed=row.closed,
            median_hours=None if row.median is None else round(max(0.0, float(row.median)), 3),
        )
        for row in connection.execute(query)
    )


def silences(connection: Connection, now: float, *, over: bool = False) -> tuple[HeldBack, ...]:
    """Those that are still to end, the next to end first; with `over` the others too."""
    hidden = (
        select(func.count()).where(case_decisions.c.silence_id == case_silences.c.id).scalar_subquery().label("events")
    )
    query = select(case_silences, hidden).order_by(case_silences.c.until)
    if not over:
        query = query.where(case_silences.c.until > at(now))
    return tuple(
        HeldBack(
            id=row.id,
            who=row.who,
            note=row.note,
            from_utc=row._mapping["from"].timestamp(),
            until_utc=row.until.timestamp(),
            types=tuple(row.types),
            cameras=tuple(row.cameras),
            grids=tuple(row.grids),
            events=row.events,
        )
        for row in connection.execute(query)
    )


def _decided(connection: Connection, query: Select[Any]) -> tuple[Decided, ...]:
    rows = connection.execute(query.order_by(case_decisions.c.at))
    return tuple(
        Decided(event=row.event_id, kind=row.kind, case=row.case_id, reason=row.reason, utc=row.at.timestamp())
        for row in rows
    )
