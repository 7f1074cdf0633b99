"""Subscriptions for tests: a department sees its own events."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine

from contracts.records import Event
from events.store import lock_ingest, write_event
from store.sealing import Sealer
from subscriptions import service
from subscriptions.matching import Place
from subscriptions.outbox import DeliveryHook
from subscriptions.types import NewSubscription, Sse

SEALER = Sealer("a key of tests that is long enough")


def own(department: ColumnElement[Any], place: Place) -> ColumnElement[bool]:
    return department == place.department


HOOK = DeliveryHook(own)


def wish(**changes: Any) -> NewSubscription:
    return NewSubscription.model_validate({"department": "traffic", "name": "n", "channel": Sse()} | changes)


def subscribed(engine: Engine, **changes: Any) -> int:
    """A new subscription; its id."""
    with engine.begin() as connection:
        return service.create(connection, wish(**changes), "wang", SEALER)[0].id


def happen(engine: Engine, *found: Event) -> None:
    """Each of them in a transaction of its own, as the consumer writes them."""
    for one in found:
        with engine.begin() as connection:
            happen_in(connection, one)


def happen_in(connection: Connection, event: Event) -> None:
    lock_ingest(connection)
    assert write_event(connection, "w", event) is not None
    HOOK(connection, event)
