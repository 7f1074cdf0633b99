"""The deliverer on a real Postgres with fake channels: order, retries, cooldown, groups, access, leases."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Engine, text

from subscriptions import service, store
from subscriptions.channel import Channel, FakeChannel, Sent, failed
from subscriptions.deliver import Deliverer
from subscriptions.matching import Place
from subscriptions.queue import Lease, Queues, Result, record
from subscriptions.types import Attempt, Grouping, RetryPolicy, State
from subscriptions.upkeep import keep_up
from tests.contract.subscription_scene import happen, happen_in, own, subscribed, wish
from tests.contract.test_events_store import event
from tests.contract.test_subscriptions_outbox import told

pytest_plugins = ["tests.embedded"]

STREAM = {"kind": "stream"}
QUICK = RetryPolicy(delays_s=(0.05,), jitter=0)
DOWN = failed("HTTP 503", 503)


class Fakes:
    """A fake channel a subscription; `broken` raises at the first sending."""

    def __init__(self) -> None:
        self.channels: dict[int, Channel] = {}

    def channel(self, lease: Lease) -> Channel:
        return self.channels.setdefault(lease.subscription, FakeChannel())

    def fake(self, subscription: int, *answers: Sent) -> FakeChannel:
        channel = self.channels[subscription] = FakeChannel(answers)
        return channel

    def tidy(self) -> None:
        pass

    async def close(self) -> None:
        pass


@pytest.fixture
def fakes() -> Fakes:
    return Fakes()


@asynccontextmanager
async def delivering(
    engine: Engine, fakes: Fakes, sees: Callable[..., Any] = own, **options: float
) -> AsyncIterator[Deliverer]:
    """A running deliverer."""
    deliverer = Deliverer(engine, Queues(sees, batch=int(options.get("batch", 50))), fakes)
    stop = asyncio.Event()
    running = asyncio.create_task(deliverer.run(stop))
    try:
        yield deliverer
    finally:
        stop.set()
        await running


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not done():
            await asyncio.sleep(0.02)


def states(engine: Engine, subscription: int) -> list[State]:
    return [one.state for one in told(engine, subscription)]


def attempts(engine: Engine, subscription: int) -> list[Attempt]:
    with engine.connect() as connection:
        return [one for _, one in store.attempts(connection, subscription)][::-1]


def got(channel: FakeChannel) -> list[tuple[str, int]]:
    """(event, seq) as they arrived."""
    bodies = [json.loads(one.body) for one in channel.got]
    return [(one["data"]["id"], one["data"]["seq"]) for one in bodies]


async def test_in_order_and_each_attempt_in_the_log(engine: Engine, fakes: Fakes) -> None:
    """The head of a queue holds back what comes behind it; another subscriber goes on meanwhile."""
    sick, well = (subscribed(engine, channel=STREAM, retry=QUICK) for _ in range(2))
    first, second = fakes.fake(sick, Sent(True), DOWN, DOWN), fakes.fake(well)
    async with delivering(engine, fakes, batch=2):
        happen(engine, *(event(1, seq) for seq in range(3)), event(3), event(5))
        order = [(event(1).id, 0), (event(1).id, 1), (event(1).id, 2), (event(3).id, 0), (event(5).id, 0)]
        await until(lambda: got(first) == order)
    assert got(second) == order
    assert states(engine, sick) == [State.DELIVERED] * 5
    log = [(one.outcome, one.status, one.detail) for one in attempts(engine, sick)]
    assert log == [
        ("delivered", None, ""),
        ("failed", 503, "HTTP 503"),
        ("failed", 503, "HTTP 503"),
        *[("delivered", None, "")] * 4,
    ]
    assert [one.attempts for one in told(engine, sick)] == [1, 3, 1, 1, 1]
    with engine.connect() as connection:
        found = service.get(connection, sick)
        assert (found.failures, found.failing_since, found.waiting) == (0, None, 0)


async def test_dead_letters_redrive_and_the_owner_is_told(engine: Engine, fakes: Fakes) -> None:
    subscription = subscribed(engine, channel=STREAM, retry=RetryPolicy(delays_s=(0.05,), max_attempts=2))
    channel = fakes.fake(subscription, failed("HTTP 422", 422), DOWN, DOWN, Sent(True), *[DOWN] * 4)
    async with delivering(engine, fakes):
        happen(engine, *(event(n) for n in (1, 3, 5)))
        await until(lambda: State.PENDING not in states(engine, subscription))
        assert states(engine, subscription) == [State.DEAD, State.DEAD, State.DELIVERED]
        with engine.begin() as connection:
            assert service.redrive(connection, subscription) == 2
        await until(lambda: states(engine, subscription).count(State.DEAD) == 2)
        with engine.begin() as connection:
            found = service.get(connection, subscription)
            assert found.failures >= 2
            assert found.failing_since is not None
            assert found.last_error == "HTTP 503"
            assert store.counts(connection, subscription)[State.DEAD] == 2
            assert service.redrive(connection, subscription) == 2
        await until(lambda: State.PENDING not in states(engine, subscription))
    assert got(channel) == [(event(5).id, 0), (event(1).id, 0), (event(3).id, 0)]
    assert [one.number for one in told(engine, subscription)] == [3, 6, 7]


async def test_a_receiver_that_is_gone_pauses_its_subscription(engine: Engine, fakes: Fakes) -> None:
    subscription = subscribed(engine, channel=STREAM, retry=QUICK)
    channel = fakes.fake(subscription, Sent(False, 410, "HTTP 410", gone=True))
    async with delivering(engine, fakes):
        happen(engine, event(1), event(3))
        await until(lambda: paused(engine, subscription) is not None)
        await asyncio.sleep(0.2)
        assert channel.got == []
        with engine.begin() as connection:
            service.pause(connection, subscription, None)
        await until(lambda: len(channel.got) == 2)


def paused(engine: Engine, subscription: int) -> str | None:
    with engine.connect() as connection:
        return service.get(connection, subscription).paused


async def test_access_is_asked_again_when_it_is_sent(engine: Engine, fakes: Fakes) -> None:
    """Revoked between the event and its delivery: it is withheld, and says so."""
    revoked = {"cam3"}

    def sees(department: ColumnElement[Any], place: Place) -> ColumnElement[bool]:
        return own(department, place) & place.camera.not_in(revoked)

    subscription = subscribed(engine, channel=STREAM)
    happen(engine, event(1), event(3), event(5))
    async with delivering(engine, fakes, sees):
        await until(lambda: State.PENDING not in states(engine, subscription))
    assert states(engine, subscription) == [State.DELIVERED, State.WITHHELD, State.DELIVERED]


async def test_a_cooldown_counts_from_the_delivery(engine: Engine, fakes: Fakes) -> None:
    """Others of the sort are left out, what goes on of one already told is not; failed attempts count for nothing."""
    subscription = subscribed(engine, channel=STREAM, retry=QUICK, cooldown_s=600)
    channel = fakes.fake(subscription, DOWN, DOWN, DOWN)
    async with delivering(engine, fakes):
        happen(engine, event(1), event(3, camera="cam1"), event(5, camera="other"), event(1, 1))
        await until(lambda: State.PENDING not in states(engine, subscription))
        happen(engine, event(7, camera="cam1"), event(1, 2), event(3, 1, camera="cam1"))
        await until(lambda: State.PENDING not in states(engine, subscription))
        expected = [(event(1).id, 0), (event(5).id, 0), (event(1).id, 1), (event(1).id, 2)]
        assert got(channel) == expected
        assert states(engine, subscription).count(State.SUPPRESSED) == 3
        with engine.begin() as connection:
            connection.execute(text("UPDATE deliveries SET done = done - interval '700 s'"))
        happen(engine, event(9, camera="cam1"), event(3, 2, camera="cam1"))
        await until(lambda: State.PENDING not in states(engine, subscription))
    assert got(channel) == [*expected, (event(9).id, 0)]


async def test_groups_keep_their_order(engine: Engine, fakes: Fakes) -> None:
    subscription = subscribed(engine, channel=STREAM, retry=QUICK, grouping=Grouping(by="camera", window_s=0.4))
    channel = fakes.fake(subscription, DOWN)
    async with delivering(engine, fakes):
        happen(engine, event(1), event(3), event(1, 1), event(3, 1))
        await asyncio.sleep(0.1)
        assert channel.got == []
        await until(lambda: State.PENDING not in states(engine, subscription))
    groups = [[(one["data"]["camera"], one["data"]["seq"]) for one in json.loads(m.body)] for m in channel.got]
    assert groups == [[("cam1", 0), ("cam1", 1)], [("cam3", 0), ("cam3", 1)]]
    assert [one.attempts for one in told(engine, subscription)] == [2, 1, 2, 1]


async def test_what_an_old_address_said_holds_up_no_new_one(engine: Engine) -> None:
    """Somebody corrects a subscription while the old receiver is asked, which is gone, or wants to be left alone."""
    subscription = subscribed(engine, channel=STREAM)
    happen(engine, event(1))
    for gone in (True, False):
        with engine.begin() as connection:
            (lease,) = Queues(own).lease(connection, "a", 10)
            service.change(connection, subscription, wish(channel=STREAM), lease.revision)
        late = Result(subscription, "a", lease.revision, error="HTTP 410", wait_s=300, gone=gone)
        with engine.begin() as connection:
            record(connection, [late])
            assert service.get(connection, subscription).paused is None
    with engine.begin() as connection:
        assert len(Queues(own).lease(connection, "b", 10)) == 1


async def test_those_of_a_group_grow_old_one_by_one(engine: Engine, fakes: Fakes) -> None:
    """What is too old is given up, and not what came an hour ago with it."""
    policy = RetryPolicy(delays_s=(0.05,), jitter=0, max_age_s=3600)
    subscription = subscribed(engine, channel=STREAM, retry=policy, grouping=Grouping(by="all", window_s=0.1))
    channel = fakes.fake(subscription, DOWN)
    happen(engine, event(1), event(3))
    with engine.begin() as connection:
        connection.execute(text("UPDATE deliveries SET created = now() - interval '2 h' WHERE number = 1"))
        connection.execute(text("UPDATE deliveries SET created = now() - interval '1 s' WHERE number = 2"))
    async with delivering(engine, fakes):
        await until(lambda: State.PENDING not in states(engine, subscription))
    assert states(engine, subscription) == [State.DEAD, State.DELIVERED]
    assert [one["data"]["id"] for m in channel.got for one in json.loads(m.body)] == [event(3).id]


async def test_a_replay_is_told_whatever_the_cooldown(engine: Engine, fakes: Fakes) -> None:
    """It was asked for: what happened at one place over a day is not one event because it is told within a second."""
    subscription = subscribed(engine, channel=STREAM, retry=QUICK, cooldown_s=600)
    channel = fakes.fake(subscription)
    window = [event(n, camera="cam1") for n in (1, 3, 5)]
    happen(engine, *window)
    async with delivering(engine, fakes):
        await until(lambda: State.PENDING not in states(engine, subscription))
        assert states(engine, subscription) == [State.DELIVERED, State.SUPPRESSED, State.SUPPRESSED]
        channel.got.clear()
        with engine.begin() as connection:
            assert service.replay(connection, subscription, 0, 4e9, own) == 3
            happen_in(connection, event(3, 1, camera="cam1"))
        await until(lambda: State.PENDING not in states(engine, subscription))
        assert got(channel) == [*((one.id, 0) for one in window), (event(3).id, 1)]


class _Slow:
    """Never answers."""

    def __init__(self) -> None:
        self.asked = 0

    async def send(self, _message: object) -> Sent:
        self.asked += 1
        await asyncio.sleep(60)
        return Sent(True)

    async def close(self) -> None:
        pass


async def test_a_stop_lets_go_at_once(engine: Engine, fakes: Fakes) -> None:
    """What was on its way is neither lost nor counted as failed, and whoever comes next need not wait for a lease."""
    subscription = subscribed(engine, channel=STREAM)
    slow = fakes.channels[subscription] = _Slow()
    happen(engine, event(1))
    async with delivering(engine, fakes):
        await until(lambda: slow.asked == 1)
    assert attempts(engine, subscription) == []
    channel = fakes.fake(subscription)
    async with delivering(engine, fakes):
        await until(lambda: len(channel.got) == 1)


async def test_one_holder_at_a_time(engine: Engine) -> None:
    """A lease keeps others off; when it has run out, what its old holder says no longer counts, but a delivery does."""
    subscription = subscribed(engine, channel=STREAM)
    happen(engine, event(1), event(3))
    queues = Queues(own)
    with engine.begin() as connection:
        (mine,) = queues.lease(connection, "a", 10)
        assert [row.number for row in mine.rows] == [1, 2]
    with engine.begin() as connection:
        assert queues.lease(connection, "b", 10) == []
        connection.execute(text("UPDATE subscription_queues SET lease_until = now() - interval '1 s'"))
        queues.renew(connection, {"a"})
        assert queues.lease(connection, "b", 10) == []
        connection.execute(text("UPDATE subscription_queues SET lease_until = now() - interval '1 s'"))
    with engine.begin() as connection:
        assert [lease.subscription for lease in queues.lease(connection, "b", 10)] == [subscription]
    late = Result(subscription, "a", error="x")
    late.ends = [
        (mine.rows[0].id, 1, State.DELIVERED, datetime.now(UTC)),
        (mine.rows[1].id, 2, State.DEAD, datetime.now(UTC)),
    ]
    with engine.begin() as connection:
        record(connection, [late])
        assert service.get(connection, subscription).failures == 0
        assert queues.lease(connection, "c", 10) == []
    assert states(engine, subscription) == [State.DELIVERED, State.PENDING]


async def test_a_replay_beside_a_delivery_stays_pending(engine: Engine) -> None:
    subscription = subscribed(engine, channel=STREAM)
    happen(engine, event(1))
    with engine.begin() as connection:
        (lease,) = Queues(own).lease(connection, "a", 10)
        service.replay(connection, subscription, 0, 4e9, own)
        ended = Result(subscription, "a", ends=[(lease.rows[0].id, 1, State.DELIVERED, datetime.now(UTC))])
        record(connection, [ended])
    assert [(one.number, one.state) for one in told(engine, subscription)] == [(2, State.PENDING)]


async def test_a_lane_that_breaks_does_not_stop_the_others(engine: Engine, fakes: Fakes) -> None:
    class Broken(FakeChannel):
        async def send(self, message: object) -> Sent:
            raise ZeroDivisionError

    sick, well = (subscribed(engine, channel=STREAM) for _ in range(2))
    fakes.channels[sick] = Broken()
    channel = fakes.fake(well)
    happen(engine, event(1), event(3))
    async with delivering(engine, fakes):
        await until(lambda: len(channel.got) == 2)
        await until(lambda: failing(engine, sick) == "internal error: ZeroDivisionError")
    assert states(engine, sick) == [State.PENDING] * 2


def failing(engine: Engine, subscription: int) -> str:
    with engine.connect() as connection:
        return service.get(connection, subscription).last_error


def test_what_is_old_goes(engine: Engine) -> None:
    fetched, sent = subscribed(engine), subscribed(engine, channel=STREAM)
    happen(engine, event(1), event(3))
    with engine.begin() as connection:
        attempt = Attempt(delivery=None, utc=1.0, took_ms=1, outcome="test_failed", status=None, detail="")
        store.write_attempt(connection, sent, attempt)
        keep_up(connection)
        assert store.attempts(connection, sent) == []
        old = "created = now() - interval '200 days'"
        connection.execute(text(f"UPDATE deliveries SET {old} WHERE number = 1"))
        connection.execute(text("UPDATE deliveries SET state = 'dead', done = created WHERE subscription = 2"))
        keep_up(connection)
    assert states(engine, fetched) == [State.DEAD, State.PENDING], "nobody fetched it"
    assert [one.number for one in told(engine, sent)] == [2]
