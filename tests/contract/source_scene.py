"""Shared by the source tests: rendered clips, and sources that fill a ring from the real RTSP server."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.live import CameraState
from pipeline.source.decode import Decoded
from pipeline.source.ring import PacketRing
from pipeline.source.source import CameraSource, CredentialsCallback, SourceTimings
from pipeline.source.supervisor import SourceSupervisor
from simulator.rtsp import ServerThread
from simulator.rtsp.clips import Encoding, picture_number, render_pattern
from simulator.rtsp.media import LoopedClip, load_clip

# Impatient, so that tests are quick; the ratios are those of the defaults.
QUICK = SourceTimings(
    open_deadline=4.0, stall_after=0.6, dead_after=1.5, backoff_first=0.1, backoff_most=0.4, rest=0.05
)


def rendered(folder: Path, name: str, seconds: float, encoding: Encoding) -> LoopedClip:
    return load_clip(render_pattern(folder / f"{name}.mp4", seconds, encoding))


def eventually(condition: Callable[[], Any], what: str, within: float = 15.0) -> None:
    """Waits until `condition` holds; fails with `what` when it does not in time."""
    until = time.monotonic() + within
    while not condition():
        assert time.monotonic() < until, f"not within {within:g} s: {what}"
        time.sleep(0.02)


def number(decoded: Decoded) -> int:
    """Which picture of the rendered clip that is."""
    return picture_number(decoded.frame.y)


@dataclass
class Scene:
    """A supervisor and its sources, watching cameras of one server."""

    server: ServerThread
    supervisor: SourceSupervisor = field(default_factory=SourceSupervisor)
    states: list[tuple[str, CameraState, str]] = field(default_factory=list)

    def watch(
        self,
        name: str,
        *,
        credentials: CredentialsCallback | None = None,
        timings: SourceTimings = QUICK,
        ring: PacketRing | None = None,
        transport: str = "tcp",
        url: str | None = None,
    ) -> CameraSource:
        source = CameraSource(
            name,
            url or self.server.url(name),
            ring or PacketRing(),
            self.supervisor.gate,
            transport="udp" if transport == "udp" else "tcp",
            credentials=credentials,
            on_state=lambda *change: self.states.append(change),
            timings=timings,
            worker="w1",
        )
        self.supervisor.add(source)
        return source

    def states_of(self, name: str) -> list[CameraState]:
        return [state for camera, state, _ in self.states if camera == name]

    def running(self, *sources: CameraSource) -> None:
        """Waits until each has a GOP."""
        eventually(lambda: all(s.state is CameraState.RUNNING and s.ring.latest_keyframe() for s in sources), "running")

    def close(self) -> None:
        self.supervisor.close()
