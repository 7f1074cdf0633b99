"""From the spool to the bus: in order, again when the consumer did not get it, trimmed only below its mark.

The publisher believes nobody's memory but its own spool's: after every break it asks the consumer's mark and the
stream's top, and goes back to whichever comes first of what is missing (go-back-N).
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from contracts.errors import BusUnavailable, StoreError
from pipeline.spool import Spool
from store.bus import Bus, Mark

log = logging.getLogger(__name__)

_BACKOFF_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
_IDLE_S = 1.0
_CONSUMER_PAUSE_S = 0.1
_MARK_EVERY_S = 0.25
_STALLED_AFTER_S = 2.0
_BATCH = 256
_WINDOW = 10_000  # records in the stream that nobody consumed yet; the rest waits on disk, not in Valkey's memory


@dataclass
class PublishCounters:
    """What a publisher did since it started."""

    published: int = 0
    resyncs: int = 0
    went_back: int = 0
    failures: int = 0


class Publisher:
    """A thread that publishes one spool.

    Args:
        spool: what to publish.
        bus: a client of its own.
    """

    def __init__(self, spool: Spool, bus: Bus) -> None:
        self._spool = spool
        self._bus = bus
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"publish-{spool.worker}", daemon=True)
        self._next = 0
        self._top: Mark | None = None
        self._consumed: Mark | None = None
        self._advanced = 0.0
        self._asked = 0.0
        self.counters = PublishCounters()

    @property
    def alive(self) -> bool:
        """Its thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Stops; what is not yet published stays in the spool."""
        self._stop.set()
        self._spool.wake()
        self._thread.join(timeout)

    def backlog(self) -> int:
        """Records on disk that are not yet known to be consumed."""
        return self._spool.durable - self._spool.position_after(self._consumed)

    def drain(self, timeout: float) -> bool:
        """Blocks until everything appended so far is consumed, or `timeout` s; True when it is."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self._consumed is not None and self.backlog() <= 0:
                return True
            time.sleep(0.02)
        return False

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                if not self._resync():
                    self._stop.wait(_CONSUMER_PAUSE_S)
                    continue
                failures = 0
                while not self._stop.is_set() and self._turn():
                    pass
            except BusUnavailable as error:
                if failures == 0:
                    log.warning("worker %s keeps its records: %s", self._spool.worker, error)
                self._pause(failures)
                failures += 1
            except (StoreError, OSError) as error:
                log.error("worker %s cannot read its spool: %s", self._spool.worker, error)
                self._pause(failures)
                failures += 1

    def _pause(self, failures: int) -> None:
        self.counters.failures += 1
        self._stop.wait(_BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])

    def _resync(self) -> bool:
        """Finds out where to go on; False while only the consumer could tell and it has not spoken yet."""
        worker = self._spool.worker
        self._bus.announce(worker)
        mark, top = self._bus.mark(worker), self._bus.top(worker)
        if mark is None and not self._spool.settled:
            # A new spool: whether its numbers were used before (a lost disk) is known to the consumer alone.
            return False
        self._spool.align((mark, top))
        if mark is not None and self._spool.position_after(mark) < self._spool.first:
            # The database went back in time; what it asks for is gone, and only a new epoch lets it go on.
            self._spool.renew()
        top = self._whole(mark, top)
        known = max((m for m in (mark, top) if m is not None), default=None)
        self._next = max(self._spool.position_after(known), self._spool.first)
        self._top = top
        self._consumed = mark
        self._advanced = self._asked = time.monotonic()
        self.counters.resyncs += 1
        return True

    def _whole(self, mark: Mark | None, top: Mark | None) -> Mark | None:
        """The stream's top, if everything the consumer needs is below it; else the stream is emptied and begun anew.

        An append-only stream takes nothing below its top, and all that is missing or above is in the spool.
        """
        if mark is None or top is None or top <= mark:
            return top
        after = self._spool.position_after(mark) - self._spool.position_after(None)
        if self._bus.holds(self._spool.worker, Mark(self._spool.epoch, after)) or top.epoch < self._spool.epoch:
            return top
        log.warning("worker %s: the stream lacks what follows %d:%d; filled anew", self._spool.worker, *mark)
        self._bus.drop_records(self._spool.worker)
        self.counters.went_back += 1
        return None

    def _turn(self) -> bool:
        """Publishes what is there, or waits for it; False when the bus has to be looked at again."""
        room = _WINDOW - (self._next - self._consumed_position())
        entries = self._spool.read(self._next, min(room, _BATCH)) if room > 0 else []
        if entries:
            if not self._bus.publish(self._spool.worker, self._top, entries):
                self.counters.went_back += 1
                return False
            self._next += len(entries)
            self._top = entries[-1].mark
            self.counters.published += len(entries)
        behind = self._next > self._consumed_position()
        if behind and time.monotonic() - self._asked >= _MARK_EVERY_S and not self._ask():
            return False
        if room <= 0:
            self._stop.wait(_MARK_EVERY_S)
        elif not entries:
            if not behind and self._consumed is not None:
                self._spool.cut(self._consumed)  # segments closed since the mark last moved
            self._spool.wait_durable(self._next, _MARK_EVERY_S if behind else _IDLE_S)
        return True

    def _consumed_position(self) -> int:
        return self._spool.position_after(self._consumed)

    def _ask(self) -> bool:
        """Asks for the consumer's mark, and lets go of what is below it; False when it has stood still too long."""
        now = time.monotonic()
        self._asked = now
        mark = self._bus.mark(self._spool.worker)
        if mark is not None and mark != self._consumed:
            self._consumed = mark
            self._advanced = now
            if mark.epoch == self._spool.epoch and mark.offset >= 0:
                self._spool.cut(mark)
                self._bus.trim(self._spool.worker, mark)
        return now - self._advanced < _STALLED_AFTER_S or self._next <= self._consumed_position()
