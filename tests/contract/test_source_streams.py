"""What cameras send: every combination, received over real RTSP, checked picture by picture."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import av
import pytest

from contracts.records import ClockSource
from pipeline.source.decode import DecoderPool, to_frame
from pipeline.source.remux import clip_mp4, make_proxy
from pipeline.source.ring import PacketRing
from pipeline.source.source import CameraSource, SourceTimings
from simulator.rtsp import ServedCamera, ServerThread
from simulator.rtsp.clips import Encoding, picture_number
from simulator.rtsp.media import LoopedClip, ParameterSets
from simulator.rtsp.tls import self_signed
from tests.contract.source_scene import QUICK, Scene, eventually, number, rendered

FPS, GOP = 25, 20
CODECS = ("h264", "h264-b", "hevc", "hevc-b")
SETS = ("both", "sdp", "band")
TRANSPORTS = ("tcp", "udp")
MATRIX = [f"{c}/{s}/{t}" for c, s, t in itertools.product(CODECS, SETS, TRANSPORTS)]


def shown(frame: av.VideoFrame) -> int:
    return picture_number(to_frame(frame, 0.0, 0.0).y)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LoopedClip]:
    folder = tmp_path_factory.mktemp("clips")
    size = (320, 192)
    return {
        "h264": rendered(folder, "h264", 4, Encoding(size, FPS, GOP)),
        "h264-b": rendered(folder, "h264-b", 4, Encoding(size, FPS, GOP, b_frames=2)),
        "hevc": rendered(folder, "hevc", 4, Encoding(size, FPS, GOP, "hevc")),
        "hevc-b": rendered(folder, "hevc-b", 4, Encoding(size, FPS, GOP, "hevc", b_frames=2)),
        "long": rendered(folder, "long", 24, Encoding(size, 10, 200, b_frames=0)),
        "short": rendered(folder, "short", 1, Encoding(size, FPS, GOP, b_frames=2)),
        "large": rendered(folder, "large", 4, Encoding((480, 272), FPS, GOP)),
    }


@pytest.fixture(scope="module")
def matrix(clips: dict[str, LoopedClip]) -> Iterator[dict[str, CameraSource]]:
    """Every combination at once, after three seconds of each; half of them with sound."""
    cameras = []
    for i, name in enumerate(MATRIX):
        codec, sets, _ = name.split("/")
        cameras.append(ServedCamera(name, clips[codec], parameter_sets=cast(ParameterSets, sets), audio=i % 2 == 0))
    with ServerThread(cameras) as server:
        scene = Scene(server)
        sources = {name: scene.watch(name, transport=name.split("/")[2]) for name in MATRIX}
        eventually(
            lambda: all(len(s.ring.packets(0, 1e12)) and s.ring.stats().gops >= 4 for s in sources.values()),
            "4 GOPs",
            15,
        )
        scene.close()
        yield sources


@pytest.mark.parametrize("name", MATRIX)
def test_every_keyframe_decodes_to_the_right_picture(name: str, matrix: dict[str, CameraSource]) -> None:
    ring, pool = matrix[name].ring, DecoderPool()
    first = ring.oldest_time
    assert first is not None
    numbers = []
    for i in range(3):
        gop = ring.gop_at(first + i * GOP / FPS + 0.001)
        assert gop is not None
        decoded = pool.keyframe(gop)
        assert not decoded.corrupt
        numbers.append(number(decoded))
    assert numbers[1] - numbers[0] == numbers[2] - numbers[1] == GOP
    assert pool.stats().errors == 0


@pytest.mark.parametrize("name", MATRIX)
def test_stream_time_is_the_pictures_own(name: str, matrix: dict[str, CameraSource]) -> None:
    """Also with B frames, and for the very first picture, whose timestamp libav loses."""
    ring, pool = matrix[name].ring, DecoderPool()
    start, gop = ring.oldest_time, ring.latest_keyframe()
    assert start is not None
    assert gop is not None
    base = number(pool.keyframe(ring.gop_at(start) or gop))
    (segment,) = ring.packets(start, gop.start - 0.001)
    times = sorted(p.time for p in segment.packets)
    assert [round((t - start) * FPS) for t in times] == list(range(len(times)))
    for at in times[: 2 * GOP : 7]:
        within = ring.gop_at(at)
        assert within is not None
        picture = pool.frame_at(within, at + 0.001)
        assert picture.frame.time == pytest.approx(at)
        assert number(picture) == base + round((at - start) * FPS)


@pytest.mark.parametrize("name", MATRIX)
def test_what_is_known_of_the_stream(name: str, matrix: dict[str, CameraSource]) -> None:
    status = matrix[name].status()
    assert (status.codec, status.width, status.height) == (name[:4], 320, 192)
    assert status.fps == pytest.approx(FPS, rel=0.15)
    assert status.gop_s == pytest.approx(GOP / FPS, abs=0.01)
    assert status.clock_source is ClockSource.RTCP
    assert status.clock_error_ms < 150
    assert matrix[name].jumps == 0
    assert status.reconnects == 0
    parameters = matrix[name].parameters
    assert parameters is not None
    assert parameters.generation == 0


@pytest.mark.parametrize("name", [n for n in MATRIX if n.endswith("tcp")])
def test_a_clip_is_the_cameras_own_pictures(name: str, matrix: dict[str, CameraSource]) -> None:
    ring = matrix[name].ring
    start = ring.oldest_time
    assert start is not None
    clip = clip_mp4(ring.packets(start + 0.1, start + 1.5), start + 0.1, start + 1.5)
    assert clip.start == start
    with av.open(io.BytesIO(clip.data), "r") as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.extradata or b"")[:1] == b"\x01", "avcC or hvcC, not Annex B"
        frames = list(container.decode(stream))
    assert [round(f.time * FPS) for f in frames] == list(range(len(frames)))
    numbers = [shown(f) for f in frames]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(frames) >= 1.4 * FPS


def test_a_viewing_copy_shows_the_same_in_h264(matrix: dict[str, CameraSource]) -> None:
    ring = matrix["hevc/both/tcp"].ring
    start = ring.oldest_time
    assert start is not None
    clip = clip_mp4(ring.packets(start, start + 1), start, start + 1)
    with av.open(io.BytesIO(make_proxy(clip.data)), "r") as container:
        assert container.streams.video[0].codec_context.name == "h264"
        numbers = [shown(f) for f in container.decode(video=0)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_decoders_are_shared_between_cameras_of_equal_parameters(matrix: dict[str, CameraSource]) -> None:
    pool = DecoderPool()
    gops = [matrix[n].ring.latest_keyframe() for n in MATRIX if n.startswith("h264/")]
    for gop in gops:
        assert gop is not None
        pool.keyframe(gop)
    assert len(pool._idle) == 1
    assert pool._idle_count == 1


def test_planes_are_the_decoders_own_memory(matrix: dict[str, CameraSource]) -> None:
    gop = matrix["h264/both/tcp"].ring.latest_keyframe()
    assert gop is not None
    frame = DecoderPool().keyframe(gop).frame
    assert (frame.y.shape, frame.u.shape, frame.v.shape) == ((192, 320), (96, 160), (96, 160))
    assert not frame.y.flags.owndata
    assert not frame.full_range
    assert not frame.bt709


def test_without_a_gpu_hardware_decoding_falls_back_with_one_line(
    matrix: dict[str, CameraSource], caplog: pytest.LogCaptureFixture
) -> None:
    from av.codec.hwaccel import HWAccel

    try:
        HWAccel("cuda").create(av.Codec("h264", "r"))
    except (av.FFmpegError, RuntimeError, ValueError):
        pass
    else:
        pytest.skip("this machine has NVDEC")
    pool = DecoderPool(hardware="cuda")
    for name in ("h264/both/tcp", "hevc/both/tcp"):
        gop = matrix[name].ring.latest_keyframe()
        assert gop is not None
        pool.keyframe(gop)
    assert len([r for r in caplog.records if "hardware decoding" in r.message]) == 1


def test_a_gop_of_20_s_is_decoded_on_and_nothing_twice(clips: dict[str, LoopedClip], tmp_path: Path) -> None:
    """Served ten times as fast, out of a ring that must spill it."""
    with ServerThread([ServedCamera("long", clips["long"])]) as server:
        server.faults("long").speed = 10
        scene, pool = Scene(server), DecoderPool()
        source = scene.watch("long", ring=PacketRing(max_bytes=10_000, spill_folder=tmp_path))
        scene.running(source)
        gop = source.ring.latest_keyframe()
        assert gop is not None
        seen = []
        while not gop.closed:
            picture = pool.frame_at(gop, gop.newest)
            seen.append((round((picture.frame.time - gop.start) * 10), number(picture)))
        assert gop.newest - gop.start == pytest.approx(19.9, abs=0.01)
        assert gop.spilled
        picture = pool.frame_at(gop, gop.newest)
        seen.append((round((picture.frame.time - gop.start) * 10), number(picture)))
        assert all(place == picture for place, picture in seen)
        assert seen[-1] == (199, 199)
        assert pool.stats().packets == 200
        again = pool.frame_at(gop, gop.start + 5.0)
        assert number(again) == 50
        scene.close()


def test_the_size_changes_within_a_session(clips: dict[str, LoopedClip]) -> None:
    with ServerThread([ServedCamera("cam", clips["h264"], parameter_sets="sdp")]) as server:
        scene, pool = Scene(server), DecoderPool()
        source = scene.watch("cam")
        scene.running(source)
        before = source.ring.latest_keyframe()
        assert before is not None
        server.faults("cam").switch(clips["large"])
        eventually(lambda: source.status().width == 480, "the new size")
        eventually(lambda: source.ring.stats().gops >= 3, "more GOPs")
        after = source.ring.latest_keyframe()
        assert after is not None
        assert pool.keyframe(before).frame.width == 320
        assert pool.keyframe(after).frame.width == 480
        assert after.parameters.generation == before.parameters.generation + 1
        assert source.status().reconnects == 0
        start, end = before.start, after.newest
        segments = source.ring.packets(start, end)
        assert [s.parameters.width for s in segments] == [320, 480]
        with av.open(io.BytesIO(clip_mp4(segments, after.start - 0.1, end).data), "r") as container:
            assert {f.width for f in container.decode(video=0)} == {480}
        scene.close()


def test_timestamps_jump_and_wrap(clips: dict[str, LoopedClip]) -> None:
    cameras = [
        ServedCamera("jumps", clips["h264"]),
        ServedCamera("wraps", clips["h264-b"], first_timestamp=2**32 - 90_000),
    ]
    with ServerThread(cameras) as server:
        scene = Scene(server)
        jumps, wraps = scene.watch("jumps"), scene.watch("wraps")
        scene.running(jumps, wraps)
        for seconds in (3600.0, -7200.0):
            count = jumps.jumps
            server.faults("jumps").jump(seconds)
            eventually(lambda count=count: jumps.jumps > count, "the jump is noticed")  # type: ignore[misc]
        eventually(lambda: wraps.ring.stats().gops >= 4, "past the wrap")
        eventually(lambda: jumps.ring.stats().gops >= 4, "past the jumps")
        for source in (jumps, wraps):
            times = sorted(p.time for s in source.ring.packets(0, 1e12) for p in s.packets)
            steps = [b - a for a, b in itertools.pairwise(times)]
            assert min(steps) > 0
            assert max(steps) < 0.5
            assert source.status().reconnects == 0
        assert (jumps.jumps, wraps.jumps) == (2, 0)
        scene.close()


def test_utc_without_reports_and_with_a_wrong_camera_clock(clips: dict[str, LoopedClip]) -> None:
    cameras = [
        ServedCamera("silent", clips["h264"], sender_reports=False),
        ServedCamera("wrong", clips["h264"], clock_offset=60.0),
    ]
    with ServerThread(cameras) as server:
        scene = Scene(server)
        silent, wrong = scene.watch("silent"), scene.watch("wrong")
        scene.running(silent, wrong)
        eventually(lambda: wrong.clock().wrong_s, "the wrong clock is noticed")
        assert silent.clock().source is wrong.clock().source is ClockSource.ARRIVAL
        assert wrong.status().clock_wrong_s == pytest.approx(60, abs=0.5)
        assert silent.status().clock_wrong_s == 0
        for source in (silent, wrong):
            gop = source.ring.latest_keyframe()
            assert gop is not None
            assert abs(gop.keyframe.utc - source.status().updated_utc) < 3
        scene.close()


def test_tls(clips: dict[str, LoopedClip], tmp_path: Path) -> None:
    with ServerThread([ServedCamera("cam", clips["h264"])], tls=self_signed(tmp_path)) as server:
        scene = Scene(server)
        source = scene.watch("cam")
        assert server.url("cam").startswith("rtsps://")
        scene.running(source)
        gop = source.ring.latest_keyframe()
        assert gop is not None
        assert number(DecoderPool().keyframe(gop)) % GOP == 0
        scene.close()


def test_sound_is_offered_and_left_alone(clips: dict[str, LoopedClip]) -> None:
    with ServerThread([ServedCamera("cam", clips["h264"], audio=True)]) as server:
        with av.open(server.url("cam"), "r", options={"rtsp_transport": "tcp"}, timeout=(5, 5)) as everything:
            assert [s.type for s in everything.streams] == ["video", "audio"]
            heard = next(f for f in everything.decode(audio=0))
            assert heard.to_ndarray().any()
        scene = Scene(server)
        source = scene.watch("cam")
        scene.running(source)
        assert source.jumps == 0
        scene.close()


def test_a_file_is_a_camera_too(clips: dict[str, LoopedClip]) -> None:
    with ServerThread([]) as server:
        scene = Scene(server)
        source = scene.watch("file", url=clips["short"].path.as_uri(), timings=SourceTimings())
        scene.running(source)
        eventually(lambda: source.ring.stats().gops >= 4, "over the loop's end")
        times = sorted(p.time for s in source.ring.packets(0, 1e12) for p in s.packets)
        assert [round(b - a, 3) for a, b in itertools.pairwise(times)] == [0.04] * (len(times) - 1)
        assert QUICK.rest < 1
        scene.close()


def test_whoever_joins_in_the_middle_of_a_gop_waits_for_its_end(clips: dict[str, LoopedClip]) -> None:
    """Parameter sets in band alone, so that nothing at all is known before the next keyframe."""
    with ServerThread([ServedCamera("long", clips["long"], parameter_sets="band")]) as server:
        first, second = Scene(server), Scene(server)
        server.faults("long").speed = 6
        first.running(first.watch("long"))
        source = second.watch("long")
        second.running(source)
        assert source.ring.stats().dropped > 0, "packets without a keyframe are not kept"
        gop = source.ring.latest_keyframe()
        assert gop is not None
        assert number(DecoderPool().keyframe(gop)) % 200 == 0
        assert (source.status().width, source.status().height) == (320, 192)
        first.close()
        second.close()
