"""The newest GOPs of one camera as compressed packets: packets before pixels.

One thread appends (the source's), any thread reads. Memory is bounded: whole GOPs are dropped, oldest first; a GOP
that alone exceeds the bound moves to a temporary file.
"""

from __future__ import annotations

import itertools
import os
import statistics
import tempfile
import threading
import weakref
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, NamedTuple

from pipeline.source.types import StreamPacket, StreamParameters

MAX_BYTES: Final = 8_000_000
MAX_SPILL_BYTES: Final = 256_000_000
_SECONDS_KEPT: Final = 120
_ids = itertools.count()


class SecondSizes(NamedTuple):
    """What arrived in one second of stream time.

    Attributes:
        second: whole seconds of stream time.
        packets, size: all packets, and their bytes.
        deltas, delta_size: those that are not keyframes.
    """

    second: int
    packets: int
    size: int
    deltas: int
    delta_size: int


class Segment(NamedTuple):
    """A run of packets of one parameter generation, beginning with a keyframe."""

    parameters: StreamParameters
    packets: list[StreamPacket]


class Gop:
    """A keyframe and what depends on it. Made and appended to by its ring alone.

    Attributes:
        uid: unique in this process, growing.
        ring: uid of the ring it belongs to.
        closed: nothing will be appended any more.
        newest: the largest stream time in it, s.
    """

    __slots__ = (
        "__weakref__",
        "_file",
        "_lock",
        "_offsets",
        "_packets",
        "_previous",
        "closed",
        "newest",
        "parameters",
        "ring",
        "size",
        "uid",
    )

    def __init__(
        self,
        ring: int,
        parameters: StreamParameters,
        keyframe: StreamPacket,
        lock: threading.Lock,
        previous: Gop | None = None,
    ) -> None:
        self.uid = next(_ids)
        # Weak: a GOP must not keep all those before it in memory.
        self._previous = weakref.ref(previous) if previous is not None else None
        self.ring = ring
        self.parameters = parameters
        self.closed = False
        self.size = keyframe.size
        self.newest = keyframe.time
        self._packets = [keyframe]
        self._lock = lock
        self._file: IO[bytes] | None = None
        self._offsets: list[int] = []

    def __len__(self) -> int:
        return len(self._packets)

    @property
    def keyframe(self) -> StreamPacket:
        """The first packet, with its data."""
        return self.read(0, 1)[0]

    @property
    def start(self) -> float:
        """Stream time of the keyframe, s."""
        return self._packets[0].time

    @property
    def previous(self) -> Gop | None:
        """The GOP before it in an uninterrupted stream, as long as that is kept."""
        return self._previous() if self._previous is not None else None

    @property
    def spilled(self) -> bool:
        return self._file is not None

    def read(self, start: int = 0, stop: int | None = None) -> list[StreamPacket]:
        """Packets `start` to `stop` (all there are now by default), in decoding order, with their data."""
        with self._lock:
            packets = self._packets[start:stop]
            file, offsets = self._file, self._offsets[start:stop]
        if file is None:
            return packets
        return [
            packet._replace(data=os.pread(file.fileno(), packet.size, offset)) if not packet.data else packet
            for packet, offset in itertools.zip_longest(packets, offsets, fillvalue=0)
            if isinstance(packet, StreamPacket)
        ]

    def times(self, start: int = 0) -> list[float]:
        """Stream times of the packets from `start` on, in decoding order."""
        with self._lock:
            return [packet.time for packet in self._packets[start:]]

    def _append(self, packet: StreamPacket) -> None:
        self._packets.append(packet)
        self.size += packet.size
        self.newest = max(self.newest, packet.time)

    def _spill(self, folder: Path | None) -> int:
        """Moves what is in memory to the file; bytes moved."""
        if self._file is None:
            # An unnamed file: it is gone with its last user, whatever happens to this process.
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        moved = 0
        end = os.fstat(self._file.fileno()).st_size
        for i in range(len(self._offsets), len(self._packets)):
            packet = self._packets[i]
            os.pwrite(self._file.fileno(), packet.data, end)
            self._offsets.append(end)
            end += packet.size
            moved += packet.size
            self._packets[i] = packet._replace(data=b"")
        return moved


def _until(packets: list[StreamPacket], end: float) -> list[StreamPacket]:
    """The packets needed to show everything up to `end`, with no picture missing among those they show."""
    last = max((i for i, packet in enumerate(packets) if packet.time <= end), default=-1)
    newest = max((packet.time for packet in packets[: last + 1]), default=0.0)
    # B frames come after the later picture they refer to: where that one is needed, so are they all.
    while 0 <= last < len(packets) - 1 and packets[last + 1].time < newest:
        last += 1
    return packets[: last + 1]


@dataclass(frozen=True, slots=True)
class RingStats:
    """How full a ring is, and what flows into it.

    Attributes:
        bytes, spilled_bytes: in memory, and in the spill file.
        gops, packets: held.
        fps, kbit_s: over the last ten seconds of stream time.
        gop_s: median distance of the last keyframes, s; 0 while unknown.
        dropped: packets that could not be kept: before the first keyframe, or beyond the spill's bound.
    """

    bytes: int
    spilled_bytes: int
    gops: int
    packets: int
    fps: float
    kbit_s: float
    gop_s: float
    dropped: int


