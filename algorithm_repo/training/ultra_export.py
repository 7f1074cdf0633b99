"""From a trained network to the files that run: ONNX, OpenVINO, and OpenVINO in INT8, each compared with the network.

Input is what every network here takes: BGR bytes 0..255 as float32, [N, 3, S, S].
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Array = NDArray[np.float32]
_OPSET = 17
_CHECKED = 8  # pictures
_UNFINISHED = "export-"


@dataclass(frozen=True, slots=True)
class Exported:
    """What is exported, and how it is compared.

    Attributes:
        stem: of the files.
        net: that speaks as what runs does, in evaluation mode.
        input, output: names in the file.
        pictures: of a side ("train", "val"), in order: float32 [3, S, S].
        difference: of two outputs for the same pictures, by the name of what is measured.
        close: by the same names, what two runtimes that add up in another order may differ by.
        whole: names of a model's operations that stay in full precision in INT8.
    """

    stem: str
    net: nn.Module
    input: str
    output: str
    pictures: Callable[[str], Iterable[Array]]
    difference: Callable[[Array, Array], dict[str, float]]
    close: Mapping[str, float]
    whole: Callable[[Any], list[str]]


def export(folder: Path, job: dict[str, Any], what: Exported) -> None:
    """Writes `STEM.xml`, `STEM-int8.xml` where asked for (each with its `.bin`), `export.json`, and last `STEM.onnx`.

    Args:
        folder: of the job.
        job: `job.json`.

    Raises:
        ValueError: an exported file computes something else than the network.
    """
    import openvino as ov

    for left in folder.glob(f"{_UNFINISHED}*"):  # by an export that was killed
        shutil.rmtree(left)
    some = np.stack([*islice(what.pictures("val"), _CHECKED)])
    with torch.no_grad():
        wanted = what.net(torch.from_numpy(some)).numpy()
    with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=folder) as name:
        plain = Path(name) / f"{what.stem}.onnx"
        _write_onnx(what, plain, job["size"])
        told = {"onnx": _checked(what, plain.name, wanted, _onnx(plain, what.input, some))}
        model = ov.convert_model(plain)
        told["openvino"] = _checked(what, f"{what.stem}.xml", wanted, _openvino(model, some))
        ov.save_model(model, folder / f"{what.stem}.xml", compress_to_fp16=False)
        if job["calibrate"]:
            small = _quantized(what, model, job["calibrate"])
            told["int8"] = what.difference(wanted, _openvino(small, some))
            ov.save_model(small, folder / f"{what.stem}-int8.xml", compress_to_fp16=False)
        (folder / "export.json").write_text(json.dumps(told, sort_keys=True))
        os.sync()  # it stands for the others: a loss of power must not keep it and lose them
        plain.replace(folder / plain.name)


def fill(net: Any, weights: Path) -> Any:
    """The network with weights of an `.npz`, in evaluation mode."""
    with np.load(weights, allow_pickle=False) as arrays:
        net.load_state_dict({name: torch.from_numpy(arrays[name]) for name in arrays.files})
    return net.eval()


def as_trained(images: Tensor) -> Tensor:
    """[N, 3, H, W] of BGR bytes as ultralytics trains on them: RGB from 0 to 1."""
    return torch.cat([images[:, 2:3], images[:, 1:2], images[:, 0:1]], 1) / 255.0


def _write_onnx(what: Exported, target: Path, size: int) -> None:
    import onnx

    axes = {name: {0: "N"} for name in (what.input, what.output)}
    torch.onnx.export(
        what.net,
        (torch.zeros(1, 3, size, size),),
        str(target),
        input_names=[what.input],
        output_names=[what.output],
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


def _quantized(what: Exported, model: Any, most: int) -> Any:
    import nncf

    shown = [*islice(what.pictures("train"), most)]
    return nncf.quantize(
        model,
        nncf.Dataset([one[None] for one in shown]),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(shown),
        ignored_scope=nncf.IgnoredScope(names=what.whole(model)),
    )


def _onnx(path: Path, name: str, pictures: Array) -> Array:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found: Array = session.run(None, {name: pictures})[0]
    return found


def _openvino(model: Any, pictures: Array) -> Array:
    import openvino as ov

    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.concatenate([compiled(one[None])[0] for one in pictures])


def _checked(what: Exported, name: str, wanted: Array, found: Array) -> dict[str, float]:
    worst = what.difference(wanted, found)
    if any(worst[one] > most for one, most in what.close.items()):
        raise ValueError(f"{name} differs from the network it was made from: {worst}")
    return worst
