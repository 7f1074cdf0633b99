"""Sending one leased queue: in order, until something fails, the time is over, or nothing is left."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Protocol

from contracts.errors import CityVisionError
from subscriptions.channel import Channel, Sent, failed
from subscriptions.message import Message, message
from subscriptions.queue import Lease, Result, Row, Try
from subscriptions.retry import judge
from subscriptions.types import Grouping, RetryPolicy, State

_chance = random.Random()


class Opens(Protocol):
    """Channels by lease; see `subscriptions.ways`."""

    def channel(self, lease: Lease) -> Channel:
        """Raises ConfigError."""
        ...

    def tidy(self) -> None:
        """Called now and then: lets go of what is not used."""
        ...

    async def close(self) -> None: ...


class Lane:
    """One lease on its way.

    Attributes:
        result: what came of it so far; whole at any moment, so that it may be cut off.
    """

    def __init__(self, lease: Lease, ways: Opens) -> None:
        self.result = Result(lease.subscription, lease.token, lease.revision)
        self._lease = lease
        self._ways = ways
        self._events: set[str] = set()  # delivered by this lane, and what the cooldown counts them by
        self._abouts: set[str] = set()

    async def run(self, until: float) -> None:
        """Sends; nothing is begun at or after `until` (of `time.monotonic`)."""
        if not self._lease.rows:
            return
        policy = RetryPolicy.model_validate(self._lease.settings["retry"])
        given = self._lease.settings["grouping"]
        grouping = None if given is None else Grouping.model_validate(given)
        for unit in units(self._lease.rows, grouping):
            if time.monotonic() >= until:
                return
            rows = self._sorted_out(unit)
            if rows and not await self._send(rows, policy, grouped=grouping is not None):
                return

    async def _send(self, rows: Sequence[Row], policy: RetryPolicy, *, grouped: bool) -> bool:
        """One message, tried once. False where the queue has to wait."""
        told = [row.told for row in rows if row.told is not None]
        at, began = datetime.now(UTC), time.perf_counter()
        sent = await self._tried(message(self._lease.subscription, told, grouped=grouped))
        took_ms = (time.perf_counter() - began) * 1000
        chance, waits = _chance.random(), 0.0
        for row in rows:  # those of a group grow old one by one
            verdict = judge(sent, row.attempts + 1, row.age_s, policy, chance)
            self.result.tries.append(Try(row.id, at, took_ms, verdict.end or "failed", sent.status, sent.detail))
            if verdict.end is None:
                waits = max(waits, verdict.wait_s)
            else:
                self._ended(row, State(verdict.end))
        self.result.error = None if sent.ok else sent.detail or "failed"
        self.result.wait_s = waits
        self.result.gone = sent.gone
        return waits == 0 and not sent.gone

    async def _tried(self, one: Message) -> Sent:
        try:
            return await self._ways.channel(self._lease).send(one)
        except CityVisionError as error:  # its credentials or secrets cannot be had
            return failed(str(error))

    def _sorted_out(self, rows: Sequence[Row]) -> list[Row]:
        """Those that are to be sent; the others have reached their end."""
        kept: list[Row] = []
        for row in rows:
            state = self._end_of(row, kept)
            if state is None:
                kept.append(row)
            else:
                self._ended(row, state)
        return kept

    def _end_of(self, row: Row, kept: Sequence[Row]) -> State | None:
        if row.told is None:
            return State.DEAD
        if not row.visible:
            return State.WITHHELD
        if row.about is None or row.begun or row.event_id in self._events:
            return None
        if any(other.event_id == row.event_id for other in kept):
            return None
        beside = any(other.about == row.about for other in kept)
        return State.SUPPRESSED if row.near or row.about in self._abouts or beside else None

    def _ended(self, row: Row, state: State) -> None:
        self.result.ends.append((row.id, row.number, state, datetime.now(UTC)))
        if state is State.DELIVERED:
            self._events.add(row.event_id)
            if row.about is not None:
                self._abouts.add(row.about)


def units(rows: Sequence[Row], grouping: Grouping | None) -> Iterator[list[Row]]:
    """What goes into one message each: a row, or those of a group in their order, the group with the oldest first."""
    if grouping is None:
        for row in rows:
            yield [row]
        return
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.by[grouping.by], []).append(row)
    yield from groups.values()
