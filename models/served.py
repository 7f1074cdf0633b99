"""A network loaded for the role that it is to play, shown to be whole by one look, ready to be switched to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from contracts.errors import ConfigError
from contracts.rollout import DETECTOR
from models.classifier import CropClassifier, load_classifier
from models.detector import Detector, load_detector
from models.picture import frame_from_bgr
from models.segmenter import WaterSegmenter, load_segmenter
from models.zoo import Zoo

WATER: Final = "water"
LITTER: Final = "litter"
ROLES: Final = (DETECTOR, LITTER, WATER)
"""What a network can be rolled out for."""

Reader = Detector | WaterSegmenter | CropClassifier

# What the sense of litter reads of its classifier.
_LABELS = {"thing": "litter", "bin": "overflowing"}
_BLANK = (360, 640, 3)


def load_served(role: str, name: str, zoo: Zoo, *, triton_url: str | None = None) -> Reader:
    """A network of the zoo in a role, loaded and warm: it has answered for one blank picture.

    Args:
        role: one of `ROLES`.
        name: in the zoo.
        zoo: where the weights come from.
        triton_url: see `models.detector.load_detector`.

    Raises:
        ModelMissing, HashMismatch: the weights cannot be had.
        ConfigError: there is no such role, or the network is none for it.
        RunnerError: it cannot be loaded, or fails at its first picture.
    """
    load = _LOADERS.get(role)
    if load is None:
        raise ConfigError(f"role: no network can be rolled out as {role!r}", f"take one of {', '.join(ROLES)}")
    return load(name, zoo, triton_url)


def _detector(name: str, zoo: Zoo, triton_url: str | None) -> Detector:
    detector = load_detector(name, zoo, triton_url=triton_url)
    detector.detect_frames([frame_from_bgr(np.zeros(_BLANK, np.uint8), 0.0)], 0.5)
    return detector


def _water(name: str, zoo: Zoo, triton_url: str | None) -> WaterSegmenter:
    segmenter = load_segmenter(name, zoo, triton_url=triton_url)
    segmenter.segment_frames([frame_from_bgr(np.zeros(_BLANK, np.uint8), 0.0)])
    return segmenter


def _litter(name: str, zoo: Zoo, triton_url: str | None) -> CropClassifier:
    classifier = load_classifier(name, zoo, triton_url=triton_url)
    lacking = [f"{head}: {label}" for head, label in _LABELS.items() if label not in classifier.heads.get(head, ())]
    if lacking:
        raise ConfigError(f"{classifier.name} cannot tell {', '.join(lacking)}", "train it with those heads")
    classifier.classify([np.zeros((classifier.size, classifier.size, 3), np.uint8)])
    return classifier


_LOADERS: Final[dict[str, Callable[[str, Zoo, str | None], Reader]]] = {
    DETECTOR: _detector,
    LITTER: _litter,
    WATER: _water,
}
