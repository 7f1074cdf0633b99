"""A trained network of masks as the files that run speak: as `models.segmenter` reads them.

Input [N, 3, S, S] of BGR bytes 0..255 as float32, letterboxed top left; output [N, 1, S / 4, S / 4] of probabilities.
ultralytics finds things, each with a box, a score and a mask; where one of them is, is what the map says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from ultralytics.nn.tasks import SegmentationModel

from algorithm_repo.training import ultra_export
from algorithm_repo.training.detect_export import in_full, letterboxed
from algorithm_repo.training.ultra_export import Exported, as_trained, fill

_STRIDE = 4  # px a cell of the map
_THINGS = 100  # that are looked at, best score first
# ultralytics shows a thing from a score of a quarter on, readers of maps from a half on.
_SHOWN = 0.25


class Served(nn.Module):
    """An ultralytics network of masks that speaks as a segmenter does.

    Args:
        net: ultralytics' `SegmentationModel` in evaluation mode, of one class.
        size: of the square input, px.
    """

    def __init__(self, net: Any, size: int) -> None:
        super().__init__()
        self.net = net
        head = net.model[-1]
        head.export, head.format = True, "onnx"
        self._masks = head.nm
        self.register_buffer("places", (torch.arange(size // _STRIDE).float() + 0.5) * _STRIDE)

    def forward(self, images: Tensor) -> Tensor:
        """[N, 3, S, S] to [N, 1, S / 4, S / 4]."""
        rows, protos = self.net(as_trained(images))
        scores, best = rows[:, 4].topk(min(_THINGS, rows.shape[2]), dim=1)
        things = rows.gather(2, best[:, None].expand(-1, rows.shape[1], -1)).transpose(1, 2)
        masks = torch.einsum("nkc,nchw->nkhw", things[..., -self._masks :], protos).sigmoid()
        half = things[..., 2:4] / 2
        left, top = (things[..., :2] - half).unbind(-1)
        right, bottom = (things[..., :2] + half).unbind(-1)
        across = (self.places > left[..., None]) & (self.places < right[..., None])
        down = (self.places > top[..., None]) & (self.places < bottom[..., None])
        inside = (down[..., :, None] & across[..., None, :]).float()
        sure = (scores * (0.5 / _SHOWN)).clamp(max=1.0)[..., None, None]
        return (masks * inside * sure).amax(1, keepdim=True)


def export(folder: Path, job: dict[str, Any]) -> None:
    """Writes `segmenter.onnx` and its other forms; see `ultra_export.export`.

    Args:
        folder: of the job, with `segmenter.npz` and `data/`.
        job: `job.json`.

    Raises:
        ValueError: an exported file computes something else than the network.
    """
    net = SegmentationModel(f"{job['network']}.yaml", nc=len(job["classes"]), verbose=False)
    what = Exported(
        stem="segmenter",
        net=Served(fill(net, folder / "segmenter.npz"), job["size"]).eval(),
        input="images",
        output="map",
        pictures=lambda side: letterboxed(folder / "data" / "images" / side, job["size"]),
        # The mean: at the edge of a box, a cell is in or out by the last bit.
        difference=lambda wanted, found: {"probability": float(np.abs(wanted - found).mean())},
        close={"probability": 1e-3},
        whole=in_full,
    )
    ultra_export.export(folder, job, what)
