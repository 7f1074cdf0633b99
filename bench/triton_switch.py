"""Versions switched on a real Triton under load: looks that fail, looks that are late, memory that stays.

A caller sends looks at an even rate, as an open loop: a look's latency is from when it was due to when its boxes are
there, so that what a switch delays is counted for every look behind it. Between two looks the caller takes another
version when one is ready, as a worker's compute thread does (`fleet.switching`), and `cityvision.triton_desk` loads and
unloads what the server holds. The usual latency is that of the looks between switches, in the same run.

60 looks a second are asked of the water network, as the rules ask it, and then of the detector (`detector_…`), which is
five times as heavy: on a machine that cannot infer so many (`looks_per_s_answered`) looks queue all the while, and the
latencies say nothing of switches.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, Protocol

import cv2
import numpy as np
import psutil

from algorithm_repo.rollout.keeping import NetworkShelf, keep_network
from bench.result import Figures
from cityvision.triton_desk import TritonDesk
from contracts.errors import RunnerError
from contracts.records import NetworkUsed
from contracts.rollout import DETECTOR, Served, ServedModel, Serving
from contracts.senses import Ask
from contracts.vision import Frame, Tracks
from fleet.detectors import Detectors
from fleet.switching import ModelSwitch, Port, Switches
from models.detector import load_detector, version_name
from models.picture import frame_from_bgr
from models.served import WATER, Reader, load_served
from models.triton_repository import Serving as TritonServing
from models.triton_server import TritonServer, embedded_server
from models.zoo import Zoo
from pipeline.senses.engine import Sensing, Wish
from pipeline.senses.memory import SceneMemory
from pipeline.track import FleetTracker
from store.objects import DiskObjects

CLIP = "residential_street"
RATE = 60.0
SWITCHES = 20
BETWEEN_S = 3.0
_PICTURES = 30
_BATCH = 4
_LONGEST_S = 120.0
VENV = Path(__file__).resolve().parent.parent / ".venv-triton"


@dataclass(frozen=True, slots=True)
class Subject:
    """A network whose versions are switched, and what it plays."""

    model: str
    role: str


DETECTING, SEGMENTING = Subject("street", DETECTOR), Subject("water", WATER)


def run() -> tuple[Figures, Figures]:
    """Figures of 20 switches at 60 looks a second; there is no peer but the same server at rest.

    Raises:
        ModelMissing, HashMismatch: the weights or the clip cannot be had.
        ServiceError: the server cannot be installed or started.
    """
    zoo, found = Zoo(), Figures()
    for subject, prefix in ((SEGMENTING, ""), (DETECTING, "detector_")):
        with tempfile.TemporaryDirectory() as name:
            seen = switched(zoo, Path(name), subject, rate=RATE, switches=SWITCHES, between_s=BETWEEN_S)
        found |= {f"{prefix}{key}": value for key, value in _figures(seen).items()}
    return found, {}


def _figures(seen: Seen) -> Figures:
    usual, during = seen.p99_ms(seen.usual), seen.p99_ms(seen.during)
    return {
        "looks_per_s_asked": RATE,
        "looks_per_s_answered": round((len(seen.usual) + len(seen.during)) / seen.seconds, 1),
        "switches": float(seen.switches),
        "looks": float(len(seen.usual) + len(seen.during)),
        "failed_looks": float(seen.failed),
        "usual_p99_ms": round(usual, 2),
        "switch_p99_ms": round(during, 2),
        "switch_vs_usual_p99": round(during / usual, 3),
        "switch_seconds": round(seen.switch_s / max(seen.switches, 1), 2),
        "memory_start_mib": round(seen.memory_start / 2**20, 1),
        "memory_end_mib": round(seen.memory_end / 2**20, 1),
        "memory_vs_start": round(seen.memory_end / seen.memory_start, 3),
    }


@dataclass(slots=True)
class Seen:
    """What happened.

    Attributes:
        usual, during: latencies of looks between switches and while one goes on, s.
        failed: looks without an answer.
        seconds: over which these looks were sent.
        switches: that were carried out.
        switch_s: seconds that they took together, from being wanted to the old version's being unloaded.
        memory_start, memory_end: of the server and its backends, bytes, with one version loaded.
        left: versions in the server's repository at the end.
    """

    usual: list[float] = field(default_factory=list)
    during: list[float] = field(default_factory=list)
    failed: int = 0
    seconds: float = 0.0
    switches: int = 0
    switch_s: float = 0.0
    memory_start: int = 0
    memory_end: int = 0
    left: tuple[str, ...] = ()

    @staticmethod
    def p99_ms(latencies: list[float]) -> float:
        return float(np.percentile(latencies, 99)) * 1e3


class _Bus:
    """The desk's side of what workers and the roll-out tell each other, without a network between them."""

    def __init__(self) -> None:
        self.wanted: Serving | None = None
        self.told: Served | None = None

    def serving(self) -> Serving | None:
        return self.wanted

    def set_served(self, served: Served) -> None:
        self.told = served

    def close(self) -> None:
        """Nothing is open."""


