"""ultralytics' trainer of detectors with checkpoints of ours. Import it after `ultra_setup.prepare`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ultralytics.models.yolo.detect import DetectionTrainer
from ultralytics.nn.tasks import DetectionModel

from algorithm_repo.training.ultra_trainer import Resumable


class Trainer(Resumable, DetectionTrainer):
    """Where it says nothing, ultralytics' own.

    Args:
        folder: of the job.
        job: `job.json`.

    Attributes:
        MODEL: class of the network.
    """

    MODEL: ClassVar[Any] = DetectionModel
    LOSSES: ClassVar[tuple[str, ...]] = ("box_loss", "cls_loss", "dfl_loss")
    FIGURES: ClassVar[Mapping[str, str]] = {
        "metrics/precision(B)": "precision",
        "metrics/recall(B)": "recall",
        "metrics/mAP50(B)": "map50",
        "metrics/mAP50-95(B)": "map",
    }

    def __init__(self, folder: Path, job: dict[str, Any]) -> None:
        data = str(folder / "data" / "data.yaml")
        super().__init__(folder, job, {"data": data, "close_mosaic": min(job["mosaic"], job["epochs"])})

    def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> Any:
        return self.started(self.MODEL(cfg, nc=self.data["nc"], ch=self.data["channels"], verbose=False))

    def build_dataset(self, img_path: str, mode: str = "train", batch: int | None = None) -> Any:
        dataset = super().build_dataset(img_path, mode, batch)
        # Mosaics of what was read lately would depend on the epochs before.
        for transform in dataset.transforms.transforms:
            for part in getattr(transform, "transforms", [transform]):
                if hasattr(part, "buffer_enabled"):
                    part.buffer_enabled = False
        return dataset
