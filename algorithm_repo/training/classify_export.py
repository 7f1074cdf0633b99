"""A trained classifier as the files that run speak: as `models.classifier` reads them.

Input [N, 3, S, S] of BGR bytes 0..255 as float32, cut by `models.crops`; one output, `tag`, of probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from torch import Tensor, nn
from ultralytics.nn.tasks import ClassificationModel

from algorithm_repo.training import ultra_export
from algorithm_repo.training.ultra_export import Array, Exported, as_trained, fill


class Served(nn.Module):
    """An ultralytics classifier that takes crops.

    Args:
        net: ultralytics' `ClassificationModel` in evaluation mode.
    """

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net
        net.model[-1].export = True  # probabilities alone

    def forward(self, crops: Tensor) -> Tensor:
        """[N, 3, S, S] to [N, classes]."""
        found: Tensor = self.net(as_trained(crops))  # ultralytics takes no mean away and divides by nothing more
        return found


def export(folder: Path, job: dict[str, Any]) -> None:
    """Writes `classifier.onnx` and its other forms; see `ultra_export.export`.

    Args:
        folder: of the job, with `classifier.npz` and `data/`.
        job: `job.json`.

    Raises:
        ValueError: an exported file computes something else than the network.
    """
    net = ClassificationModel(f"{job['network']}.yaml", nc=len(job["classes"]), verbose=False)
    what = Exported(
        stem="classifier",
        net=Served(fill(net, folder / "classifier.npz")).eval(),
        input="crops",
        output=job["head"],
        pictures=lambda side: _crops(folder / "data" / side),
        difference=lambda wanted, found: {"probability": float(np.abs(wanted - found).max())},
        close={"probability": 2e-3},
        whole=lambda _model: [],
    )
    ultra_export.export(folder, job, what)


def _crops(folder: Path) -> Iterator[Array]:
    """[3, S, S] of BGR bytes, of all classes in turn: the first few shall not be of one alone."""
    for path in sorted(folder.glob("*/*.png"), key=lambda path: path.name):
        bgr = cv2.imread(str(path))
        if bgr is None:
            raise ValueError(f"{path.name} is no picture")
        yield np.ascontiguousarray(bgr.transpose(2, 0, 1), np.float32)
