"""One camera in front of a rendered stream: its real ring, evidence shelf and chain, and scripted tracks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from contracts.pool import Camera
from contracts.records import ClockSource, Event
from contracts.vision import Frame, Look
from pipeline.chain import CameraChain, ModelIdentity
from pipeline.eventbook import Clock
from pipeline.evidence import BlobKeeper, ClipWindow, ShelfKeeper
from pipeline.source.decode import DecoderPool
from pipeline.source.files import SourcePacket, read_file
from pipeline.source.remux import RingFootage
from pipeline.source.ring import PacketRing
from simulator.rtsp.clips import Encoding, render_pattern
from tests.unit.scenes import Actor, camera, look, parked, rectangle

CLOCK = Clock(ClockSource.FILE, 0.0)
MODEL = ModelIdentity("m", "0" * 64)
UTC = 1_700_000_000.0
SECONDS = 44.0
WINDOW = ClipWindow(before=4.0, after=3.0)
PARKING = {"dwell": 10, "leave_after": 3, "look_every": 0.5, "ignore_queues": False}
CROWDING = {"hold": 5, "linger": 1, "max_people": 1, "look_every": 0.5, "clear_hold": 2}
LEFT = {"id": "left", "name": "left", "kind": "no_parking", "polygon": rectangle(0.2, 0.3, 0.5, 0.7)}
RIGHT = {"id": "right", "name": "right", "kind": "no_parking", "polygon": rectangle(0.6, 0.3, 0.9, 0.7)}
SQUARE = {"id": "square", "name": "square", "kind": "square", "polygon": rectangle(0.0, 0.75, 1.0, 1.0)}
CAR = parked(1, 0.35, 0.55, 5.0, 30.0)  # opened at 15.5 s, its clip at 18.5 s, closed at 32 s


@cache
def stream() -> tuple[SourcePacket, ...]:
    """A clip of small pictures, a keyframe every 2 s."""
    with TemporaryDirectory() as folder:
        path = render_pattern(Path(folder) / "clip.mp4", SECONDS, Encoding((160, 96), 4, gop=8))
        return tuple(read_file(path, utc=UTC))


def watched(*zones: dict[str, Any], **algorithms: dict[str, Any]) -> Camera:
    return camera(*(zones or (LEFT,)), mounting="high", kind="fixed", **(algorithms or {"illegal_parking": PARKING}))


@dataclass
class Scene:
    """What outlives a worker's process (shelf, blobs, actors) and the process itself (ring, chain)."""

    shelf: Path
    blobs: BlobKeeper
    actors: Sequence[Actor] = (CAR,)
    camera: Camera = field(default_factory=watched)
    window: ClipWindow = WINDOW

    def __post_init__(self) -> None:
        self._decoders = DecoderPool()
        self.time = 0.0
        self._arrived = 0
        self.ring = PacketRing()
        self.restart(None, lose_ring=False)

    def restart(self, state: str | None, *, lose_ring: bool) -> None:
        """The process is another one; `lose_ring`: its stream begins anew with the present GOP."""
        if lose_ring:
            self.ring = PacketRing()
            while not stream()[self._arrived].packet.keyframe or stream()[self._arrived].packet.time > self.time:
                self._arrived -= 1
        self.keeper = ShelfKeeper(self.shelf, self.blobs, RingFootage(self.ring), self.window)
        self.chain = CameraChain(self.camera, MODEL, self.keeper)
        if state is not None:
            self.chain.load(json.loads(state))

    def state(self) -> str:
        return json.dumps(self.chain.dump())

    def see(self, time: float) -> tuple[Look, Frame]:
        """What the camera sends up to `time`, and the look then."""
        packets = stream()
        while self._arrived < len(packets) and packets[self._arrived].packet.time <= time:
            self.ring.append(*packets[self._arrived])
            self._arrived += 1
        gop = self.ring.gop_at(time)
        assert gop is not None
        self.time = time
        return look(self.actors, time), self._decoders.frame_at(gop, time).frame

    def until(self, end: float) -> list[Event]:
        """Looks every half second from the last one to `end`."""
        events: list[Event] = []
        while self.time + 0.5 <= end:
            seen, frame = self.see(self.time + 0.5)
            events += self.chain.look(seen, frame, CLOCK)
        return events

    def shelved(self) -> set[str]:
        """Kinds of files on the shelf."""
        return {path.name.split(".", 1)[1] for path in self.shelf.iterdir()} if self.shelf.is_dir() else set()


def said(events: Iterable[Event]) -> list[tuple[int, str]]:
    return [(event.seq, event.transition.value) for event in events]


def roles(event: Event) -> list[str]:
    return [ref.role for ref in event.evidence]
