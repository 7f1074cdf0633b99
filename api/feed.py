"""Committed event transitions to every open event stream: Postgres is the truth, the bus is the quick way.

A listener first registers, then reads what it missed from Postgres, then takes what the bus brought meanwhile and
skips positions it already has: nothing falls between the two. Whoever falls behind, and everybody while the bus
is away, is told to read Postgres again.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from contracts.errors import BusUnavailable
from events.types import Note
from store.live import AsyncBus

log = logging.getLogger(__name__)

_BACKLOG = 256
_RETRY_S = 1.0
_NUMBER = re.compile("[0-9]{1,19}")  # a header may hold other digits, and more of them than there are numbers


def left_off(last_event_id: str | None, after: int | None) -> int | None:
    """Where a listener left off: the header beats `after`; one that holds no number of ours says nothing."""
    return int(last_event_id) if last_event_id and _NUMBER.fullmatch(last_event_id) else after


class Listener:
    """One open stream's inbox."""

    def __init__(self) -> None:
        self._inbox: deque[Note] = deque()
        self._signal = asyncio.Event()
        self._behind = True

    def offer(self, note: Note) -> None:
        if len(self._inbox) >= _BACKLOG:
            self._inbox.clear()
            self._behind = True
        self._inbox.append(note)
        self._signal.set()

    def catch_up(self) -> None:
        """Says that the bus may have left something out."""
        self._behind = True
        self._signal.set()

    def take(self) -> tuple[bool, list[Note]]:
        """(whether Postgres must be read first, what the bus brought since the last call)."""
        behind, notes = self._behind, list(self._inbox)
        self._behind = False
        self._inbox.clear()
        self._signal.clear()
        return behind, notes

    async def wait(self, timeout_s: float) -> bool:
        """True as soon as `take` has something; False after `timeout_s` of silence."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._signal.wait()
        except TimeoutError:
            return False
        return True


class EventFeed:
    """Reads the bus once for all listeners. Owned by the application; `run` is its one task."""

    def __init__(self, bus: AsyncBus) -> None:
        self._bus = bus
        self._listeners: set[Listener] = set()

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        listener = Listener()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def run(self) -> None:
        """Reads until cancelled; the bus going away is survived."""
        last = "$"
        while True:
            try:
                async for entry, raw in self._bus.notes(last):
                    last = entry
                    self._hand_out(_note(raw))
            except BusUnavailable as error:
                log.warning("event feed interrupted: %s", error)
            self._hand_out(None)
            await asyncio.sleep(_RETRY_S)

    def _hand_out(self, note: Note | None) -> None:
        for listener in self._listeners:
            if note is None:
                listener.catch_up()
            else:
                listener.offer(note)


def _note(raw: bytes) -> Note | None:
    """One entry, or None where it is not what it should be (listeners then read Postgres)."""
    try:
        return Note.model_validate_json(raw)
    except ValidationError:
        log.warning("event feed: an entry is not a note")
        return None
