"""How a batch travels to a Triton server and back: in shared memory, or inside the gRPC messages.

A lane carries one batch at a time; a runner keeps as many as it has concurrent callers.
"""

from __future__ import annotations

import math
import os
import queue
import uuid
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tritonclient import grpc as triton
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from models.runner import Tensors, TensorSpec

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Model:
    """What a lane needs to know of the served version.

    Attributes:
        name: its Triton name.
        inputs, outputs: first axis -1: the batch.
        timeout_s: for one request, s.
    """

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    timeout_s: float


class Lane(ABC):
    """One batch of up to `capacity` pictures on its way to the server and back."""

    def __init__(self, client: triton.InferenceServerClient, model: Model, capacity: int) -> None:
        self.capacity = capacity
        self._client = client
        self._model = model

    def run(self, inputs: Tensors, n: int, step: int) -> Arrays:
        """Sends the batch in requests of `step` pictures, waits for all of them.

        Raises:
            InferenceServerException: a request failed; all of them have come to an end.
        """
        answers: queue.SimpleQueue[tuple[int, Any, InferenceServerException | None]] = queue.SimpleQueue()
        self._write(inputs)
        firsts = range(0, n, step)
        for first in firsts:
            rows = slice(first, min(first + step, n))
            self._client.async_infer(
                self._model.name,
                self._inputs(inputs, rows),
                lambda result, error, first=first: answers.put((first, result, error)),
                outputs=self._outputs(rows),
                client_timeout=self._model.timeout_s,
            )
        done = sorted((answers.get() for _ in firsts), key=lambda answer: answer[0])
        for _, _, error in done:
            if error is not None:
                raise error
        return self._read([result for _, result, _ in done], n)

    @abstractmethod
    def close(self) -> None:
        """Gives the lane's memory back; never raises."""

    @abstractmethod
    def _write(self, inputs: Tensors) -> None:
        """Puts the batch where the server finds it."""

    @abstractmethod
    def _inputs(self, inputs: Tensors, rows: slice) -> list[triton.InferInput]: ...

    @abstractmethod
    def _outputs(self, rows: slice) -> list[triton.InferRequestedOutput]: ...

    @abstractmethod
    def _read(self, results: Sequence[Any], n: int) -> Arrays: ...


class WireLane(Lane):
    """Tensors inside the messages: works everywhere."""

    def close(self) -> None:
        """A wire lane has no memory of its own."""

    def _write(self, inputs: Tensors) -> None:
        """Nothing to place: each request carries its rows."""

    def _inputs(self, inputs: Tensors, rows: slice) -> list[triton.InferInput]:
        parts = []
        for spec in self._model.inputs:
            array = np.ascontiguousarray(inputs[spec.name][rows])
            part = triton.InferInput(spec.name, list(array.shape), np_to_triton_dtype(spec.dtype))
            part.set_data_from_numpy(array)
            parts.append(part)
        return parts

    def _outputs(self, rows: slice) -> list[triton.InferRequestedOutput]:
        return [triton.InferRequestedOutput(spec.name) for spec in self._model.outputs]

    def _read(self, results: Sequence[Any], n: int) -> Arrays:
        return {
            spec.name: np.concatenate([result.as_numpy(spec.name) for result in results])
            for spec in self._model.outputs
        }


class SharedLane(Lane):
    """Tensors in one block of system shared memory that the server maps too: inputs first, outputs behind them.

    Raises:
        InferenceServerException: the server is away, or cannot map our memory (it runs elsewhere, or in a container
            with a memory of its own).
    """

    def __init__(self, client: triton.InferenceServerClient, model: Model, capacity: int) -> None:
        super().__init__(client, model, capacity)
        specs = [*model.inputs, *model.outputs]
        # The ends of the tensors one behind the other; 64-byte steps keep vector loads aligned.
        sizes = [-(-capacity * _row_bytes(spec) // 64) * 64 for spec in specs]
        self._offsets = dict(zip([spec.name for spec in specs], np.cumsum([0, *sizes]).tolist(), strict=False))
        self._memory = SharedMemory(create=True, size=sum(sizes))
        # Unique for as long as the server lives, also across our restarts.
        self._region = f"cityvision-{os.getpid()}-{uuid.uuid4().hex[:12]}"
        try:
            client.register_system_shared_memory(
                self._region, f"/{self._memory.name}", sum(sizes), client_timeout=model.timeout_s
            )
        except InferenceServerException:
            self._release()
            raise

    def close(self) -> None:
        """Takes the memory from the server, then frees it; a server that is gone has forgotten it already."""
        with suppress(InferenceServerException, ValueError):
            self._client.unregister_system_shared_memory(self._region, client_timeout=1.0)
        self._release()

    def _release(self) -> None:
        self._memory.close()
        self._memory.unlink()

    def _view(self, spec: TensorSpec, n: int) -> NDArray[Any]:
        return np.ndarray((n, *spec.shape[1:]), spec.dtype, self._memory.buf, self._offsets[spec.name])

    def _write(self, inputs: Tensors) -> None:
        for spec in self._model.inputs:
            array = inputs[spec.name]
            np.copyto(self._view(spec, len(array)), array)

    def _inputs(self, inputs: Tensors, rows: slice) -> list[triton.InferInput]:
        parts = []
        for spec in self._model.inputs:
            shape = [rows.stop - rows.start, *spec.shape[1:]]
            part = triton.InferInput(spec.name, shape, np_to_triton_dtype(spec.dtype))
            part.set_shared_memory(self._region, *self._place(spec, rows))
            parts.append(part)
        return parts

    def _outputs(self, rows: slice) -> list[triton.InferRequestedOutput]:
        parts = []
        for spec in self._model.outputs:
            part = triton.InferRequestedOutput(spec.name)
            part.set_shared_memory(self._region, *self._place(spec, rows))
            parts.append(part)
        return parts

    def _place(self, spec: TensorSpec, rows: slice) -> tuple[int, int]:
        """Size and offset of some rows of a tensor, bytes."""
        row = _row_bytes(spec)
        return (rows.stop - rows.start) * row, self._offsets[spec.name] + rows.start * row

    def _read(self, results: Sequence[Any], n: int) -> Arrays:
        return {spec.name: self._view(spec, n).copy() for spec in self._model.outputs}


def _row_bytes(spec: TensorSpec) -> int:
    return math.prod(spec.shape[1:]) * spec.dtype.itemsize
