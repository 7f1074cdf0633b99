"""The one way to run a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from contracts.errors import RunnerError

Tensors = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Name, shape (−1: any) and dtype of one input or output."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Runner(Protocol):
    """Runs one version of one model on batches. Thread-safe; `infer` blocks until the batch is done.

    Implementations: `models.openvino_runner.OpenVinoRunner` (in process), `models.triton_runner.TritonRunner`.
    """

    name: str
    sha256: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def infer(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
        """One batch: arrays [N, …] by input name to arrays [N, …] by output name.

        Raises:
            RunnerError: the model or its server failed; the caller may try again.
        """
        ...

    def close(self) -> None: ...


def batch_size(name: str, specs: tuple[TensorSpec, ...], inputs: Tensors) -> int:
    """N of a batch, after checking it against the model's inputs.

    Raises:
        RunnerError: an input is missing, has another shape or dtype, or inputs differ in N.
    """
    counts = set()
    for spec in specs:
        array = inputs.get(spec.name)
        if array is None or array.shape[1:] != spec.shape[1:] or array.dtype != spec.dtype:
            got = "nothing" if array is None else f"{array.dtype} {list(array.shape)}"
            raise RunnerError(f"{name}: input {spec.name} wants {spec.dtype} {list(spec.shape)}, got {got}")
        counts.add(len(array))
    if len(counts) != 1:
        raise RunnerError(f"{name}: inputs differ in batch size: {sorted(counts)}")
    return int(counts.pop())
