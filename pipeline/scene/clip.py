"""The tracks of a clip, gathered as a worker gathers a camera's."""

from __future__ import annotations

from pathlib import Path

from models.detector import Detector
from pipeline.perceive import decode
from pipeline.plan import Planner
from pipeline.scene.traffic import Traffic
from pipeline.source.decode import DecoderPool
from pipeline.source.files import read_file
from pipeline.source.ring import PacketRing
from pipeline.track import FleetTracker, TrackerInput

_MIN_SCORE = 0.35


def gather(path: Path, detector: Detector, every: float) -> Traffic:
    """What drives, stands and walks in a clip.

    Args:
        path: any file libav reads.
        detector: sees vehicles and people.
        every: s between looks.

    Raises:
        SourceError: the file cannot be read.
        RunnerError: inference failed.
    """
    ring, decoders, planner = PacketRing(), DecoderPool(), Planner()
    tracker, traffic, slots = FleetTracker(), Traffic(), detector.slots(1)
    for packet, parameters in read_file(path, utc=0.0):
        ring.append(packet, parameters)
        due = planner.due(ring, every)
        if due is None:
            continue
        planner.planned(due[0])
        frame = decode(decoders, due[1], due[0])
        if frame is None:
            continue
        prepared = detector.prepare(frame, slots[0])
        (found,) = detector.detect(slots, [prepared], [_MIN_SCORE])
        (tracks,) = tracker.step([TrackerInput(path.name, frame.time, found, None, frame.aspect)])
        traffic.add(tracks, frame.time, frame.aspect)
    return traffic
