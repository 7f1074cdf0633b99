"""How networks of ultralytics are trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from contracts.errors import ConfigError

Detector = Literal["yolo11n", "yolo11s", "yolo11m"]
Classifier = Literal["yolo11n-cls", "yolo11s-cls", "yolo11m-cls"]
Segmenter = Literal["yolo11n-seg", "yolo11s-seg", "yolo11m-seg"]
DETECTORS: tuple[Detector, ...] = get_args(Detector)
CLASSIFIERS: tuple[Classifier, ...] = get_args(Classifier)
SEGMENTERS: tuple[Segmenter, ...] = get_args(Segmenter)
_MOSAIC = (0, 10_000)
_STRIDE = 32  # px, of the coarsest grid


@dataclass(frozen=True, slots=True, kw_only=True)
class UltraSettings:
    """How to train.

    Attributes:
        network: its shape; weights are drawn by `seed` unless `lay` is given some.
        size: of the square input, px, a multiple of 32.
        epochs: how often each picture of the train side is shown.
        batch: pictures a step.
        rate: highest learning rate.
        optimizer: as torch names it.
        seed: of first weights, order and variations.
        threads: of the processor; more or fewer add up in another order and give another network.
        workers: processes that read pictures beside it.
        calibrate: training pictures at most from which INT8 learns its ranges; 0: no INT8.
        device: "cpu" or "cuda"; only on a processor two runs are alike to the bit.
    """

    NETWORKS: ClassVar[tuple[str, ...]] = ()
    # What a mistyped setting must not do is take the worker's machine with it.
    RANGES: ClassVar[Mapping[str, tuple[int, int]]] = {
        "epochs": (1, 10_000),
        "batch": (1, 1024),
        "threads": (1, 256),
        "workers": (0, 64),
        "calibrate": (0, 100_000),
        "seed": (0, 2**31 - 1),
    }

    network: str
    size: int
    epochs: int = 50
    batch: int = 16
    rate: float = 1e-3
    optimizer: Literal["AdamW", "SGD"] = "AdamW"
    seed: int = 1
    threads: int = 2
    workers: int = 0
    calibrate: int = 300
    device: Literal["cpu", "cuda"] = "cpu"

    def __post_init__(self) -> None:
        if self.network not in self.NETWORKS:
            raise ConfigError(f"network: {self.network!r} is not known", f"write one of {', '.join(self.NETWORKS)}")
        if self.size % _STRIDE or not 64 <= self.size <= 1280:
            raise ConfigError(f"size: {self.size} is no multiple of {_STRIDE} from 64 to 1280", "write 320")
        for name, (least, most) in self.RANGES.items():
            if not least <= getattr(self, name) <= most:
                raise ConfigError(f"{name}: {getattr(self, name)} is not from {least} to {most}", "write one that is")
        if not 0 < self.rate < 1:
            raise ConfigError(f"rate: {self.rate} is not between 0 and 1", "write 0.001")


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectSettings(UltraSettings):
    """How to train a detector.

    Attributes:
        mosaic: until how many epochs before the end four pictures are shown as one.
    """

    NETWORKS: ClassVar[tuple[str, ...]] = DETECTORS
    RANGES: ClassVar[Mapping[str, tuple[int, int]]] = {**UltraSettings.RANGES, "mosaic": _MOSAIC}

    network: Detector = "yolo11n"
    size: int = 320
    mosaic: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifySettings(UltraSettings):
    """How to train a classifier."""

    NETWORKS: ClassVar[tuple[str, ...]] = CLASSIFIERS

    network: Classifier = "yolo11n-cls"
    size: int = 224


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentSettings(UltraSettings):
    """How to train a network of masks.

    Attributes:
        mosaic: until how many epochs before the end four pictures are shown as one.
    """

    NETWORKS: ClassVar[tuple[str, ...]] = SEGMENTERS
    RANGES: ClassVar[Mapping[str, tuple[int, int]]] = {**UltraSettings.RANGES, "mosaic": _MOSAIC}

    network: Segmenter = "yolo11n-seg"
    size: int = 320
    mosaic: int = 10
