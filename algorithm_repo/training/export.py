"""From trained weights to the ONNX file that runs.

    python -m algorithm_repo.training.export OUT        OUT/street.npz → OUT/street.onnx, and so on

Weights are stored in half precision (the detector: 1.9 MB rather than 3.6) and widened again where the file is read;
the file is checked against the network it was made from. Needs `onnx` and `onnxruntime`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from algorithm_repo.training.nets import KINDS

_OPSET = 17
# Half precision of the stored weights moves a probability by less than this.
_CLOSE = 0.02


def save_weights(net: nn.Module, path: Path) -> None:
    """Every parameter and running statistic, float32, as `.npz`."""
    np.savez(path, **{name: value.detach().float().cpu().numpy() for name, value in net.state_dict().items()})


def load_weights(kind: str, path: Path) -> nn.Module:
    """The network of a kind with weights of `save_weights`."""
    net = KINDS[kind].make()
    with np.load(path) as arrays:
        net.load_state_dict({name: torch.from_numpy(arrays[name]) for name in arrays.files})
    return net.eval()


def export(kind: str, weights: Path, target: Path) -> float:
    """Writes the ONNX file of a network and checks it with ONNX Runtime on random pictures.

    Args:
        kind: "street", "water" or "litter".
        weights: from `save_weights`.
        target: file to write; it appears whole and checked, or not at all.

    Returns:
        The largest difference from the network itself.

    Raises:
        ImportError: `onnx` or `onnxruntime` is not installed.
        ValueError: the exported file computes something else.
    """
    # torch would say a missing package in another way, after half of the work.
    for package in ("onnx", "onnxruntime"):
        import_module(package)
    net: Any = load_weights(kind, weights)
    net.exported = True
    spec = KINDS[kind]
    width, height = spec.size
    example = torch.zeros(1, 3, height, width)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        axes = {name: {0: "N"} for name in (spec.input, *spec.outputs)}
        torch.onnx.export(
            net,
            (example,),
            str(plain),
            input_names=[spec.input],
            output_names=list(spec.outputs),
            opset_version=_OPSET,
            dynamic_axes=axes,
            dynamo=False,
        )
        # What is called a network has been checked: a kill on the way leaves none that only looks finished.
        part = target.with_name(f"{target.name}.part")
        _store_half(plain, part)
    try:
        worst = _check(net, part, target.name, (height, width))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return worst


def _store_half(source: Path, target: Path) -> None:
    """Large weights as float16, each followed by a widening cast that every runtime folds away when it loads."""
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(source)
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < 64:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
    model.producer_name, model.producer_version = "cityvision", ""
    for node in model.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(model)
    target.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, target)
    _on_disk(target)


def _on_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _check(net: nn.Module, path: Path, name: str, size: tuple[int, int]) -> float:
    import onnxruntime

    pictures = np.random.default_rng(0).uniform(0, 255, (2, 3, *size)).astype(np.float32)
    with torch.no_grad():
        wanted = net(torch.from_numpy(pictures))
    wanted = [one.numpy() for one in (wanted if isinstance(wanted, tuple) else (wanted,))]
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found: list[NDArray[np.float32]] = session.run(None, {session.get_inputs()[0].name: pictures})
    # Box sizes are logarithms and may be large where there is no box; probabilities are what is compared there.
    pairs = [(a[..., 4:], b[..., 4:]) if a.ndim == 3 else (a, b) for a, b in zip(wanted, found, strict=True)]
    worst = max(float(np.abs(a - b).max()) for a, b in pairs)
    if worst > _CLOSE:
        raise ValueError(f"{name} differs from the network it was made from by {worst:.3f}")
    return worst


def main(out: Path) -> None:
    """Exports every network whose weights lie in `out`."""
    for kind in KINDS:
        weights = out / f"{kind}.npz"
        if weights.is_file():
            target = out / f"{kind}.onnx"
            worst = export(kind, weights, target)
            sys.stdout.write(f"{target}: {target.stat().st_size / 1e6:.2f} MB, differs by {worst:.4f}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
