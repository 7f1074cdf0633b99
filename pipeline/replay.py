"""The whole chain on a file, as fast as it goes, without services.

The same ring, planner, gate, decoder, detector, tracker, rules and event book as live, in stream time: the same file
gives the same events each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from contracts.pool import Camera
from contracts.records import ClockSource, Event
from contracts.vision import Look
from models.detector import Detector
from pipeline.chain import CameraChain, EvidenceKeeper, ModelIdentity
from pipeline.eventbook import Clock
from pipeline.gate import Gate
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

    Raises:
        SourceError: the file cannot be read. What was seen before it broke has been yielded.
        RunnerError: inference failed.
    """
    ring = PacketRing()
    chain = CameraChain(camera, ModelIdentity(detector.name, detector.sha256), make_evidence(ring), tracer)
    perception = Perception(detector, FleetTracker(), sensing, max_batch=1)
    decoders, planner, memory, looks = DecoderPool(), Planner(), SceneMemory(), 0
    look_gate = LookGate(Gate(patience=chain.patience, zones=chain.zones), chain.tracer) if gate else None
    every = chain.look_every
    if every is None:
        return
    for packet, parameters in read_file(path, utc=start_utc):
        ring.append(packet, parameters)
        due = planner.due(ring, every)
        if due is None:
            continue
        at, gop = due
        planner.planned(at)
        if look_gate is not None and not look_gate.undecoded(ring, at.time, chain.wants):
            continue
        frame = decode(decoders, gop, at)
        if frame is None or (look_gate is not None and not look_gate.decoded(frame, chain.wants)):
            continue
        picture = Picture(camera.id, frame, chain.min_score, chain.asks(frame.time), chain.zones, memory)
        seen = perception.perceive([picture])[0]
        preset = camera.presets[0].id if camera.presets else ""
        look = Look(camera.id, frame.time, frame.utc, seen.tracks, frame.aspect, preset, senses=seen.senses)
        yield from chain.look(look, frame, _FILE_CLOCK)
        if look_gate is not None:
            look_gate.looked(frame, seen.tracks)
        looks += 1
        if on_progress is not None:
            on_progress(Progress(packet.time, looks))
