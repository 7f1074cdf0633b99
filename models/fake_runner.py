"""A runner without a model, for tests of what stands behind one. It passes the contract suite of the real ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts.errors import RunnerError
from models.runner import Tensors, TensorSpec, batch_size

Compute = Callable[[Tensors], dict[str, NDArray[Any]]]


class FakeRunner:
    """`Runner` over a function of the batch.

    Args:
        inputs: first axis -1: the batch.
        outputs: the same.
        compute: a batch's outputs, of those shapes; row i must depend on row i alone.
        name, sha256: as a real version would have them.
    """

    def __init__(
        self,
        inputs: tuple[TensorSpec, ...],
        outputs: tuple[TensorSpec, ...],
        compute: Compute,
        *,
        name: str = "fake-00000000",
        sha256: str = "0" * 64,
    ) -> None:
        self.name = name
        self.sha256 = sha256
        self.inputs = inputs
        self.outputs = outputs
        self.batches: list[int] = []
        self._compute = compute
        self._closed = False

    def infer(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
        """See `Runner.infer`; each batch's size is noted in `batches`."""
        if self._closed:
            raise RunnerError(f"{self.name} is closed")
        n = batch_size(self.name, self.inputs, inputs)
        self.batches.append(n)
        if n == 0:
            return {spec.name: np.zeros((0, *spec.shape[1:]), spec.dtype) for spec in self.outputs}
        return self._compute(inputs)

    def close(self) -> None:
        """Later batches are refused."""
        self._closed = True
