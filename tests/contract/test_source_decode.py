"""Pictures on demand from files: open GOPs, intra refresh, long looks, damage, real footage."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import av
import pytest

from contracts.errors import SourceError, StreamCorrupt
from pipeline.source.decode import DecoderPool
from pipeline.source.files import read_file
from pipeline.source.remux import RingFootage, clip_mp4
from pipeline.source.ring import PacketRing
from pipeline.source.types import StreamPacket
from simulator.rtsp.clips import Encoding, VideoCodec, encode_clip, render_pattern, servable
from simulator.rtsp.media import load_clip
from tests.contract.source_scene import number

FPS, GOP = 25, 20
SIZE = (320, 192)


def ring_of(path: Path) -> PacketRing:
    ring = PacketRing(max_bytes=100_000_000)
    for packet, parameters in read_file(path, utc=1000.0):
        ring.append(packet, parameters)
    ring.cut()
    return ring


def looked(ring: PacketRing, pool: DecoderPool, picture: int) -> int:
    gop = ring.gop_at(picture / FPS + 0.001)
    assert gop is not None
    decoded = pool.frame_at(gop, picture / FPS + 0.001)
    assert round(decoded.frame.time * FPS) == number(decoded)
    assert decoded.frame.utc == pytest.approx(1000 + decoded.frame.time)
    return number(decoded)


@pytest.mark.parametrize(("codec", "b_frames"), [("h264", 3), ("hevc", 3)])
def test_open_gops_show_nothing_that_is_not_there(tmp_path: Path, codec: VideoCodec, b_frames: int) -> None:
    extra = "open-gop=1"
    clip = render_pattern(tmp_path / "a.mp4", 4, Encoding(SIZE, FPS, GOP, codec, None, b_frames, "veryfast", extra))
    ring, pool = ring_of(clip), DecoderPool()
    assert ring.stats().gops == 5
    for picture in (7, 12, 22, 25, 41, 62, 96):
        assert looked(ring, pool, picture) == picture
    # What is shown before the second keyframe refers to both GOPs: the newest of the first alone is given.
    assert 15 <= looked(ring, pool, 19) <= 19
    assert (pool.stats().corrupt, pool.stats().errors) == (0, 0)


def test_with_intra_refresh_the_gop_before_is_decoded_first(tmp_path: Path) -> None:
    clip = render_pattern(tmp_path / "a.mp4", 4, Encoding(SIZE, FPS, GOP, preset="veryfast", extra="intra-refresh=1"))
    ring, pool = ring_of(clip), DecoderPool()
    assert ring.stats().gops == 5
    assert [looked(ring, pool, p) for p in range(0, 100, 6)] == list(range(0, 100, 6))
    assert pool.stats().packets <= 100, "nothing twice while looking on"
    fresh = DecoderPool()
    gop = ring.gop_at(61 / FPS)
    assert gop is not None
    decoded = fresh.keyframe(gop)
    assert (number(decoded), decoded.corrupt) == (60, False)
    assert fresh.stats().packets == GOP + 1


@pytest.mark.parametrize("b_frames", [0, 2])
def test_every_picture_can_be_had_and_in_order_none_is_decoded_twice(tmp_path: Path, b_frames: int) -> None:
    clip = render_pattern(tmp_path / "a.mp4", 2, Encoding(SIZE, FPS, 50, b_frames=b_frames))
    ring, pool = ring_of(clip), DecoderPool()
    assert [looked(ring, pool, p) for p in range(50)] == list(range(50))
    assert pool.stats().packets == 50
    assert looked(ring, pool, 10) == 10, "and back again"


def test_a_keyframe_of_nonsense_is_corrupt_and_the_pool_goes_on(tmp_path: Path) -> None:
    clip = render_pattern(tmp_path / "a.mp4", 1, Encoding(SIZE, FPS, GOP))
    ring, pool = PacketRing(), DecoderPool()
    for packet, parameters in read_file(clip):
        data = b"\x00\x00\x00\x01\x65" + b"\xff" * 400 if packet.time == 0 else packet.data
        ring.append(StreamPacket(packet.time, packet.utc, packet.keyframe, len(data), data), parameters)
    bad, good = ring.gop_at(0), ring.latest_keyframe()
    assert bad is not None
    assert good is not None
    try:
        assert pool.keyframe(bad).corrupt
    except StreamCorrupt:
        assert pool.stats().errors == 1
    assert number(pool.keyframe(good)) == GOP


def test_decoder_positions_are_bounded_and_can_be_forgotten(tmp_path: Path) -> None:
    clip = render_pattern(tmp_path / "a.mp4", 1, Encoding(SIZE, FPS, 25))
    rings, pool = [ring_of(clip) for _ in range(5)], DecoderPool(max_positions=3)
    for ring in rings:
        assert looked(ring, pool, 5) == 5
    assert len(pool._positions) == 3
    pool.forget(rings[-1].uid)
    assert len(pool._positions) == 2
    assert looked(rings[-1], pool, 7) == 7


def test_a_file_is_read_the_same_each_time(tmp_path: Path) -> None:
    clip = render_pattern(tmp_path / "a.mp4", 1, Encoding(SIZE, FPS, GOP, b_frames=2))
    digests = {
        hashlib.sha256(repr([(p.time, p.utc, p.keyframe, p.data) for p, _ in read_file(clip)]).encode()).hexdigest()
        for _ in range(2)
    }
    assert len(digests) == 1


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nothing\.mp4"):
        list(read_file(tmp_path / "nothing.mp4"))
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    with pytest.raises(SourceError, match=r"text\.mp4"):
        list(read_file(text))


def test_footage_covers_what_the_ring_holds(tmp_path: Path) -> None:
    ring = ring_of(render_pattern(tmp_path / "a.mp4", 2, Encoding(SIZE, FPS, GOP)))
    footage = RingFootage(ring)
    assert footage.covers(0.5)
    assert not footage.covers(2.5)
    data = footage.clip(0.5, 1.0)
    assert data is not None
    with av.open(io.BytesIO(data), "r") as container:
        assert len(list(container.decode(video=0))) == 26
    assert RingFootage(PacketRing()).clip(0, 1) is None
    with pytest.raises(StreamCorrupt, match="no packets"):
        clip_mp4([], 0, 1)


@pytest.mark.media
@pytest.mark.parametrize("name", ["residential_street.mp4", "motorway.avi", "people-detection.gif"])
def test_real_footage_is_served_and_read(mirror: Path, tmp_path: Path, name: str) -> None:
    path = servable(mirror / "footage" / name, tmp_path)
    assert path.suffix == ".mp4"
    assert servable(mirror / "footage" / name, tmp_path) == path
    clip = load_clip(path)
    assert clip.units[0].keyframe
    assert clip.loop_of(clip.duration * 1.5) == 1
    with av.open(str(mirror / "footage" / name)) as original:
        count = sum(1 for _ in original.decode(video=0))
    assert abs(len(clip.units) - count) <= 2
    gop = ring_of(path).latest_keyframe()
    assert gop is not None
    assert DecoderPool().keyframe(gop).frame.width == clip.width


@pytest.mark.media
def test_real_footage_is_made_into_what_a_camera_sends(mirror: Path, tmp_path: Path) -> None:
    encoding = Encoding((1280, 720), 25, 50, "h264", bitrate=2_000_000)
    path = encode_clip(mirror / "footage" / "car-detection.mp4", tmp_path / "a.mp4", encoding, seconds=4)
    clip = load_clip(path)
    assert (clip.width, clip.height, len(clip.units)) == (1280, 720, 100)
    assert [i for i, unit in enumerate(clip.units) if unit.keyframe] == [0, 50]
    assert path.stat().st_size * 8 / 4 == pytest.approx(2_000_000, rel=0.35)
