"""Deliveries of months stand in the table: what is done many times a second must not read them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Engine, text

from subscriptions import fetch, store
from subscriptions.queue import Queues
from subscriptions.store import COUNTED
from subscriptions.types import State
from tests.contract.subscription_scene import own, subscribed

pytest_plugins = ["tests.embedded"]

DONE, WAITING = 12_000, 2_000  # deliveries of each subscriber; the last one alone has some that wait
_READ = text("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'deliveries'")
_FILLED = text("""
    INSERT INTO deliveries (id, subscription, number, event_id, seq, about, state, attempts, created, done)
    SELECT :subscription || '/' || n, :subscription, n, 'event-' || n, 0, 'litter',
           CASE WHEN n > :done THEN 'pending' ELSE 'delivered' END, 1, past.at, past.at
    FROM generate_series(1, :most) AS n, (SELECT now() - interval '1 day' AS at) AS past
""")


@pytest.fixture
def grown(engine: Engine) -> Engine:
    """Five subscribers, one of them behind; the planner knows how the table looks."""
    webhook = {"kind": "webhook", "url": "https://example.org/hook"}
    numbers = [subscribed(engine, channel=webhook, cooldown_s=60.0) for _ in range(5)]
    with engine.begin() as connection:
        for number in numbers:
            waiting = WAITING if number == numbers[-1] else 0
            connection.execute(_FILLED, {"subscription": number, "done": DONE, "most": DONE + waiting})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return engine


def rows_read(engine: Engine, work: Callable[[Connection], object]) -> int:
    with engine.begin() as connection:
        before = connection.execute(_READ).scalar_one()  # of transactions that were not counted elsewhere yet
        work(connection)
        after = connection.execute(_READ).scalar_one()
        connection.rollback()
    return int(after - before)


def test_leasing_reads_what_it_takes_and_no_more(grown: Engine) -> None:
    queues = Queues(own, batch=50)

    def lease(connection: Connection) -> None:
        (found,) = queues.lease(connection, "a token", 10)
        assert len(found.rows) == 50

    for _ in range(8):  # a statement that is prepared has another plan
        assert rows_read(grown, lease) < 500


def test_what_waits_is_counted_without_what_was_done(grown: Engine) -> None:
    def listed(connection: Connection) -> None:
        assert [one.waiting for one in store.listed(connection)] == [0, 0, 0, 0, WAITING]

    for _ in range(8):
        assert rows_read(grown, listed) <= 5 * WAITING


def test_who_fetches_for_the_first_time_does_not_wait_for_what_was_done(grown: Engine) -> None:
    for _ in range(8):
        assert rows_read(grown, lambda connection: fetch.fetch(connection, 5, None, 50, own)) <= WAITING


def test_the_counts_above_a_log_read_no_more_than_they_say(grown: Engine) -> None:
    def counted(connection: Connection) -> None:
        found = store.counts(connection, 5)
        assert found == dict.fromkeys(State, 0) | {State.DELIVERED: COUNTED, State.PENDING: WAITING}

    for _ in range(8):
        assert rows_read(grown, counted) <= COUNTED + WAITING


def test_a_page_of_a_rare_state_does_not_read_the_whole_log(grown: Engine) -> None:
    with grown.begin() as connection:
        connection.execute(
            text("UPDATE deliveries SET state = 'silenced' WHERE subscription = 5 AND number % 3000 = 1")
        )

    def paged(connection: Connection) -> None:
        found = store.log(connection, 5, states=[State.SILENCED], limit=100)
        assert [one.number for one in found] == [12_001, 9001, 6001, 3001, 1]

    for _ in range(8):
        assert rows_read(grown, paged) < 100
