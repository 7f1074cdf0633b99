"""The consumer and the queries on a real Postgres and a real Valkey."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from contracts.errors import ConfigError
from contracts.records import (
    Body,
    ClockSource,
    Event,
    EventRecord,
    EvidenceRef,
    Provenance,
    Record,
    Severity,
    Subject,
    Transition,
    Unwatched,
    UnwatchedRecord,
    event_id,
)
from events import queries
from events.consumer import Consumer
from events.hooks import Hooks
from events.store import lock_ingest, mark_stored, write_event
from events.types import EventFilter, Note
from pipeline.publish import Publisher
from pipeline.spool import Spool, Watermarks
from store.bus import Bus, Entry, Mark
from store.database import make_engine
from store.valkey import EmbeddedValkey

pytest_plugins = ["tests.embedded"]

_STEPS = (Transition.OPENED, Transition.UPDATED, Transition.CLOSED)


def event(number: int, seq: int = 0, **changes: object) -> Event:
    """Event `number`: opened (0), updated (1), closed (2)."""
    started = 1_700_000_000.0 + number
    step = _STEPS[min(seq, 2)]
    base = Event(
        id=event_id("cam", "illegal_parking", "z", f"track:{number}", round(started * 1000)),
        seq=seq,
        transition=step,
        type="illegal_parking" if number % 2 else "crowding",
        severity=Severity.MAJOR if number % 3 == 0 else Severity.MINOR,
        camera=f"cam{number % 4}",
        department="traffic" if number % 2 else "police",
        zone="z",
        started_utc=started,
        utc=started + 60 * seq,
        ended_utc=started + 60 * seq if step is Transition.CLOSED else None,
        stream_time=100.0,
        clock_source=ClockSource.ARRIVAL,
        clock_error_ms=40,
        subject=Subject(track=number),
        numbers={"still_s": 187.0},
        reason={"zh": "停留", "en": "still"},
        provenance=Provenance(
            algorithm="a", algorithm_version="1", model="m", model_sha256="0" * 64, config_digest="d"
        ),
    )
    return base.model_copy(update=changes)


def entry(offset: int, body: Body, *, worker: str = "w", epoch: int = 1) -> Entry:
    record = Record(worker=worker, epoch=epoch, offset=offset, body=body)
    return Entry(Mark(epoch, offset), record.model_dump_json().encode())


def send(bus: Bus, entries: list[Entry], worker: str = "w") -> None:
    bus.announce(worker)
    assert bus.publish(worker, bus.top(worker), entries)


@pytest.fixture
def consumer(engine: Engine, bus: Bus) -> Consumer:
    return Consumer(engine, bus)


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection


def transitions(connection: Connection) -> list[tuple[str, int]]:
    return [(row.event.id, row.event.seq) for row in queries.transitions_after(connection, 0)[0]]


def test_an_event_and_its_transitions(consumer: Consumer, bus: Bus, connection: Connection) -> None:
    send(bus, [entry(seq, EventRecord(event=event(1, seq))) for seq in range(3)])
    assert consumer.step() == 3
    detail = queries.get_event(connection, event(1).id)
    assert detail is not None
    assert detail.event == event(1, 2)
    assert [row.event for row in detail.transitions] == [event(1, seq) for seq in range(3)]
    assert [row.position for row in detail.transitions] == sorted(row.position for row in detail.transitions)
    assert detail.position == detail.transitions[-1].position == queries.last_position(connection)
    assert bus.marks() == {"w": Mark(1, 2)}
    notes = [Note.model_validate_json(note) for _, note in bus.read_notes("0-0", block_ms=1)]
    assert [note.event.seq for note in notes] == [0, 1, 2]
    assert queries.get_event(connection, "0" * 32) is None


def test_read_again_nothing_is_doubled(consumer: Consumer, bus: Bus, engine: Engine, connection: Connection) -> None:
    entries = [entry(n, EventRecord(event=event(n))) for n in range(5)]
    send(bus, entries[:3])
    consumer.step()
    bus.flush()  # the server forgot everything; the worker sends it all again
    send(bus, entries)
    assert Consumer(engine, bus).step() == 2
    assert transitions(connection) == [(event(n).id, 0) for n in range(5)]
    assert bus.mark("w") == Mark(1, 4)


def test_a_record_past_a_hole_waits(consumer: Consumer, bus: Bus, connection: Connection) -> None:
    entries = [entry(n, EventRecord(event=event(n))) for n in range(4)]
    send(bus, [entries[0], entries[2], entries[3]])
    assert consumer.step() == 1
    assert consumer.counters.gaps == 1
    assert bus.mark("w") == Mark(1, 0)
    bus.drop_records("w")
    send(bus, entries)
    time.sleep(0.12)
    assert consumer.step() == 3
    assert transitions(connection) == [(event(n).id, 0) for n in range(4)]


def test_a_hole_that_will_never_be_filled_is_said(consumer: Consumer, bus: Bus, connection: Connection) -> None:
    """The worker lost its disk: its next epoch has begun, so what is missing of the last one is gone."""
    old = [entry(n, EventRecord(event=event(n))) for n in range(4)]
    new = [entry(n, EventRecord(event=event(10 + n)), epoch=2) for n in range(2)]
    send(bus, [old[0], old[3], *new])
    assert consumer.step() == 4
    assert transitions(connection) == [(event(n).id, 0) for n in (0, 3, 10, 11)]
    assert "lost: records between 1:0 and 1:3" in queries.rejected(connection)[0].error


def test_poison_is_kept_aside_with_its_reason(consumer: Consumer, bus: Bus, connection: Connection) -> None:
    poison = Entry(Mark(1, 1), b'{"worker":"w","epoch":1,"offset":1,"body":{"kind":"song"}}')
    stranger = entry(2, EventRecord(event=event(2)), worker="somebody-else")
    unstorable = entry(3, EventRecord(event=event(3, reason={"en": "nul\x00"})))
    send(bus, [entry(0, EventRecord(event=event(0))), poison, stranger, unstorable])
    send(bus, [entry(4, EventRecord(event=event(4)))])
    assert consumer.step() == 2
    assert transitions(connection) == [(event(n).id, 0) for n in (0, 4)]
    kept = queries.rejected(connection)
    assert [row.offset for row in kept] == [3, 2, 1]
    assert "union_tag" in kept[2].error
    assert kept[2].raw == poison.raw.decode()
    assert "somebody-else" in kept[1].error
    assert bus.mark("w") == Mark(1, 4)


def test_another_transition_under_the_same_number(consumer: Consumer, bus: Bus, connection: Connection) -> None:
    first, again, other = event(1), event(1), event(1, numbers={"still_s": 1.0})
    send(bus, [entry(n, EventRecord(event=e)) for n, e in enumerate((first, again, other))])
    assert consumer.step() == 1
    assert consumer.counters.duplicates == 1
    assert "already has another transition 0" in queries.rejected(connection)[0].error
    detail = queries.get_event(connection, first.id)
    assert detail is not None
    assert detail.event == first


def test_an_earlier_transition_that_comes_late_is_kept_and_not_shown(engine: Engine) -> None:
    with engine.begin() as connection:
        lock_ingest(connection)
        late, newest = (write_event(connection, "w", event(1, seq)) for seq in (1, 0))
        assert late is not None
        assert newest is not None
        assert write_event(connection, "w", event(1, 1)) is None  # again: nothing new
        detail = queries.get_event(connection, event(1).id)
    assert detail is not None
    assert (detail.event, detail.position) == (event(1, 1), late)
    assert [row.event.seq for row in detail.transitions] == [0, 1]


def test_a_writers_statements_are_planned_once(database_url: str) -> None:
    engine = make_engine(database_url, generic_plans=True)
    with engine.connect() as connection:
        connection.rollback()
        assert connection.execute(text("SHOW plan_cache_mode")).scalar_one() == "force_generic_plan"
    engine.dispose()


def test_hooks_share_the_transaction(engine: Engine, bus: Bus, connection: Connection) -> None:
    connection.execute(text("CREATE TABLE hooked (id text, seq int)"))

    def hook(connection: Connection, event: Event) -> None:
        connection.execute(text("INSERT INTO hooked VALUES (:id, :seq)"), {"id": event.id, "seq": event.seq})
        if event.subject.track == 2:
            raise KeyError("a fault in another room")

    consumer = Consumer(engine, bus, Hooks([hook]))
    send(bus, [entry(n, EventRecord(event=event(n))) for n in range(4)])
    assert consumer.step() == 3
    hooked = [row.id for row in connection.execute(text("SELECT id FROM hooked"))]
    assert hooked == [event(n).id for n in (0, 1, 3)] == [i for i, _ in transitions(connection)]
    assert "KeyError" in queries.rejected(connection)[0].error


def test_two_consumers_take_turns(engine: Engine, bus: Bus, valkey: EmbeddedValkey, connection: Connection) -> None:
    stop = threading.Event()
    consumers = [Consumer(engine, Bus(valkey.url)) for _ in range(2)]
    threads = [threading.Thread(target=consumer.run, args=(stop,)) for consumer in consumers]
    for thread in threads:
        thread.start()
    for start in range(0, 200, 10):
        send(bus, [entry(n, EventRecord(event=event(n))) for n in range(start, start + 10)])
    deadline = time.monotonic() + 20
    while bus.mark("w") != Mark(1, 199) and time.monotonic() < deadline:
        time.sleep(0.02)
    stop.set()
    for thread in threads:
        thread.join()
    assert transitions(connection) == [(event(n).id, 0) for n in range(200)]


def test_pages_do_not_move_under_new_events(consumer: Consumer, bus: Bus, connection: Connection) -> None:
    send(bus, [entry(n, EventRecord(event=event(n))) for n in range(10)])
    consumer.step()
    first = queries.list_events(connection, EventFilter(), limit=4)
    send(bus, [entry(10, EventRecord(event=event(99)))])
    consumer.step()
    second = queries.list_events(connection, EventFilter(), first.cursor, limit=4)
    third = queries.list_events(connection, EventFilter(), second.cursor, limit=4)
    shown = [item.event.subject.track for page in (first, second, third) for item in page.items]
    assert shown == list(range(9, -1, -1))
    assert third.cursor is None
    with pytest.raises(ConfigError, match="cursor"):
        queries.list_events(connection, EventFilter(), "nonsense")


def test_filters_and_counts(consumer: Consumer, bus: Bus, connection: Connection) -> None:
    send(bus, [entry(n, EventRecord(event=event(n))) for n in range(12)])
    send(bus, [entry(12 + n, EventRecord(event=event(n, 2))) for n in range(3)])
    consumer.step()

    def tracks(**which: object) -> list[int]:
        page = queries.list_events(connection, EventFilter.model_validate(which))
        return sorted(i.event.subject.track or 0 for i in page.items)

    assert tracks(types=["crowding"]) == [0, 2, 4, 6, 8, 10]
    assert tracks(cameras=["cam1", "cam2"]) == [1, 2, 5, 6, 9, 10]
    assert tracks(departments=["traffic"], severities=["major"]) == [3, 9]
    assert tracks(state="closed") == [0, 1, 2]
    assert tracks(state="open", until=1_700_000_005.0) == [3, 4]
    assert tracks(since=1_700_000_010.0) == [10, 11]
    counts = {c.value: c.events for c in queries.count_by(connection, "camera", EventFilter())}
    assert counts == {"cam0": 3, "cam1": 3, "cam2": 3, "cam3": 3}
    assert [c.value for c in queries.count_by(connection, "hour", EventFilter())] == ["2023-11-14T22:00Z"]
    assert {c.value: c.events for c in queries.count_by(connection, "state", EventFilter())} == {"open": 9, "closed": 3}
    assert queries.count_by(connection, "type", EventFilter(types=("crowding",)))[0].events == 6


def test_evidence_that_waited_becomes_stored(consumer: Consumer, bus: Bus, connection: Connection) -> None:
    digest = "ab" * 32
    ref = EvidenceRef(
        role="entry",
        key=f"evidence/ab/{digest}.jpg",
        sha256=digest,
        media_type="image/jpeg",
        size=3,
        utc=1_700_000_000.5,
        stored=False,
    )
    clip = ref.model_copy(update={"role": "clip", "key": f"evidence/ab/{digest}.mp4", "media_type": "video/mp4"})
    send(
        bus,
        [
            entry(0, EventRecord(event=event(1, evidence=(ref,)))),
            entry(1, EventRecord(event=event(1, 1, evidence=(ref, clip)))),
        ],
    )
    consumer.step()
    mark_stored(connection, ref.key)
    detail = queries.get_event(connection, event(1).id)
    assert detail is not None
    assert [(row.seq, row.ref.role, row.ref.stored) for row in detail.evidence] == [
        (0, "entry", True),
        (1, "clip", False),
    ]
    assert detail.evidence[1].ref == clip


def test_hours_not_watched_are_a_union(consumer: Consumer, bus: Bus, connection: Connection) -> None:
    t0 = 1_700_000_000.0

    def stretch(name: str, start: float, end: float | None, reason: str, algorithm: str = "*") -> UnwatchedRecord:
        unwatched = Unwatched.model_validate(
            {"id": name, "camera": "c", "algorithm": algorithm, "reason": reason, "start_utc": t0 + start}
            | ({"end_utc": t0 + end} if end is not None else {})
        )
        return UnwatchedRecord(unwatched=unwatched)

    bodies = [
        stretch("a", 0, None, "offline"),
        stretch("b", 1800, 5400, "stalled"),
        stretch("a", 0, 3600, "offline"),
        stretch("d", 7200, None, "shed", "crowding"),
    ]
    send(bus, [entry(n, body) for n, body in enumerate(bodies)])
    consumer.step()
    rows = queries.unwatched_hours(connection, t0, t0 + 10800)
    assert [(r.algorithm, r.hours, r.by_reason) for r in rows] == [
        ("*", 1.5, {"offline": 1.0, "stalled": 1.0}),
        ("crowding", 1.0, {"shed": 1.0}),
    ]
    assert queries.unwatched_hours(connection, t0, t0 + 900, ["c"], ["illegal_parking"])[0].hours == 0.25
    assert queries.unwatched_hours(connection, t0, t0 + 900, ["other"]) == ()
    assert [u.id for u in queries.unwatched_now(connection)] == ["d"]


def test_from_spool_to_listeners_quickly(
    engine: Engine, bus: Bus, valkey: EmbeddedValkey, connection: Connection, tmp_path: Path
) -> None:
    stop = threading.Event()
    consumer = threading.Thread(target=Consumer(engine, Bus(valkey.url)).run, args=(stop,))
    consumer.start()
    spool = Spool(tmp_path / "spool", "w", Watermarks(min_free_bytes=0))
    publisher = Publisher(spool, Bus(valkey.url))
    publisher.start()
    spool.append(EventRecord(event=event(0)), {})
    assert publisher.drain(10)
    delays = []
    (last, _), *_ = bus.read_notes("0-0", block_ms=1000)
    for number in range(1, 21):
        began = time.perf_counter()
        spool.append(EventRecord(event=event(number)), {"cam": b"x" * 2000})
        ((last, _),) = bus.read_notes(last, block_ms=2000)
        delays.append(time.perf_counter() - began)
        time.sleep(0.02)
    assert publisher.drain(10)
    assert publisher.backlog() == 0
    assert [m.offset for m in queries.worker_marks(connection)] == [20]
    publisher.stop()
    spool.close()
    stop.set()
    consumer.join()
    median = sorted(delays)[10]
    assert median < 0.1, f"spool to listener {median * 1000:.1f} ms"
