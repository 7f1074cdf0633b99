"""What the ring keeps, gives back, spills and counts."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.source.remux import decoding_times
from pipeline.source.ring import PacketRing
from pipeline.source.types import StreamPacket, StreamParameters

PARAMETERS = StreamParameters(0, "h264", b"", 320, 192)


def packet(i: int, gop: int = 10, size: int = 100) -> StreamPacket:
    time = i * 0.1
    return StreamPacket(time, 1000 + time, i % gop == 0, size, bytes([i % 256]) * size)


def filled(count: int, ring: PacketRing, gop: int = 10, size: int = 100) -> PacketRing:
    for i in range(count):
        ring.append(packet(i, gop, size), PARAMETERS)
    return ring


def test_what_comes_before_the_first_keyframe_is_dropped_and_counted() -> None:
    ring = PacketRing()
    for i in range(7, 13):
        ring.append(packet(i), PARAMETERS)
    gop = ring.latest_keyframe()
    assert gop is not None
    assert (gop.start, len(gop), ring.stats().dropped) == (1.0, 3, 3)


def test_nothing_yet() -> None:
    ring = PacketRing()
    assert ring.latest_keyframe() is None
    assert ring.newest_time is None
    assert ring.packets(0, 10) == []
    assert ring.stats().fps == 0


def test_whole_gops_leave_oldest_first() -> None:
    ring = filled(100, PacketRing(max_bytes=3500))
    stats = ring.stats()
    assert stats.bytes <= 3500
    assert (stats.gops, ring.oldest_time) == (3, 7.0)
    assert ring.gop_at(6.9) is None


def test_gop_at_and_packets_begin_with_a_keyframe() -> None:
    ring = filled(50, PacketRing())
    gop = ring.gop_at(2.55)
    assert gop is not None
    assert gop.start == 2.0
    (segment,) = ring.packets(2.5, 3.2)
    assert segment.packets[0].keyframe
    assert [p.time for p in segment.packets] == pytest.approx([2.0 + i * 0.1 for i in range(13)])


def test_segments_end_where_parameters_change() -> None:
    ring = PacketRing()
    other = StreamParameters(1, "h264", b"x", 640, 360)
    for i in range(40):
        ring.append(packet(i), PARAMETERS if i < 20 else other)
    assert [(s.parameters.generation, len(s.packets)) for s in ring.packets(0, 4)] == [(0, 20), (1, 20)]


def test_a_long_gop_spills_and_reads_the_same(tmp_path: Path) -> None:
    ring = filled(200, PacketRing(max_bytes=2000, spill_folder=tmp_path), gop=1000)
    stats = ring.stats()
    gop = ring.latest_keyframe()
    assert gop is not None
    assert gop.spilled
    assert stats.bytes <= 2000
    assert stats.bytes + stats.spilled_bytes == 20_000
    assert gop.read() == [packet(i, 1000) for i in range(200)]
    assert gop.read(150, 152) == [packet(150, 1000), packet(151, 1000)]
    assert list(tmp_path.iterdir()) == [], "the spill file has no name to be left behind"


def test_a_spilled_gop_can_be_read_after_it_left_the_ring(tmp_path: Path) -> None:
    ring = filled(100, PacketRing(max_bytes=2000, spill_folder=tmp_path), gop=100)
    gop = ring.latest_keyframe()
    filled(60, ring, gop=10)
    assert gop is not None
    assert gop.uid not in {g.uid for g in [ring.gop_at(t / 10) for t in range(60)] if g}
    assert len(gop.read()) == 100
    assert ring.stats().spilled_bytes == 0


def test_a_gop_beyond_every_bound_is_given_up(tmp_path: Path) -> None:
    ring = PacketRing(max_bytes=1000, spill_folder=tmp_path, max_spill_bytes=5000)
    filled(100, ring, gop=1000)
    assert ring.latest_keyframe() is None
    stats = ring.stats()
    assert (stats.bytes, stats.spilled_bytes) == (0, 0)
    assert stats.dropped == 100
    filled(3, ring)
    assert ring.latest_keyframe() is not None


def test_after_a_cut_only_a_keyframe_goes_on() -> None:
    ring = filled(15, PacketRing())
    ring.cut()
    ring.append(packet(16), PARAMETERS)
    gop = ring.latest_keyframe()
    assert gop is not None
    assert (len(gop), gop.closed, ring.stats().dropped) == (5, True, 1)


def test_sizes_by_second_and_rates() -> None:
    ring = PacketRing()
    for i in range(55):
        ring.append(packet(i, gop=20, size=1000 if i % 20 == 0 else 100), PARAMETERS)
    seconds = ring.size_stats()
    assert [s.second for s in seconds] == [0, 1, 2, 3, 4]
    assert seconds[0][1:] == (10, 1900, 9, 900)
    assert seconds[1][1:] == (10, 1000, 10, 1000)
    assert [s.second for s in ring.size_stats(since=2)] == [3, 4]
    stats = ring.stats()
    assert stats.fps == 10.0
    assert stats.gop_s == pytest.approx(2.0)


@given(st.lists(st.integers(50, 400), min_size=1, max_size=150), st.integers(1, 30), st.integers(500, 5000))
def test_memory_is_bounded_and_accounted_for(sizes: list[int], gop: int, bound: int) -> None:
    ring = PacketRing(max_bytes=bound)
    for i, size in enumerate(sizes):
        ring.append(packet(i, gop, size), PARAMETERS)
    stats = ring.stats()
    held = sum(p.size for s in ring.packets(0, 1000) for p in s.packets)
    assert stats.bytes <= bound
    assert stats.bytes + stats.spilled_bytes == held


@given(st.lists(st.integers(0, 500), min_size=1, max_size=60))
def test_decoding_times_grow(pts: list[int]) -> None:
    dts = decoding_times(pts)
    assert all(b > a for a, b in itertools.pairwise(dts))
    if len(set(pts)) == len(pts):
        assert all(d <= p for d, p in zip(dts, pts, strict=True))


def test_decoding_times_without_reordering_are_the_presentation_times() -> None:
    assert decoding_times([0, 10, 20]) == [0, 10, 20]
    assert decoding_times([0, 30, 10, 20]) == [-10, 0, 10, 20]
