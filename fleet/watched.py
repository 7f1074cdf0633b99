"""One camera inside a worker: its source and ring, its chain, and what became of its looks."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal, cast

import orjson

from contracts.algorithms import HEALTH, CameraHealth
from contracts.live import CameraState, CameraStatus
from contracts.pool import Camera
from contracts.records import Event, Unwatched, UnwatchedReason
from contracts.redact import redact
from contracts.vision import Frame, Look
from fleet.kept import coverage_of, coverage_state
from fleet.secondlooks import SecondLooks
from pipeline.chain import CameraChain
from pipeline.coverage import Coverage, blind_rules, closed, looked, missed
from pipeline.eventbook import Clock
from pipeline.gate import Gate
from pipeline.lookgate import LookGate
from pipeline.pauses import elsewhere
from pipeline.perceive import Perceived, Perception, Picture
from pipeline.plan import LookAt, Planner
from pipeline.scene.traffic import Traffic
from pipeline.senses.memory import SceneMemory
from pipeline.source.ring import Gop
from pipeline.source.source import CameraSource

# While somebody watches the camera live it is looked at this often, s: each live picture has its own boxes.
LIVE_EVERY = 0.25
# Of the interval between looks: stream time passes as fast as ours, so nothing can be due before.
_IDLE_SHARE = 0.8
_RECENT = 0.2  # weight of the newest look in `look_ms`


@dataclass(slots=True)
class CameraLooks:
    """What became of one camera's looks since its worker started, whoever decided it."""

    done: int = 0
    superseded: int = 0
    shed: int = 0
    gated: int = 0
    corrupt: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why looks of a camera are lost although its source runs; over with the next look that succeeds."""

    reason: Literal["shed", "error"]
    text: str


class WatchedCamera:
    """Belongs to the compute thread; only `source` has a thread of its own.

    Args:
        chain: rules and book of this camera.
        perception: what its pictures go through; shared with other cameras.
        source: not yet started.
        now_utc: s since 1970 UTC.
        gate: let the gate skip looks at pictures that do not change.
        memory: what was learnt of the scene before; None: nothing.

    Attributes:
        began_from: the state it joined with; None when it began from nothing.
        memory: what its senses remember of the scene.
        kept: the state that the spool holds, or, before the first, the one it began with.
        trouble: see `Trouble`.
        idle_until: by the worker's clock, s: before it nothing can be due, unless somebody watches live.
        look_ms: what the inferences of one look take, ms, as a moving mean; None before the first.
        second_looks: what it is asked for; while there are any the gate lets every look pass.
    """

    def __init__(
        self,
        chain: CameraChain,
        perception: Perception,
        source: CameraSource,
        now_utc: float,
        *,
        gate: bool,
        memory: SceneMemory | None = None,
    ) -> None:
        self.chain = chain
        self.perception = perception
        self.source = source
        self._gated = gate
        self.gate = self._make_gate()
        self.memory = SceneMemory() if memory is None else memory
        self.counts = CameraLooks()
        self.last_utc: float | None = None
        self.began_from: bytes | None = None
        self.kept = b""
        self.trouble: Trouble | None = None
        self._time = 0.0  # stream time of the newest look, s
        self._coverage = Coverage(now_utc)
        self._began_utc = now_utc
        self._planner = Planner()
        self.idle_until = 0.0
        self.look_ms: float | None = None
        self.second_looks = SecondLooks()

    @property
    def camera(self) -> Camera:
        return self.chain.camera

    @property
    def name(self) -> str:
        """The camera's id."""
        return self.camera.id

    def reconfigure(self, camera: Camera) -> list[Event]:
        """The camera's entry was edited, its stream was not; what that closed. Raises ConfigError, changing nothing."""
        before = self.chain.camera
        events = self.chain.reconfigure(camera, self._time, time.time(), self.clock())
        if camera.zones != before.zones or _view(camera) != _view(before):
            if self.memory.health.elsewhere:
                self.memory.traffic = Traffic()  # where things drive in the old view means nothing in this one
            self.memory.health.accept()
        self.gate = self._make_gate()
        self.idle_until = 0.0
        return events

    def close_orphans(self) -> list[Event]:
        """After `load`: closes what nobody watches any more, because the pool was edited meanwhile."""
        return self.chain.close_orphans(self._time, time.time(), self.clock())

    def withdraw(self) -> list[Event | Unwatched]:
        """The camera is gone for good: everything that is open ends."""
        now_utc = time.time()
        ends: list[Event | Unwatched] = list(self.chain.withdraw(self._time, now_utc, self.clock()))
        return [*ends, *closed(self._coverage, now_utc)]

    def _make_gate(self) -> LookGate | None:
        if not self._gated:
            return None
        return LookGate(Gate(patience=self.chain.patience, zones=self.chain.zones), self.chain.tracer)

    def due(self, live: bool, now: float) -> tuple[LookAt, Gop] | None:
        """The look that is due now and the GOP it is in; None while nothing is."""
        every = self.chain.look_every
        if live:
            every = min(every or LIVE_EVERY, LIVE_EVERY)
        if every is None:
            return None
        due = self._planner.due(self.source.ring, every)
        if due is not None:
            self._planner.planned(due[0])
            self.idle_until = now + every * _IDLE_SHARE
        return due

    def took(self, ms: float) -> None:
        """What the inferences of a look took."""
        self.look_ms = ms if self.look_ms is None else self.look_ms + _RECENT * (ms - self.look_ms)

    def picture(self, frame: Frame) -> Picture:
        """A decoded look as it goes into perception."""
        chain = self.chain
        return Picture(self.camera.id, frame, chain.min_score, chain.asks(frame.time), chain.zones, self.memory)

    def seen(self, frame: Frame, found: Perceived) -> tuple[Look, Unwatched | None]:
        """The look that succeeded, as rules see it; the unwatched interval that it ended, if any."""
        gap, ended = self._covered(frame.utc)
        self._time, self.last_utc = frame.time, frame.utc
        self.counts.done += 1
        preset, senses = self._preset(), found.senses
        return Look(self.camera.id, frame.time, frame.utc, found.tracks, frame.aspect, preset, gap, senses), ended

    def blind(self, look: Look) -> list[Unwatched]:
        """Once the chain has judged a look: intervals of rules that could not, and of those that can again."""
        anew = look.gap > 0  # what was not looked at is told of the whole camera
        reasons: dict[str, tuple[UnwatchedReason, float]] = {
            rule: (cast("UnwatchedReason", ailment), look.utc if anew else look.utc - (look.time - since))
            for rule, (ailment, since) in self.chain.unwatched.items()
        }
        if self.camera.kind == "ptz" and not self._off_preset():
            for rule in elsewhere(self.camera, self.camera.algorithms, look.preset):
                reasons.setdefault(rule, ("off_preset", look.utc))
        self._coverage, told = blind_rules(self._coverage, self.camera.id, look.utc, reasons)
        return told

    def calm(self, utc: float) -> Unwatched | None:
        """The gate saw, or knows by packet sizes, that nothing changed: that is watching too.

        It may also let a camera rest that has long been calm; its heartbeat bounds how long nothing at all is seen.
        """
        self.counts.gated += 1
        return self._covered(utc)[1]

    def _covered(self, utc: float) -> tuple[float, Unwatched | None]:
        """The unwatched seconds before, and the interval that ended with them, if any."""
        trouble, self.trouble = self.trouble, None
        if self._off_preset():
            return 0.0, None
        every = self.chain.look_every
        if every is not None:
            # What nobody could tell while it went on (a full disk, a worker that was held up) is told with its end.
            reason = trouble.reason if trouble is not None else "shed"
            self._coverage, _ = missed(self._coverage, self.camera.id, utc, every, reason)
        self._coverage, gap, ended = looked(self._coverage, utc)
        return gap, ended

    def struggle(self, reason: Literal["shed", "error"], text: str) -> bool:
        """A look was lost; whether that is news.

        Args:
            reason: of the time that is not watched, if none succeeds soon.
            text: for people; may hold secrets.
        """
        trouble = Trouble(reason, redact(text))
        news, self.trouble = trouble != self.trouble, trouble
        return news

    def unseen(self, now_utc: float, reason: UnwatchedReason | None = None) -> list[Event | Unwatched]:
        """Nothing was looked at; the unwatched intervals that this began or ended, and whether the camera is gone."""
        every = self.chain.look_every
        if every is None:
            return []
        said: list[Event | Unwatched] = []
        self._coverage, begun = missed(self._coverage, self.camera.id, now_utc, every, reason or self._why())
        if begun is not None:
            self._coverage, ended = blind_rules(self._coverage, self.camera.id, begun.start_utc, {})
            said = [*ended, begun]
        if self.source.state is CameraState.RUNNING:
            return said
        return [*said, *self._nothing_arrives(now_utc)]

    def _nothing_arrives(self, now_utc: float) -> list[Event]:
        """What the camera's health says to that; the time before this worker watched does not count."""
        known = self.last_utc is not None
        time_now = self._time + now_utc - self.last_utc if self.last_utc is not None else now_utc
        silent = now_utc - (self._coverage.last_utc if known else max(self._began_utc, self._coverage.last_utc))
        return self.chain.unseen(time_now - silent, time_now, now_utc, self.clock())

    def _why(self) -> UnwatchedReason:
        if self.source.state is not CameraState.RUNNING:
            return "stalled" if self.source.state is CameraState.STALLED else "offline"
        if self._off_preset():
            return "off_preset"
        return self.trouble.reason if self.trouble is not None else "error"

    def _off_preset(self) -> bool:
        """It looks elsewhere than at any of its zones."""
        zones = self.chain.zones if self.camera.kind == "ptz" else ()
        return bool(zones) and all(zone.preset != self._preset() for zone in zones)

    def clock(self) -> Clock:
        """How well this camera's stream time is tied to UTC just now."""
        reading = self.source.clock()
        return Clock(reading.source, reading.error_ms)

    def _preset(self) -> str | None:
        # Until something moves it under a lease, a PTZ camera stands at its first preset.
        return self.camera.presets[0].id if self.camera.presets else ""

    def status(self) -> CameraStatus:
        """The source's own report, with what became of the looks."""
        status = self.source.status()
        return status.model_copy(
            update={
                "error": status.error or (self.trouble.text if self.trouble is not None else ""),
                "model": self.perception.detector.name,
                "looks": self.counts.done,
                "looks_superseded": self.counts.superseded,
                "looks_shed": self.counts.shed,
                "looks_gated": self.counts.gated,
                "looks_failed": self.counts.failed,
                "look_ms": None if self.look_ms is None else round(self.look_ms, 2),
                "decode_errors": self.counts.corrupt,
                "last_look_utc": self.last_utc,
            }
        )

    def dump(self, tracker: dict[str, object]) -> bytes:
        """Everything this camera goes on from after a restart."""
        state = {
            "chain": self.chain.dump(),
            "tracker": tracker,
            "coverage": coverage_state(self._coverage),
            "last": self._planner.last or self._time or None,
        }
        return orjson.dumps(state)

    def load(self, state: dict[str, Any]) -> None:
        """Inverse of `dump`, but for the tracker's part.

        The state of a camera that could never be set up holds nothing but its coverage.

        Raises:
            ValueError, KeyError, TypeError: it is of another shape; the camera is of no use any more.
            OSError: evidence that was put aside cannot be reached.
        """
        if "chain" in state:
            self.chain.load(state["chain"])
        self._time = float(state["last"] or self._time)
        self._coverage = coverage_of(state)


def _view(camera: Camera) -> int:
    health = camera.algorithms.get(HEALTH)
    return health.view if isinstance(health, CameraHealth) else 0
