"""Triton's Python backend for one version: OpenVINO on the server's CPU.

This file is copied into the model repository as `model.py` and runs inside the Triton server, in the server's own
environment: it imports nothing of ours.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import triton_python_backend_utils as pb_utils  # type: ignore[import-not-found]


class TritonPythonModel:
    """One compiled model; a merged batch is spread over its requests, one thread each."""

    def initialize(self, args: dict[str, str]) -> None:
        config = json.loads(args["model_config"])
        parameters = {key: value["string_value"] for key, value in config["parameters"].items()}
        threads = int(parameters["threads"])
        # Unpinned: each version is a process of its own, and all would bind their threads to the same first cores.
        options: dict[str, Any] = {
            "NUM_STREAMS": threads,
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,
        }
        if parameters["precision"] != "auto":
            options["INFERENCE_PRECISION_HINT"] = parameters["precision"]
        folder = Path(args["model_repository"]) / args["model_version"]
        weights = next(path for path in folder.glob("weights.*") if path.suffix in (".onnx", ".xml"))
        core = ov.Core()
        model = core.read_model(weights)
        model.reshape({port.any_name: [1, *list(port.partial_shape)[1:]] for port in model.inputs})
        self._inputs = [port.any_name for port in model.inputs]
        self._outputs = [
            (port.any_name, tuple(entry["dims"]), pb_utils.triton_string_to_numpy(entry["data_type"]), _listed(port))
            for port, entry in zip(model.outputs, config["output"], strict=True)
        ]
        compiled = core.compile_model(model, "CPU", options)
        self._lanes = [compiled.create_infer_request() for _ in range(threads)]

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answers every request of a merged batch; the pictures of all of them share the lanes."""
        batches = [[pb_utils.get_input_tensor_by_name(r, name).as_numpy() for name in self._inputs] for r in requests]
        results = [
            [np.zeros((len(batch[0]), *shape), dtype) for _, shape, dtype, _ in self._outputs] for batch in batches
        ]
        busy: list[tuple[int, int] | None] = [None] * len(self._lanes)
        work = [(number, index) for number, batch in enumerate(batches) for index in range(len(batch[0]))]
        for turn, (number, index) in enumerate(work):
            lane = turn % len(self._lanes)
            self._finish(lane, busy[lane], results)
            self._start(lane, index, batches[number], results[number])
            busy[lane] = (number, index)
        for lane, pending in enumerate(busy):
            self._finish(lane, pending, results)
        names = [name for name, *_ in self._outputs]
        return [
            pb_utils.InferenceResponse([pb_utils.Tensor(n, array) for n, array in zip(names, arrays, strict=True)])
            for arrays in results
        ]

    def _start(self, lane: int, index: int, batch: list[Any], results: list[Any]) -> None:
        request = self._lanes[lane]
        for position, array in enumerate(batch):
            request.set_input_tensor(position, ov.Tensor(array[index : index + 1], shared_memory=True))
        for position, (_, _, _, listed) in enumerate(self._outputs):
            if not listed:
                slot = results[position][index : index + 1]
                request.set_output_tensor(position, ov.Tensor(slot, shared_memory=True))
        request.start_async()

    def _finish(self, lane: int, pending: tuple[int, int] | None, results: list[list[Any]]) -> None:
        if pending is None:
            return
        number, index = pending
        self._lanes[lane].wait()
        for position, (_, _, _, listed) in enumerate(self._outputs):
            if listed:
                rows = self._lanes[lane].get_output_tensor(position).data
                results[number][position][index, : len(rows)] = rows


def _listed(port: Any) -> bool:
    """The output lists one picture's objects and has no batch axis."""
    rows = port.partial_shape[0]
    return not (rows.is_static and rows.get_length() == 1)