def switched(zoo: Zoo, folder: Path, subject: Subject, *, rate: float, switches: int, between_s: float) -> Seen:
    """Switches to and fro between versions of one network.

    Args:
        zoo: has the networks and the clip whose pictures are looked at in turn.
        folder: for the server's repository and log.
        rate: looks a second.
        switches: how many.
        between_s: rest between two of them, s.

    Raises:
        RunnerError: a switch was not over within two minutes.
    """
    objects = DiskObjects(folder / "objects")
    shelf = NetworkShelf(zoo, objects)
    versions = [_version(zoo, objects, subject, number) for number in range(2)]
    repository, how = folder / "models", TritonServing(threads=os.cpu_count() or 1)
    names = sorted({DETECTING.model, subject.model})
    server = embedded_server(names, zoo, venv=VENV, repository=repository, log=folder / "triton.log", serving=how)
    with server:
        desk = TritonDesk(server.url, repository, shelf.zoo_with, how)
        first, sensing = load_detector(DETECTING.model, zoo, triton_url=server.url), Sensing(zoo, server.url)
        detectors, port, bus = Detectors(first, _none, FleetTracker(), sensing, _BATCH), Port(), _Bus()

        loaded: list[Reader] = [first]

        def load(model: ServedModel) -> Reader:
            loaded.append(load_served(model.role, model.name, shelf.zoo_with(model), triton_url=server.url))
            return loaded[-1]

        artefact = zoo.artefact(subject.model)
        own = NetworkUsed(role=subject.role, name=version_name(subject.model, artefact), sha256=artefact.digest)
        running = {subject.role: own}
        follower = ModelSwitch("w1", bus, port, load, running, lambda _: None)
        look = _Detecting(detectors) if subject.role == DETECTOR else _Sensing(sensing)
        caller = _Caller(look, Switches(port, detectors, sensing), pictures(zoo), rate)
        desk_side = _DeskSide(desk, bus, server, repository, caller)
        follower.start()
        try:
            return desk_side.run(versions, switches, between_s)
        finally:
            caller.stop()
            follower.stop()
            desk.close()
            for reader in loaded:
                reader.close()


class _Look(Protocol):
    """Looks at a batch of pictures. Raises RunnerError: there is no answer."""

    def __call__(self, frames: Sequence[Frame]) -> None: ...


class _Detecting:
    """By the detector that is in use at the moment."""

    def __init__(self, detectors: Detectors) -> None:
        self._detectors = detectors

    def __call__(self, frames: Sequence[Frame]) -> None:
        self._detectors.usual.detector.detect_frames(frames, 0.3)


class _Sensing:
    """For water, as the rules ask: each picture of a batch is of another camera."""

    def __init__(self, sensing: Sensing) -> None:
        self._sensing = sensing
        self._memories = [SceneMemory() for _ in range(_BATCH)]

    def __call__(self, frames: Sequence[Frame]) -> None:
        wishes = [
            Wish(f"camera-{number}", frame, Tracks.empty(), Ask(water=True), (), self._memories[number])
            for number, frame in enumerate(frames)
        ]
        if any(senses.water is None for senses in self._sensing.sense(wishes)):
            raise RunnerError("no answer of the water network")


