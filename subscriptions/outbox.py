"""Deliveries are written in the event's own transaction: what was committed will be told, what was not never is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Integer,
    Text,
    TextClause,
    and_,
    bindparam,
    case,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import Insert

from contracts.records import Event
from store.database import at
from store.wakeups import DELIVERIES
from subscriptions.matching import Place, Sees, wanted_in_sql
from subscriptions.tables import deliveries, subscription_numbers, subscription_silences, subscriptions
from subscriptions.types import State

_UTC = DateTime(timezone=True)


class DeliveryHook:
    """`events.hooks.EventHook`: one statement a transition, over all subscriptions that want and may see it."""

    def __init__(self, sees: Sees) -> None:
        self._statement = _statement(sees)

    def __call__(self, connection: Connection, event: Event) -> None:
        connection.execute(
            self._statement,
            {
                "event": event.id,
                "seq": event.seq,
                "department": event.department,
                "camera": event.camera,
                "zone": event.zone,
                "grid": event.grid,
                "type": event.type,
                "severity": event.severity.value,
                "transition": event.transition.value,
                "at": at(event.utc),
                "started": at(event.started_utc),
            },
        )


def delivery_id(subscription: ColumnElement[Any], event: ColumnElement[Any], seq: ColumnElement[Any]) -> Any:
    """The stable id of a delivery: whoever gets it twice can tell."""
    told = func.concat_ws("/", subscription, event, seq)
    return func.concat("msg_", func.left(func.encode(func.sha256(func.convert_to(told, "UTF8")), "hex"), 32))


def about(type_: ColumnElement[Any], camera: ColumnElement[Any], zone: ColumnElement[Any]) -> ColumnElement[Any]:
    """What a cooldown counts by; null for subscriptions without one."""
    return case((subscriptions.c.cooldown_s > 0, func.concat_ws("/", type_, camera, zone)))


def wake(statement: Insert | Any) -> Any:
    """`statement` that also wakes the deliverer once its transaction is committed."""
    return statement.returning(func.pg_notify(literal(DELIVERIES), literal("")))


def silence_for(place: Place, started: ColumnElement[Any] | TextClause) -> Any:
    """The silence that holds back what a subscription (of the outer query) would be told."""
    c = subscription_silences.c
    mine = or_(
        c.subscription == subscriptions.c.id,
        and_(c.subscription.is_(None), c.department == subscriptions.c.department),
    )
    return (
        select(c.id)
        .where(mine, c["from"] <= started, c.until > started, wanted_in_sql(c.wanted, place))
        .order_by(c.until.desc())
        .limit(1)
        .correlate(subscriptions)
        .lateral("silence")
    )


def _statement(sees: Sees) -> Any:
    place = Place(
        **{name: bindparam(name, type_=Text) for name in Place._fields if name != "at"},
        at=bindparam("at", type_=_UTC),
    )
    s, n = subscriptions.c, subscription_numbers.c
    matched = (
        update(subscription_numbers)
        .where(
            n.subscription == s.id,
            s.enabled,
            s.deleted.is_(None),
            wanted_in_sql(s.wanted, place),
            sees(s.department, place),
        )
        .values(last=n.last + 1)
        .returning(n.subscription, n.last)
        .cte("matched")
    )
    event = cast(bindparam("event", type_=Text), Text)
    seq = cast(bindparam("seq", type_=Integer), Integer)
    silence = silence_for(place, bindparam("started", type_=_UTC))
    rows = select(
        delivery_id(cast(matched.c.subscription, BigInteger), event, seq),
        matched.c.subscription,
        matched.c.last,
        event,
        seq,
        about(cast(place.type, Text), cast(place.camera, Text), cast(place.zone, Text)),
        case((silence.c.id.is_(None), State.PENDING.value), else_=State.SILENCED.value),
        literal(0),
        silence.c.id,
        case((silence.c.id.is_not(None), func.clock_timestamp())),
    ).select_from(matched.join(subscriptions, s.id == matched.c.subscription).outerjoin(silence, true()))
    columns = ["id", "subscription", "number", "event_id", "seq", "about", "state", "attempts", "silence", "done"]
    return wake(insert(deliveries).from_select(columns, rows))
