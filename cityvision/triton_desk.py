"""What the installation's Triton serves, brought into line with what workers are to run.

Before a switch: publish → memory checked → load → warm. After it, once no worker says any more that it runs a version:
drain → unload → out of the repository. Only versions that this desk has published are ever taken away.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from contracts.errors import CityVisionError, RunnerError
from contracts.rollout import ServedModel, Serving
from models.detector import version_name
from models.triton_control import TritonControl
from models.triton_repository import Serving as TritonServing
from models.triton_repository import publish
from models.zoo import Zoo

_log = logging.getLogger(__name__)

_MARKS: Final = ".rolled-out"  # holds an empty file for each version that is ours, made before it and gone after it
_EVERY_S = 0.5
_AGAIN_S = 10.0  # until what could not be served is tried once more
_LOCAL = ("127.0.0.1", "localhost", "::1")

_ROOM_EACH = 400 * 2**20
_ROOM_TIMES = 6
"""A version takes its own process with OpenVINO in it, and its weights as a file, as a graph and compiled."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    serving: Serving
    in_use: frozenset[str]


class TritonDesk:
    """Works in a thread of its own; what is asked of it returns at once.

    Args:
        url: "host:port" of the server's gRPC endpoint.
        repository: folder of its model repository, as seen from here.
        zoo_with: a zoo that has a network at hand, see `NetworkShelf.zoo_with`.
        how: how versions are served.
        free: memory that a new version may take, bytes; None: the server runs elsewhere and checks itself.
    """

    def __init__(
        self,
        url: str,
        repository: Path,
        zoo_with: Callable[[ServedModel], Zoo],
        how: TritonServing | None = None,
        free: Callable[[], int | None] | None = None,
    ) -> None:
        self._url = url
        self._repository = repository
        self._zoo_with = zoo_with
        self._how = how or TritonServing()
        self._free = free or (_free_here if url.rsplit(":", 1)[0] in _LOCAL else lambda: None)
        self._lock = threading.Lock()
        self._wanted: _Wanted | None = None
        self._served: Serving | None = None
        self._refused: tuple[Serving, str] | None = None
        self._again = self._drop_again = 0.0  # not before then
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="triton-desk", daemon=True)
        self._thread.start()

    def want(self, serving: Serving, in_use: frozenset[str]) -> None:
        """Says what is to be served; `in_use` are the versions ("street-b5799cbe") that workers say they run now."""
        with self._lock:
            self._wanted = _Wanted(serving, in_use)

    def serves(self, serving: Serving) -> bool:
        """All of these were loaded and warm when it last looked."""
        with self._lock:
            return self._served == serving

    def refused(self, serving: Serving) -> str | None:
        """Why these cannot be served; None: they can, or it is not known yet."""
        with self._lock:
            return self._refused[1] if self._refused is not None and self._refused[0] == serving else None

    def close(self) -> None:
        """What is just being loaded is waited for a moment."""
        self._stop.set()
        self._thread.join(5)

    def _run(self) -> None:
        with TritonControl(self._url) as control:
            while not self._stop.wait(_EVERY_S):
                with self._lock:
                    wanted = self._wanted
                    waits = wanted is not None and self._is_refused(wanted) and time.monotonic() < self._again
                if wanted is None or waits or not control.ready():
                    continue  # a server that is away is nobody's fault; its versions are loaded when it is back
                names = self._serve(control, wanted)
                if names is not None and time.monotonic() >= self._drop_again:
                    self._tidy(control, names | wanted.in_use)

    def _is_refused(self, wanted: _Wanted) -> bool:
        return self._refused is not None and self._refused[0] == wanted.serving

    def _serve(self, control: TritonControl, wanted: _Wanted) -> frozenset[str] | None:
        """The wanted versions' Triton names, once all are loaded and warm; None: one could not be served."""
        try:
            names = frozenset(self._bring(control, model) for model in wanted.serving.models)
        except Exception as error:  # noqa: BLE001 - nobody looks after this thread, and later promotions need it
            if not control.ready():
                return None
            with self._lock:
                first = not self._is_refused(wanted)
                self._served, self._refused = None, (wanted.serving, str(error) or type(error).__name__)
                self._again = time.monotonic() + _AGAIN_S
            if first:
                unforeseen = not isinstance(error, (CityVisionError, OSError))
                _log.error("Triton goes on with the networks it has: %s", error, exc_info=unforeseen)
            return None
        with self._lock:
            self._served, self._refused = wanted.serving, None
        return names

    def _tidy(self, control: TritonControl, in_use: frozenset[str]) -> None:
        """Takes away what nobody needs; what does not go now is no fault of what is served, and goes later."""
        try:
            self._drop(control, in_use)
        except Exception as error:  # noqa: BLE001 - as above; a server that ends meanwhile has words of its own
            self._drop_again = time.monotonic() + _AGAIN_S
            _log.warning("an old version stays on Triton for now: %s", error)

    def _bring(self, control: TritonControl, model: ServedModel) -> str:
        """The version's Triton name, once it is loaded and warm. What goes wrong is told with the network's name."""
        try:
            return self._loaded(control, model)
        except CityVisionError as error:
            raise RunnerError(f"{model.name}: {error.message}", error.fix) from error

    def _loaded(self, control: TritonControl, model: ServedModel) -> str:
        zoo = self._zoo_with(model)
        artefact = zoo.artefact(model.name)
        version = version_name(model.name, artefact)
        if version in control.loaded():
            return version
        if not (self._repository / version).exists():
            marks = self._repository / _MARKS
            marks.mkdir(parents=True, exist_ok=True)
            (marks / version).touch()
            publish(model.name, zoo, self._repository, self._how)
        self._check_room(sum(path.stat().st_size for path in zoo.fetch(model.name)))
        control.load(version)
        took = control.warm(version, artefact.digest)
        _log.info("%s is loaded on Triton; its first picture took %.0f ms", version, took * 1e3)
        return version

    def _check_room(self, size: int) -> None:
        free, needed = self._free(), _ROOM_EACH + _ROOM_TIMES * size
        if free is not None and free < needed:
            raise RunnerError(
                f"no memory for it on Triton: about {needed >> 20} MB needed, {free >> 20} MB free",
                "unload something, or give the machine more memory",
            )

    def _drop(self, control: TritonControl, in_use: frozenset[str]) -> None:
        """Unloads what was rolled out here once and that nobody runs or is to run."""
        for mark in (self._repository / _MARKS).glob("*"):
            if mark.name in in_use:
                continue
            if mark.name in control.loaded():
                control.unload(mark.name)
                _log.info("%s is unloaded from Triton", mark.name)
            shutil.rmtree(self._repository / mark.name, ignore_errors=True)
            mark.unlink()


def _free_here() -> int:
    return int(psutil.virtual_memory().available)
