"""Training a decoder and measuring it, as the loop does both three times over."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from algorithm_repo.datasets.types import Item, Manifest
from algorithm_repo.judging.masks import Overlap, overlaps
from algorithm_repo.registry.types import ModelRef
from algorithm_repo.rollout.keeping import NetworkShelf
from algorithm_repo.training import headjob
from algorithm_repo.training.head_settings import HeadSettings
from algorithm_repo.training.headjob import Point
from algorithm_repo.training.trunk import trunk
from cityvision.loop.city import City
from cityvision.loop.types import Head
from contracts.rollout import ServedModel
from models.segmenter import WaterSegmenter, load_segmenter
from models.zoo import Zoo


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and how heads are trained.

    Attributes:
        folder: a folder a training.
        start: weights of the trunk.
        python: of the environment with torch.
        settings: the same for all.
    """

    folder: Path
    start: Path
    python: Path
    settings: HeadSettings


def bench(folder: Path, zoo: Zoo, python: Path, settings: HeadSettings) -> Bench:
    """Raises ModelMissing: the trunk's weights cannot be had."""
    return Bench(folder, trunk(folder, zoo), python, settings)


def trained(city: City, at: Bench, version: Manifest, told: Callable[[Point], None]) -> Head:
    """A head on a version of data; one that was trained already is taken as it is.

    Raises:
        ConfigError: it was begun with other settings.
        TrainingFailed: it ended without a network, or was stopped.
    """
    folder = at.folder / version.digest[:16]
    headjob.lay(folder, version, city.read, at.start, at.settings)
    data = headjob.train(folder, at.python, told, city.stopped).read_bytes()
    run = hashlib.sha256((folder / "of.json").read_bytes()).hexdigest()[:32]
    return Head(data, hashlib.sha256(data).hexdigest(), version.digest, run, tuple(headjob.curve(folder)))


def measured(city: City, model: ModelRef, items: Sequence[Item]) -> list[Overlap]:
    """A kept network, or one of the zoo, on these photos."""
    segmenter = segmenter_of(city, model)
    try:
        return overlaps(segmenter, items, city.read)
    finally:
        segmenter.close()


def segmenter_of(city: City, model: ModelRef) -> WaterSegmenter:
    """Ready to run. Raises ModelMissing: nobody kept it."""
    served = ServedModel(role=model.role, name=model.name, sha256=model.sha256)
    return load_segmenter(model.name, NetworkShelf(city.zoo, city.objects).zoo_with(served))
