"""Rows of subscriptions. Every function works in its caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Text, func, insert, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from store.database import at
from subscriptions.tables import (
    PENDING,
    acknowledgements,
    deliveries,
    delivery_attempts,
    subscription_numbers,
    subscription_queues,
    subscription_silences,
    subscriptions,
)
from subscriptions.types import (
    Acknowledgement,
    Attempt,
    Delivery,
    NewSilence,
    NewSubscription,
    Silence,
    State,
    Subscription,
)

_FIELDS = ("department", "name", "wanted", "channel", "retry", "cooldown_s", "grouping", "enabled")


def values_of(new: NewSubscription) -> dict[str, Any]:
    """The columns that people write."""
    grouping = new.grouping
    return {
        **new.model_dump(mode="json", include=set(_FIELDS)),
        "kind": new.channel.kind,
        "window_s": 0.0 if grouping is None else grouping.window_s,
    }


def create(connection: Connection, new: NewSubscription, owner: str) -> int:
    """A new row with its number and queue; its id."""
    row = values_of(new) | {"owner": owner, "secrets": [], "revision": 0}
    number: int = connection.execute(insert(subscriptions).values(row).returning(subscriptions.c.id)).scalar_one()
    connection.execute(insert(subscription_numbers).values(subscription=number, last=0))
    queue = {"subscription": number, "next_attempt": func.now(), "failures": 0, "last_error": ""}
    connection.execute(insert(subscription_queues).values(queue))
    return number


def change(connection: Connection, number: int, values: dict[str, Any]) -> None:
    """New values of a subscription, one revision on."""
    connection.execute(
        update(subscriptions)
        .where(subscriptions.c.id == number)
        .values(**values, revision=subscriptions.c.revision + 1, updated=func.now())
    )


def try_now(connection: Connection, number: int) -> None:
    """What waits is tried at once, whatever pause a failure had brought."""
    connection.execute(
        update(subscription_queues)
        .where(subscription_queues.c.subscription == number)
        .values(next_attempt=func.clock_timestamp())
    )


def secrets_of(connection: Connection, number: int) -> list[str]:
    """The sealed secrets, the newest first."""
    return list(connection.execute(select(subscriptions.c.secrets).where(subscriptions.c.id == number)).scalar_one())


def read(connection: Connection, number: int, *, lock: bool = False) -> Subscription | None:
    """One that is not deleted; with `lock` nobody else edits it before this transaction ends."""
    if lock:
        connection.execute(select(subscriptions.c.id).where(subscriptions.c.id == number).with_for_update())
    row = connection.execute(_query().where(subscriptions.c.id == number)).one_or_none()
    return None if row is None else _subscription(row)


def listed(connection: Connection, where: Iterable[ColumnElement[bool]] = ()) -> list[Subscription]:
    """All that are not deleted, or those that satisfy `where`, by id."""
    return [_subscription(row) for row in connection.execute(_query().where(*where).order_by(subscriptions.c.id))]


def _query() -> Select[Any]:
    d, q = deliveries.c, subscription_queues.c
    waiting = (
        select(func.count())
        .where(d.subscription == subscriptions.c.id, d.state == PENDING)
        .scalar_subquery()
        .label("waiting")
    )
    queue = (q.failures, q.failing_since, q.last_error)
    joined = subscriptions.join(subscription_queues, q.subscription == subscriptions.c.id)
    return select(subscriptions, *queue, waiting).select_from(joined).where(subscriptions.c.deleted.is_(None))


def _subscription(row: Row[Any]) -> Subscription:
    return Subscription(
        **{name: getattr(row, name) for name in _FIELDS},
        id=row.id,
        owner=row.owner,
        revision=row.revision,
        created_utc=row.created.timestamp(),
        updated_utc=row.updated.timestamp(),
        paused=row.paused,
        failing_since=None if row.failing_since is None else row.failing_since.timestamp(),
        failures=row.failures,
        last_error=row.last_error,
        waiting=row.waiting,
        secrets=len(row.secrets),
    )


def log(
    connection: Connection,
    number: int,
    *,
    states: Sequence[State] = (),
    event: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Delivery]:
    """Deliveries of a subscription, the newest first.

    Args:
        states: only those; empty: any.
        before: only those with a lower number (the next page).
    """
    d = deliveries.c
    query = select(deliveries).where(d.subscription == number).order_by(d.number.desc()).limit(limit)
    if states:
        query = query.where(or_(*(in_state(state) for state in states)))
    if event is not None:
        query = query.where(d.event_id == event)
    if before is not None:
        query = query.where(d.number < before)
    return [
        Delivery(
            id=row.id,
            number=row.number,
            event_id=row.event_id,
            seq=row.seq,
            state=State(row.state),
            attempts=row.attempts,
            created_utc=row.created.timestamp(),
            done_utc=None if row.done is None else row.done.timestamp(),
        )
        for row in connection.execute(query)
    ]


COUNTED = 10_000
"""As many deliveries of one state are counted, and no more: a log of months has millions."""


def counts(connection: Connection, number: int) -> dict[State, int]:
    """How many deliveries stand in each state; `COUNTED` where they are so many or more."""
    d = deliveries.c

    def counted(state: State) -> Any:
        some = select(d.number).where(d.subscription == number, in_state(state)).limit(COUNTED).subquery()
        return select(func.count()).select_from(some).scalar_subquery().label(state.name)

    row = connection.execute(select(*(counted(state) for state in State))).one()
    return {state: getattr(row, state.name) for state in State}


def in_state(state: State) -> ColumnElement[bool]:
    """Written out, not bound: the planner must see which index of part of the table is meant."""
    return deliveries.c.state == literal_column(f"'{state.value}'", Text)


def attempts(
    connection: Connection, number: int, *, delivery: str | None = None, before: int | None = None, limit: int = 100
) -> list[tuple[int, Attempt]]:
    """(row, attempt), the newest first; of one delivery, or of the subscription with its tests."""
    a = delivery_attempts.c
    query = select(delivery_attempts).where(a.subscription == number).order_by(a.id.desc()).limit(limit)
    if delivery is not None:
        query = query.where(a.delivery == delivery)
    if before is not None:
        query = query.where(a.id < before)
    return [
        (
            row.id,
            Attempt(
                delivery=row.delivery,
                utc=row.at.timestamp(),
                took_ms=row.took_ms,
                outcome=row.outcome,
                status=row.status,
                detail=row.detail,
            ),
        )
        for row in connection.execute(query)
    ]


def write_attempt(connection: Connection, number: int, attempt: Attempt) -> None:
    """A line of the log."""
    row = attempt.model_dump(exclude={"utc"}) | {"subscription": number, "at": at(attempt.utc)}
    connection.execute(insert(delivery_attempts).values(row))


def silence(connection: Connection, new: NewSilence, who: str) -> int:
    """A new silence; its id."""
    row = {
        "department": new.department,
        "subscription": new.subscription,
        "who": who,
        "note": new.note,
        "wanted": new.wanted.model_dump(mode="json"),
        "from": at(new.from_utc),
        "until": at(new.until_utc),
    }
    number: int = connection.execute(
        insert(subscription_silences).values(row).returning(subscription_silences.c.id)
    ).scalar_one()
    return number


def silences(connection: Connection, where: Iterable[ColumnElement[bool]] = ()) -> list[Silence]:
    """Silences with what each has held back, the longest lasting first."""
    s, d = subscription_silences.c, deliveries.c
    hidden = select(func.count()).where(d.silence == s.id).scalar_subquery().label("hidden")
    query = select(subscription_silences, hidden).where(*where).order_by(s.until.desc(), s.id.desc())
    return [
        Silence(
            id=row.id,
            department=row.department,
            subscription=row.subscription,
            who=row.who,
            note=row.note,
            wanted=row.wanted,
            from_utc=row._mapping["from"].timestamp(),
            until_utc=row.until.timestamp(),
            hidden=row.hidden,
        )
        for row in connection.execute(query)
    ]


def end_silence(connection: Connection, number: int, now: float) -> bool:
    """It ends now; one that had not begun never was. False where it is over, or there is none."""
    s = subscription_silences.c
    begun = update(subscription_silences).where(s.id == number, s["from"] < at(now), s.until > at(now))
    if connection.execute(begun.values(until=at(now))).rowcount:
        return True
    future = subscription_silences.delete().where(s.id == number, s["from"] >= at(now))
    return bool(connection.execute(future).rowcount)


def acknowledged(connection: Connection, event: str) -> list[Acknowledgement]:
    """Who has seen an event, the first first."""
    a = acknowledgements.c
    rows = connection.execute(select(acknowledgements).where(a.event_id == event).order_by(a.at))
    return [
        Acknowledgement(department=row.department, who=row.who, note=row.note, utc=row.at.timestamp()) for row in rows
    ]


def acknowledge(connection: Connection, event: str, department: str, who: str, note: str, now: float) -> None:
    """Somebody of a department has seen an event. It changes nothing about what is delivered."""
    row = {"event_id": event, "department": department, "who": who, "note": note, "at": at(now)}
    statement = upsert(acknowledgements).values(row)
    connection.execute(statement.on_conflict_do_nothing())
