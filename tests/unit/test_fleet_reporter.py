"""Assignments through the real bus: nothing anybody writes there, or on the disk, ends the reporter."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from contracts.live import decode_live
from contracts.pool import Camera, Pool
from contracts.records import Event, Transition
from fleet.board import Assignment, Board
from fleet.reporter import Reporter
from pool.snapshot import snapshot
from simulator.rtsp import ServedCamera, ServerThread
from simulator.rtsp.clips import Encoding, render_pattern
from simulator.rtsp.media import load_clip
from store.bus import Bus
from store.state import PoolSnapshot
from store.valkey import EmbeddedValkey
from tests.unit.fleet_scene import NO_BUS, Running, camera, drive, make_stack

pytest_plugins = ["tests.embedded"]


def put_pool(bus: Bus, revision: int, *cameras: Camera) -> None:
    pool = Pool.model_validate({"departments": [{"id": "city", "name": "City"}]})
    data, digest = snapshot(pool.model_copy(update={"cameras": cameras}))
    bus.set_pool(PoolSnapshot(revision, digest, data))


def eventually(found: Callable[[], Any], within: float = 5.0) -> Any:
    end = time.monotonic() + within
    while not (value := found()):
        assert time.monotonic() < end, "not in time"
        time.sleep(0.02)
    return value


@pytest.mark.parametrize("text", ["", "{", "[]", '[1, "[]", "{}"]', '[1, "[]", "{\\"version\\": 2}"]', "\x00"])
def test_a_bad_remembered_assignment_is_left_alone(tmp_path: Path, text: str) -> None:
    memory = tmp_path / "assignment.json"
    memory.write_text(text)
    board = Board()
    reporter = Reporter("w1", Bus(NO_BUS), board, memory)
    reporter.start()
    assert reporter.alive
    assert board.take_assignment() is None
    reporter.stop()


def test_one_revision_may_come_to_be_in_force_otherwise(bus: Bus, valkey: EmbeddedValkey, tmp_path: Path) -> None:
    """A version brings other parameters, and nobody has edited the pool."""
    board = Board()
    reporter = Reporter("w1", Bus(valkey.url), board, tmp_path / "assignment.json")
    bus.set_assignment("w1", '["a"]')
    put_pool(bus, 1, camera("a", "rtsp://127.0.0.1:1/a"))
    reporter.start()
    first: Assignment = eventually(board.take_assignment)
    put_pool(bus, 1, camera("a", "rtsp://127.0.0.1:1/b"))
    second: Assignment = eventually(board.take_assignment)
    reporter.stop()
    assert (first.revision, first.cameras[0].main.url) == (1, "rtsp://127.0.0.1:1/a")
    assert (second.revision, second.cameras[0].main.url) == (1, "rtsp://127.0.0.1:1/b")


def test_what_an_earlier_release_remembered_is_read(tmp_path: Path) -> None:
    memory = tmp_path / "assignment.json"
    pool = Pool.model_validate({"departments": [{"id": "city", "name": "City"}]})
    data, _ = snapshot(pool.model_copy(update={"cameras": (camera("a", "rtsp://127.0.0.1:1/a"),)}))
    memory.write_text(json.dumps([3, '["a"]', data.decode()]))
    board = Board()
    reporter = Reporter("w1", Bus(NO_BUS), board, memory)
    reporter.start()
    remembered: Assignment = eventually(board.take_assignment)
    reporter.stop()
    assert (remembered.revision, [one.id for one in remembered.cameras]) == (3, ["a"])


def test_a_pool_that_cannot_be_read_is_refused_and_the_next_one_followed(
    bus: Bus, valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    board, memory = Board(), tmp_path / "assignment.json"
    reporter = Reporter("w1", Bus(valkey.url), board, memory)
    bus.set_assignment("w1", '["a"]')
    bus.set_pool(PoolSnapshot(1, "x", b'{"version": 2}'))
    reporter.start()
    time.sleep(0.7)
    assert reporter.alive
    put_pool(bus, 2, camera("a", "rtsp://127.0.0.1:1/a"), camera("b", "rtsp://127.0.0.1:1/b"))
    assignment: Assignment = eventually(board.take_assignment)
    assert [c.id for c in assignment.cameras] == ["a"]
    assert assignment.pool == {"a", "b"}
    reporter.stop()
    revision, digest, assigned, _ = json.loads(memory.read_text())
    assert (revision, assigned) == (2, '["a"]')
    assert bus.pool_mark() == (2, digest)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    clip = load_clip(render_pattern(tmp_path / "pattern.mp4", 4.0, Encoding((320, 180), 10, gop=5)))
    with ServerThread([ServedCamera("cam", clip)]) as server:
        yield server.url("cam")


def test_a_camera_that_moves_keeps_its_event_and_one_that_is_removed_ends_it(
    url: str, bus: Bus, valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    put_pool(bus, 1, camera("cam", url))
    bus.set_assignment("w1", '["cam"]')
    bus.set_assignment("w2", "[]")
    first = Running(make_stack(tmp_path, name="w1", redis_url=valkey.url))
    second = Running(make_stack(tmp_path, name="w2", redis_url=valkey.url))
    with first.stack, second.stack:
        both = [first, second]
        drive(both, first.events, "an event opens on the first worker")
        bus.set_assignment("w2", '["cam"]')
        bus.set_assignment("w1", "[]")
        put_pool(bus, 2, camera("cam", url))
        drive(both, lambda: first.status("cam") is None and second.looks("cam") >= 4, "it moves")
        drive(both, lambda: not first.stack.spool.last_states(), "the second worker has taken its state")
        before = second.looks("cam")
        drive(both, lambda: second.looks("cam") >= before + 4, "it goes on")
        put_pool(bus, 3)
        bus.set_assignment("w2", "[]")
        drive(both, lambda: any(e.transition is Transition.CLOSED for e in second.events()), "its event ends")
        for one in both:
            one.stack.worker.close()
        told: list[Event] = [*first.events(), *second.events()]
        assert len({event.id for event in told}) == 1
        assert [event.seq for event in told] == list(range(len(told)))
        assert [event.transition for event in told].count(Transition.OPENED) == 1
        assert told[-1].transition is Transition.CLOSED
        assert second.stack.spool.last_states() == {}


def test_whoever_wants_one_live_picture_gets_it_and_nobody_watches_for_long(
    url: str, bus: Bus, valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    put_pool(bus, 1, camera("cam", url))
    bus.set_assignment("w1", '["cam"]')
    one = Running(make_stack(tmp_path, name="w1", redis_url=valkey.url))
    with one.stack, ThreadPoolExecutor(1) as pool:
        drive([one], lambda: one.looks("cam") >= 2, "it runs")
        asked = pool.submit(bus.next_live, "cam", lambda: False, wait_s=60.0)
        drive([one], asked.done, "a picture comes")
        message = asked.result()
        assert message is not None
        header, jpeg = decode_live(message)
        assert (header.camera, header.width) == ("cam", 320)
        assert jpeg.startswith(b"\xff\xd8")
        drive([one], lambda: not bus.watched(["cam"]), "nobody watches any more")
        one.stack.worker.close()
    assert bus.next_live("cam", lambda: True, wait_s=60.0) is None, "asked to stop"
    bus.watch("cam", 30.0)
    assert bus.next_live("cam", lambda: False, wait_s=0.2) is None
    assert bus.watched(["cam"]), "who else watches is not disturbed"
