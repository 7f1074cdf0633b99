"""One served camera: what it shows, how it behaves, and the pump that sends its pictures in real time."""

from __future__ import annotations

import asyncio
import random
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from simulator.rtsp.faults import Faults
from simulator.rtsp.media import CLOCK_RATE, AccessUnit, LoopedClip, ParameterSets
from simulator.rtsp.packetise import Payload

VIDEO_PAYLOAD_TYPE = 96
# Seconds between 1900 (NTP) and 1970 (Unix).
_NTP_EPOCH = 2_208_988_800
_REPORT_EVERY = 1.0
# A server that was held up for longer than this goes on in real time instead of catching up in a burst.
_MAX_BEHIND = 2.0


@dataclass(frozen=True, slots=True)
class ServedCamera:
    """What to serve as one camera.

    Attributes:
        name: path of its URL; may hold slashes, e.g. "gate-1/sub".
        clip: from `media.load_clip`.
        user, password: Digest authentication when `user` is not empty.
        parameter_sets: where SPS and PPS (and VPS) are sent.
        audio: also offer a G.711 µ-law track.
        sender_reports: RTCP sender reports, every second.
        clock_offset: how wrong the camera's wall clock is in sender reports, s.
        first_timestamp: RTP timestamp of the first picture; near 2**32 it soon wraps.
        timeline: "live": all viewers see the same moment, which goes on while nobody looks, and begins with the
            first viewer; "clip": each viewer sees the clip from its beginning.
    """

    name: str
    clip: LoopedClip
    user: str = ""
    password: str = ""
    parameter_sets: ParameterSets = "both"
    audio: bool = False
    sender_reports: bool = True
    clock_offset: float = 0.0
    first_timestamp: int = 2_863_311_530
    timeline: Literal["live", "clip"] = "live"


class Sink(Protocol):
    """Somebody who gets a camera's RTP packets."""

    def send_video(self, timestamp: int, payloads: Sequence[Payload]) -> None:
        """`timestamp` is 32 bits."""
        ...

    def send_report(self, ntp: int, timestamp: int) -> None:
        """A sender report: 64-bit NTP time and the RTP timestamp of the same moment."""
        ...

    def cut(self) -> None:
        """Ends the connection at once."""
        ...


@dataclass(slots=True)
class Pump:
    """Sends one timeline's pictures to its sinks, when they are due."""

    camera: ServedCamera
    faults: Faults
    sinks: list[Sink] = field(default_factory=list)
    started_utc: float | None = None
    """When the first picture was sent, s since 1970 UTC; later ones follow at their own distances."""
    _clip: LoopedClip = field(init=False)
    _started: float | None = None
    _base: float = 0.0
    _index: int = 0
    _drops: int = 0
    _frozen: int | None = None
    _task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self._clip = self.camera.clip
        self._drops = self.faults.drops

    def add(self, sink: Sink) -> None:
        self.sinks.append(sink)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def remove(self, sink: Sink) -> None:
        if sink in self.sinks:
            self.sinks.remove(sink)
        if not self.sinks and self._task is not None:
            self._task.cancel()
            self._task = None

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _timestamp(self, media: float) -> int:
        return (self.camera.first_timestamp + round((media + self.faults.jumped) * CLOCK_RATE)) & 0xFFFFFFFF

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        if self._started is None:
            self._started, self.started_utc = clock(), time.time()
        else:
            self._skip_to(clock() - self._started)
        due = next_report = clock()
        while True:
            unit = self._clip.units[self._index]
            ahead = due - clock()
            if ahead > 0:
                await asyncio.sleep(ahead)
            elif ahead < -_MAX_BEHIND:
                due -= ahead
            if self.faults.drops != self._drops:
                self._drops = self.faults.drops
                for sink in list(self.sinks):
                    sink.cut()
            if not self.faults.stall:
                if self.camera.sender_reports and clock() >= next_report:
                    next_report = clock() + _REPORT_EVERY
                    self._report(self._base + unit.dts)
                self._send(unit)
            due += self._advance(unit) / self.faults.speed

    def _skip_to(self, media: float) -> None:
        """Moves the position on to `media` seconds after the start, as if somebody had been looking."""
        loops = int(max(0.0, media - self._base) // self._clip.duration)
        self._base += loops * self._clip.duration
        units = self._clip.units
        while self._base + units[self._index].dts < media:
            self._advance(units[self._index])

    def _advance(self, unit: AccessUnit) -> float:
        """On to the next picture; how much later than `unit` it is due, s."""
        if (clip := self.faults.take_switch()) is not None:
            step = 1 / self._clip.fps
            self._base += unit.pts + step
            self._clip, self._index = clip, 0
            return step
        before = self._base + unit.dts
        self._index += 1
        if self._index == len(self._clip.units):
            self._index = 0
            self._base += self._clip.duration
        return max(0.0, self._base + self._clip.units[self._index].dts - before)

    def _send(self, unit: AccessUnit) -> None:
        timestamp = self._timestamp(self._base + unit.pts)
        if self.faults.freeze_clock:
            self._frozen = timestamp if self._frozen is None else self._frozen
            timestamp = self._frozen
        else:
            self._frozen = None
        # A clip that came by a switch was never described in the SDP: its parameter sets must go in band.
        in_band = self.camera.parameter_sets != "sdp" or self._clip is not self.camera.clip
        payloads: Sequence[Payload] = unit.payloads_in_band if in_band else unit.payloads
        if self.faults.corrupt or self.faults.lose:
            payloads = damage(payloads, self.faults, random.random)
        for sink in list(self.sinks):
            sink.send_video(timestamp, payloads)

    def _report(self, media: float) -> None:
        utc = time.time() + self.camera.clock_offset
        ntp = int((utc + _NTP_EPOCH) * 2**32) & (2**64 - 1)
        for sink in list(self.sinks):
            sink.send_report(ntp, self._timestamp(media))


def damage(payloads: Sequence[Payload], faults: Faults, chance: Callable[[], float]) -> list[Payload]:
    """The payloads with some missing and some with inverted bytes, as `faults` says."""
    result = []
    for payload in payloads:
        if chance() < faults.lose:
            continue
        if chance() < faults.corrupt and len(payload.data) > 8:
            at = 4 + int(chance() * (len(payload.data) - 4))
            broken = bytes(b ^ 0xFF for b in payload.data[at : at + 32])
            data = payload.data[:at] + broken + payload.data[at + 32 :]
            result.append(Payload(data, payload.marker))
        else:
            result.append(payload)
    return result


def rtp_packet(payload_type: int, marker: bool, sequence: int, timestamp: int, ssrc: int, payload: bytes) -> bytes:
    """One RTP packet (RFC 3550, version 2, no extension)."""
    return struct.pack("!BBHII", 0x80, marker << 7 | payload_type, sequence, timestamp, ssrc) + payload


def sender_report(ssrc: int, ntp: int, timestamp: int, packets: int, octets: int) -> bytes:
    """One RTCP sender report without report blocks (RFC 3550)."""
    return struct.pack("!BBHIQIII", 0x80, 200, 6, ssrc, ntp, timestamp, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
