"""The networks that a worker begins with: those the registry last had in production, else the installation's."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from algorithm_repo.rollout.keeping import NetworkShelf
from cityvision.remembered import recall
from cityvision.settings import Settings
from contracts.errors import CityVisionError, RunnerError
from contracts.records import NetworkUsed
from contracts.rollout import DETECTOR, ServedModel, Serving
from models.classifier import CropClassifier
from models.detector import Detector, load_detector, version_name
from models.segmenter import WaterSegmenter
from models.served import LITTER, WATER, Reader, load_served
from models.zoo import Zoo
from pipeline.senses.engine import Sensing
from store.objects import ObjectStore

_log = logging.getLogger(__name__)

_TRITON_WAIT_S, _TRITON_AGAIN_S = 60.0, 1.0


@dataclass(frozen=True, slots=True)
class Networks:
    """What a worker begins with.

    Attributes:
        detector, sensing: see `WorkerStack`.
        running: the networks by role; senses that the installation names are loaded when something first asks.
        load: loads and warms another one.
    """

    detector: Detector
    sensing: Sensing
    running: dict[str, NetworkUsed]
    load: Callable[[ServedModel], Reader]


def begin_with(settings: Settings, zoo: Zoo, objects: ObjectStore, folder: Path, *, strict: bool) -> Networks:
    """The networks of a worker's start.

    Args:
        folder: the worker's.
        strict: what is remembered must run; else the installation's own take its place, and the bus says again what
            is wanted.

    Raises:
        CityVisionError: a network cannot be had or loaded.
    """
    shelf = NetworkShelf(zoo, objects)

    def load(model: ServedModel) -> Reader:
        zoo = shelf.zoo_with(model)
        until = time.monotonic() + (_TRITON_WAIT_S if settings.triton_repository is not None else 0.0)
        while True:
            try:
                return load_served(model.role, model.name, zoo, triton_url=settings.triton_url)
            except RunnerError:
                # A Triton that was started again has it a moment later; refusing it would take a promotion back.
                if time.monotonic() >= until:
                    raise
                time.sleep(_TRITON_AGAIN_S)

    try:
        serving = recall(folder)
        remembered = {} if serving is None else _loaded(serving, zoo, settings.model, load)
    except CityVisionError as error:
        if strict:
            raise
        _log.error("begins with the networks of the installation: %s", error)
        remembered = {}
    running = _usual(zoo, settings.model) | {
        role: NetworkUsed(role=role, name=reader.name, sha256=reader.sha256) for role, reader in remembered.items()
    }
    sensing = Sensing(zoo, settings.triton_url)
    detector = remembered.pop(DETECTOR, None)
    for role, reader in remembered.items():
        if isinstance(reader, WaterSegmenter | CropClassifier):
            sensing.switch(role, reader)
    if detector is None or isinstance(detector, WaterSegmenter | CropClassifier):
        detector = load_detector(settings.model, zoo, triton_url=settings.triton_url)
    return Networks(detector, sensing, running, load)


def _usual(zoo: Zoo, detector: str) -> dict[str, NetworkUsed]:
    """What the installation names."""
    names = {DETECTOR: detector, WATER: WATER, LITTER: LITTER}
    artefacts = {role: (name, zoo.artefact(name)) for role, name in names.items()}
    return {
        role: NetworkUsed(role=role, name=version_name(name, artefact), sha256=artefact.digest)
        for role, (name, artefact) in artefacts.items()
    }


def _loaded(serving: Serving, zoo: Zoo, detector: str, load: Callable[[ServedModel], Reader]) -> dict[str, Reader]:
    """Those that are not the installation's own."""
    usual = _usual(zoo, detector)
    wanted = [model for model in serving.models if model.sha256 != getattr(usual.get(model.role), "sha256", None)]
    return {model.role: load(model) for model in wanted}
