"""Clips to serve: rendered patterns that need no media, and real footage brought to what cameras send."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, cast

import av
import numpy as np
from numpy.typing import NDArray

from contracts.errors import SourceError

_ENCODERS = {"h264": "libx264", "hevc": "libx265"}
VideoCodec = Literal["h264", "hevc"]
# Less than any distance of pictures, s.
_EPSILON = 1e-4


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to encode a clip.

    Attributes:
        size: width, height in pixels, both even.
        fps: pictures a second.
        gop: pictures from keyframe to keyframe.
        codec: "h264" or "hevc".
        bitrate: bit/s; None encodes at constant quality.
        b_frames: consecutive B frames at most.
        preset: of x264 and x265.
        extra: further x264 or x265 parameters, "name=value:name=value".
    """

    size: tuple[int, int]
    fps: float = 25.0
    gop: int = 50
    codec: VideoCodec = "h264"
    bitrate: int | None = None
    b_frames: int = 0
    preset: str = "ultrafast"
    extra: str = ""


def render_pattern(path: Path, seconds: float, encoding: Encoding, seed: int = 0) -> Path:
    """A moving pattern (a gradient, a block that crosses it, the picture's number as bars), encoded to MP4.

    Every picture's number stands in its top rows as 16 black or white cells, most significant first, so that
    a test can tell which picture it decoded (`picture_number`).
    """
    count = round(seconds * encoding.fps)
    _encode(path, _pattern(count, encoding.size, seed), encoding)
    return path


def picture_number(luma: NDArray[np.uint8]) -> int:
    """The number `render_pattern` wrote into a picture, from its luma [H, W]."""
    height, width = luma.shape
    cells = luma[: max(2, height // 8), : width // 16 * 16].reshape(max(2, height // 8), 16, width // 16)
    middle = cells[:, :, width // 64 : -(width // 64) or None]
    bits = middle.mean(axis=(0, 2)) > 128
    return int(sum(1 << (15 - i) for i, bit in enumerate(bits) if bit))


def _pattern(count: int, size: tuple[int, int], seed: int) -> Iterator[av.VideoFrame]:
    width, height = size
    rng = np.random.default_rng(seed)
    background = (np.add.outer(np.arange(height), np.arange(width)) % 160 + 40).astype(np.uint8)
    background = np.clip(background + rng.integers(-6, 7, background.shape), 16, 235).astype(np.uint8)
    chroma = np.full((height // 2, width), 128, np.uint8)
    block = max(8, height // 5)
    for i in range(count):
        luma = background.copy()
        x = int(i * 4 % (width - block))
        luma[height // 2 : height // 2 + block, x : x + block] = 220
        cell = width // 16
        for bit in range(16):
            luma[: height // 8, bit * cell : (bit + 1) * cell] = 235 if i >> (15 - bit) & 1 else 16
        yield av.VideoFrame.from_ndarray(np.concatenate([luma, chroma]), format="yuv420p")


def encode_clip(
    source: Path, target: Path, encoding: Encoding, *, start: float = 0.0, seconds: float | None = None, loops: int = 1
) -> Path:
    """Real footage scaled and re-encoded, nothing else: every picture shown is one of the source's, in order.

    Args:
        source: any file libav reads.
        target: MP4 to write.
        encoding: what to make of it; where `fps` differs, pictures are repeated or left out.
        start: leave out that much of the source's beginning, s.
        seconds: stop after that much more; None takes the rest.
        loops: all of that so many times over.

    Raises:
        SourceError: the source holds no video.
    """
    pictures = (frame for _ in range(loops) for frame in _scaled(source, encoding, start, seconds))
    _encode(target, pictures, encoding)
    return target


def _scaled(source: Path, encoding: Encoding, start: float, seconds: float | None) -> Iterator[av.VideoFrame]:
    with av.open(str(source)) as container:
        if not container.streams.video:
            raise SourceError(f"{source.name}: no video stream", "name a video file")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        first: float | None = None
        written, small = 0, None
        for frame in container.decode(stream):
            if frame.pts is None or frame.time < start:
                continue
            first = frame.time if first is None else first
            at = frame.time - first
            if seconds is not None and at >= seconds:
                break
            # A picture is shown until the next one is due.
            while small is not None and written / encoding.fps < at - _EPSILON:
                yield _copy(small)
                written += 1
            small = frame.reformat(*encoding.size, format="yuv420p")
            end = at + 1 / float(stream.average_rate or encoding.fps)
        while small is not None and written / encoding.fps < min(end, seconds or end) - _EPSILON:
            yield _copy(small)
            written += 1


def encode_pictures(path: Path, pictures: Iterable[NDArray[np.uint8]], encoding: Encoding) -> Path:
    """Rendered pictures, uint8 [H, W, 3] BGR of the encoding's size, as MP4."""
    _encode(path, (av.VideoFrame.from_ndarray(picture, format="bgr24") for picture in pictures), encoding)
    return path


def _copy(picture: av.VideoFrame) -> av.VideoFrame:
    """A frame object may be queued in the encoder, so that a repetition needs one of its own."""
    return av.VideoFrame.from_ndarray(picture.to_ndarray(), format="yuv420p")


def _encode(path: Path, frames: Iterator[av.VideoFrame], encoding: Encoding) -> None:
    rate = Fraction(encoding.fps).limit_denominator(1001)
    options = {"preset": encoding.preset, "g": str(encoding.gop), "bf": str(encoding.b_frames)}
    parameters = f"scenecut=0:keyint={encoding.gop}:min-keyint={encoding.gop}"
    if encoding.codec == "hevc":
        parameters += f":bframes={encoding.b_frames}:open-gop=0:log-level=error:pools=none"
    if encoding.extra:
        parameters += f":{encoding.extra}"
    options["x264-params" if encoding.codec == "h264" else "x265-params"] = parameters
    partial = path.with_suffix(f".{os.getpid()}.part")
    with av.open(str(partial), "w", format="mp4") as output:
        stream = cast(av.VideoStream, output.add_stream(_ENCODERS[encoding.codec], rate=rate, options=options))
        stream.width, stream.height = encoding.size
        stream.pix_fmt = "yuv420p"
        if encoding.bitrate is not None:
            stream.bit_rate = encoding.bitrate
        for i, frame in enumerate(frames):
            frame.pts, frame.time_base = i, 1 / rate
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    partial.replace(path)


def servable(path: Path, cache: Path) -> Path:
    """The file itself where it holds H.264 or H.265, else a transcoded copy out of the cache folder.

    The copy is H.264 at the source's own size and rate (even sizes), keyed by the source's content, and made once.

    Raises:
        SourceError: no video in the file.
    """
    with av.open(str(path)) as container:
        if not container.streams.video:
            raise SourceError(f"{path.name}: no video stream", "name a video file")
        stream = container.streams.video[0]
        if stream.codec_context.name in _ENCODERS:
            return path
        size = (stream.codec_context.width // 2 * 2, stream.codec_context.height // 2 * 2)
        fps = float(stream.average_rate or 25)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:24]
    copy = cache / f"{path.stem}-{digest}.mp4"
    if not copy.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        encode_clip(path, copy, Encoding(size, fps, gop=max(1, round(fps * 2)), preset="veryfast"))
    return copy
