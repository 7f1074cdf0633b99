"""Writes Triton's model repository: one Triton name per version of a model, so that versions are loaded, warmed,
switched and drained by name.

    <repository>/<name>/config.pbtxt
    <repository>/<name>/1/model.onnx               (onnxruntime backend: GPU hosts, the official image)
    <repository>/<name>/1/model.py, weights        (python backend with OpenVINO inside: the embedded server)
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from contracts.errors import ConfigError
from models.detector import version_name
from models.openvino_runner import describe
from models.runner import TensorSpec
from models.zoo import Artefact, Zoo

Backend = Literal["python", "onnxruntime"]
_BACKEND_SOURCE = Path(__file__).with_name("triton_backend.py")
_TYPES = {
    "float32": "TYPE_FP32",
    "float16": "TYPE_FP16",
    "int64": "TYPE_INT64",
    "int32": "TYPE_INT32",
    "uint8": "TYPE_UINT8",
}


@dataclass(frozen=True, slots=True)
class Serving:
    """How a version is served.

    Attributes:
        backend: "python" runs OpenVINO on the CPU; "onnxruntime" runs an ONNX file, on a GPU where there is one.
        max_batch: pictures a batch holds at most.
        queue_delay_us: how long Triton holds a request back to find company for it.
        threads: pictures inferred at the same time (python backend).
        precision: as `OpenVinoRunner`'s (python backend).
        gpu: place the instance on a GPU (onnxruntime backend).
    """

    backend: Backend = "python"
    max_batch: int = 8
    queue_delay_us: int = 2000
    threads: int = 1
    precision: str = "auto"
    gpu: bool = False


def publish(name: str, zoo: Zoo, repository: Path, serving: Serving | None = None) -> str:
    """Writes one model of the zoo into the repository; an earlier copy of the same version is replaced at once.

    Returns:
        The version's Triton name, e.g. "yolox_nano-695e750a".

    Raises:
        ModelMissing, HashMismatch: the weights cannot be had.
        ConfigError: the backend cannot run this kind of file.
        RunnerError: the file cannot be read.
    """
    serving = serving or Serving()
    artefact = zoo.artefact(name)
    paths = zoo.fetch(name)
    if serving.backend == "onnxruntime" and paths[0].suffix != ".onnx":
        raise ConfigError(f"{name} is no ONNX file", "serve it with the python backend")
    version = version_name(name, artefact)
    repository.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{version}.", dir=repository))
    try:
        staging.chmod(0o755)
        _write(staging, version, artefact, paths, serving)
        target = repository / version
        if target.exists():
            shutil.rmtree(target)
        staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return version


def _write(folder: Path, version: str, artefact: Artefact, paths: Sequence[Path], serving: Serving) -> None:
    files = folder / "1"
    files.mkdir()
    if serving.backend == "onnxruntime":
        shutil.copyfile(paths[0], files / "model.onnx")
    else:
        shutil.copyfile(_BACKEND_SOURCE, files / "model.py")
        for path in paths:
            shutil.copyfile(path, files / f"weights{path.suffix}")
    inputs, outputs = describe(paths[0])
    (folder / "config.pbtxt").write_text(config_text(version, artefact.digest, inputs, outputs, serving))


def config_text(
    version: str, sha256: str, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], serving: Serving
) -> str:
    """The version's `config.pbtxt`.

    An ONNX file whose batch axis is fixed to one picture is served unbatched (`max_batch_size: 0`): the runner then
    sends one request a picture. Export with a free batch axis to batch on a GPU.
    """
    batched = serving.backend == "python"
    lines = [
        f'name: "{version}"',
        f'backend: "{serving.backend}"',
        f"max_batch_size: {serving.max_batch if batched else 0}",
        _tensors("input", inputs, batched),
        _tensors("output", outputs, batched),
        f"instance_group [ {{ count: 1, kind: {'KIND_GPU' if serving.gpu else 'KIND_CPU'} }} ]",
        _parameter("sha256", sha256),
    ]
    if batched:
        lines += [
            f"dynamic_batching {{ max_queue_delay_microseconds: {serving.queue_delay_us} }}",
            _parameter("threads", str(serving.threads)),
            _parameter("precision", serving.precision),
        ]
    return "\n".join(lines) + "\n"


def _tensors(key: str, specs: Sequence[TensorSpec], batched: bool) -> str:
    entries = []
    for spec in specs:
        dims = spec.shape[1:] if batched else (1, *spec.shape[1:])
        shape = ", ".join(str(dimension) for dimension in dims)
        entries.append(
            f'  {{ name: "{spec.name}", data_type: {_TYPES[np.dtype(spec.dtype).name]}, dims: [ {shape} ] }}'
        )
    return f"{key} [\n" + ",\n".join(entries) + "\n]"


def _parameter(key: str, value: str) -> str:
    return f'parameters {{ key: "{key}", value: {{ string_value: "{value}" }} }}'
