"""Pictures on demand: a keyframe alone, or on from the last keyframe to the moment asked for.

Decoders are pooled: one that is free and was made for the same parameters is used again, whichever camera it
served. One thread each; many cameras, not many threads, fill the cores.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, deque
from typing import Final, NamedTuple

import av
import numpy as np
from av.codec.hwaccel import HWAccel

from contracts.errors import StreamCorrupt
from contracts.vision import ByteArray, Frame
from pipeline.source.bitstream import starts_intra
from pipeline.source.ring import Gop
from pipeline.source.types import StreamPacket, StreamParameters

_log = logging.getLogger(__name__)

_MAX_IDLE: Final = 8
_PLANAR_420: Final = frozenset({"yuv420p", "yuvj420p"})
_FULL_RANGE: Final = 2  # AVCOL_RANGE_JPEG
_BT709: Final = 1  # AVCOL_SPC_BT709
_UNSPECIFIED: Final = 2  # AVCOL_SPC_UNSPECIFIED
# Untagged video is taken as BT.709 from this height on, as players do.
_HD_HEIGHT: Final = 720


class Decoded(NamedTuple):
    """A picture and whether the decoder had to conceal damage in it."""

    frame: Frame
    corrupt: bool


class DecodeStats(NamedTuple):
    """Since the pool was made.

    Attributes:
        pictures, corrupt: given out, and those of them that were damaged.
        errors: packets that could not be decoded.
        packets: given to decoders.
    """

    pictures: int
    corrupt: int
    errors: int
    packets: int


_Key = tuple[str, bytes]


class _Decoder:
    """One libav decoder. Packets carry their index as PTS, so pictures come back with it."""

    def __init__(self, parameters: StreamParameters, hwaccel: HWAccel | None) -> None:
        self.key: _Key = (parameters.codec, parameters.extradata)
        context = av.CodecContext.create(parameters.codec, "r", hwaccel)
        assert isinstance(context, av.VideoCodecContext)
        context.thread_count = 1
        if parameters.extradata:
            context.extradata = parameters.extradata
        self._context = context

    def feed(self, index: int, data: bytes) -> list[av.VideoFrame]:
        packet = av.Packet(data)
        packet.pts = packet.dts = index
        return self._context.decode(packet)

    def drain(self) -> list[av.VideoFrame]:
        """What is still inside; the decoder then starts anew."""
        frames = self._context.decode(None)
        self._context.flush_buffers()
        return frames

    def reset(self) -> None:
        self._context.flush_buffers()


class _Position:
    """A decoder in the middle of a GOP. Packets are numbered from where it began to decode.

    Attributes:
        gop: the one being decoded; `first` is the number of its keyframe.
        next: number of the packet to decode next.
        drained: the decoder was emptied at the GOP's end and knows nothing any more.
        ready: pictures that came out and were not asked for yet.
        last: the newest picture asked for.
    """

    def __init__(self, gop: Gop, decoder: _Decoder) -> None:
        self.gop = gop
        self.decoder = decoder
        self.first = 0
        self.next = 0
        self.drained = False
        self.ready: deque[av.VideoFrame] = deque()
        self.last: av.VideoFrame | None = None
        self._base = 0
        self._packets: list[StreamPacket] = []

    @property
    def end(self) -> int:
        """Number after the last packet known."""
        return self._base + len(self._packets)

    def packet(self, number: int) -> StreamPacket:
        return self._packets[number - self._base]

    def of(self, picture: av.VideoFrame) -> StreamPacket:
        """The packet that a picture came from; one from before the present GOP if it is that old."""
        assert picture.pts is not None
        return self._packets[max(picture.pts - self._base, 0)]

    def load(self) -> list[StreamPacket]:
        """Takes what the GOP has got since; all packets of the GOP."""
        self._packets.extend(self.gop.read(self.end - self.first))
        return self._packets[self.first - self._base :]

    def go_on(self, gop: Gop) -> None:
        """On into the GOP that follows, without starting anew."""
        self.load()
        # One GOP back is enough: no picture of an older one is still inside the decoder.
        del self._packets[: self.first - self._base]
        self._base = self.first
        self.gop, self.first = gop, self.end

    def take(self) -> tuple[int, bytes] | None:
        """The next packet and its number; None when there is none yet. Its bytes are let go."""
        if self.next >= self.end:
            return None
        number, self.next = self.next, self.next + 1
        packet = self.packet(number)
        self._packets[number - self._base] = packet._replace(data=b"")
        return number, packet.data


class DecoderPool:
    """Decodes for every camera of a worker. Thread-safe; two threads may not ask for one camera at once.

    Args:
        hardware: a libav device type such as "cuda" (NVDEC); falls back to software, with one log line, where
            there is no such device. None: software.
        max_positions: cameras whose place in a GOP is kept; the longest unused one is given up beyond it.
    """

    def __init__(self, hardware: str | None = None, max_positions: int = 32) -> None:
        self._hardware = hardware
        self._max_positions = max_positions
        self._lock = threading.Lock()
        self._idle: dict[_Key, list[_Decoder]] = {}
        self._idle_count = 0
        self._positions: OrderedDict[int, _Position] = OrderedDict()
        self._pictures = self._corrupt = self._errors = self._packets = 0

    def keyframe(self, gop: Gop) -> Decoded:
        """The GOP's keyframe.

        With periodic intra refresh there is none: there the GOP before is decoded first.

        Raises:
            StreamCorrupt: no picture comes of it.
        """
        packet = gop.keyframe
        if not starts_intra(gop.parameters.codec, packet.data):
            return self.frame_at(gop, packet.time)
        return self._alone(gop, packet)

    def _alone(self, gop: Gop, packet: StreamPacket) -> Decoded:
        self._count(packets=1)
        decoder = self._take(gop.parameters)
        try:
            frames = decoder.feed(0, packet.data)
            frames += decoder.drain()
        except av.FFmpegError as error:
            self._count(errors=1)
            raise StreamCorrupt(f"the keyframe cannot be decoded ({_reason(error)})") from None
        self._give(decoder)
        if not frames:
            self._count(errors=1)
            raise StreamCorrupt("no picture came of the keyframe")
        return self._deliver(frames[-1], packet)

    def frame_at(self, gop: Gop, time: float) -> Decoded:
        """The newest picture of the GOP shown at or before `time`.

        Goes on from where the camera's last picture was where it can, so that looking often or late in a long GOP
        decodes nothing twice. While the GOP is still growing, a stream with B frames is answered with the newest
        picture that is already decodable.

        Raises:
            StreamCorrupt: no picture comes of it.
        """
        position = self._resume(gop, time)
        try:
            found = self._advance(position, time)
            packet = position.of(found) if found is not None else None
        finally:
            self._keep(position)
        if found is None or packet is None:
            return self._alone(gop, gop.keyframe)
        return self._deliver(found, packet)

    def stats(self) -> DecodeStats:
        with self._lock:
            return DecodeStats(self._pictures, self._corrupt, self._errors, self._packets)

    def forget(self, ring: int) -> None:
        """Gives up the place kept for a ring (its camera has left)."""
        with self._lock:
            position = self._positions.pop(ring, None)
        if position is not None:
            self._release(position)

    def _resume(self, gop: Gop, time: float) -> _Position:
        """The camera's position where it is of use, else a new one."""
        with self._lock:
            position = self._positions.pop(gop.ring, None)
        refreshed = not starts_intra(gop.parameters.codec, gop.keyframe.data)
        if position is not None:
            ahead = position.last is None or position.of(position.last).time <= time
            if position.gop is gop and ahead:
                return position
            if refreshed and position.gop is gop.previous and not position.drained:
                position.go_on(gop)
                return position
            self._release(position)
        previous = gop.previous if refreshed else None
        position = _Position(previous or gop, self._take(gop.parameters))
        if previous is not None:
            position.go_on(gop)
        return position

    def _advance(self, position: _Position, time: float) -> av.VideoFrame | None:
        """Decodes up to `time`; the newest picture at or before it."""
        packets = position.load()
        start = packets[0].time
        # Pictures shown before the keyframe (open GOP) refer to the GOP before: they cannot be had here.
        wanted = [packet.time for packet in packets if start <= packet.time <= time]
        if not wanted:
            return None
        target = max(wanted)
        while position.last is None or position.of(position.last).time < target:
            if not position.ready and not self._decode_more(position):
                break
            while position.ready:
                shown = position.of(position.ready[0]).time
                if shown > target:
                    return position.last
                frame = position.ready.popleft()
                if shown >= start:
                    position.last = frame
        return position.last

    def _decode_more(self, position: _Position) -> bool:
        """Feeds packets until a picture comes out; False when there is nothing left to feed."""
        while not position.ready and (taken := position.take()) is not None:
            self._count(packets=1)
            try:
                position.ready.extend(position.decoder.feed(*taken))
            except av.FFmpegError:
                # One damaged picture: the decoder goes on with the next.
                self._count(errors=1)
        at_end = position.gop.closed and position.next == position.first + len(position.gop)
        if not position.ready and at_end and not position.drained:
            position.drained = True
            try:
                position.ready.extend(position.decoder.drain())
            except av.FFmpegError:
                self._count(errors=1)
        return bool(position.ready)

    def _take(self, parameters: StreamParameters) -> _Decoder:
        key: _Key = (parameters.codec, parameters.extradata)
        with self._lock:
            if idle := self._idle.get(key):
                self._idle_count -= 1
                return idle.pop()
        return self._make(parameters)

    def _make(self, parameters: StreamParameters) -> _Decoder:
        if self._hardware is not None:
            try:
                return _Decoder(parameters, HWAccel(self._hardware, allow_software_fallback=True))
            except (av.FFmpegError, RuntimeError, ValueError, NotImplementedError) as error:
                _log.warning("no hardware decoding by %s (%s): decoding in software", self._hardware, _reason(error))
                self._hardware = None
        return _Decoder(parameters, None)

    def _give(self, decoder: _Decoder) -> None:
        with self._lock:
            if self._idle_count < _MAX_IDLE:
                self._idle.setdefault(decoder.key, []).append(decoder)
                self._idle_count += 1
                return
            # Full: make room by dropping one of another kind, so that the kinds in use stay.
            for key, idle in self._idle.items():
                if key != decoder.key and idle:
                    idle.pop()
                    self._idle.setdefault(decoder.key, []).append(decoder)
                    return

    def _keep(self, position: _Position) -> None:
        with self._lock:
            self._positions[position.gop.ring] = position
            old = self._positions.popitem(last=False)[1] if len(self._positions) > self._max_positions else None
        if old is not None:
            self._release(old)

    def _release(self, position: _Position) -> None:
        position.decoder.reset()
        self._give(position.decoder)

    def _deliver(self, picture: av.VideoFrame, packet: StreamPacket) -> Decoded:
        corrupt = bool(picture.is_corrupt)
        self._count(pictures=1, corrupt=int(corrupt))
        return Decoded(to_frame(picture, packet.time, packet.utc), corrupt)

    def _count(self, pictures: int = 0, corrupt: int = 0, errors: int = 0, packets: int = 0) -> None:
        with self._lock:
            self._packets += packets
            self._pictures += pictures
            self._corrupt += corrupt
            self._errors += errors


def _reason(error: Exception) -> str:
    """What libav said, without the file name PyAV appends."""
    return getattr(error, "strerror", None) or type(error).__name__


def to_frame(picture: av.VideoFrame, time: float, utc: float) -> Frame:
    """A decoded picture as our planes, without copying where it is 4:2:0 already."""
    full_range = picture.color_range == _FULL_RANGE or picture.format.name.startswith("yuvj")
    bt709 = picture.colorspace == _BT709 or (picture.colorspace == _UNSPECIFIED and picture.height >= _HD_HEIGHT)
    if picture.format.name not in _PLANAR_420:
        picture = picture.reformat(format="yuvj420p" if full_range else "yuv420p")
    y, u, v = (_plane(picture, i) for i in range(3))
    return Frame(y, u, v, time, utc, full_range, bt709)


def _plane(picture: av.VideoFrame, number: int) -> ByteArray:
    plane = picture.planes[number]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
    view: ByteArray = rows[: plane.height, : plane.width]
    return view
