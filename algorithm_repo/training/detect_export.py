"""A trained detector as the files that run speak.

Input and output are those of the YOLOX family (`models.families.yolox`): BGR bytes 0..255 as float32, and a row of
(dx, dy, log w, log h, objectness, classes) for each cell at strides 8, 16 and 32. So both runners, the registry's
trial and every reader take it as it is. Objectness is the best class's probability, and the classes are told in
relation to it: their product is the probability that the network means, and one column rules out nearly all cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from ultralytics.nn.tasks import DetectionModel

from algorithm_repo.training import ultra_export
from algorithm_repo.training.ultra_export import Array, Exported, as_trained, fill

_STRIDES = (8, 16, 32)
_PAD = 114


class Served(nn.Module):
    """An ultralytics detector that speaks as YOLOX does.

    Args:
        net: ultralytics' `DetectionModel` in evaluation mode.
        size: of the square input, px.
    """

    def __init__(self, net: Any, size: int) -> None:
        super().__init__()
        self.net = net
        head = net.model[-1]
        head.export, head.format = True, "onnx"
        cells, strides = [], []
        for stride in _STRIDES:
            side = size // stride
            y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
            cells.append(torch.stack([x.flatten(), y.flatten()], 1))
            strides.append(torch.full((side * side, 1), stride))
        self.register_buffer("cells", torch.cat(cells).float()[None])
        self.register_buffer("strides", torch.cat(strides).float()[None])

    def forward(self, images: Tensor) -> Tensor:
        """[N, 3, S, S] to [N, cells, 5 + classes]."""
        found = self.net(as_trained(images))
        rows = (found[0] if isinstance(found, tuple | list) else found).transpose(1, 2)
        centre = rows[..., :2] / self.strides - self.cells
        size = torch.log(torch.clamp(rows[..., 2:4] / self.strides, min=1e-4))
        chances = torch.clamp(rows[..., 4:], min=1e-9)
        best = chances.amax(2, keepdim=True)
        return torch.cat([centre, size, best, chances / best], 2)


def export(folder: Path, job: dict[str, Any]) -> None:
    """Writes `detector.onnx` and its other forms; see `ultra_export.export`.

    Args:
        folder: of the job, with `detector.npz` and `data/`.
        job: `job.json`.

    Raises:
        ValueError: an exported file computes something else than the network.
    """
    net = DetectionModel(f"{job['network']}.yaml", nc=len(job["classes"]), verbose=False)
    what = Exported(
        stem="detector",
        net=Served(fill(net, folder / "detector.npz"), job["size"]).eval(),
        input="images",
        output="output",
        pictures=lambda side: letterboxed(folder / "data" / "images" / side, job["size"]),
        difference=_difference,
        close={"probability": 2e-3, "px": 0.5},
        whole=in_full,
    )
    ultra_export.export(folder, job, what)


def in_full(model: Any) -> list[str]:
    """Where boxes are put together from distributions, and what follows: a step of 1/256 there is pixels."""
    names = [op.get_friendly_name() for op in model.get_ordered_ops()]
    inside = [place for place, name in enumerate(names) if "/dfl/" in name]
    return names[inside[0] :] if inside else []


def letterboxed(folder: Path, size: int) -> Iterator[Array]:
    """[3, size, size] of BGR bytes, letterboxed to the left upper corner as the family's reader does."""
    for path in sorted(folder.iterdir()):
        bgr = cv2.imread(str(path))
        if bgr is None:
            raise ValueError(f"{path.name} is no picture")
        ratio = size / max(bgr.shape[:2])
        height, width = (max(2, int(side * ratio) // 2 * 2) for side in bgr.shape[:2])
        padded = np.full((size, size, 3), _PAD, np.uint8)
        padded[:height, :width] = cv2.resize(bgr, (width, height), interpolation=cv2.INTER_AREA)
        yield np.ascontiguousarray(padded.transpose(2, 0, 1), np.float32)


def _difference(wanted: Array, found: Array) -> dict[str, float]:
    """The largest of all cells, in probability and in px of their boxes."""
    chances = [one[..., 4:5] * one[..., 5:] for one in (wanted, found)]
    boxes = [_px(one) for one in (wanted, found)]
    return {
        "probability": float(np.abs(chances[0] - chances[1]).max()),
        "px": float(np.abs(boxes[0] - boxes[1]).max()),
    }


def _px(rows: Array) -> Array:
    """Centre and size of each cell's box, px; the cell's own place is the same in both that are compared."""
    cells = rows.shape[1]
    unit = cells / sum(1 / stride**2 for stride in _STRIDES)
    counts = [round(unit / stride**2) for stride in _STRIDES]
    strides = np.repeat(np.array(_STRIDES, np.float32), counts)[None, :, None]
    return np.concatenate([rows[..., :2] * strides, np.exp(rows[..., 2:4]) * strides], 2)
