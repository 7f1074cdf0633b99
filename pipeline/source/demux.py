"""Opening a stream with libav, and its packets with a timestamp each.

libav writes addresses into its log and its errors; both stay inside here: the log is off, and what is raised is an
error of ours with the address redacted.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal, NamedTuple

import av
import av.logging
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer

from contracts.errors import SourceDenied, SourceError, SourceUnreachable, StreamCorrupt
from contracts.redact import redact, register_secret
from store.secrets import Credentials, with_credentials

# Packets that follow one without a timestamp, from which its own is worked out: more than x264 and x265 reorder.
_LOOK_AHEAD: Final = 5
# A stream that begins with more packets without a timestamp than this has none at all.
_MAX_UNTIMED: Final = 100
# libav may look at this much of a stream to learn about it, µs. Sizes and parameter sets that come later are
# found by `bitstream`, so that it need not wait for a keyframe.
_ANALYSE_US: Final = 300_000

# libav's own log names addresses with their credentials; what matters of it comes as errors.
av.logging.set_level(None)


class DemuxedPacket(NamedTuple):
    """One packet of a live stream as it came.

    Attributes:
        pts: in the stream's time base.
        keyframe: by libav's parser.
        data: Annex B for H.264 and H.265.
        camera_utc: the camera's UTC of this picture by its RTCP sender reports, s; given about once a second.
    """

    pts: int
    keyframe: bool
    data: bytes
    camera_utc: float | None


class FilePacket(NamedTuple):
    """One packet of a file as it stands there.

    Attributes:
        pts, dts: in the stream's time base; None where the file has none.
        shown: False: it is only there so that others can be decoded.
        keyframe: by libav's parser.
        data: Annex B for H.264 and H.265.
    """

    pts: int | None
    dts: int | None
    shown: bool
    keyframe: bool
    data: bytes


def open_rtsp(
    url: str,
    transport: Literal["tcp", "udp"],
    credentials: Credentials | None,
    *,
    open_timeout: float,
    read_timeout: float,
) -> InputContainer:
    """Connects and starts the stream; only video is asked for.

    Args:
        url: rtsp:// or rtsps:// (always over TCP), without credentials; {user} and {password} in it are filled in.
        transport: of the RTP packets.
        credentials: None where the camera wants none.
        open_timeout, read_timeout: s; reading raises `av.FFmpegError` when no packet comes for that long.

    Raises:
        SourceDenied: the camera refused the credentials.
        SourceUnreachable: no answer, a refusal, or no video behind the address.
    """
    secret_url = url
    if credentials is not None:
        register_secret(credentials.password)
        secret_url = with_credentials(url, credentials)
    options = {
        "rtsp_transport": "tcp" if url.lower().startswith("rtsps:") else transport,
        "allowed_media_types": "video",
        "analyzeduration": str(_ANALYSE_US),
        "fpsprobesize": "0",
        "timeout": str(int(read_timeout * 1e6)),
    }
    failure: SourceError
    try:
        container = av.open(secret_url, options=options, timeout=(open_timeout, read_timeout))
    except (av.HTTPUnauthorizedError, av.HTTPForbiddenError):
        failure = SourceDenied(f"{redact(url)}: the camera refused the credentials", "check them in the secrets")
    except av.FFmpegError as error:
        failure = SourceUnreachable(f"{redact(url)}: {reason(error)}", "check address, power and network")
    else:
        return _with_video(container, url)
    # Raised out here, so that libav's error, which holds the address with the credentials, is not its context.
    raise failure


def _with_video(container: InputContainer, url: str) -> InputContainer:
    if not container.streams.video:
        container.close()
        raise SourceUnreachable(f"{redact(url)}: no video behind this address", "check the address's path")
    return container


def open_file(path: Path) -> InputContainer:
    """Opens a video file.

    Raises:
        SourceError: it cannot be read, or holds no video.
    """
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"{path.name}: {reason(error)}", "name a readable video file") from None
    if not container.streams.video:
        container.close()
        raise SourceError(f"{path.name}: no video in it", "name a video file")
    return container


def reason(error: Exception) -> str:
    """What went wrong in libav's words, without the address it appends."""
    if isinstance(error, av.ExitError):
        return "timed out"
    return redact(str(getattr(error, "strerror", None) or type(error).__name__))


