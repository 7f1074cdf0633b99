"""One camera inside a worker: its source and ring, its chain, and what became of its looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from contracts.live import CameraState, CameraStatus
from contracts.pool import Camera
from contracts.records import Unwatched
from contracts.vision import Look, Tracks
from pipeline.chain import CameraChain
from pipeline.coverage import Coverage, Reason, looked, missed
from pipeline.eventbook import Clock
from pipeline.gate import Gate
from pipeline.lookgate import LookGate
from pipeline.plan import LookAt, Planner
from pipeline.source.ring import Gop
from pipeline.source.source import CameraSource

# While somebody watches the camera live it is looked at this often, s: each live picture has its own boxes.
LIVE_EVERY = 0.25


@dataclass(slots=True)
class LookCounts:
    """Looks of one camera since its worker started."""

    done: int = 0
    superseded: int = 0
    shed: int = 0
    gated: int = 0
    corrupt: int = 0


class WatchedCamera:
    """Belongs to the compute thread; only `source` has a thread of its own.

    Args:
        chain: rules and book of this camera.
        source: not yet started.
        now_utc: s since 1970 UTC.
        gate: let the gate skip looks at pictures that do not change.
    """

    def __init__(self, chain: CameraChain, source: CameraSource, now_utc: float, *, gate: bool) -> None:
        self.chain = chain
        self.source = source
        self._gated = gate
        self.gate = self._make_gate()
        self.counts = LookCounts()
        self.last_tracks = Tracks.empty()
        self.last_utc: float | None = None
        self._coverage = Coverage(now_utc)
        self._planner = Planner()

    @property
    def camera(self) -> Camera:
        return self.chain.camera

    def reconfigure(self, camera: Camera) -> None:
        """The camera's entry was edited, its stream was not. Raises ConfigError, changing nothing."""
        self.chain.reconfigure(camera)
        self.gate = self._make_gate()

    def _make_gate(self) -> LookGate | None:
        return LookGate(Gate(patience=self.chain.patience, zones=self.chain.zones)) if self._gated else None

    def due(self, live: bool) -> tuple[LookAt, Gop] | None:
        """The look that is due now and the GOP it is in; None while nothing is."""
        every = self.chain.look_every
        if live:
            every = min(every or LIVE_EVERY, LIVE_EVERY)
        if every is None:
            return None
        due = self._planner.due(self.source.ring, every)
        if due is not None:
            self._planner.planned(due[0])
        return due

    def seen(self, time: float, utc: float, tracks: Tracks, aspect: float) -> tuple[Look, Unwatched | None]:
        """The look that succeeded, as rules see it; the unwatched interval that it ended, if any."""
        self._coverage, gap, ended = looked(self._coverage, utc)
        self.last_tracks, self.last_utc = tracks, utc
        self.counts.done += 1
        return Look(self.camera.id, time, utc, tracks, aspect, self._preset(), gap), ended

    def calm(self, utc: float) -> Unwatched | None:
        """The gate saw that nothing changed: that is watching too."""
        self._coverage, _, ended = looked(self._coverage, utc)
        self.counts.gated += 1
        return ended

    def unseen(self, now_utc: float, reason: Reason | None = None) -> Unwatched | None:
        """Nothing was looked at; the unwatched interval that this began, if any."""
        every = self.chain.look_every
        if every is None:
            return None
        self._coverage, begun = missed(self._coverage, self.camera.id, now_utc, every, reason or self._why())
        return begun

    def _why(self) -> Reason:
        if self.source.state is CameraState.STALLED:
            return "stalled"
        return "error" if self.source.state is CameraState.RUNNING else "offline"

    def clock(self) -> Clock:
        """How well this camera's stream time is tied to UTC just now."""
        reading = self.source.clock()
        return Clock(reading.source, reading.error_ms)

    def _preset(self) -> str | None:
        # Until something moves it under a lease, a PTZ camera stands at its first preset.
        return self.camera.presets[0].id if self.camera.presets else ""

    def status(self) -> CameraStatus:
        """The source's own report, with what became of the looks."""
        return self.source.status().model_copy(
            update={
                "looks": self.counts.done,
                "looks_superseded": self.counts.superseded,
                "looks_shed": self.counts.shed,
                "looks_gated": self.counts.gated,
                "decode_errors": self.counts.corrupt,
                "last_look_utc": self.last_utc,
            }
        )

    def dump(self, tracker: dict[str, object]) -> bytes:
        """Everything this camera goes on from after a restart."""
        state = {
            "chain": self.chain.dump(),
            "tracker": tracker,
            "coverage": [
                self._coverage.last_utc,
                self._coverage.open.model_dump(mode="json") if self._coverage.open else None,
            ],
            "last": self._planner.last,
        }
        return orjson.dumps(state)

    def load(self, state: dict[str, Any]) -> None:
        """Inverse of `dump`, but for the tracker's part. Raises ValueError or KeyError on another shape."""
        self.chain.load(state["chain"])
        last_utc, open_interval = state["coverage"]
        self._coverage = Coverage(
            float(last_utc), Unwatched.model_validate(open_interval) if open_interval is not None else None
        )
