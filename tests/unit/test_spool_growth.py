"""The spool takes room for records nobody consumed, and not for states that newer ones have replaced."""

from __future__ import annotations

import errno
import random
from pathlib import Path

import pytest

import pipeline.spool
from contracts.records import Unwatched, UnwatchedRecord
from pipeline.spool import Spool, Watermarks
from pipeline.spoollog import Segment
from store.bus import Mark

SEGMENT = 20_000
SMALL = Watermarks(min_free_bytes=0, segment_bytes=SEGMENT)
STATE_BYTES = 1000
CAMERAS = 4
_noise = random.Random(7)


def body(number: int) -> UnwatchedRecord:
    return UnwatchedRecord(
        unwatched=Unwatched(id=f"u{number}", camera="c", algorithm="*", reason="stalled", start_utc=float(number))
    )


def round_of_checkpoints(spool: Spool, number: int) -> None:
    for camera in range(CAMERAS):
        spool.checkpoint(f"c{camera}", b"%d " % number + _noise.randbytes(STATE_BYTES))


def logs(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.log"))


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in logs(folder))


def numbers(spool: Spool) -> list[str]:
    found: list[str] = []
    position = spool.first
    while entries := spool.read(position):
        found += [entry.raw.split(b'"id":"')[1].split(b'"')[0].decode() for entry in entries]
        position += len(entries)
    return found


def test_checkpoints_alone_leave_no_files_behind(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "w", Watermarks(min_free_bytes=0, segment_bytes=SEGMENT, max_bytes=5 * SEGMENT))
    for number in range(1000):  # 200 segments' worth
        round_of_checkpoints(spool, number)
        assert len(logs(tmp_path)) <= 2
    assert spool.accepting()
    states = spool.last_states()
    spool.close()
    again = Spool(tmp_path, "w", SMALL)
    assert again.last_states() == states
    assert all(state.startswith(b"999 ") for state in states.values())
    again.close()


def test_a_segment_is_never_as_large_as_what_the_spool_may_take(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "w", Watermarks(min_free_bytes=0, max_bytes=100_000))
    for number in range(300):
        round_of_checkpoints(spool, number)
        assert spool.accepting()
    spool.close()


def test_while_nothing_is_consumed_only_the_records_take_room(tmp_path: Path) -> None:
    """An hour without Postgres: a record every 40 s, every camera's state every 5 s."""
    spool = Spool(tmp_path, "w", SMALL)
    for number in range(720):
        if number % 8 == 0:
            spool.append(body(number), {"c0": b"%d with a record" % number + bytes(STATE_BYTES)})
        round_of_checkpoints(spool, number)
    assert spool.wait_durable(89, 5)
    assert size(tmp_path) < 2 * SEGMENT + 90 * 300  # two segments in work and the bodies
    expected = [f"u{number}" for number in range(0, 720, 8)]
    assert numbers(spool) == expected
    states = spool.last_states()
    spool.close()
    again = Spool(tmp_path, "w", SMALL)
    assert numbers(again) == expected
    assert again.last_states() == states
    assert size(tmp_path) < SEGMENT + 90 * 300
    again.cut(Mark(again.epoch, 89))
    assert len(logs(tmp_path)) == 1
    again.close()


def test_what_was_consumed_goes_though_the_mark_stands(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "w", SMALL)
    spool.append(body(0), {"c0": b"opened"})
    assert spool.wait_durable(0, 5)
    spool.cut(Mark(1, 0))
    for number in range(50):
        round_of_checkpoints(spool, number)
    assert len(logs(tmp_path)) == 2
    spool.cut(Mark(1, 0))  # as the publisher does while it has nothing else to do
    assert len(logs(tmp_path)) == 1
    spool.close()


def test_the_newest_state_wins_whether_a_record_or_a_checkpoint_said_it(tmp_path: Path) -> None:
    for last_is_record in (True, False):
        folder = tmp_path / str(last_is_record)
        spool = Spool(folder, "w", SMALL)
        for number in range(60):
            round_of_checkpoints(spool, number)
            spool.append(body(number), {"c0": b"record %d" % number})
        if not last_is_record:
            spool.checkpoint("c0", b"checkpoint")
        spool.forget("c1")
        spool.close()
        again = Spool(folder, "w", SMALL)
        assert again.last_states()["c0"] == (b"record 59" if last_is_record else b"checkpoint")
        assert "c1" not in again.last_states()
        again.close()


def test_a_state_that_did_not_change_is_not_written_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "w", SMALL)
    spool.checkpoint("c0", b"same")
    before = size(tmp_path)
    spool.checkpoint("c0", b"same")
    spool.forget("unknown")
    assert size(tmp_path) == before
    spool.close()


def test_killed_between_new_segment_and_clean_up_of_the_old(tmp_path: Path) -> None:
    """Each file that a roll touches appears or goes by itself: any subset of its steps is a good spool."""
    folder = tmp_path / "spool"
    spool = Spool(folder, "w", SMALL)
    spool.append(body(0), {"c0": b"with the record"})
    old = logs(folder)[0]
    while len(logs(folder)) == 1:
        whole = old.read_bytes()
        round_of_checkpoints(spool, 1)
    spool.checkpoint("c0", b"newest")
    spool.close()
    assert old.stat().st_size < 500  # the record alone
    old.write_bytes(whole)  # as it was before its states were dropped
    again = Spool(folder, "w", SMALL)
    assert again.last_states()["c0"] == b"newest"
    assert numbers(again) == ["u0"]
    assert old.stat().st_size < 500
    again.close()


def test_a_disk_without_room_for_a_new_segment_lets_the_old_one_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path, "w", SMALL)

    def full(*_: object) -> Segment:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline.spool, "create_segment", full)
        for number in range(20):
            round_of_checkpoints(spool, number)
        spool.append(body(0), {})
        assert spool.wait_durable(0, 5)
    assert len(logs(tmp_path)) == 1
    round_of_checkpoints(spool, 20)
    assert numbers(spool) == ["u0"]
    states = spool.last_states()
    spool.close()
    again = Spool(tmp_path, "w", SMALL)
    assert again.last_states() == states
    again.close()


def test_a_reader_goes_on_while_its_segment_is_made_smaller(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "w", SMALL)
    for number in range(200):
        spool.append(body(number), {"c0": _noise.randbytes(STATE_BYTES)})
        if number % 20 == 19:
            assert spool.wait_durable(number, 5)
            assert numbers(spool) == [f"u{n}" for n in range(number + 1)]
    spool.close()
