"""Stream time over wraps, jumps, gaps and reconnects; UTC by reports and by arrival."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.records import ClockSource
from pipeline.source.clock import JUMP, StreamClock

TICK = 1 / 90_000
T0 = 1_700_000_000.0
FRAME = 3600


def run(clock: StreamClock, pts: list[int], arrivals: list[float]) -> list[float]:
    return [clock.at(p, a).time for p, a in zip(pts, arrivals, strict=True)]


@given(st.sampled_from([32, 33]), st.integers(0, 40), st.integers(1, 2))
def test_wraps_do_not_show(bits: int, before: int, every: int) -> None:
    start = (1 << bits) - before * FRAME
    pts = [(start + i * FRAME * every) % (1 << bits) for i in range(100)]
    clock = StreamClock(TICK)
    times = run(clock, pts, [T0 + i * 0.04 * every for i in range(100)])
    steps = [b - a for a, b in itertools.pairwise(times)]
    assert steps == pytest.approx([0.04 * every] * 99, abs=1e-5)
    assert clock.jumps == 0


def test_wrap_between_b_frames_does_not_show() -> None:
    shown = [0, 3, 1, 2, 6, 4, 5]
    pts = [((1 << 32) - 2 * FRAME + i * FRAME) % (1 << 32) for i in shown]
    clock = StreamClock(TICK)
    times = run(clock, pts, [T0 + i * 0.04 for i in range(len(pts))])
    assert [round((t - times[0]) * 25) for t in times] == shown
    assert clock.jumps == 0


@given(st.lists(st.integers(-(10**9), 10**9), max_size=5))
def test_jumps_never_turn_time_back_nor_tear_it(jumps: list[int]) -> None:
    clock = StreamClock(TICK)
    pts, arrival, newest = 0, T0, clock.at(0, T0).time
    for jump in jumps:
        pts += jump
        for _ in range(10):
            pts += FRAME
            arrival += 0.04
            time = clock.at(pts, arrival).time
            assert newest - 2.0 <= time <= newest + JUMP + 1e-6
            newest = max(newest, time)


def test_a_jump_goes_on_by_the_time_that_passed() -> None:
    clock = StreamClock(TICK)
    first = clock.at(0, T0).time
    assert clock.at(10**8, T0 + 0.5).time == pytest.approx(first + 0.5, abs=1e-4)
    assert clock.jumps == 1


def test_a_gap_that_the_timestamps_confirm_is_no_jump() -> None:
    clock = StreamClock(TICK)
    first = clock.at(0, T0).time
    assert clock.at(60 * 90_000, T0 + 60.4).time == pytest.approx(first + 60.0, abs=1e-4)
    assert clock.jumps == 0


def test_packets_held_up_by_the_network_keep_their_own_time() -> None:
    clock = StreamClock(TICK)
    first = clock.at(0, T0).time
    times = [clock.at(i * FRAME, T0 + 8.0).time for i in range(1, 200)]
    assert times[-1] == pytest.approx(first + 199 * 0.04, abs=1e-4)
    assert clock.jumps == 0


def test_a_reconnect_goes_on_by_arrival() -> None:
    clock = StreamClock(TICK)
    last = run(clock, [0, FRAME], [T0, T0 + 0.04])[-1]
    clock.rebase(TICK)
    assert clock.at(777_777, T0 + 12.04).time == pytest.approx(last + 12.0, abs=1e-4)
    assert clock.jumps == 0


def test_a_restarted_worker_goes_on_after_its_checkpoint() -> None:
    assert StreamClock(TICK, after=T0 + 5).at(0, T0).time > T0 + 5


def test_utc_by_arrival_is_that_of_the_quickest_packet() -> None:
    clock = StreamClock(TICK)
    delays = [0.3, 0.05, 0.4, 0.2, 0.35]
    moments = [clock.at(i * FRAME, T0 + i * 0.04 + delay) for i, delay in enumerate(delays)]
    assert moments[-1].utc == pytest.approx(T0 + 4 * 0.04 + 0.05, abs=1e-4)
    reading = clock.reading()
    assert reading.source is ClockSource.ARRIVAL
    assert reading.error_ms > 100


def test_utc_by_sender_reports_where_the_camera_is_right() -> None:
    clock = StreamClock(TICK)
    moment = clock.at(0, T0, camera_utc=T0 - 0.25)
    assert moment.utc == pytest.approx(T0 - 0.25, abs=1e-4)
    assert clock.reading().source is ClockSource.RTCP
    assert clock.reading().wrong_s == 0


def test_a_wrong_camera_clock_is_reported_and_not_believed() -> None:
    clock = StreamClock(TICK)
    moment = clock.at(0, T0, camera_utc=T0 - 3600)
    assert moment.utc == pytest.approx(T0, abs=1e-4)
    assert clock.reading().source is ClockSource.ARRIVAL
    assert clock.reading().wrong_s == pytest.approx(-3600, abs=0.01)
