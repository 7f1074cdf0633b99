"""The bus on a real Valkey, and migrations on a real Postgres."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, Table, inspect

import events.tables
from contracts.errors import BusUnavailable
from contracts.live import CameraState, CameraStatus
from contracts.pool import ZoneKind
from contracts.proposals import ZoneProposal, ZoneProposals
from contracts.records import Unwatched, UnwatchedRecord
from events.consumer import Consumer
from pipeline.publish import Publisher
from pipeline.spool import Spool, Watermarks
from store import keys, migrate
from store.bus import NOTHING, Bus, Entry, Mark
from store.database import metadata
from store.live import AsyncBus
from store.postgres import EmbeddedPostgres
from store.state import PoolMark, PoolSnapshot
from store.valkey import EmbeddedValkey
from tests.ports import unused_port

pytest_plugins = ["tests.embedded"]


def entries(first: int, count: int, epoch: int = 1) -> list[Entry]:
    return [Entry(Mark(epoch, n), b"%d" % n) for n in range(first, first + count)]


def test_records_come_back_in_order(bus: Bus) -> None:
    assert bus.top("w") is None
    assert bus.publish("w", None, entries(0, 5))
    assert bus.publish("w", Mark(1, 4), entries(0, 2, epoch=2))
    assert bus.top("w") == Mark(2, 1)
    assert bus.read({"w": NOTHING}, block_ms=1) == {"w": [*entries(0, 5), *entries(0, 2, epoch=2)]}
    assert bus.read({"w": Mark(1, 2), "x": NOTHING}, block_ms=1, count=2) == {"w": entries(3, 2)}
    assert bus.read({"w": Mark(2, 1)}, block_ms=1) == {}


def test_nothing_is_ever_put_past_a_hole(bus: Bus) -> None:
    assert bus.publish("w", None, entries(0, 3))
    bus.flush()  # as a server that restarted without its last second
    assert not bus.publish("w", Mark(1, 2), entries(3, 2))
    assert bus.top("w") is None
    assert bus.publish("w", None, entries(0, 5))
    assert not bus.publish("w", Mark(1, 2), entries(3, 2))
    assert [e.mark.offset for e in bus.read({"w": NOTHING}, block_ms=1)["w"]] == [0, 1, 2, 3, 4]


def test_a_full_server_refuses_the_whole_batch(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / "data", unused_port(), tmp_path / "log", max_memory_mb=8, min_free_bytes=0)
    server.start()
    bus = Bus(server.url)
    top, said = None, ""
    while not said:
        first = top.offset + 1 if top else 0
        batch = [Entry(Mark(1, n), b"x" * 50_000) for n in range(first, first + 10)]
        try:
            assert bus.publish("w", top, batch)
            top = batch[-1].mark
        except BusUnavailable as error:
            said = str(error)
    assert "maxmemory" in said
    assert "x" * 300 not in said
    assert bus.top("w") == top
    bus.close()
    server.stop()


def test_trimming_never_takes_what_is_above_the_mark(bus: Bus) -> None:
    bus.publish("w", None, entries(0, 1000))
    bus.trim("w", Mark(1, 899))
    left = bus.read({"w": NOTHING}, block_ms=1, count=2000)["w"]
    assert left[-100:] == entries(900, 100)
    assert len(left) < 300
    assert bus.top("w") == Mark(1, 999)


def test_a_server_that_is_away(free_port: int) -> None:
    bus = Bus(f"redis://:hush@127.0.0.1:{free_port}/0", timeout_s=0.5)
    began = time.monotonic()
    with pytest.raises(BusUnavailable, match="records wait in the spool") as raised:
        bus.ping()
    assert time.monotonic() - began < 1
    assert "hush" not in str(raised.value)


def test_marks_are_unknown_until_the_consumer_speaks(bus: Bus) -> None:
    assert bus.mark("w") is None
    assert bus.marks() is None
    bus.set_marks({"v": Mark(3, 9)}, ready=True)
    assert bus.mark("w") == NOTHING
    assert bus.marks() == {"v": Mark(3, 9)}


def status(camera: str) -> CameraStatus:
    return CameraStatus(camera=camera, worker="w", state=CameraState.RUNNING, since_utc=1.0, updated_utc=2.0)


def test_live_state(bus: Bus) -> None:
    bus.set_status([status("a"), status("b")])
    bus.clear_status(["b"])
    assert bus.statuses() == {"a": status("a")}
    bus.watch("a", ttl_s=0.2)
    assert bus.watched(["a", "b"]) == {"a"}
    time.sleep(0.25)
    assert bus.watched(["a", "b"]) == frozenset()
    assert bus.publish_live("a", b"picture") == 0
    assert bus.pool() is None
    bus.set_pool(PoolSnapshot(7, "digest", b"{}"))
    assert (bus.pool(), bus.pool_mark()) == (PoolSnapshot(7, "digest", b"{}"), PoolMark(7, "digest"))
    assert bus.assignment("w") is None
    bus.set_assignment("w", '["a"]')
    assert bus.assignment("w") == '["a"]'


async def test_what_a_worker_of_another_release_says_of_a_camera_is_passed_over(
    bus: Bus, valkey: EmbeddedValkey
) -> None:
    bus.set_status([status("a")])
    other = status("b").model_dump_json().replace("{", '{"since_another_release":1,', 1)
    bus._redis.hset(keys.Keys().status, "b", other)
    listener = AsyncBus(valkey.url)
    assert bus.statuses() == bus.statuses(["a", "b"]) == await listener.statuses() == {"a": status("a")}
    assert await listener.status("b") is None
    await listener.close()


async def test_listening(bus: Bus, valkey: EmbeddedValkey) -> None:
    listener = AsyncBus(valkey.url)
    bus.set_status([status("a")])
    assert await listener.statuses() == {"a": status("a")}
    assert await listener.status("a") == status("a")
    assert await listener.status("b") is None
    await listener.watch("a")
    assert bus.watched(["a"]) == {"a"}

    async def first_picture() -> bytes:
        async for message in listener.live("a"):
            return message
        raise AssertionError

    waiting = asyncio.create_task(first_picture())
    while bus.publish_live("a", b"picture") == 0:
        await asyncio.sleep(0.01)
    assert await asyncio.wait_for(waiting, 5) == b"picture"

    bus.notify({}, [b"before"])
    notes = listener.notes(block_ms=50)
    pending = asyncio.ensure_future(anext(notes))
    await asyncio.sleep(0.1)
    bus.notify({"w": Mark(1, 5)}, [b"one", b"two"])
    assert (await asyncio.wait_for(pending, 5))[1] == b"one"
    assert (await asyncio.wait_for(anext(notes), 5))[1] == b"two"
    await listener.close()


def test_migrations_make_what_the_tables_say(postgres: EmbeddedPostgres, engine: Engine) -> None:
    ours = {table.name for table in vars(events.tables).values() if isinstance(table, Table)}
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    about_ours = [d for d in differences if isinstance(d, tuple) and any(f"'{t}'" in repr(d) for t in ours)]
    assert [d for d in about_ours if d[0] != "remove_table"] == []
    assert migrate.current(engine) == migrate.head()
    migrate.downgrade(engine, "base")
    assert not ours & set(inspect(engine).get_table_names())
    threads = [threading.Thread(target=migrate.upgrade, args=(engine,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ours <= set(inspect(engine).get_table_names())


@pytest.fixture
def restartable(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(tmp_path / "valkey", unused_port(), tmp_path / "valkey.log", min_free_bytes=0)
    server.start()
    yield server
    server.stop()


def body(number: int) -> UnwatchedRecord:
    return UnwatchedRecord(
        unwatched=Unwatched(id=f"u{number}", camera="c", algorithm="*", reason="stalled", start_utc=float(number))
    )


class Running:
    """A consumer in a thread, as a context."""

    def __init__(self, engine: Engine, url: str) -> None:
        self._stop = threading.Event()
        consumer = Consumer(engine, Bus(url, timeout_s=0.5))
        self._thread = threading.Thread(target=consumer.run, args=(self._stop,), daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


class Talker:
    """A spool and its publisher, and how much was said."""

    def __init__(self, folder: Path, url: str) -> None:
        self.spool = Spool(folder, "w", Watermarks(min_free_bytes=0, segment_bytes=1500))
        self.publisher = Publisher(self.spool, Bus(url, timeout_s=0.5))
        self.publisher.start()
        self.said = 0

    def say(self, count: int) -> None:
        for _ in range(count):
            self.spool.append(body(self.said), {"c": b"%d" % self.said})
            self.said += 1

    def published(self, bus: Bus) -> None:
        """Blocks until the stream holds everything said."""
        deadline = time.monotonic() + 60
        while bus.top("w") != Mark(self.spool.epoch, self.said - 1):
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture
def talker(restartable: EmbeddedValkey, tmp_path: Path) -> Iterator[Talker]:
    talker = Talker(tmp_path / "spool", restartable.url)
    yield talker
    talker.publisher.stop()
    talker.spool.close()


def ids(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return {row.id for row in connection.execute(events.tables.unwatched.select())}


def test_a_new_spool_asks_the_consumer_before_it_takes_an_epoch(
    restartable: EmbeddedValkey, engine: Engine, talker: Talker
) -> None:
    bus = Bus(restartable.url)
    talker.say(5)
    time.sleep(0.4)
    assert bus.top("w") is None
    with Running(engine, restartable.url):
        assert talker.publisher.drain(15)
    assert ids(engine) == {f"u{n}" for n in range(5)}


def test_through_a_frozen_and_a_wiped_server(restartable: EmbeddedValkey, engine: Engine, talker: Talker) -> None:
    bus = Bus(restartable.url)
    with Running(engine, restartable.url):
        talker.say(5)
        assert talker.publisher.drain(15)
        assert restartable.pid is not None
        os.kill(restartable.pid, signal.SIGSTOP)
        talker.say(5)
        time.sleep(0.8)
        os.kill(restartable.pid, signal.SIGCONT)
        assert talker.publisher.drain(15)
    talker.say(20)  # nobody consumes: what is published waits in the stream
    talker.published(bus)
    bus.flush()
    talker.say(5)
    with Running(engine, restartable.url):
        assert talker.publisher.drain(15)
    assert ids(engine) == {f"u{n}" for n in range(35)}
    assert talker.spool.first > 0, "what is consumed leaves the disk"


def test_an_entry_taken_out_by_hand_comes_again(restartable: EmbeddedValkey, engine: Engine, talker: Talker) -> None:
    bus = Bus(restartable.url)
    bus.set_marks({}, ready=True)
    talker.say(10)
    talker.published(bus)
    bus._redis.xdel(keys.Keys().records("w"), "1-5")  # somebody at the server's console
    with Running(engine, restartable.url):
        assert talker.publisher.drain(15)
    assert ids(engine) == {f"u{n}" for n in range(10)}
    assert talker.publisher.counters.went_back == 1


def test_a_database_that_went_back_in_time(restartable: EmbeddedValkey, engine: Engine, talker: Talker) -> None:
    """Restored from a backup of before this worker: what the spool still has comes again, under a new epoch."""
    with Running(engine, restartable.url):
        talker.say(30)
        assert talker.publisher.drain(15)
    kept = talker.spool.first
    assert kept > 0
    with engine.begin() as connection:
        connection.execute(events.tables.ingest_mark.delete())
        connection.execute(events.tables.unwatched.delete())
    bus = Bus(restartable.url)
    bus.flush()
    with Running(engine, restartable.url):
        talker.say(5)
        deadline = time.monotonic() + 60
        while bus.mark("w") != Mark(2, 34 - kept):
            assert time.monotonic() < deadline, (bus.mark("w"), kept)
            time.sleep(0.05)
    assert ids(engine) == {f"u{n}" for n in range(kept, 35)}


def test_a_backlog_waits_on_disk_and_not_in_the_servers_memory(
    restartable: EmbeddedValkey, engine: Engine, talker: Talker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.publish._WINDOW", 50)
    bus = Bus(restartable.url)
    bus.set_marks({}, ready=True)
    talker.say(400)
    time.sleep(1.0)
    assert bus.top("w") == Mark(1, 49)
    with Running(engine, restartable.url):
        assert talker.publisher.drain(30)
    assert ids(engine) == {f"u{n}" for n in range(400)}


def test_proposed_zones_are_there_until_they_are_said_again(bus: Bus) -> None:
    assert bus.proposals("cam-1") == ZoneProposals(camera="cam-1")
    lane = ZoneProposal(kind=ZoneKind.ROAD, polygon=((0, 0), (1, 0), (1, 1)), why={"en": "w"}, support=3, direction=90)
    said = ZoneProposals(camera="cam-1", watched_s=60, updated_utc=5, proposals=(lane,))
    bus.set_proposals([said, ZoneProposals(camera="cam-2")])
    assert bus.proposals("cam-1") == said
    bus.set_proposals([])
    bus.set_proposals([said.model_copy(update={"proposals": ()})])
    assert bus.proposals("cam-1").proposals == ()
