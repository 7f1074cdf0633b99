"""ultralytics' trainer of classifiers with checkpoints of ours. Import it after `ultra_setup.prepare`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ultralytics.models.yolo.classify import ClassificationTrainer
from ultralytics.nn.tasks import ClassificationModel

from algorithm_repo.training.ultra_trainer import Resumable


class Trainer(Resumable, ClassificationTrainer):
    """Where it says nothing, ultralytics' own.

    Args:
        folder: of the job.
        job: `job.json`.
    """

    LOSSES: ClassVar[tuple[str, ...]] = ("loss",)
    FIGURES: ClassVar[Mapping[str, str]] = {"metrics/accuracy_top1": "top1"}

    def __init__(self, folder: Path, job: dict[str, Any]) -> None:
        super().__init__(folder, job, {"data": str(folder / "data"), "close_mosaic": 0})

    def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> Any:
        return self.started(ClassificationModel(cfg, nc=self.data["nc"], ch=self.data["channels"], verbose=False))
