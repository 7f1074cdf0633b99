"""Clips as access units, packetised once and looped by whoever serves them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import av
from av.bitstream import BitStreamFilterContext

from contracts.errors import SourceError
from simulator.rtsp.packetise import Codec, Payload, is_parameter_set, packetise, split_annex_b

CLOCK_RATE = 90_000

ParameterSets = Literal["both", "sdp", "band"]


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One coded picture.

    Attributes:
        pts: s from the clip's start, when it was taken; >= 0.
        dts: when it is sent, in decoding order; >= pts, because no camera sends a picture before it is taken.
        keyframe: can be decoded alone.
        payloads: without parameter sets.
        payloads_in_band: the same with the parameter sets in front where it is a keyframe.
    """

    pts: float
    dts: float
    keyframe: bool
    payloads: tuple[Payload, ...]
    payloads_in_band: tuple[Payload, ...]


@dataclass(frozen=True, slots=True)
class LoopedClip:
    """A clip ready to be served again and again.

    Attributes:
        duration: s of one loop: the next loop's first picture follows the last one's by the usual distance.
    """

    path: Path
    codec: Codec
    width: int
    height: int
    fps: float
    duration: float
    parameter_sets: tuple[bytes, ...]
    units: tuple[AccessUnit, ...]

    def loop_of(self, seconds: float) -> int:
        """Which loop (0, 1, …) is playing `seconds` after the camera's first picture."""
        return int(seconds // self.duration)

    def sdp_format(self, parameter_sets: ParameterSets) -> str:
        """The `a=rtpmap` and `a=fmtp` lines of payload type 96."""
        name = "H264" if self.codec == "h264" else "H265"
        lines = [f"a=rtpmap:96 {name}/{CLOCK_RATE}"]
        sets = [base64.b64encode(unit).decode() for unit in self.parameter_sets]
        if self.codec == "h264":
            parts = ["packetization-mode=1"]
            if parameter_sets != "band":
                parts.append(f"profile-level-id={self.parameter_sets[0][1:4].hex().upper()}")
                parts.append(f"sprop-parameter-sets={','.join(sets)}")
            lines.append(f"a=fmtp:96 {';'.join(parts)}")
        elif parameter_sets != "band":
            by_kind = {32: "sprop-vps", 33: "sprop-sps", 34: "sprop-pps"}
            parts = [
                f"{by_kind[unit[0] >> 1 & 0x3F]}={text}" for unit, text in zip(self.parameter_sets, sets, strict=True)
            ]
            lines.append(f"a=fmtp:96 {';'.join(parts)}")
        return "\r\n".join(lines) + "\r\n"


def load_clip(path: Path) -> LoopedClip:
    """Reads and packetises a clip.

    Raises:
        SourceError: no video in it, or neither H.264 nor H.265 (see `clips.servable` for those).
    """
    with av.open(str(path)) as container:
        if not container.streams.video:
            raise SourceError(f"{path.name}: no video stream", "name a video file")
        stream = container.streams.video[0]
        codec = stream.codec_context.name
        if codec not in ("h264", "hevc"):
            raise SourceError(f"{path.name}: {codec} cannot be sent by RTP here", "transcode it with clips.servable")
        pictures = _read_pictures(container, stream, codec)
        width, height = stream.codec_context.width, stream.codec_context.height
    if not pictures:
        raise SourceError(f"{path.name}: no pictures", "name a playable video file")
    return _assemble(path, cast(Codec, codec), width, height, pictures)


@dataclass(frozen=True, slots=True)
class _Picture:
    pts: float
    dts: float
    keyframe: bool
    units: list[bytes]


def _read_pictures(container: av.container.InputContainer, stream: av.VideoStream, codec: str) -> list[_Picture]:
    to_annex_b = BitStreamFilterContext(f"{codec}_mp4toannexb", stream)
    assert stream.time_base is not None
    tick = float(stream.time_base)
    pictures = []
    for packet in container.demux(stream):
        if packet.size == 0 or packet.pts is None:
            continue
        for filtered in to_annex_b.filter(packet):
            pts = filtered.pts if filtered.pts is not None else 0
            dts = filtered.dts if filtered.dts is not None else pts
            pictures.append(_Picture(pts * tick, dts * tick, filtered.is_keyframe, split_annex_b(bytes(filtered))))
    # A loop must begin with something decodable.
    first = next((i for i, p in enumerate(pictures) if p.keyframe), len(pictures))
    return pictures[first:]


def _assemble(path: Path, codec: Codec, width: int, height: int, pictures: Sequence[_Picture]) -> LoopedClip:
    parameter_sets: list[bytes] = []
    for picture in pictures:
        for unit in picture.units:
            if is_parameter_set(codec, unit) and unit not in parameter_sets:
                parameter_sets.append(unit)
    start = min(p.pts for p in pictures)
    delay = max(p.pts - p.dts for p in pictures)
    times = sorted(p.pts for p in pictures)
    step = (times[-1] - times[0]) / max(1, len(times) - 1) or 0.04
    units = tuple(
        AccessUnit(
            pts=p.pts - start,
            dts=p.dts + delay - start,
            keyframe=p.keyframe,
            payloads=tuple(packetise(codec, bare)),
            payloads_in_band=tuple(packetise(codec, [*parameter_sets, *bare] if p.keyframe else bare)),
        )
        for p in pictures
        if (bare := [unit for unit in p.units if not is_parameter_set(codec, unit)])
    )
    duration = times[-1] - start + step
    return LoopedClip(path, codec, width, height, 1 / step, duration, tuple(parameter_sets), units)
