"""Files: as fast as they go for replay, or in real time and looped, as a camera."""

from __future__ import annotations

import time as wall
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import av

from contracts.errors import StreamCorrupt
from pipeline.source import demux
from pipeline.source.bitstream import ParameterTracker
from pipeline.source.filetimes import timed
from pipeline.source.types import StreamPacket, StreamParameters


class SourcePacket(NamedTuple):
    """A packet and the parameters in force for it."""

    packet: StreamPacket
    parameters: StreamParameters


def read_file(path: Path, *, utc: float = 0.0) -> Iterator[SourcePacket]:
    """Every packet of a file in decoding order, as fast as it goes. Stream time begins with 0 (`filetimes`).

    Args:
        path: any file libav reads.
        utc: of the first picture, s since 1970 UTC.

    Raises:
        SourceError: the file cannot be read or holds no video.
        StreamCorrupt: it ends in the middle of something.
    """
    with demux.open_file(path) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        tracker = ParameterTracker(context.name, context.extradata or b"", (context.width, context.height))
        parameters = tracker.current
        try:
            for raw, time in timed(container):
                if raw.keyframe:
                    parameters = tracker.keyframe(raw.data)
                packet = StreamPacket(time, utc + time, raw.keyframe, len(raw.data), raw.data)
                yield SourcePacket(packet, parameters)
        except av.FFmpegError as error:
            raise StreamCorrupt(f"{path.name}: {demux.reason(error)}") from None


def file_duration(path: Path) -> float | None:
    """Length by the container's own word, s; None where it does not say.

    Raises:
        SourceError: the file cannot be read or holds no video.
    """
    with demux.open_file(path) as container:
        return container.duration / av.time_base if container.duration else None


def play_file(path: Path, stopped: Callable[[float], bool], after: float | None = None) -> Iterator[SourcePacket]:
    """The file in real time, over and over, as a camera would send it. Stream time is UTC.

    Args:
        path: any file libav reads.
        stopped: waits up to so many s; True when playing is to end.
        after: stream time must be later than this.

    Raises:
        SourceError, StreamCorrupt: as `read_file`.
    """
    begin = wall.time() if after is None else max(wall.time(), after + 0.001)
    generation, known = -1, b""
    while True:
        newest, count = 0.0, 0
        for packet, parameters in read_file(path):
            if (wait := begin + packet.time - wall.time()) > 0 and stopped(wait):
                return
            if (packet.keyframe and parameters.extradata != known) or generation < 0:
                generation, known = generation + 1, parameters.extradata
            newest, count = max(newest, packet.time), count + 1
            at = begin + packet.time
            looped = StreamParameters(
                generation, parameters.codec, parameters.extradata, parameters.width, parameters.height
            )
            yield SourcePacket(packet._replace(time=at, utc=at), looped)
        # The next loop's first picture follows at the usual distance.
        begin += newest + max(newest / max(count - 1, 1), 0.001)
