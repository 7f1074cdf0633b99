"""Stream time of files: 0 is the first picture shown, and a moment is the picture a player shows there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
import pytest

from pipeline.source.decode import DecoderPool
from pipeline.source.demux import FilePacket
from pipeline.source.files import read_file
from pipeline.source.filetimes import Timeline
from pipeline.source.ring import PacketRing
from simulator.rtsp.clips import picture_number

SIZE = (192, 96)
COUNT = 60
EVEN = tuple(number * 100 for number in range(COUNT))  # ms
OPTIONS = {
    "libx264": {"g": "20", "preset": "fast", "x264-params": "scenecut=0:force-cfr=1"},
    "libx265": {"x265-params": "log-level=none:keyint=20:scenecut=0:open-gop=0"},
    "mpeg4": {"g": "100"},
}
_TICK = Fraction(1, 1000)
Coded: TypeAlias = "av.Packet[av.VideoStream]"


def pictures(count: int) -> Iterator[av.VideoFrame]:
    """Grey pictures with their number on them as `picture_number` reads it."""
    for number in range(count):
        luma = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
        luma[SIZE[1] // 2 :, number * 2 : number * 2 + 16] = 200
        for cell in range(16):
            luma[:16, cell * 12 : (cell + 1) * 12] = 235 if number >> (15 - cell) & 1 else 16
        yield av.VideoFrame.from_ndarray(luma, format="rgb24")


def written(
    path: Path,
    times: Sequence[int],
    codec: str = "libx264",
    *,
    pix_fmt: str = "yuv420p",
    b_frames: int = 2,
    change: Callable[[int, Coded], None] = lambda _number, _packet: None,
) -> Path:
    """A clip of `len(times)` pictures shown at `times`, ms, at a usual distance of 100 ms.

    `change` may alter each packet (in decoding order) before it is written.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options=OPTIONS.get(codec, {}))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = SIZE
        stream.pix_fmt = pix_fmt
        raw = path.suffix in (".h264", ".hevc")  # their headers tell a rate by the encoder's time base
        stream.codec_context.time_base = Fraction(1, 10) if raw else _TICK
        if codec in ("libx264", "mpeg4"):
            stream.codec_context.max_b_frames = b_frames
        packets: list[Coded] = []
        for time, picture in zip(times, pictures(len(times)), strict=True):
            picture.pts, picture.time_base = (time // 100, Fraction(1, 10)) if raw else (time, _TICK)
            packets += stream.encode(picture)
        for number, packet in enumerate([*packets, *stream.encode(None)]):
            change(number, packet)
            container.mux(packet)
    return path


def shown_at(path: Path, moments: Iterable[float]) -> list[int]:
    """Numbers of the pictures that a look at each of these moments of stream time, s, sees."""
    ring, pool = PacketRing(max_bytes=100_000_000), DecoderPool()
    for packet, parameters in read_file(path):
        ring.append(packet, parameters)
    ring.cut()
    seen: list[int] = []
    for moment in moments:
        gop = ring.gop_at(moment + 0.005)
        assert gop is not None, f"nothing is shown at {moment} s"
        seen.append(picture_number(pool.frame_at(gop, moment + 0.005).frame.y))
    return seen


def length(path: Path) -> float:
    return max(packet.time for packet, _ in read_file(path))


def holds(path: Path, times: Sequence[int]) -> None:
    """Every picture is shown at its time, ms."""
    assert shown_at(path, [time / 1000 for time in times]) == list(range(len(times)))
    assert length(path) == pytest.approx(times[-1] / 1000, abs=0.01)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.mov"])
def test_a_container_that_does_not_start_at_zero_begins_at_stream_time_zero(tmp_path: Path, name: str) -> None:
    holds(written(tmp_path / name, [time + 7300 for time in EVEN]), EVEN)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_varying_rate_is_kept(tmp_path: Path, name: str) -> None:
    times = [*EVEN[:20], *(2000 + 700 * number for number in range(COUNT - 20))]
    holds(written(tmp_path / name, times), times)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_pictures_that_are_far_apart_stay_so(tmp_path: Path, name: str) -> None:
    times = [number * 9000 for number in range(COUNT)]
    holds(written(tmp_path / name, times), times)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_silence_in_the_middle_of_a_file_is_as_long_as_a_player_shows_it(tmp_path: Path, name: str) -> None:
    times = [time + (40_000 if number >= 30 else 0) for number, time in enumerate(EVEN)]
    holds(written(tmp_path / name, times), times)


def test_a_jump_between_recordings_put_one_after_the_other_is_no_time(tmp_path: Path) -> None:
    parts = [written(tmp_path / f"{at}.ts", [time + at for time in EVEN]) for at in (500_000, 0, 90_000_000)]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert shown_at(joined, [0.5, 5.8, 6.5, 11.8, 12.5, 17.8]) == [5, 58, 5, 58, 5, 58]
    assert length(joined) == pytest.approx(17.9, abs=0.25)


def placed(pts: Sequence[int | None], longest: float = 86_400.0) -> list[float]:
    """Where pictures 100 ms apart are put whose file gives them these timestamps, ms."""
    packets = [FilePacket(one, one, True, number == 0, b"x") for number, one in enumerate(pts)]
    return [round(time, 3) for _, time in Timeline(0.001, 0.1, longest).of(packets)]


@pytest.mark.parametrize("wild", [3_000_000, 20_000, -30_000, 1 << 40, None])
def test_single_wild_or_missing_timestamps_are_put_between_their_neighbours(wild: int | None) -> None:
    pts = [wild if number in (25, 26, 44, 59) else time for number, time in enumerate(EVEN)]
    if wild == 20_000:
        pts[59] = EVEN[59]  # of the very last picture nothing tells a silence from a mistake
    assert placed(pts, 1000.0) == [time / 1000 for time in EVEN]


@pytest.mark.parametrize("wild", [40_000, 3_000_000])
def test_a_wild_timestamp_in_a_file_costs_no_other_picture_its_place(tmp_path: Path, wild: int) -> None:
    def change(number: int, packet: Coded) -> None:
        if number in (25, 44):
            packet.pts = (packet.pts or 0) + wild

    clip = written(tmp_path / "a.mkv", EVEN, b_frames=0, change=change)
    holds(clip, EVEN)


def test_missing_timestamps_at_the_beginning_are_counted_back() -> None:
    assert placed([None, None, *(time + 5200 for time in EVEN[:20])]) == [time / 1000 for time in EVEN[:22]]


def test_a_clock_that_begins_anew_goes_on_a_pictures_distance_later() -> None:
    assert placed([*EVEN[:30], *EVEN[:30]]) == [time / 1000 for time in EVEN]
    epoch = 1_700_000_000_000
    assert placed([0, *(epoch + time for time in EVEN[:30])]) == [time / 1000 for time in EVEN[:31]]


@pytest.mark.parametrize(
    ("name", "codec"), [("a.h264", "libx264"), ("a.hevc", "libx265"), ("a.avi", "libx264"), ("a.avi", "mpeg4")]
)
def test_reordered_pictures_of_a_file_without_their_times_are_in_the_order_shown(
    tmp_path: Path, name: str, codec: str
) -> None:
    holds(written(tmp_path / name, EVEN, codec), EVEN)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"), [("a.gif", "gif", "rgb8"), ("a.avi", "mjpeg", "yuvj420p"), ("a.h264", "libx264", "")]
)
def test_other_files_without_reordering(tmp_path: Path, name: str, codec: str, pix_fmt: str) -> None:
    holds(written(tmp_path / name, EVEN, codec, pix_fmt=pix_fmt or "yuv420p", b_frames=0), EVEN)


def test_a_gif_whose_pictures_stay_for_long_is_as_long_as_it_plays(tmp_path: Path) -> None:
    times = [number * 8000 for number in range(COUNT)]
    holds(written(tmp_path / "a.gif", times, "gif", pix_fmt="rgb8"), times)


def test_pictures_before_the_cut_of_an_edit_list_take_no_time(tmp_path: Path) -> None:
    """As `ffmpeg -ss 2.5 -c copy` makes them: it begins with a keyframe that is not to be shown."""

    def cut(_number: int, packet: Coded) -> None:
        packet.pts = (packet.pts or 0) - 500
        packet.dts = (packet.dts or 0) - 500

    clip = written(tmp_path / "a.mp4", EVEN, change=cut)
    assert shown_at(clip, [0.1, 1.0, 3.0, 5.4]) == [6, 15, 35, 59]
    assert min(packet.time for packet, _ in read_file(clip)) == 0.0
