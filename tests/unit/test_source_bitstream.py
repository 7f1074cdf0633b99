"""Parameter sets and sizes read from real encoders' streams and from damaged ones."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import StreamCorrupt
from pipeline.source.bitstream import ParameterTracker, parameter_sets, picture_size
from pipeline.source.files import read_file
from simulator.rtsp.clips import Encoding, VideoCodec, render_pattern

START = b"\x00\x00\x00\x01"


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("size", [(320, 192), (322, 182), (128, 90)])
def test_size_is_read_after_cropping(tmp_path: Path, codec: VideoCodec, size: tuple[int, int]) -> None:
    clip = render_pattern(tmp_path / "clip.mp4", 0.2, Encoding(size, gop=5, codec=codec))
    first = next(iter(read_file(clip)))
    sets = parameter_sets(codec, first.packet.data) or first.parameters.extradata
    assert picture_size(codec, sets) == size
    assert (first.parameters.width, first.parameters.height) == size


def test_sets_are_found_in_front_of_the_slice_only_and_once() -> None:
    sps, pps, idr = b"\x67\x42\x00", b"\x68\xce", b"\x65\x88\x84"
    unit = START + sps + b"\x00\x00\x01" + pps + START + sps + START + idr + START + b"\x67\xff\xff"
    assert parameter_sets("h264", unit) == START + sps.rstrip(b"\x00") + START + pps


def test_a_lone_picture_set_describes_nothing() -> None:
    assert parameter_sets("h264", START + b"\x68\xce" + START + b"\x65\x88") == b""


def test_other_codecs_have_no_sets() -> None:
    assert parameter_sets("mpeg4", START + b"\x67\x42") == b""


@given(st.binary(max_size=200), st.sampled_from(["h264", "hevc"]))
def test_damaged_sets_are_reported_as_corrupt(data: bytes, codec: str) -> None:
    header = b"\x67" if codec == "h264" else b"\x42\x01"
    sets = parameter_sets(codec, START + header + data + START + b"\x02\x01\x02")
    with contextlib.suppress(StreamCorrupt):
        picture_size(codec, sets)


def test_changed_sets_begin_a_generation_and_late_ones_do_not(tmp_path: Path) -> None:
    small = next(iter(read_file(render_pattern(tmp_path / "a.mp4", 0.2, Encoding((160, 96), gop=5))))).parameters
    large = next(iter(read_file(render_pattern(tmp_path / "b.mp4", 0.2, Encoding((320, 192), gop=5))))).parameters
    slice_ = START + b"\x65\x88"
    tracker = ParameterTracker("h264", b"", (0, 0))
    assert tracker.keyframe(small.extradata + slice_).generation == 0
    assert tracker.keyframe(slice_).width == 160
    changed = tracker.keyframe(large.extradata + slice_)
    assert (changed.generation, changed.width, changed.height) == (1, 320, 192)