class PacketRing:
    """See the module.

    Args:
        max_bytes: in memory.
        spill_folder: where a GOP longer than that goes; None: the system's temporary folder.
        max_spill_bytes: a GOP longer than this is given up; reading goes on at the next keyframe.
    """

    def __init__(
        self,
        max_bytes: int = MAX_BYTES,
        spill_folder: Path | None = None,
        max_spill_bytes: int = MAX_SPILL_BYTES,
    ) -> None:
        self.uid = next(_ids)
        self._max_bytes = max_bytes
        self._max_spill = max_spill_bytes
        self._folder = spill_folder
        self._lock = threading.Lock()
        self._gops: deque[Gop] = deque()
        self._bytes = 0
        self._spilled = 0
        self._dropped = 0
        self._newest = float("-inf")
        self._distances: deque[float] = deque(maxlen=8)
        self._seconds: deque[SecondSizes] = deque(maxlen=_SECONDS_KEPT)
        self._second = [0, 0, 0, 0, 0]
        self._first_second: int | None = None

    def append(self, packet: StreamPacket, parameters: StreamParameters) -> None:
        """Adds the next packet in decoding order; what comes before the first keyframe is dropped and counted.

        Raises:
            OSError: the spill file cannot be written.
        """
        with self._lock:
            self._measure(packet)
            last = self._gops[-1] if self._gops else None
            if packet.keyframe:
                unbroken = last if last is not None and not last.closed else None
                if unbroken is not None:
                    self._distances.append(packet.time - unbroken.start)
                    unbroken.closed = True
                self._gops.append(Gop(self.uid, parameters, packet, self._lock, unbroken))
            elif last is None or last.closed:
                self._dropped += 1
                return
            else:
                last._append(packet)
            self._bytes += packet.size
            self._newest = max(self._newest, packet.time)
            if self._bytes > self._max_bytes:
                self._shrink()

    def cut(self) -> None:
        """The stream was interrupted: packets are not kept again before the next keyframe."""
        with self._lock:
            if self._gops:
                self._gops[-1].closed = True

    def _measure(self, packet: StreamPacket) -> None:
        now = self._second
        second = int(packet.time)
        if self._first_second is None:
            self._first_second = second
        if second > now[0]:
            if now[1]:
                self._seconds.append(SecondSizes(*now))
            now = self._second = [second, 0, 0, 0, 0]
        now[1] += 1
        now[2] += packet.size
        if not packet.keyframe:
            now[3] += 1
            now[4] += packet.size

    def _shrink(self) -> None:
        while self._bytes > self._max_bytes and len(self._gops) > 1:
            self._forget(self._gops.popleft())
        if self._bytes <= self._max_bytes:
            return
        gop = self._gops[-1]
        if gop.size > self._max_spill:
            self._gops.pop()
            self._dropped += len(gop)
            self._forget(gop)
            return
        moved = gop._spill(self._folder)
        self._bytes -= moved
        self._spilled += moved

    def _forget(self, gop: Gop) -> None:
        on_disk = sum(packet.size for packet in gop._packets[: len(gop._offsets)])
        self._spilled -= on_disk
        self._bytes -= gop.size - on_disk

    @property
    def newest_time(self) -> float | None:
        """Stream time of the newest picture kept, s."""
        with self._lock:
            return self._newest if self._gops else None

    @property
    def oldest_time(self) -> float | None:
        """Stream time of the oldest keyframe kept, s."""
        with self._lock:
            return self._gops[0].start if self._gops else None

    def latest_keyframe(self) -> Gop | None:
        """The newest GOP."""
        with self._lock:
            return self._gops[-1] if self._gops else None

    def gop_at(self, time: float) -> Gop | None:
        """The GOP that shows `time`: the newest that starts at or before it; None where that is gone."""
        with self._lock:
            return next((gop for gop in reversed(self._gops) if gop.start <= time), None)

    def packets(self, start: float, end: float) -> list[Segment]:
        """Everything to be shown from `start` to `end`, beginning with the keyframe at or before `start`.

        Where that is gone, it begins with the oldest keyframe there is. One segment per run of equal parameters.
        """
        with self._lock:
            gops = [gop for gop in self._gops if gop.start <= end]
        first = max((i for i, gop in enumerate(gops) if gop.start <= start), default=0)
        segments: list[Segment] = []
        for gop in gops[first:]:
            packets = _until(gop.read(), end)
            if segments and segments[-1].parameters == gop.parameters:
                segments[-1].packets.extend(packets)
            else:
                segments.append(Segment(gop.parameters, packets))
        return segments

    def size_stats(self, since: float = float("-inf")) -> list[SecondSizes]:
        """Packet sizes of each complete second after stream time `since`, oldest first; two minutes are kept."""
        with self._lock:
            return [second for second in self._seconds if second.second > since]

    def stats(self) -> RingStats:
        with self._lock:
            # The first second of all was not received from its beginning.
            recent = [second for second in self._seconds if second.second != self._first_second][-10:]
            span = recent[-1].second - recent[0].second + 1 if recent else 1
            return RingStats(
                bytes=self._bytes,
                spilled_bytes=self._spilled,
                gops=len(self._gops),
                packets=sum(len(gop) for gop in self._gops),
                fps=sum(second.packets for second in recent) / span,
                kbit_s=sum(second.size for second in recent) * 8 / 1000 / span,
                gop_s=statistics.median(self._distances) if self._distances else 0.0,
                dropped=self._dropped,
            )
