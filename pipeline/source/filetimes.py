"""When each picture of a file is shown: s after its first one, whatever its container says or leaves out.

Live, arrival tells a jump of the timestamps from a silence (see `clock`); a file has no arrival, but what follows can
be read ahead, and its container says of itself whether its timestamps are one timeline.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Final, NamedTuple

import av
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext

from pipeline.source.demux import FilePacket, file_packets

# A step further ahead than this is either a silence or not to be believed, s.
_STEP: Final = 5.0
# Pictures may be shown so much before one that was decoded earlier, s, or before so many of them.
_REORDER: Final = 2.0
_MOST_REORDERED: Final = 4
# A container whose timestamps may begin anew (broadcast, recordings put one after the other) is believed a silence up
# to the first, as players do; any other one up to the second, s.
_ANEW: Final = 10.0
_TS_DISCONT: Final = 0x200  # AVFMT_TS_DISCONT
_DAY: Final = 86_400.0
# How many packets are read ahead, to tell a single wild timestamp from a new timeline.
_AHEAD: Final = 16
# A packet that no picture came of yet waits for so many others.
_WAITING: Final = 64
# Of a raw stream that does not say, as players take it, pictures a second.
_USUAL_FPS: Final = 25.0
# Containers that hold decoding times only: what libav makes of them for reordered pictures is not when they are shown.
_DECODING_TIMES_ONLY: Final = frozenset({"avi"})
_REORDERED: Final = frozenset({"h264", "hevc", "mpeg4"})


class TimedPacket(NamedTuple):
    """A packet in decoding order, and the stream time at which its picture is shown, s."""

    packet: FilePacket
    time: float


def timed(container: InputContainer) -> Iterator[TimedPacket]:
    """Every video packet of an open file with its stream time; 0 is the first picture that is shown.

    Timestamps are kept as they are, silences included, also where the rate varies. Where there are none at all they
    are worked out from the decoder's order and the frame rate. A wild one is put behind its neighbours; where the
    timestamps begin anew the stream goes on a picture's distance later. Pictures that the file says are not to be
    shown (it was cut between keyframes) are there to decode the others: their time is 0, so that a look at the very
    first moment sees the keyframe.

    Raises:
        av.FFmpegError: reading failed.
    """
    stream = container.streams.video[0]
    codec = stream.codec_context
    rate = float(stream.guessed_rate or stream.average_rate or 0)
    distance = 1.0 / (rate if 0.01 <= rate <= 1000 else _USUAL_FPS)
    packets = file_packets(container)
    head = list(islice(packets, _AHEAD))
    every = chain(head, packets)
    if len({packet.pts for packet in head}) == 1 and (len(head) > 1 or head[0].pts is None):
        return (TimedPacket(packet, rank * distance) for packet, rank, _ in _ranked(codec, every))
    tick = float(stream.time_base or 1)
    if container.format.name in _DECODING_TIMES_ONLY and codec.name in _REORDERED:
        return _by_decoding_times(codec, every, tick)
    anew = bool(container.format.flags & _TS_DISCONT)
    return Timeline(tick, distance, _ANEW if anew else _DAY).of(every)


def _by_decoding_times(codec: VideoCodecContext, packets: Iterable[FilePacket], tick: float) -> Iterator[TimedPacket]:
    """The n-th picture that is shown has the n-th decoding time."""
    for packet, rank, decoded in _ranked(codec, packets):
        yield TimedPacket(packet, (decoded[rank] - decoded[0]) * tick)


def _ranked(codec: VideoCodecContext, packets: Iterable[FilePacket]) -> Iterator[tuple[FilePacket, int, list[int]]]:
    """Each packet, the how-manieth its picture is to be shown, and the decoding times so far.

    Only the decoder knows that order; it decodes each picture once more, which such files cost.
    """
    decoder = av.CodecContext.create(codec.name, "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    if codec.extradata:
        decoder.extradata = codec.extradata
    waiting: deque[tuple[int, FilePacket]] = deque()
    ranks: dict[int, int] = {}
    decoded: list[int] = []
    shown = 0

    def settled(most: int) -> Iterator[tuple[FilePacket, int, list[int]]]:
        while waiting and (waiting[0][0] in ranks or len(waiting) > most):
            number, packet = waiting.popleft()
            yield packet, ranks.pop(number, max(0, shown - 1)), decoded

    for number, packet in enumerate(packets):
        waiting.append((number, packet))
        decoded.append(number if packet.dts is None else packet.dts)
        for picture in _decoded(decoder, number, packet.data):
            ranks[picture], shown = shown, shown + 1
        yield from settled(_WAITING)
    for picture in _decoded(decoder, 0, None):
        ranks[picture], shown = shown, shown + 1
    yield from settled(0)


def _decoded(decoder: VideoCodecContext, number: int, data: bytes | None) -> list[int]:
    """Numbers of the packets whose pictures come out next; none of a packet that is damaged."""
    packet = None if data is None else av.Packet(data)
    if packet is not None:
        packet.pts = packet.dts = number
    try:
        return [frame.pts for frame in decoder.decode(packet) if frame.pts is not None]
    except av.FFmpegError:
        return []


class Timeline:
    """From the container's own timestamps.

    Args:
        tick: s per unit of them.
        distance: usual, of two pictures, s.
        longest: silence that is believed, s.
    """

    def __init__(self, tick: float, distance: float, longest: float) -> None:
        self._tick = tick
        self._distance = distance
        self._longest = longest
        self._offset = 0.0
        self._newest = 0.0
        self._recent: deque[float] = deque(maxlen=_AHEAD)

    def of(self, packets: Iterable[FilePacket]) -> Iterator[TimedPacket]:
        """Each packet with its time."""
        coming = iter(packets)
        ahead = deque(islice(coming, _AHEAD))
        self._begin(list(ahead))
        while ahead:
            packet = ahead.popleft()
            ahead.extend(islice(coming, 1))
            time = self._time(packet, ahead)
            yield TimedPacket(packet, time if packet.shown else max(time, 0.0))

    def _begin(self, head: Sequence[FilePacket]) -> None:
        """0 is the first packet's picture; where that is not shown, the earliest one that is."""
        timed = [(number, packet.pts) for number, packet in enumerate(head) if packet.shown and packet.pts is not None]
        if timed and head[0].shown:
            self._offset = timed[0][0] * self._distance - timed[0][1] * self._tick
        elif timed:
            self._offset = -min(pts for _, pts in timed[: _MOST_REORDERED + 1]) * self._tick
        self._newest = -self._distance

    def _time(self, packet: FilePacket, ahead: Iterable[FilePacket]) -> float:
        time = self._next() if packet.pts is None else packet.pts * self._tick + self._offset
        if not packet.shown:
            return time
        if not (-_REORDER <= time - self._newest <= _STEP or self._reordered(time)):
            following = [one.pts * self._tick + self._offset for one in ahead if one.pts is not None]
            time = self._far_ahead(time, following) if time > self._newest else self._far_behind(time, following)
        self._newest = max(self._newest, time)
        self._recent.append(time)
        return time

    def _reordered(self, time: float) -> bool:
        """It is shown before few of those that were decoded before it, and after others."""
        return 0 < sum(one > time for one in self._recent) <= min(_MOST_REORDERED, len(self._recent) - 1)

    def _far_ahead(self, time: float, following: list[float]) -> float:
        """Wild, if most that follow are nearer; else a silence, if it is one to be believed."""
        nearer = sum(self._newest - _REORDER <= one < time - _STEP for one in following)
        if 2 * nearer > max(len(following), 2 * _MOST_REORDERED):
            return self._next()
        return time if time - self._newest <= self._longest else self._anew(time)

    def _far_behind(self, time: float, following: list[float]) -> float:
        """Wild, if most that follow go on; else the timestamps begin anew."""
        going_on = sum(one >= self._newest - _REORDER for one in following)
        return self._next() if 2 * going_on >= len(following) else self._anew(time)

    def _anew(self, time: float) -> float:
        """Its timestamps tell nothing about how long it was since the picture before."""
        self._offset += self._newest + self._distance - time
        return self._next()

    def _next(self) -> float:
        return self._newest + self._distance
