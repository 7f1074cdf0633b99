"""Who else acts in the transaction that writes an event: `subscriptions` and `cases`, registered by `cityvision`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from sqlalchemy import Connection

from contracts.records import Event, LookResult


class EventHook(Protocol):
    """Called once for each new transition, in order, inside the transaction that writes it."""

    def __call__(self, connection: Connection, event: Event) -> None:
        """May write through `connection`; must not commit, and must not talk to the network.

        Any exception undoes this record alone: it goes to `rejected_record` with the error, and the rest goes on.
        """
        ...


class LookHook(Protocol):
    """Called once for each answer to a second look, inside the transaction that marks it as consumed."""

    def __call__(self, connection: Connection, look: LookResult) -> None:
        """As for `EventHook`."""
        ...


class Hooks:
    """The hooks, in the order they were given."""

    def __init__(self, hooks: Iterable[EventHook] = (), looks: Iterable[LookHook] = ()) -> None:
        self._hooks = tuple(hooks)
        self._looks = tuple(looks)

    def looked(self, connection: Connection, look: LookResult) -> None:
        """Tells those who ask for second looks."""
        for hook in self._looks:
            hook(connection, look)

    def __call__(self, connection: Connection, event: Event) -> None:
        for hook in self._hooks:
            hook(connection, event)
