"""Rows of cases. Every function works in its caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from cases import pictures
from cases.decide import RANK, Decision, Kind, KnownCase, Silence
from cases.tables import case_decisions, case_incidents, case_lines, case_silences, cases
from cases.types import OPEN, Case, CaseState, Line, NewCase, Status
from contracts.records import Severity
from store.database import at

_LOCK = 0x6376_6373  # "cvcs"


def lock_place(connection: Connection, category: str, place: str) -> None:
    """One transaction at a time decides about a place, so that two events never make two cases of one matter."""
    key = func.hashtext(f"{category} {place}")
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK, key)))


def known_at(connection: Connection, category: str, place: str) -> list[KnownCase]:
    """All cases of a category at a place; nobody acts on them before this transaction ends, so that an event never
    joins one that is just being closed."""
    query = select(cases).where(cases.c.category == category, cases.c.place == place).order_by(cases.c.id)
    return _known(connection, query.with_for_update())


def known_open(connection: Connection, category: str, since: float, until: float) -> list[KnownCase]:
    """Open cases of a category that began from `since` to `until`, s since 1970 UTC."""
    query = select(cases).where(
        cases.c.category == category,
        cases.c.status.in_([status.value for status in OPEN]),
        cases.c.started.between(at(since), at(until)),
    )
    return _known(connection, query)


def _known(connection: Connection, query: Select[Any]) -> list[KnownCase]:
    return [
        KnownCase(
            row.id,
            row.category,
            row.place,
            Status(row.status),
            row.started.timestamp(),
            None if row.closed is None else row.closed.timestamp(),
        )
        for row in connection.execute(query)
    ]


def create(connection: Connection, new: NewCase, state: CaseState, line: Line) -> int:
    """A new row with the line that tells of it; its id."""
    now = line.utc
    values = new.model_dump(mode="json", exclude={"started_utc"}) | _decisive(state)
    values |= {"started": at(new.started_utc), "opened": at(now), "updated": at(now), "revision": 0}
    number: int = connection.execute(insert(cases).values(values).returning(cases.c.id)).scalar_one()
    _write_line(connection, number, 0, line)
    return number


def read(connection: Connection, number: int, *, lock: bool = False) -> Case | None:
    """One case; with `lock` nobody else acts on it before this transaction ends."""
    query = select(cases).where(cases.c.id == number)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else case_of(row)


def case_of(row: Row[Any]) -> Case:
    """A row of `cases` as it is handed out."""
    fields = {name: getattr(row, name) for name in NewCase.model_fields if name != "started_utc"}
    return Case(
        **fields,
        id=row.id,
        started_utc=row.started.timestamp(),
        opened_utc=row.opened.timestamp(),
        updated_utc=row.updated.timestamp(),
        closed_utc=None if row.closed is None else row.closed.timestamp(),
        incident=row.incident,
        revision=row.revision,
        state=CaseState.model_validate(row.state),
    )


def change(connection: Connection, number: int, revision: int, state: CaseState, line: Line) -> None:
    """The state after an action, and the line that tells of it; `revision` is the one acted upon."""
    values = _decisive(state) | {"revision": revision + 1, "updated": at(line.utc)}
    if state.status is Status.CLOSED:
        values["closed"] = at(line.utc)
    connection.execute(update(cases).where(cases.c.id == number).values(values))
    _write_line(connection, number, revision + 1, line)


def lines(connection: Connection, number: int) -> list[Line]:
    """A case's history, oldest first."""
    query = select(case_lines.c.body).where(case_lines.c.case_id == number).order_by(case_lines.c.revision)
    return [Line.model_validate(body) for body in connection.execute(query).scalars()]


def line_of(connection: Connection, number: int, key: str) -> Line | None:
    """The line of a case that was written under a key; None where there is none."""
    c = case_lines.c
    found = select(c.body).where(c.case_id == number, c.body["key"].astext == key).order_by(c.revision).limit(1)
    body = connection.execute(found).scalar_one_or_none()
    return None if body is None else Line.model_validate(body)


def raise_severity(connection: Connection, number: int, severity: Severity, now: float) -> None:
    """A case is as severe as the severest of its events."""
    lower = [other.value for other, rank in RANK.items() if rank < RANK[severity]]
    connection.execute(
        update(cases)
        .where(cases.c.id == number, cases.c.severity.in_(lower))
        .values(severity=severity.value, updated=at(now))
    )


class Decided(NamedTuple):
    """What was decided of an event before; `case_id` None: it makes none."""

    kind: Kind
    case_id: int | None


