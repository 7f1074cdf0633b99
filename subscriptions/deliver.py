"""The deliverer: leases queues, sends what is in them in order, and writes down how it went.

One cycle is one transaction: it records what finished since the last one and leases what is due. Many queues are
sent at a time, each by a task of its own (a lane).
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Sequence

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from subscriptions.lane import Lane, Opens
from subscriptions.queue import Lease, Queues, Result, record
from subscriptions.upkeep import keep_up

log = logging.getLogger(__name__)

_POLL_S = 0.5
_PACE_S = 0.015  # cycles are not closer: what comes together is written together
_LANE_S = 5.0  # then the rest of a queue is leased anew, and access asked anew
_BACKOFF_S = (0.1, 0.2, 0.5, 1.0, 2.0)
_STOP_S = 1.0
_BROKEN_S = 10.0  # how long a queue rests whose lane broke
_UPKEEP_S = 300.0


class Deliverer:
    """Sends until told to stop; outages of the database are waited out.

    Args:
        engine: the database; two connections are used at most.
        queues: what to lease.
        ways: opens channels.
        lanes: how many queues are sent at a time.

    Attributes:
        woken: to be set when there is something to do; a poll twice a second backs it up.
    """

    def __init__(self, engine: Engine, queues: Queues, ways: Opens, *, lanes: int = 256) -> None:
        self.woken = asyncio.Event()
        self._engine = engine
        self._queues = queues
        self._ways = ways
        self._most = lanes
        self._name = uuid.uuid4().hex
        self._cycles = 0
        self._lanes: dict[asyncio.Task[None], Lane] = {}
        self._finished: list[Result] = []
        self._renewal_due = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; returns about a second later, with everything written down that can be."""
        failures = 0
        stopping = asyncio.create_task(stop.wait())
        upkeep = asyncio.create_task(self._keep_up(stopping))
        try:
            while not stop.is_set():
                try:
                    leased = await self._cycle()
                    failures = 0
                except (DBAPIError, PoolTimeout) as error:
                    if failures == 0:
                        log.warning("deliveries wait: %s", _line(error))
                    await _rest(stopping, _BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])
                    failures += 1
                    continue
                await _rest(stopping, _PACE_S)
                if not leased and not self._finished:
                    await self._wait(stopping)
        finally:
            stopping.cancel()
            upkeep.cancel()
            await self._end()

    async def _cycle(self) -> int:
        """Records and leases; how many queues were leased."""
        self.woken.clear()
        results, self._finished = self._finished, []
        begun = time.monotonic()
        self._cycles += 1
        token = f"{self._name}-{self._cycles}"
        try:
            most = self._most - len(self._lanes)
            leases = await asyncio.to_thread(self._transaction, results, self._to_renew(), token, most)
        except BaseException:
            self._finished = results + self._finished
            raise
        for wait_s in {result.wait_s for result in results if result.wait_s > 0}:
            asyncio.get_running_loop().call_later(wait_s, self.woken.set)
        until = begun + _LANE_S
        for lease in leases:
            lane = Lane(lease, self._ways)
            task = asyncio.create_task(lane.run(until))
            self._lanes[task] = lane
            task.add_done_callback(self._finish)
        return len(leases)

    def _transaction(self, results: Sequence[Result], renewed: set[str], token: str, most: int) -> list[Lease]:
        with self._engine.begin() as connection:
            # What is lost of it when the server falls is sent again: at least once.
            connection.execute(text("SET LOCAL synchronous_commit = off"))
            record(connection, results)
            if renewed:
                self._queues.renew(connection, renewed)
            return self._queues.lease(connection, token, most) if most > 0 else []

    async def _keep_up(self, stopping: asyncio.Task[bool]) -> None:
        """Now and then, beside the deliveries."""
        while True:
            await _rest(stopping, _UPKEEP_S)
            self._ways.tidy()
            try:
                await asyncio.to_thread(self._clean)
            except (DBAPIError, PoolTimeout) as error:
                log.warning("old deliveries are still there: %s", _line(error))

    def _clean(self) -> None:
        with self._engine.begin() as connection:
            keep_up(connection)

    def _to_renew(self) -> set[str]:
        """Tokens of the leases in use, now and then."""
        now = time.monotonic()
        if now < self._renewal_due:
            return set()
        self._renewal_due = now + self._queues.lease_s / 3
        return {lane.result.token for lane in self._lanes.values()}

    def _finish(self, task: asyncio.Task[None]) -> None:
        result = self._lanes.pop(task).result
        self._finished.append(result)
        self.woken.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the deliveries of subscription %d broke", result.subscription, exc_info=error)
            result.error, result.wait_s = f"internal error: {type(error).__name__}", _BROKEN_S

    async def _wait(self, stopping: asyncio.Task[bool]) -> None:
        waking = asyncio.create_task(self.woken.wait())
        await asyncio.wait((waking, stopping), timeout=_POLL_S, return_when=asyncio.FIRST_COMPLETED)
        waking.cancel()

    async def _end(self) -> None:
        """What is on its way may arrive for a second; then it is cut, and sent again by whoever comes next."""
        if self._lanes:
            await asyncio.wait(list(self._lanes), timeout=_STOP_S)
        lanes = list(self._lanes)
        for task in lanes:
            task.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)
        await asyncio.sleep(0)  # for the callbacks of those that ended just now
        try:
            await asyncio.to_thread(self._transaction, self._finished, set(), "", 0)
        except (DBAPIError, PoolTimeout) as error:
            log.warning("not everything could be written down: %s", _line(error))
        await self._ways.close()


async def _rest(stopping: asyncio.Task[bool], seconds: float) -> None:
    await asyncio.wait((stopping,), timeout=seconds)


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
