"""The whole chain on a file or on pictures, as fast as it goes, without services.

The same ring, planner, gate, decoder, detector, tracker, senses, rules and event book as live, in stream time: the
same file gives the same events each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import RunnerError
from contracts.pool import Camera
from contracts.records import ClockSource, Event
from contracts.vision import Frame, Look
from models.detector import Detector
from pipeline.blindness import Blindness
from pipeline.chain import CameraChain, ModelIdentity
from pipeline.eventbook import Clock
from pipeline.gate import Gate
from pipeline.keeper import EvidenceKeeper
from pipeline.lookgate import LookGate
from pipeline.perceive import Perception, Picture, decode
from pipeline.plan import Planner
from pipeline.senses.engine import Sensing
from pipeline.senses.memory import SceneMemory
from pipeline.source.decode import DecoderPool
from pipeline.source.files import read_file
from pipeline.source.ring import PacketRing
from pipeline.trace import Tracer
from pipeline.track import FleetTracker

_FILE_CLOCK = Clock(ClockSource.FILE, 0.0)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a replay is: stream time of the newest packet, s, and looks done."""

    time: float
    looks: int


class _Sight:
    """One camera behind its gate, detector, tracker, senses and rules: frames in, events out."""

    def __init__(
        self,
        camera: Camera,
        detector: Detector,
        sensing: Sensing,
        evidence: EvidenceKeeper,
        gate: bool,
        tracer: Tracer | None,
        blindness: Blindness | None,
    ) -> None:
        self.chain = CameraChain(camera, ModelIdentity(detector.name, detector.sha256), evidence, tracer)
        self.looks = 0
        self.blindness = blindness or Blindness()
        self._perception = Perception(detector, FleetTracker(), sensing, max_batch=1)
        self._memory = SceneMemory()
        zones, patience = self.chain.zones, self.chain.patience
        self._gate = LookGate(Gate(patience=patience, zones=zones), self.chain.tracer) if gate else None

    def undecoded(self, ring: PacketRing, time: float) -> bool:
        """Whether the look due at `time` is worth decoding."""
        if self._gate is None or self._gate.undecoded(ring, time, self.chain.wants):
            return True
        self._watched(time)
        return False

    def _watched(self, time: float) -> float:
        return self.blindness.watched(time, self.chain.look_every or 0.0)

    def see(self, frame: Frame) -> list[Event]:
        """What the frame, for which `undecoded` was asked, makes the chain say."""
        chain, gate = self.chain, self._gate
        gap = self._watched(frame.time)
        if gate is not None and not gate.decoded(frame, chain.wants):
            return []
        name = chain.camera.id
        picture = Picture(name, frame, chain.min_score, chain.asks(frame.time), chain.zones, self._memory)
        seen = self._perception.perceive([picture])[0]
        if seen.senses.failed:  # live, a rule pauses then; here somebody wants to know what it says
            raise RunnerError("; ".join(f"{name}: {wrong}" for name, wrong in seen.senses.failed))
        preset = chain.camera.presets[0].id if chain.camera.presets else ""
        look = Look(name, frame.time, frame.utc, seen.tracks, frame.aspect, preset, gap, seen.senses)
        events = chain.look(look, frame, _FILE_CLOCK)
        suspected = {rule: (reason, frame.time) for rule, reason in chain.paused.items()}
        self.blindness.judged(frame.time, suspected | chain.unwatched)
        if gate is not None:
            gate.looked(frame, seen.tracks)
        self.looks += 1
        return events


def replay(
    path: Path,
    camera: Camera,
    detector: Detector,
    sensing: Sensing,
    make_evidence: Callable[[PacketRing], EvidenceKeeper],
    *,
    start_utc: float = 0.0,
    gate: bool = True,
    tracer: Tracer | None = None,
    blindness: Blindness | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Iterator[Event]:
    """The events of a file seen as `camera`, in order, as they happen.

    Args:
        path: any file libav reads.
        camera: its zones and algorithms.
        detector: the model in use.
        sensing: what else can be sensed.
        make_evidence: given the ring clips are cut from.
        start_utc: UTC of the first picture, s since 1970.
        gate: let the gate skip looks at pictures that do not change, as live.
        tracer: told what every look saw; its lines are the caller's to take.
        blindness: told what no rule, or not every one, watched.
        on_progress: told of every packet that made a look due.

    Raises:
        SourceError: the file cannot be read. What was seen before it broke has been yielded.
        RunnerError: inference failed.
    """
    ring = PacketRing()
    sight = _Sight(camera, detector, sensing, make_evidence(ring), gate, tracer, blindness)
    decoders, planner = DecoderPool(), Planner()
    every = sight.chain.look_every
    if every is None:
        return
    for packet, parameters in read_file(path, utc=start_utc):
        ring.append(packet, parameters)
        due = planner.due(ring, every)
        if due is None:
            continue
        at, gop = due
        planner.planned(at)
        if sight.undecoded(ring, at.time):
            frame = decode(decoders, gop, at)
            if frame is None:
                sight.blindness.lost()
            else:
                yield from sight.see(frame)
        if on_progress is not None:
            on_progress(Progress(packet.time, sight.looks))


def replay_frames(
    frames: Iterable[Frame],
    camera: Camera,
    detector: Detector,
    sensing: Sensing,
    evidence: EvidenceKeeper,
    *,
    gate: bool = True,
    blindness: Blindness | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Iterator[Event]:
    """The events of pictures that come without encoding, each of them a look that is due.

    Args:
        frames: in order, at the distance the rules look (`CameraChain.look_every`).
        camera, detector, sensing, gate, blindness, on_progress: as for `replay`.
        evidence: keeps pictures; there are no packets to cut clips from.

    Raises:
        RunnerError: inference failed.
    """
    ring = PacketRing()
    sight = _Sight(camera, detector, sensing, evidence, gate, None, blindness)
    for frame in frames:
        if sight.undecoded(ring, frame.time):
            yield from sight.see(frame)
        if on_progress is not None:
            on_progress(Progress(frame.time, sight.looks))
