"""Telling the city's existing platform: each case in its order, whatever else happens; waits while it is away."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from typing import Literal, NamedTuple

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from cases.exchange import outbox
from cases.exchange.mapping import Mapping, Retry
from cases.exchange.outbox import Waiting
from cases.exchange.remote import Platform, Told

log = logging.getLogger(__name__)

_LOCK = 0x6376_6578  # "cvex": one pusher at a time, so that a case's order is kept
_AT_ONCE = 8
_AWAY_AFTER = 3  # failures in a row, of whatever cases: then it is the platform, not a case
_POLL_S = 0.5


class Verdict(NamedTuple):
    """`end` None: tried again after `wait_s`."""

    end: Literal["told", "refused"] | None
    wait_s: float = 0.0


def judge(said: Told, attempts: int, policy: Retry, chance: float) -> Verdict:
    """What to do after an attempt.

    Args:
        attempts: made so far, this one included.
        chance: 0 ≤ chance < 1, drawn at random.
    """
    if said.status is not None and 200 <= said.status < 300:
        return Verdict("told")
    if said.status in policy.permanent:
        return Verdict("refused")
    return Verdict(None, delay(attempts, policy, chance))


def delay(attempts: int, policy: Retry, chance: float) -> float:
    """How long to wait after so many failures, s."""
    return policy.delays[min(max(attempts, 1), len(policy.delays)) - 1] * (1 + policy.jitter * chance)


class Pusher:
    """Empties the outbox until it is asked to stop. One at a time does it; others wait for its end.

    Args:
        draw: uniform random numbers in 0..1 for the jitter.
    """

    def __init__(
        self, engine: Engine, platform: Platform, mapping: Mapping, draw: Callable[[], float] = random.random
    ) -> None:
        self._engine = engine
        self._platform = platform
        self._mapping = mapping
        self._draw = draw
        self._failures = 0
        self._not_before = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Outages of Postgres and of the platform are waited out."""
        away = False
        while not stop.is_set():
            try:
                with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as holder:
                    if _alone(holder):
                        away = False
                        await self._while_held(holder, stop)
            except DBAPIError as error:
                if not away:
                    log.warning("telling the platform waits: %s", str(error).strip().splitlines()[0])
                away = True
            await _pause(stop, 2 * _POLL_S)

    async def _while_held(self, holder: Connection, stop: asyncio.Event) -> None:
        while not stop.is_set():
            holder.execute(text("SELECT 1"))  # with this connection the lock would be gone
            if not await self.step():
                await _pause(stop, _POLL_S)

    async def step(self) -> int:
        """One turn; how many are told or refused now. While the platform is away one attempt at a time is made."""
        if time.monotonic() < self._not_before:
            return 0
        with self._engine.begin() as connection:
            found = outbox.heads(connection, 1 if self._failures >= _AWAY_AFTER else _AT_ONCE)
        said = await asyncio.gather(*(self._platform.tell(one) for one in found))
        return sum([self._record(one, answer) for one, answer in zip(found, said, strict=True)])

    def _record(self, one: Waiting, said: Told) -> bool:
        policy = self._mapping.retry
        verdict = judge(said, one.attempts + 1, policy, self._draw())
        with self._engine.begin() as connection:
            if verdict.end == "told":
                outbox.told(connection, one, said.theirs)
            elif verdict.end == "refused":
                outbox.refused(connection, one, said.error)
            else:
                outbox.failed(connection, one, said.error, verdict.wait_s)
        if verdict.end == "refused":
            log.warning("the platform refuses case %d, revision %d: %s", one.case, one.revision, said.error)
        self._count(verdict, said)
        return verdict.end is not None

    def _count(self, verdict: Verdict, said: Told) -> None:
        if verdict.end is not None:
            if self._failures >= _AWAY_AFTER:
                log.info("the platform is there again")
                with self._engine.begin() as connection:
                    outbox.hasten(connection)
            self._failures, self._not_before = 0, 0.0
            return
        self._failures += 1
        if self._failures == _AWAY_AFTER:
            log.warning("the platform is away, what is to be told waits: %s", said.error)
        if self._failures >= _AWAY_AFTER:
            self._not_before = time.monotonic() + delay(
                self._failures - _AWAY_AFTER + 1, self._mapping.retry, self._draw()
            )


def _alone(holder: Connection) -> bool:
    held: bool = holder.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK}).scalar_one()
    return held


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