class _Caller:
    """Sends looks at an even rate, in a thread of its own; see the module."""

    def __init__(self, look: _Look, switches: Switches, pictures: list[Frame], rate: float) -> None:
        self._look = look
        self._switches = switches
        self._pictures = pictures
        self._every = 1 / rate
        self._stop = threading.Event()
        self.seen = Seen()
        self.switching = False
        self._thread = threading.Thread(target=self._run, name="caller", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        due, number = time.monotonic(), 0
        while not self._stop.is_set():
            self._switches.follow()
            now = time.monotonic()
            if now < due:
                time.sleep(due - now)
                continue
            count = min(_BATCH, 1 + int((now - due) / self._every))
            frames = [self._pictures[(number + index) % len(self._pictures)] for index in range(count)]
            try:
                self._look(frames)
            except RunnerError:
                self.seen.failed += count
            done = time.monotonic()
            into = self.seen.during if self.switching else self.seen.usual
            into += [done - due - index * self._every for index in range(count)]
            number, due = number + count, due + count * self._every


class _DeskSide:
    """Wants one version after the other, as promotions do."""

    def __init__(self, desk: TritonDesk, bus: _Bus, server: TritonServer, repository: Path, caller: _Caller) -> None:
        self._desk = desk
        self._bus = bus
        self._server = server
        self._repository = repository
        self._caller = caller

    def run(self, versions: list[ServedModel], switches: int, between_s: float) -> Seen:
        """See `switched`. The first version takes the place of the installation's own, unmeasured: that one stays."""
        self._switch(Serving(number=1, models=(versions[0],)))
        time.sleep(between_s)
        seen = self._caller.seen
        seen.usual.clear()
        seen.during.clear()
        seen.memory_start, begun = _memory(self._server.pid), time.monotonic()
        for number in range(switches):
            time.sleep(between_s)
            start = time.monotonic()
            self._switch(Serving(number=number + 2, models=(versions[(number + 1) % len(versions)],)))
            seen.switch_s += time.monotonic() - start
            seen.switches += 1
        time.sleep(between_s)
        seen.seconds = time.monotonic() - begun
        seen.memory_end = _memory(self._server.pid)
        seen.left = tuple(sorted(path.name for path in self._repository.iterdir() if path.name[0] != "."))
        return seen

    def _switch(self, serving: Serving) -> None:
        self._caller.switching = True
        self._until(lambda: self._desk.serves(serving), serving)
        self._bus.wanted = serving
        self._until(lambda: self._bus.told is not None and self._bus.told.number == serving.number, serving)
        self._until(lambda: len(self._rolled_out()) == 1, serving)
        self._caller.switching = False

    def _rolled_out(self) -> list[Path]:
        return list((self._repository / ".rolled-out").glob("*"))

    def _until(self, condition: Callable[[], bool], serving: Serving) -> None:
        end = time.monotonic() + _LONGEST_S
        while not condition():
            told = () if self._bus.told is None else self._bus.told.models
            self._desk.want(serving, frozenset(model.name for model in told))
            if time.monotonic() > end:
                raise RunnerError(f"switch {serving.number} was not over within {_LONGEST_S:g} s")
            time.sleep(0.05)


def _version(zoo: Zoo, objects: DiskObjects, subject: Subject, number: int) -> ServedModel:
    """The same network under another hash: a second doc_string (field 6 of ModelProto) takes the first one's place."""
    words = f"version {number}".encode()
    data = zoo.fetch(subject.model)[0].read_bytes() + bytes([6 << 3 | 2, len(words)]) + words
    like = zoo.artefact(subject.model)
    kept = keep_network(objects, data, role=subject.role, name=f"{subject.model}-{number}", like=like)
    return ServedModel(role=kept.role, name=kept.name, sha256=kept.sha256)


def _none(name: str) -> NoReturn:
    raise RunnerError(f"no camera names the detector {name} here")


def pictures(zoo: Zoo) -> list[Frame]:
    """Of a real clip, half a second apart."""
    capture = cv2.VideoCapture(str(zoo.fetch(CLIP)[0]))
    frames = []
    for number in range(_PICTURES):
        for _ in range(12):
            capture.grab()
        _, picture = capture.retrieve()
        frames.append(frame_from_bgr(np.asarray(picture, np.uint8), number / 2))
    capture.release()
    return frames


def _memory(pid: int | None) -> int:
    """Of the server and its backends: what each has for itself, and shared memory once."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(int(one.memory_full_info().pss) for one in family)
