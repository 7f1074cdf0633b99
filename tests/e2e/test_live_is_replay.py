"""The same clip replayed, and live by RTSP through a real worker: the same bytes each time, the same events."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from cityvision.processes.worker import WorkerStack
from contracts.records import Event, EventRecord, EvidenceRef, Record
from fleet.board import Assignment
from fleet.worker import WorkerSettings
from models.detector import load_detector
from models.zoo import Zoo
from pipeline.evidence import NoEvidence
from pipeline.replay import replay
from pipeline.senses.engine import Sensing
from pool.load import load_pool
from simulator.rtsp import ServedCamera, ServerThread
from simulator.rtsp.media import load_clip
from store.objects import DiskObjects
from store.secrets import Secrets
from store.valkey import EmbeddedValkey

pytest_plugins = ["tests.embedded"]
pytestmark = pytest.mark.media

LOOK_S = 2.0
LIVE_S = 18.0
LONGEST_S = 34.0  # of the clip, on a machine that does not keep up
STREAMS = """
version: 1
departments: [{id: city, name: City}]
cameras:
  - id: junction
    name: Junction
    department: city
    mounting: low
    main: {url: "rtsp://127.0.0.1:1/junction"}
    zones:
      - {id: driveway, kind: no_parking, polygon: [[0.90, 0.40], [1.0, 0.40], [1.0, 0.58], [0.90, 0.58]]}
    algorithms:
      illegal_parking: {dwell: 8s, look_every: 2s}
"""


@pytest.fixture
def clip(mirror: Path) -> Path:
    return mirror / "footage" / "residential_street.mp4"


@pytest.fixture
def streams(tmp_path: Path) -> Path:
    path = tmp_path / "streams.yaml"
    path.write_text(STREAMS)
    return path


def test_two_replays_give_the_same_bytes(clip: Path, streams: Path, mirror: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("cityvision")),
        "replay",
        str(clip),
        "--streams",
        str(streams),
        "--camera",
        "junction",
        "--json",
    ]
    outputs = [subprocess.run(command, capture_output=True, check=True, timeout=60).stdout for _ in range(2)]
    assert outputs[0] == outputs[1]
    events = [Event.model_validate_json(line) for line in outputs[0].splitlines()]
    assert (events[0].transition, events[0].zone) == ("opened", "driveway")


def test_live_sees_what_the_replay_sees(
    clip: Path, streams: Path, tmp_path: Path, valkey: EmbeddedValkey, mirror: Path
) -> None:
    detector = load_detector("yolox_nano", Zoo(mirror=mirror))
    seen_as = load_pool(streams).cameras[0]
    replayed = list(replay(clip, seen_as, detector, Sensing(Zoo()), lambda _: NoEvidence()))

    with ServerThread([ServedCamera("junction", load_clip(clip), timeline="clip")]) as server:
        main = seen_as.main.model_copy(update={"url": server.url("junction")})
        stack = WorkerStack(
            WorkerSettings("live"),
            tmp_path / "worker",
            detector,
            Sensing(Zoo()),
            valkey.url,
            DiskObjects(tmp_path / "objects"),
            secrets=Secrets(),
            gate=True,
        )
        with stack:
            stack.board.assign(Assignment(1, (seen_as.model_copy(update={"main": main}),)))
            begun = time.monotonic()
            while (run := time.monotonic() - begun) < LIVE_S or (run < LONGEST_S and not clips_of(told(stack))):
                time.sleep(stack.worker.tick(time.monotonic()))
            stack.worker.close()
            live = told(stack, within_s=5)

    expected = [e for e in replayed if e.transition != "updated"]
    transitions = [e for e in live if e.transition != "updated"]
    assert transitions
    assert [(e.type, e.zone, e.transition) for e in transitions] == [
        (e.type, e.zone, e.transition) for e in expected[: len(transitions)]
    ]
    # Stream time begins with the first packet in a replay, and with its arrival live.
    for mine, other in zip(transitions, expected, strict=False):
        assert mine.numbers["still_s"] == pytest.approx(other.numbers["still_s"], abs=LOOK_S + 0.1)
    assert {ref.role for ref in transitions[0].evidence} == {"entry", "decision"}
    clips = clips_of(live)
    assert clips, "the clip follows in an update"
    assert (tmp_path / "objects" / clips[0].key).stat().st_size == clips[0].size


def told(stack: WorkerStack, within_s: float = 0.0) -> list[Event]:
    """What the worker's spool has of events."""
    if not stack.spool.wait_durable(1, timeout=within_s):
        return []
    bodies = [Record.model_validate_json(entry.raw).body for entry in stack.spool.read(0)]
    return [body.event for body in bodies if isinstance(body, EventRecord)]


def clips_of(events: list[Event]) -> list[EvidenceRef]:
    return [ref for event in events for ref in event.evidence if ref.role == "clip"]
