"""ultralytics' trainer of masks with checkpoints of ours. Import it after `ultra_setup.prepare`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ultralytics.models.yolo.segment import SegmentationTrainer
from ultralytics.nn.tasks import SegmentationModel

from algorithm_repo.training import detect_trainer


class Trainer(detect_trainer.Trainer, SegmentationTrainer):
    """As of detectors: a mask is a detector's box with an outline."""

    MODEL: ClassVar[Any] = SegmentationModel
    LOSSES: ClassVar[tuple[str, ...]] = ("box_loss", "seg_loss", "cls_loss", "dfl_loss")
    FIGURES: ClassVar[Mapping[str, str]] = {
        "metrics/precision(M)": "precision",
        "metrics/recall(M)": "recall",
        "metrics/mAP50(M)": "map50",
        "metrics/mAP50-95(M)": "map",
    }