def packets(container: InputContainer) -> Iterator[DemuxedPacket]:
    """The video packets of a live stream in decoding order until it ends.

    Args:
        container: open, with video.

    Raises:
        av.FFmpegError: reading failed or timed out.
        StreamCorrupt: nothing in it carries a timestamp.
    """
    timed = _timed(container)
    untimed: list[DemuxedPacket] = []
    following: list[DemuxedPacket] = []
    for pts, packet in timed:
        # libav's parser loses the timestamp of the very first picture of an RTSP session.
        if pts is None:
            untimed.append(packet)
            if len(untimed) > _MAX_UNTIMED:
                break
            continue
        if not untimed:
            yield packet
            break
        following.append(packet)
        if len(following) == _LOOK_AHEAD:
            break
    if untimed and not following:
        raise StreamCorrupt("the packets carry no timestamps", "check the camera's stream settings")
    yield from _place(untimed, following)
    last, step = (following[-1].pts, 1) if following else (0, 1)
    for pts, packet in timed:
        if pts is None:
            yield packet._replace(pts=last + step)
            continue
        step = abs(pts - last) or step
        last = pts
        yield packet


def _place(untimed: list[DemuxedPacket], following: list[DemuxedPacket]) -> Iterator[DemuxedPacket]:
    """The untimed packets in front of the earliest of those that follow, one picture's distance apart."""
    times = sorted(packet.pts for packet in following)
    steps = [b - a for a, b in pairwise(times) if b > a]
    step = min(steps, default=1)
    first = min(times, default=0) - step * len(untimed)
    for i, packet in enumerate(untimed):
        yield packet._replace(pts=first + i * step)
    yield from following


def file_packets(container: InputContainer) -> Iterator[FilePacket]:
    """The video packets of a file in decoding order. Raises av.FFmpegError: reading failed."""
    stream = container.streams.video[0]
    for packet in _annex_b(container, stream):
        data = bytes(packet)
        if data:
            yield FilePacket(packet.pts, packet.dts, not packet.is_discard, packet.is_keyframe, data)


def _timed(container: InputContainer) -> Iterator[tuple[int | None, DemuxedPacket]]:
    stream = container.streams.video[0]
    every = round(1 / stream.time_base) if stream.time_base else 1
    next_clock: int | None = None
    for packet in _annex_b(container, stream):
        data = bytes(packet)
        if not data:
            continue
        pts = packet.pts
        camera_utc = None
        if pts is not None and (next_clock is None or not 0 <= next_clock - pts <= every):
            camera_utc = _camera_utc(packet)
            if camera_utc is not None:
                next_clock = pts + every
        yield pts, DemuxedPacket(pts or 0, packet.is_keyframe, data, camera_utc)


def _annex_b(container: InputContainer, stream: av.VideoStream) -> Iterator[av.Packet[av.VideoStream]]:
    """The packets; of H.264 and H.265 as Annex B, whatever the container holds."""
    codec = stream.codec_context.name
    to_annex_b = None
    if codec in ("h264", "hevc") and (stream.codec_context.extradata or b"")[:1] == b"\x01":
        to_annex_b = BitStreamFilterContext(f"{codec}_mp4toannexb", stream)
    for packet in container.demux(stream):
        if to_annex_b is None or not bytes(packet):
            yield packet
        else:
            yield from to_annex_b.filter(packet)


def _camera_utc(packet: av.Packet[av.VideoStream]) -> float | None:
    """UTC of the picture by RTCP, s. libav gives it as a producer reference time: µs since 1970, little-endian."""
    if not packet.has_sidedata("prft"):
        return None
    return int.from_bytes(bytes(packet.get_sidedata("prft"))[:8], "little", signed=True) / 1e6
