"""What a subscriber fetches by itself (server-sent events), from the place where it left off."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, Text, and_, cast, func, select, update

from events.tables import event_transitions, events
from subscriptions.matching import Sees
from subscriptions.message import Told
from subscriptions.places import present_place
from subscriptions.tables import deliveries, subscriptions
from subscriptions.types import State


class Page(NamedTuple):
    """What comes next; `upto`: the number up to which all was looked at (None: there is nothing), with `full` there may
    be more behind it."""

    told: list[Told]
    upto: int | None
    full: bool


def fetch(connection: Connection, subscription: int, after: int | None, limit: int, sees: Sees) -> Page:
    """The next deliveries, in order. They count as delivered; who asks from an earlier place gets them again.

    Args:
        after: number of the last one that the subscriber has; None: from the first that it never fetched.
        limit: at most so many.

    What the department may not see by now is withheld, and not among them. While the subscription is paused or off
    there is nothing.
    """
    d, t, e, s = deliveries.c, event_transitions.c, events.c, subscriptions.c
    joined = (
        deliveries.join(subscriptions, s.id == d.subscription)
        .join(event_transitions, and_(t.event_id == d.event_id, t.seq == d.seq))
        .join(events, e.id == d.event_id)
    )
    there = [State.PENDING.value] if after is None else [State.PENDING.value, State.DELIVERED.value]
    query: Any = (
        select(
            d.id,
            d.number,
            d.event_id,
            d.state,
            t.transition,
            t.at,
            cast(t.body, Text).label("body"),
            func.coalesce(sees(s.department, present_place()), False).label("visible"),
        )
        .select_from(joined)
        .where(d.subscription == subscription, d.state.in_(there), d.number > (after or 0))
        .where(s.deleted.is_(None), s.enabled, s.paused.is_(None))
        .order_by(d.number)
        .limit(limit)
    )
    rows = connection.execute(query).all()
    for state, visible in ((State.DELIVERED, True), (State.WITHHELD, False)):
        ended = [row.id for row in rows if row.visible is visible and row.state == State.PENDING.value]
        if ended:
            now = {"state": state.value, "done": func.clock_timestamp()}
            connection.execute(update(deliveries).where(d.id.in_(ended), d.state == State.PENDING.value).values(now))
    told = [
        Told(row.id, row.number, row.event_id, row.transition, row.at.timestamp(), row.body.encode())
        for row in rows
        if row.visible
    ]
    return Page(told, rows[-1].number if rows else None, len(rows) == limit)
