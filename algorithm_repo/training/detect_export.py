"""From a trained detector to the files that run: ONNX, OpenVINO, and OpenVINO in INT8.

Input and output are those of the YOLOX family (`models.families.yolox`): BGR bytes 0..255 as float32, and a row of
(dx, dy, log w, log h, objectness, classes) for each cell at strides 8, 16 and 32. So both runners, the registry's
trial and every reader take it as it is. Objectness is the best class's probability, and the classes are told in
relation to it: their product is the probability that the network means, and one column rules out nearly all cells.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

_OPSET = 17
_STRIDES = (8, 16, 32)
_PAD = 114
# What two runtimes that add up in another order may differ by: in probability, and in px.
_CLOSE, _NEAR = 2e-3, 0.5
_CHECKED = 8  # pictures


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
        rgb = torch.cat([images[:, 2:3], images[:, 1:2], images[:, 0:1]], 1) / 255.0
        found = self.net(rgb)
        rows = (found[0] if isinstance(found, tuple | list) else found).transpose(1, 2)
        centre = rows[..., :2] / self.strides - self.cells
        size = torch.log(torch.clamp(rows[..., 2:4] / self.strides, min=1e-4))
        chances = torch.clamp(rows[..., 4:], min=1e-9)
        best = chances.amax(2, keepdim=True)
        return torch.cat([centre, size, best, chances / best], 2)


def export(folder: Path, job: dict[str, Any]) -> None:
    """Writes `detector.xml`, `detector-int8.xml` where asked for (each with its `.bin`), `export.json`, and last
    `detector.onnx`.

    Args:
        folder: of the job, with `detector.npz` and `data/`.
        job: `job.json`.

    Raises:
        ValueError: an exported file computes something else than the network.
    """
    import openvino as ov

    net = Served(_network(folder / "detector.npz", job), job["size"]).eval()
    some = np.stack([*_pictures(folder / "data" / "images" / "val", job["size"], _CHECKED)])
    with torch.no_grad():
        wanted = net(torch.from_numpy(some)).numpy()
    with tempfile.TemporaryDirectory(dir=folder) as name:
        plain = Path(name) / "detector.onnx"
        _write_onnx(net, plain, job["size"])
        told = {"onnx": _differs("detector.onnx", wanted, _onnx(plain, some))}
        model = ov.convert_model(plain)
        told["openvino"] = _differs("detector.xml", wanted, _openvino(model, some))
        ov.save_model(model, folder / "detector.xml", compress_to_fp16=False)
        if job["calibrate"]:
            small = _quantized(model, folder / "data" / "images" / "train", job)
            told["int8"] = _difference(wanted, _openvino(small, some))
            ov.save_model(small, folder / "detector-int8.xml", compress_to_fp16=False)
        (folder / "export.json").write_text(json.dumps(told, sort_keys=True))
        plain.replace(folder / "detector.onnx")


def _network(weights: Path, job: dict[str, Any]) -> Any:
    from ultralytics.nn.tasks import DetectionModel

    net = DetectionModel(f"{job['network']}.yaml", nc=len(job["classes"]), verbose=False)
    with np.load(weights, allow_pickle=False) as arrays:
        net.load_state_dict({name: torch.from_numpy(arrays[name]) for name in arrays.files})
    return net.eval()


def _write_onnx(net: Served, target: Path, size: int) -> None:
    import onnx

    axes = {name: {0: "N"} for name in ("images", "output")}
    torch.onnx.export(
        net,
        (torch.zeros(1, 3, size, size),),
        str(target),
        input_names=["images"],
        output_names=["output"],
        opset_version=_OPSET,
        dynamic_axes=axes,
        dynamo=False,
    )
    model = onnx.load(target)
    model.producer_name, model.producer_version = "cityvision", ""
    for node in model.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(model)
    onnx.save(model, target)


def _quantized(model: Any, pictures: Path, job: dict[str, Any]) -> Any:
    import nncf

    shown = [*_pictures(pictures, job["size"], job["calibrate"])]
    return nncf.quantize(
        model,
        nncf.Dataset([one[None] for one in shown]),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(shown),
        ignored_scope=nncf.IgnoredScope(names=_head(model)),
    )


def _head(model: Any) -> list[str]:
    """Where boxes are put together from distributions, and what follows: a step of 1/256 there is pixels."""
    names = [op.get_friendly_name() for op in model.get_ordered_ops()]
    inside = [place for place, name in enumerate(names) if "/dfl/" in name]
    return names[inside[0] :] if inside else []


def _pictures(folder: Path, size: int, most: int) -> Iterator[NDArray[np.float32]]:
    """[3, size, size] of BGR bytes, letterboxed to the left upper corner as the family's reader does."""
    for path in sorted(folder.iterdir())[:most]:
        bgr = cv2.imread(str(path))
        if bgr is None:
            raise ValueError(f"{path.name} is no picture")
        ratio = size / max(bgr.shape[:2])
        height, width = (max(2, int(side * ratio) // 2 * 2) for side in bgr.shape[:2])
        padded = np.full((size, size, 3), _PAD, np.uint8)
        padded[:height, :width] = cv2.resize(bgr, (width, height), interpolation=cv2.INTER_AREA)
        yield np.ascontiguousarray(padded.transpose(2, 0, 1), np.float32)


def _onnx(path: Path, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found: NDArray[np.float32] = session.run(None, {"images": pictures})[0]
    return found


def _openvino(model: Any, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    import openvino as ov

    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.concatenate([compiled(one[None])[0] for one in pictures])


def _difference(wanted: NDArray[np.float32], found: NDArray[np.float32]) -> dict[str, float]:
    """The largest of all cells, in probability and in px of their boxes."""
    chances = [one[..., 4:5] * one[..., 5:] for one in (wanted, found)]
    boxes = [_px(one) for one in (wanted, found)]
    return {
        "probability": float(np.abs(chances[0] - chances[1]).max()),
        "px": float(np.abs(boxes[0] - boxes[1]).max()),
    }


def _px(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Centre and size of each cell's box, px; the cell's own place is the same in both that are compared."""
    cells = rows.shape[1]
    unit = cells / sum(1 / stride**2 for stride in _STRIDES)
    counts = [round(unit / stride**2) for stride in _STRIDES]
    strides = np.repeat(np.array(_STRIDES, np.float32), counts)[None, :, None]
    return np.concatenate([rows[..., :2] * strides, np.exp(rows[..., 2:4]) * strides], 2)


def _differs(name: str, wanted: NDArray[np.float32], found: NDArray[np.float32]) -> dict[str, float]:
    worst = _difference(wanted, found)
    if worst["probability"] > _CLOSE or worst["px"] > _NEAR:
        raise ValueError(f"{name} differs from the network it was made from: {worst}")
    return worst
