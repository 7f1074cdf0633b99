"""The spool alone: what it gives back after any end, and what it lets go of."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.errors import AlreadyRunning, DiskFull, StoreError
from contracts.records import Record, Unwatched, UnwatchedRecord
from pipeline.spool import Spool, Watermarks
from pipeline.spoollog import RECORD, STATE, Frame, Segment, frames
from store.bus import Mark
from tests.effort import examples

SMALL = Watermarks(min_free_bytes=0, segment_bytes=2000)


def body(number: int) -> UnwatchedRecord:
    return UnwatchedRecord(
        unwatched=Unwatched(id=f"u{number}", camera="c", algorithm="*", reason="stalled", start_utc=float(number))
    )


def ids(spool: Spool, position: int = 0) -> list[str]:
    """Ids of every record from `position` on, read as the publisher reads them."""
    found: list[str] = []
    while entries := spool.read(position, count=7):
        for entry in entries:
            record = Record.model_validate_json(entry.raw)
            assert (record.epoch, record.offset) == entry.mark
            assert isinstance(record.body, UnwatchedRecord)
            found.append(record.body.unwatched.id)
        position += len(entries)
    return found


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "spool", "w", SMALL)
    yield spool
    spool.close()


def fill(spool: Spool, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        spool.append(body(number), {f"c{number % 3}": b"state %d" % number})
    assert spool.wait_durable(start + count - 1, 5)


def reopen(spool: Spool, folder: Path) -> Spool:
    spool.close()
    return Spool(folder, "w", SMALL)


def test_reads_back_what_was_appended(spool: Spool) -> None:
    fill(spool, 50)
    assert ids(spool) == [f"u{n}" for n in range(50)]
    assert spool.last_states() == {"c0": b"state 48", "c1": b"state 49", "c2": b"state 47"}


def test_a_restart_goes_on_in_the_same_epoch(spool: Spool, tmp_path: Path) -> None:
    fill(spool, 20)
    spool.checkpoint("c9", b"only a checkpoint")
    spool.checkpoint("c0", b"newer")
    again = reopen(spool, tmp_path / "spool")
    assert again.epoch == 1
    assert again.last_states()["c0"] == b"newer"
    assert again.last_states()["c9"] == b"only a checkpoint"
    assert again.append(body(20), {"c0": b"newest"}) == 20
    again = reopen(again, tmp_path / "spool")
    assert again.last_states()["c0"] == b"newest"
    assert ids(again) == [f"u{n}" for n in range(21)]
    again.close()


def test_cut_keeps_what_is_not_consumed_and_every_state(spool: Spool, tmp_path: Path) -> None:
    fill(spool, 100)
    segments = len(list((tmp_path / "spool").glob("*.log")))
    assert segments > 5
    spool.cut(Mark(1, 59))
    assert len(list((tmp_path / "spool").glob("*.log"))) < segments
    assert 0 < spool.first <= 60
    assert ids(spool, 60) == [f"u{n}" for n in range(60, 100)]
    states = spool.last_states()
    spool.cut(Mark(1, 99))
    again = reopen(spool, tmp_path / "spool")
    assert again.last_states() == states
    again.close()


def test_a_mark_of_another_epoch_cuts_nothing(spool: Spool) -> None:
    fill(spool, 60)
    spool.cut(Mark(2, 59))
    assert spool.first == 0


def test_the_epoch_grows_when_started_on_an_empty_spool(spool: Spool, tmp_path: Path) -> None:
    fill(spool, 100)
    folder = tmp_path / "spool"
    spool.close()
    for log in folder.glob("*.log"):
        log.unlink()
    again = Spool(folder, "w", SMALL)
    assert again.epoch == 2
    assert again.append(body(0), {}) == 0
    again = reopen(again, folder)
    assert again.epoch == 2
    again.close()


def test_a_new_spool_takes_an_epoch_the_consumer_has_not_seen(spool: Spool) -> None:
    """The worker's disk was replaced: its first records must not pass for duplicates of old ones."""
    fill(spool, 3)
    before = spool.settled
    spool.align([Mark(4, 17), None])
    assert (before, spool.settled) == (False, True)
    assert spool.epoch == 5
    assert [entry.mark for entry in spool.read(0)] == [Mark(5, 0), Mark(5, 1), Mark(5, 2)]


def test_a_known_worker_keeps_its_epoch(spool: Spool, tmp_path: Path) -> None:
    spool.align([Mark(0, -1), None])
    fill(spool, 5)
    again = reopen(spool, tmp_path / "spool")
    again.align([Mark(1, 2), Mark(1, 4)])
    assert again.epoch == 1
    again.align([Mark(1, 2), Mark(1, 5)])  # the stream holds more than was ever written here
    assert again.epoch == 2
    assert [entry.mark.offset for entry in again.read(0)] == [0, 1, 2, 3, 4]
    again.close()


def test_a_second_worker_on_the_same_folder_is_refused(spool: Spool, tmp_path: Path) -> None:
    with pytest.raises(AlreadyRunning, match="in use by process"):
        Spool(tmp_path / "spool", "w", SMALL)


def test_forgotten_cameras_stay_forgotten(spool: Spool, tmp_path: Path) -> None:
    fill(spool, 3)
    spool.forget("c1")
    again = reopen(spool, tmp_path / "spool")
    assert set(again.last_states()) == {"c0", "c2"}
    again.close()


