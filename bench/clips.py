"""Real footage as cameras send it: re-encoded once for measurements, kept in the zoo's cache."""

from __future__ import annotations

from pathlib import Path

from models.zoo import Zoo
from simulator.rtsp.clips import Encoding, encode_clip

H264_720P = Encoding((1280, 720), 25.0, 50, "h264", 2_000_000, preset="veryfast")
H265_1080P = Encoding((1920, 1080), 25.0, 250, "hevc", 4_000_000)


def encoded(zoo: Zoo, name: str, encoding: Encoding, start: float = 0.0, loops: int = 1) -> Path:
    """A clip of the zoo encoded like that, from `start` s on, `loops` times over; made once."""
    width, height = encoding.size
    folder = zoo.cache / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}-{encoding.codec}-{width}x{height}-gop{encoding.gop}-{start:g}-{loops}.mp4"
    return target if target.exists() else encode_clip(zoo.fetch(name)[0], target, encoding, start=start, loops=loops)
