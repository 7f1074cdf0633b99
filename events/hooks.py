"""Who else acts in the transaction that writes an event: `subscriptions` and `cases`, registered by `cityvision`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from sqlalchemy import Connection

from contracts.records import Event


class EventHook(Protocol):
    """Called once for each new transition, in order, inside the transaction that writes it."""

    def __call__(self, connection: Connection, event: Event) -> None:
        """May write through `connection`; must not commit, and must not talk to the network.

        Any exception undoes this record alone: it goes to `rejected_record` with the error, and the rest goes on.
        """
        ...


class Hooks:
    """The hooks, in the order they were given."""

    def __init__(self, hooks: Iterable[EventHook] = ()) -> None:
        self._hooks = tuple(hooks)

    def __call__(self, connection: Connection, event: Event) -> None:
        for hook in self._hooks:
            hook(connection, event)