def decided(connection: Connection, event_id: str) -> Decided | None:
    """None where nothing was decided yet."""
    c = case_decisions.c
    row = connection.execute(select(c.kind, c.case_id).where(c.event_id == event_id)).one_or_none()
    return None if row is None else Decided(row.kind, row.case_id)


def keep(connection: Connection, event_id: str, decision: Decision, case: int | None, now: float) -> None:
    """What was decided of an event, and why; in place of what was decided before."""
    values = {
        "case_id": case,
        "silence_id": decision.silence,
        "kind": decision.kind,
        "category": decision.category,
        "reason": decision.reason,
        "at": at(now),
    }
    fresh = upsert(case_decisions).values(event_id=event_id, **values)
    connection.execute(fresh.on_conflict_do_update(index_elements=["event_id"], set_=values))


def silences_at(connection: Connection, moment: float) -> list[Silence]:
    """Those in force at a moment, s since 1970 UTC."""
    c = case_silences.c
    query = select(case_silences).where(c["from"] <= at(moment), c.until > at(moment))
    return [silence_of(row) for row in connection.execute(query)]


def silence_of(row: Row[Any]) -> Silence:
    """A row of `case_silences` as it is handed out."""
    kinds = frozenset(row.types), frozenset(row.cameras), frozenset(row.grids)
    return Silence(row.id, row.who, row.note, row._mapping["from"].timestamp(), row.until.timestamp(), *kinds)


def add_silence(connection: Connection, about: Silence) -> int:
    """A new row (`about.id` is not looked at); its id."""
    span = {"from": at(about.from_utc), "until": at(about.until_utc)}
    what = {"types": sorted(about.types), "cameras": sorted(about.cameras), "grids": sorted(about.grids)}
    values = {"who": about.who, "note": about.note, **span, **what}
    number: int = connection.execute(insert(case_silences).values(values).returning(case_silences.c.id)).scalar_one()
    return number


def end_silence(connection: Connection, number: int, now: float) -> bool:
    """Lets it end now (or at its very beginning, where that is still to come); whether it was still to end."""
    c = case_silences.c
    first = c["from"] + text("interval '1 millisecond'")
    ended = func.greatest(at(now), first)
    found = update(case_silences).where(c.id == number, c.until > at(now)).values(until=ended).returning(c.id)
    return connection.execute(found).scalar_one_or_none() is not None


def join_incident(connection: Connection, category: str, members: Sequence[int]) -> int:
    """One incident for all of these cases: the oldest that any of them belongs to, else a new one."""
    query = select(cases.c.incident).where(cases.c.id.in_(members), cases.c.incident.is_not(None)).distinct()
    there = sorted(connection.execute(query).scalars())
    number: int = (
        there[0]
        if there
        else connection.execute(
            insert(case_incidents).values(category=category).returning(case_incidents.c.id)
        ).scalar_one()
    )
    mine = cases.c.id.in_(members) | cases.c.incident.in_(there[1:])
    connection.execute(update(cases).where(mine).values(incident=number))
    return number


def due(connection: Connection, now: float, limit: int) -> list[Case]:
    """Cases whose clock ran out without a word said, oldest first; locked, and those that others have are left out."""
    unsaid = func.coalesce(cases.c.state["clock"]["told"].as_boolean(), False).is_(False)
    query = select(cases).where(cases.c.due <= at(now), unsaid).order_by(cases.c.due).limit(limit)
    return [case_of(row) for row in connection.execute(query.with_for_update(skip_locked=True))]


def _write_line(connection: Connection, number: int, revision: int, line: Line) -> None:
    body = line.model_dump(mode="json")
    connection.execute(insert(case_lines).values(case_id=number, revision=revision, at=at(line.utc), body=body))
    pictures.named(connection, number, line.facts, line.utc)


def reported(connection: Connection, categories: Sequence[str], limit: int) -> list[Case]:
    """Cases of these categories, where a camera looks, whose handler says that it is done, oldest first; locked, and
    those that others have are left out."""
    c = cases.c
    query = select(cases).where(c.status == Status.REPORTED.value, c.camera != "", c.category.in_(categories))
    query = query.order_by(c.updated).limit(limit)
    return [case_of(row) for row in connection.execute(query.with_for_update(skip_locked=True))]


def _decisive(state: CaseState) -> dict[str, object]:
    return {
        "status": state.status.value,
        "owner": state.owner,
        "handler": state.handler,
        "due": None if state.clock is None else at(state.clock.due_utc),
        "supervised": state.supervised,
        "state": state.model_dump(mode="json"),
    }
