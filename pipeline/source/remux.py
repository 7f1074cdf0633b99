"""Clips without re-encoding: the camera's own packets in a fragmented MP4, made in memory."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

import av
from av.bitstream import BitStreamFilterContext
from av.video.frame import VideoFrame

from contracts.errors import StreamCorrupt
from pipeline.source.ring import PacketRing, Segment
from pipeline.source.types import StreamPacket, StreamParameters

Change = Callable[[Iterator[VideoFrame]], Iterator[VideoFrame]]

_TICKS: Final = 90_000
# The header is written with the first fragment (`delay_moov`), when the parameter sets are known, and every GOP
# is a fragment of its own, so that a browser can begin to play before it has everything.
_MP4_FLAGS: Final = "frag_keyframe+delay_moov+default_base_moof"


class Clip(NamedTuple):
    """A remuxed clip.

    Attributes:
        data: the MP4.
        start, end: stream time of its first and last picture, s; `start` is a keyframe's.
        parameters: of its packets.
    """

    data: bytes
    start: float
    end: float
    parameters: StreamParameters


def clip_mp4(segments: Sequence[Segment], start: float, end: float) -> Clip:
    """What `PacketRing.packets(start, end)` gave as a fragmented MP4, not one coded byte changed.

    It begins with the keyframe at or before `start`. A track of an MP4 has one size and codec: where the camera
    changed them on the way, the part that shows most of `start`..`end` is taken.

    Raises:
        StreamCorrupt: nothing to show, or libav refuses the packets.
    """
    best = max(segments, key=lambda segment: _overlap(segment, start, end), default=None)
    if best is None or not best.packets:
        raise StreamCorrupt(f"no packets between {start:.1f} s and {end:.1f} s")
    try:
        data = _mux(best)
    except av.FFmpegError as error:
        raise StreamCorrupt(f"the packets cannot be put into an MP4 ({error.strerror})") from None
    except ValueError:
        raise StreamCorrupt(f"{best.parameters.codec} does not go into an MP4") from None
    times = [packet.time for packet in best.packets]
    return Clip(data, min(times), max(times), best.parameters)


def _overlap(segment: Segment, start: float, end: float) -> float:
    times = [packet.time for packet in segment.packets]
    return min(max(times), end) - max(min(times), start) if times else float("-inf")


def decoding_times(ticks: Sequence[int]) -> list[int]:
    """Decoding timestamps for presentation timestamps given in decoding order: increasing, none after its own
    presentation.

    RTP carries presentation times alone. The n-th picture to be decoded cannot be needed before the n-th to be
    shown, so the sorted times, moved back by the largest reordering, serve.
    """
    in_order = sorted(ticks)
    delay = max((shown - own for shown, own in zip(in_order, ticks, strict=True)), default=0)
    result: list[int] = []
    for shown in in_order:
        result.append(max(shown - delay, result[-1] + 1) if result else shown - delay)
    return result


def _mux(segment: Segment) -> bytes:
    parameters, packets = segment
    base = min(packet.time for packet in packets)
    ticks = [round((packet.time - base) * _TICKS) for packet in packets]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4", options={"movflags": _MP4_FLAGS}) as output:
        stream = output.add_mux_stream(parameters.codec, width=parameters.width, height=parameters.height)
        stream.time_base = Fraction(1, _TICKS)
        for packet, pts, dts in zip(packets, ticks, decoding_times(ticks), strict=True):
            coded = _first(parameters, packet) if packet is packets[0] else av.Packet(packet.data)
            coded.pts, coded.dts = max(pts, dts), dts
            coded.time_base = Fraction(1, _TICKS)
            coded.is_keyframe = packet.keyframe
            coded.stream = stream
            output.mux_one(coded)
    return buffer.getvalue()


def _first(parameters: StreamParameters, packet: StreamPacket) -> av.Packet[Any]:
    """The first packet with the parameter sets as side data, whence the muxer writes its header."""
    if not parameters.annex_b:
        return av.Packet(packet.data)
    # Sets that are only in the SDP are put in front, so that the filter finds them in either case.
    data = packet.data if packet.data.startswith(parameters.extradata) else parameters.extradata + packet.data
    return BitStreamFilterContext("extract_extradata", parameters.codec).filter(av.Packet(data))[0]


def make_proxy(
    mp4: bytes, *, bitrate: int = 1_500_000, max_height: int = 720, change: Change = lambda frames: frames
) -> bytes:
    """A viewing copy in H.264 of a clip that browsers cannot play (H.265). Derived: never the evidence itself.

    Args:
        mp4: the original clip.
        change: what becomes of its pictures on the way, in order; it may hold some back for a while.
        bitrate: bit/s at most.
        max_height: pixels; larger pictures are scaled down.

    Raises:
        StreamCorrupt: no picture can be decoded from it.
    """
    buffer = io.BytesIO()
    try:
        with av.open(io.BytesIO(mp4), "r") as source:
            _transcode(source, buffer, bitrate, max_height, change)
    except av.FFmpegError as error:
        raise StreamCorrupt(f"the clip cannot be decoded ({error.strerror})") from None
    return buffer.getvalue()


def _transcode(
    source: av.container.InputContainer, buffer: io.BytesIO, bitrate: int, max_height: int, change: Change
) -> None:
    context = source.streams.video[0].codec_context
    height = min(max_height, context.height) // 2 * 2
    width = round(context.width * height / context.height) // 2 * 2
    # No B frames and a keyframe every two seconds: quick to make, quick to seek.
    options = {"preset": "veryfast", "bf": "0", "maxrate": str(bitrate), "bufsize": str(bitrate), "crf": "26"}
    with av.open(buffer, "w", format="mp4", options={"movflags": _MP4_FLAGS}) as output:
        stream = output.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = 50
        stream.codec_context.time_base = Fraction(1, _TICKS)
        for frame in change(source.decode(video=0)):
            if frame.pts is None:
                continue
            picture = frame.reformat(width, height, "yuv420p")
            picture.pts, picture.time_base = round(frame.time * _TICKS), Fraction(1, _TICKS)
            picture.pict_type = av.video.frame.PictureType.NONE
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))


class RingFootage:
    """Clips cut from a camera's ring."""

    def __init__(self, ring: PacketRing) -> None:
        self._ring = ring

    def covers(self, time: float) -> bool:
        """The ring still holds, and already holds, what is shown at stream time `time`."""
        oldest, newest = self._ring.oldest_time, self._ring.newest_time
        return oldest is not None and newest is not None and oldest <= time <= newest

    def clip(self, start: float, end: float) -> bytes | None:
        """MP4 of what the ring holds of `start`..`end`; None where nothing is left of it or it is unusable."""
        segments = self._ring.packets(start, end)
        try:
            return clip_mp4(segments, start, end).data
        except StreamCorrupt:
            return None
