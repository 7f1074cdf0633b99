"""In-process inference with OpenVINO on the CPU.

On a CPU a batch gains nothing over its pictures one by one, so a batch is spread over `threads` requests of one
thread each; a worker that has one core uses one.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from contracts.errors import RunnerError
from models.runner import Tensors, TensorSpec, batch_size

Precision = Literal["auto", "f32", "bf16", "f16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


@dataclass(frozen=True, slots=True)
class _Output:
    """One output of the model for a single picture.

    `listed` outputs have no batch axis and as many rows as objects were found; they are padded with zeros to `rows`.
    """

    spec: TensorSpec
    listed: bool


class OpenVinoRunner:
    """`Runner` over an OpenVINO IR or ONNX file.

    The model is compiled for one picture; `infer` accepts any N. An output that lists objects without a batch axis
    ([0..M, …]) comes back as [N, M, …], padded with zeros.

    Args:
        path: `.xml` (its `.bin` beside it) or `.onnx`.
        name: the version's name, e.g. "yolox_nano".
        sha256: of the file that is opened.
        threads: pictures inferred at the same time, one thread each.
        precision: "auto" takes bf16 where the CPU has it; "f32" for comparisons.

    Raises:
        RunnerError: OpenVINO cannot read or compile the file, or an output has no fixed size.
    """

    def __init__(self, path: Path, *, name: str, sha256: str, threads: int = 1, precision: Precision = "auto") -> None:
        self.name = name
        self.sha256 = sha256
        self._lock = threading.Lock()
        # Unpinned: OpenVINO binds its threads to the first cores, every process to the same ones, so that two workers
        # on two cores share one and the other idles.
        options: dict[str, Any] = {
            "NUM_STREAMS": threads,
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,
        }
        if precision != "auto":
            options["INFERENCE_PRECISION_HINT"] = precision
        self._options, self._threads = options, threads
        self._model = _read(path)
        self.inputs = tuple(_spec(port) for port in self._model.inputs)
        self._outputs = tuple(_output(port) for port in self._model.outputs)
        self.outputs = tuple(output.spec for output in self._outputs)
        try:
            self._requests = self._compiled()
        except RuntimeError as error:
            raise RunnerError(f"OpenVINO cannot compile {path.name}: {_first_line(error)}") from error

    def infer(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
        """One batch, spread over the requests. Blocks; concurrent callers take turns.

        After a failure the model is compiled anew: requests that raised, and those that ran beside them, hold on to
        arrays that are gone, and answer out of them or end the process.

        Raises:
            RunnerError: wrong shapes, or inference failed.
        """
        n = batch_size(self.name, self.inputs, inputs)
        # Held until the batch is done: requests read these arrays in place.
        contiguous = {spec.name: np.ascontiguousarray(inputs[spec.name]) for spec in self.inputs}
        results = [np.zeros((n, *output.spec.shape[1:]), output.spec.dtype) for output in self._outputs]
        with self._lock:
            if not self._requests:
                raise RunnerError(f"{self.name} is closed")
            try:
                self._run(n, contiguous, results)
            except RuntimeError as error:
                self._begin_anew()
                raise RunnerError(f"{self.name}: inference failed: {_first_line(error)}") from error
        return {output.spec.name: array for output, array in zip(self._outputs, results, strict=True)}

    def close(self) -> None:
        """Waits for a running batch and lets the compiled model go."""
        with self._lock:
            self._requests = []

    def _compiled(self) -> list[Any]:
        """Fresh requests of a model compiled now. Raises RuntimeError."""
        compiled = _core().compile_model(self._model, "CPU", self._options)
        return [compiled.create_infer_request() for _ in range(self._threads)]

    def _begin_anew(self) -> None:
        """Waits for what still runs, then takes fresh requests; closed where even that fails."""
        requests, self._requests = self._requests, []
        for request in requests:
            with contextlib.suppress(RuntimeError):
                request.wait()
        with contextlib.suppress(RuntimeError):
            self._requests = self._compiled()

    def _run(self, n: int, inputs: Tensors, results: Sequence[NDArray[Any]]) -> None:
        busy: list[int | None] = [None] * len(self._requests)
        for index in range(n):
            lane = index % len(self._requests)
            self._finish(lane, busy[lane], results)
            self._start(lane, index, inputs, results)
            busy[lane] = index
        for lane, pending in enumerate(busy):
            self._finish(lane, pending, results)

    def _start(self, lane: int, index: int, inputs: Tensors, results: Sequence[NDArray[Any]]) -> None:
        request = self._requests[lane]
        for position, spec in enumerate(self.inputs):
            request.set_input_tensor(position, ov.Tensor(inputs[spec.name][index : index + 1], shared_memory=True))
        for position, output in enumerate(self._outputs):
            if not output.listed:
                # The result is written straight into the batch: no copy of 1.2 MB a picture.
                slot = results[position][index : index + 1]
                request.set_output_tensor(position, ov.Tensor(slot, shared_memory=True))
        request.start_async()

    def _finish(self, lane: int, index: int | None, results: Sequence[NDArray[Any]]) -> None:
        if index is None:
            return
        request = self._requests[lane]
        request.wait()
        for position, output in enumerate(self._outputs):
            if output.listed:
                rows = request.get_output_tensor(position).data
                results[position][index, : len(rows)] = rows


def describe(path: Path) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Inputs and outputs of a model file as a runner has them (first axis -1: the batch), without compiling it.

    Raises:
        RunnerError: OpenVINO cannot read the file, or an output has no fixed size.
    """
    model = _read(path)
    return tuple(_spec(port) for port in model.inputs), tuple(_output(port).spec for port in model.outputs)


@cache
def _core() -> ov.Core:
    """The process's only core, kept until the process ends.

    Every core gives the thread that makes it a stack for signal handlers and gives back, when it goes, the stack that
    was there before. With two of them that go in the order they came, that stack is unmapped memory, and the next
    signal (the stop request of a worker) ends the process.
    """
    return ov.Core()


def _read(path: Path) -> Any:
    """The model with its batch axis set to one picture."""
    try:
        model = _core().read_model(path)
        model.reshape({port.any_name: [1, *list(port.partial_shape)[1:]] for port in model.inputs})
    except RuntimeError as error:
        raise RunnerError(f"OpenVINO cannot read {path.name}: {_first_line(error)}") from error
    return model


def _spec(port: Any) -> TensorSpec:
    shape = (-1, *(int(dimension.get_max_length()) for dimension in list(port.partial_shape)[1:]))
    return TensorSpec(port.any_name, shape, np.dtype(port.element_type.to_dtype()))


def _output(port: Any) -> _Output:
    """Raises RunnerError where nobody can say how much room it needs."""
    if len(port.partial_shape) == 0:
        raise RunnerError(f"output {port.any_name} is a single number: it has no batch axis")
    rows = port.partial_shape[0]
    spec = _spec(port)
    if rows.is_static and rows.get_length() == 1 and min(spec.shape[1:], default=0) >= 0:
        return _Output(spec, listed=False)
    shape = (-1, int(rows.get_max_length()), *spec.shape[1:])
    if min(shape[1:]) < 0:
        raise RunnerError(f"output {port.any_name} {port.partial_shape} has no fixed size: export it with one")
    return _Output(TensorSpec(spec.name, shape, spec.dtype), listed=True)


def _first_line(error: BaseException) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