def test_a_full_disk_refuses_looks_first_and_records_last(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    spool = Spool(tmp_path / "a", "w", Watermarks(min_free_bytes=free * 2))
    assert not spool.accepting()
    spool.append(body(0), {})
    spool.close()
    spool = Spool(tmp_path / "b", "w", Watermarks(min_free_bytes=free * 8))
    with pytest.raises(DiskFull, match="no record was dropped"):
        spool.append(body(0), {})
    spool.close()
    spool = Spool(tmp_path / "c", "w", Watermarks(min_free_bytes=0, max_bytes=1000))
    fill(spool, 10)
    assert not spool.accepting()
    spool.close()


def test_appenders_share_a_commit_and_keep_their_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", "w", Watermarks(min_free_bytes=0, segment_bytes=20_000))

    def work(first: int) -> None:
        for number in range(first, first + 100):
            spool.append(body(number), {f"c{first}": str(number).encode()})

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 1000, 2000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert spool.wait_durable(299, 5)
    found = [int(i[1:]) for i in ids(spool)]
    for first in (0, 1000, 2000):
        assert [n for n in found if first <= n < first + 1000] == list(range(first, first + 100))
    spool.close()


def test_damage_in_the_middle_is_said(spool: Spool, tmp_path: Path) -> None:
    fill(spool, 100)
    spool.close()
    first = min((tmp_path / "spool").glob("*.log"))
    data = bytearray(first.read_bytes())
    data[len(data) // 2] ^= 0xFF
    first.write_bytes(data)
    with pytest.raises(StoreError, match="damaged at byte"):
        Spool(tmp_path / "spool", "w", SMALL)


def test_what_one_look_caused_stands_or_falls_together(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    spool = Spool(folder, "w", Watermarks(min_free_bytes=0))
    spool.append(body(0), {"c": b"before"})
    (log,) = folder.glob("*.log")
    begin = log.stat().st_size
    assert spool.append_all([body(1), body(2), body(3)], {"c": b"after"}) == 1
    assert spool.wait_durable(3, 5)
    assert ids(spool) == ["u0", "u1", "u2", "u3"]
    data = log.read_bytes()
    spool.close()
    for length in range(begin, len(data) + 1):
        (tmp_path / log.name).write_bytes(data[:length])
        states: dict[str, bytes] = {}
        segment, _ = Segment.scan(tmp_path / log.name, states)
        whole = length == len(data)
        assert (len(segment.offsets), states) == ((4, {"c": b"after"}) if whole else (1, {"c": b"before"}))
    with pytest.raises(ValueError, match="no records"):
        spool.append_all([], {})


def _written(tmp_path: Path) -> tuple[Path, bytes]:
    """One segment with six records and a checkpoint, as a kill leaves it."""
    folder = tmp_path / "whole"
    spool = Spool(folder, "w", Watermarks(min_free_bytes=0))
    fill(spool, 6)
    spool.checkpoint("c0", b"checkpoint")
    spool.close()
    (log,) = folder.glob("*.log")
    return log, log.read_bytes()


def test_cut_at_any_byte_a_segment_is_a_prefix(tmp_path: Path) -> None:
    log, data = _written(tmp_path)
    whole = list(frames(data))
    piece = tmp_path / log.name
    for length in range(len(data) + 1):
        piece.write_bytes(data[:length])
        states: dict[str, bytes] = {}
        segment, torn = Segment.scan(piece, states)
        kept = [(end, frame) for end, frame in whole if end <= length]
        assert segment.size == (kept[-1][0] if kept else 0)
        assert torn == length - segment.size
        bodies = [frame.body for _, frame in kept if frame.kind == RECORD]
        with segment.open() as file:
            assert segment.read(file, 0, 100, 1 << 20) == bodies
        expected: dict[str, bytes] = {}
        for _, frame in kept:
            expected.update(frame.states)
        assert states == expected


def test_cut_around_any_frame_the_spool_goes_on(tmp_path: Path) -> None:
    log, data = _written(tmp_path)
    for end, _ in list(frames(data)):
        for length in (end - 1, end, end + 1):
            folder = tmp_path / f"cut{length}"
            folder.mkdir()
            (folder / log.name).write_bytes(data[:length])
            shutil.copy(log.parent / "epoch.json", folder)
            spool = Spool(folder, "w", SMALL)
            kept = sum(1 for e, frame in frames(data) if e <= length and frame.kind == RECORD)
            assert ids(spool, spool.first) == [f"u{n}" for n in range(kept)]
            fill(spool, 1, start=kept)
            assert ids(spool, spool.first) == [f"u{n}" for n in range(kept + 1)]
            spool.close()


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 10_000), garbage=st.binary(min_size=1, max_size=40), zeros=st.booleans())
def test_garbage_after_a_crash_is_never_taken_for_a_record(
    tmp_path: Path, position: int, garbage: bytes, zeros: bool
) -> None:
    folder = tmp_path / f"garbage{os.urandom(4).hex()}"
    folder.mkdir()
    log, data = _cached(tmp_path)
    at = position % (len(data) + 1)
    tail = bytes(len(garbage)) if zeros else garbage
    (folder / log.name).write_bytes(data[:at] + tail)
    spool = Spool(folder, "w", SMALL)
    found = ids(spool, spool.first)
    assert found == [f"u{n}" for n in range(len(found))]
    spool.close()


def _cached(tmp_path: Path) -> tuple[Path, bytes]:
    folder = tmp_path / "whole"
    if folder.exists():
        log = min(folder.glob("*.log"))
        return log, log.read_bytes()
    return _written(tmp_path)


@given(
    st.sampled_from([RECORD, STATE]),
    st.integers(0, 2**63),
    st.binary(max_size=200),
    st.dictionaries(st.text(max_size=20), st.binary(max_size=50), max_size=5),
)
def test_frames_come_back(kind: int, position: int, data: bytes, states: dict[str, bytes]) -> None:
    frame = Frame(kind, position, data, states)
    encoded = frame.encode()
    assert list(frames(encoded + encoded[:-1])) == [(len(encoded), frame)]
