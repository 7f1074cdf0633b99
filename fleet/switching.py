"""Another network on a running worker: load → warm → switch → drain → unload, and no look lost or late.

Loading and warming go on in a thread of their own; the compute thread only takes what is ready, between two batches,
so nothing that is unloaded is in use.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from contracts.errors import BusUnavailable, CityVisionError
from contracts.records import NetworkUsed
from contracts.rollout import Served, ServedModel, Serving
from fleet.detectors import Detectors
from models.classifier import CropClassifier
from models.segmenter import WaterSegmenter
from models.served import Reader
from pipeline.perceive import Perception
from pipeline.senses.engine import Sensing

_log = logging.getLogger(__name__)

_EVERY_S = 0.5
_AGAIN_S = 10.0  # until what could not be loaded is tried once more


@dataclass(frozen=True, slots=True)
class Ready:
    """A network that is loaded and warm, for a role."""

    role: str
    reader: Reader


class Port:
    """Where the two threads meet; nothing on it blocks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ready: list[Ready] = []
        self._done: list[Reader | None] = []

    def offer(self, ready: list[Ready]) -> None:
        """To be switched to, all between the same two batches."""
        with self._lock:
            self._ready = ready

    def take(self) -> list[Ready]:
        """By the compute thread."""
        with self._lock:
            ready, self._ready = self._ready, []
        return ready

    def replaced(self, readers: list[Reader | None]) -> None:
        """By the compute thread: it uses these no more."""
        with self._lock:
            self._done += readers

    def take_back(self) -> list[Reader] | None:
        """What is to be unloaded; None while nothing was switched."""
        with self._lock:
            if not self._done:
                return None
            done, self._done = self._done, []
        return [reader for reader in done if reader is not None]


class Switches:
    """The compute thread's side.

    Args:
        port: shared with `ModelSwitch`.
        detectors, sensing: the worker's.
    """

    def __init__(self, port: Port, detectors: Detectors, sensing: Sensing) -> None:
        self._port = port
        self._detectors = detectors
        self._sensing = sensing

    @property
    def usual(self) -> Perception:
        """What looks at the pictures of cameras that name no detector."""
        return self._detectors.usual

    def follow(self) -> bool:
        """Switches to what is ready; whether the detector of cameras that name none is another one now."""
        ready = self._port.take()
        if not ready:
            return False
        before: list[Reader | None] = []
        detects = False
        for one in ready:
            if isinstance(one.reader, WaterSegmenter | CropClassifier):
                before.append(self._sensing.switch(one.role, one.reader))
            else:
                before.append(self._detectors.switch(one.reader))
                detects = True
            _log.info("%s: %s from now on", one.role, one.reader.name)
        self._port.replaced(before)
        return detects


class Instructions(Protocol):
    """What is needed of `store.bus.Bus`."""

    def serving(self) -> Serving | None: ...

    def set_served(self, served: Served) -> None: ...

    def close(self) -> None: ...


class ModelSwitch:
    """The loading side: follows what the bus says is to be run, and says there what is.

    Args:
        worker: its id.
        bus: a connection of its own.
        port: shared with `Switches`.
        load: loads and warms one network. Raises CityVisionError.
        running: what the worker began with, by role.
        remember: keeps what is run for the next start.
    """

    def __init__(
        self,
        worker: str,
        bus: Instructions,
        port: Port,
        load: Callable[[ServedModel], Reader],
        running: Mapping[str, NetworkUsed],
        remember: Callable[[Serving], None],
    ) -> None:
        self._worker = worker
        self._bus = bus
        self._port = port
        self._load = load
        self._running = dict(running)
        self._remember = remember
        self._told = Served(worker=worker, models=tuple(running.values()))
        self._seen: Serving | None = None
        self._again = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="model-switch", daemon=True)

    @property
    def alive(self) -> bool:
        """Its thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """A network that is just being loaded is waited for a moment."""
        self._stop.set()
        self._thread.join(2)
        self._bus.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._bus.set_served(self._told)
                serving = self._bus.serving()
            except BusUnavailable:
                serving = None
            if serving is not None and (serving != self._seen or self._retry()):
                self._seen = serving
                self._follow(serving)
            else:
                self._stop.wait(_EVERY_S)

    def _retry(self) -> bool:
        return self._told.refused is not None and time.monotonic() >= self._again

    def _follow(self, serving: Serving) -> None:
        wanted = [model for model in serving.models if not self._runs(model)]
        ready: list[Ready] = []
        try:
            for model in wanted:
                ready.append(Ready(model.role, self._load(model)))  # noqa: PERF401 those loaded are closed below
        except CityVisionError as error:
            for one in ready:
                one.reader.close()
            if self._told.refused != serving.number:
                _log.error("goes on with the networks it has: %s", error)
            self._again = time.monotonic() + _AGAIN_S
            self._told = self._told.model_copy(update={"refused": serving.number, "error": str(error)})
            return
        if ready and not self._switch(ready):
            return
        for model, one in zip(wanted, ready, strict=True):
            self._running[model.role] = NetworkUsed(role=model.role, name=one.reader.name, sha256=model.sha256)
        self._remember(serving)
        self._told = Served(worker=self._worker, number=serving.number, models=tuple(self._running.values()))

    def _runs(self, model: ServedModel) -> bool:
        known = self._running.get(model.role)
        return known is not None and known.sha256 == model.sha256

    def _switch(self, ready: list[Ready]) -> bool:
        """Waits until the compute thread has switched, then unloads what it used before; False at the worker's end."""
        self._port.offer(ready)
        while (before := self._port.take_back()) is None:
            if self._stop.wait(0.02):
                return False
        for reader in before:
            reader.close()
        return True
