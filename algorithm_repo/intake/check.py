"""What can be told of a model without running it. Runs in a child process: the file is hostile until proven otherwise.

Each step trusts only what the steps before it have checked: sizes and depth are limited before anything is walked, and
ONNX's own checker and shape inference, which are native code, see the file last.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import ModelProto, checker, shape_inference

from algorithm_repo.intake.card import Card
from algorithm_repo.intake.graphs import all_graphs, frame_faults, operator_faults, opset_of, parameters
from algorithm_repo.intake.names import name_faults
from algorithm_repo.intake.ports import input_faults, output_faults, shape_of
from algorithm_repo.intake.reasons import Code, Reason, refuse, stop_at
from algorithm_repo.intake.tensors import bytes_of, tensor_faults
from algorithm_repo.intake.types import Limits, StaticFigures

_EXPORT = "export it again"


def check(data: bytes, card: Card, limits: Limits) -> StaticFigures:
    """Looks at an ONNX file without running it.

    Raises:
        Refusal: with the reasons of the first step that found any.
        MemoryError: it takes more than the process may have.
    """
    model = ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        raise refuse(Code.NOT_ONNX, "file", "it is cut off, or no ONNX file", "upload it again, whole") from error
    stop_at(frame_faults(model, limits))
    graphs = all_graphs(model, limits)
    opset = opset_of(model)
    stop_at(fault for placed in graphs for fault in operator_faults(placed, opset))
    stop_at(fault for placed in graphs for fault in tensor_faults(placed, limits))
    stop_at(name_faults(model.graph))
    stop_at(input_faults(model.graph, card))
    inferred = _inferred(model)
    stop_at(
        fault for placed in all_graphs(inferred, limits) for fault in _size_faults(placed.graph, placed.where, limits)
    )
    stop_at(output_faults(inferred.graph, card))
    return StaticFigures(
        parameters=parameters(model),
        nodes=sum(len(placed.graph.node) for placed in graphs),
        opset=opset,
        ir_version=model.ir_version,
    )


def _inferred(model: ModelProto) -> ModelProto:
    """The model with the shapes of all values for one picture, as far as they follow from the graph.

    Raises:
        Refusal: the graph contradicts itself.
    """
    bare = ModelProto()
    bare.CopyFrom(model)
    # What the file says of values on the way is a claim; it is worked out anew.
    del bare.graph.value_info[:]
    bare.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    try:
        checker.check_model(bare)
        inferred = shape_inference.infer_shapes(bare, check_type=True, strict_mode=True, data_prop=True)
    except (checker.ValidationError, shape_inference.InferenceError, ValueError, RuntimeError) as error:
        what = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise refuse(Code.INVALID, "graph", f"it contradicts itself: {what}", _EXPORT) from error
    return inferred


def _size_faults(graph: onnx.GraphProto, where: str, limits: Limits) -> Iterator[Reason]:
    """Values that would take more room than they may while one picture is looked at."""
    for value in (*graph.value_info, *graph.output):
        shape = shape_of(value)
        if shape is None:
            continue
        size = (bytes_of(value.type.tensor_type.elem_type) or 8) * math.prod(side for side in shape if side is not None)
        if size > limits.tensor_bytes:
            sides = " x ".join("?" if side is None else str(side) for side in shape)
            what = f"{sides} takes {size} bytes for one picture, above {limits.tensor_bytes}"
            yield Reason(
                code=Code.SIZE_BOMB, field=f"{where}.value[{value.name}]", what=what, fix="use a smaller model"
            )
