"""ultralytics, imported so that it neither asks the network, nor installs anything, nor tells or writes beside the job.

Import this module before ultralytics; its settings are read once, at the import.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

# Whoever else it would tell of a training, if their client is installed: MLflow's is, and would keep a store of its own
# where the process was started.
_TOLD = ("sync", "clearml", "comet", "dvc", "mlflow", "raytune", "tensorboard", "wandb")
_KEPT: list[object] = []  # operators last as long as their library


def prepare(folder: Path) -> None:
    """Sets what ultralytics reads at its import, and makes torchvision importable.

    Args:
        folder: for its settings; made when missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["YOLO_CONFIG_DIR"] = str(folder)
    os.environ["YOLO_OFFLINE"] = "true"
    os.environ["YOLO_AUTOINSTALL"] = "false"
    try:
        import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        _without_compiled_operators()
    import_module("ultralytics.utils").SETTINGS.update(dict.fromkeys(_TOLD, False))


def _without_compiled_operators() -> None:
    """A torchvision that was built for a GPU beside a torch that was not: its operators cannot be loaded.

    Training and validation ask it for non-maximum suppression alone.
    """
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.impl("nms", _nms, "CPU")
    _KEPT.append(library)
    extension: Any = import_module("torchvision.extension")
    extension._has_ops = lambda: True
    import_module("torchvision")


def _nms(boxes: Tensor, scores: Tensor, limit: float) -> Tensor:
    """Rows [M] of `boxes` [N, 4] that stay, best score first; as `torchvision.ops.nms`."""
    order = torch.argsort(scores, descending=True, stable=True)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        start = torch.maximum(boxes[best, :2], boxes[order, :2])
        shared = (torch.minimum(boxes[best, 2:], boxes[order, 2:]) - start).clamp(min=0).prod(1)
        order = order[shared <= limit * (areas[best] + areas[order] - shared)]
    return torch.stack(kept) if kept else order
