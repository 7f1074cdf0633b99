"""Networks as candidates bring them, made out of the built-in street detector: one that is well, and broken ones.

A broken one behaves at the blank picture it is warmed with and breaks at the first real one, as the worst do.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.zoo import Zoo

_BRIGHT = 150.0  # the brightest value of a blank picture is its padding's, 114
_SIDE = 512
_STRIDES = (8, 16, 32)
_CLASSES = 6
_CAR = 2

WELL: Final = "well"
BROKEN: Final = ("fails", "hangs", "slow", "floods")


def candidate(kind: str, zoo: Zoo) -> bytes:
    """The ONNX file of a detector.

    Args:
        kind: `WELL` (sees what the built-in one sees) or one of `BROKEN`.
        zoo: has the built-in detector.
    """
    model = onnx.load_from_string(zoo.fetch("street")[0].read_bytes())
    if kind == WELL:
        model.doc_string = "the same, made anew"
        return bytes(model.SerializeToString())
    image, output = model.graph.input[0].name, model.graph.output[0].name
    _rename(model.graph, output, f"{output}_seen")
    _constant(model.graph, "bright_limit", np.array(_BRIGHT, np.float32))
    model.graph.node.append(helper.make_node("ReduceMax", [image], ["brightest"], keepdims=0))
    model.graph.node.append(helper.make_node("Greater", ["brightest", "bright_limit"], ["is_real"]))
    _BREAKS[kind](model, f"{output}_seen", output)
    return bytes(model.SerializeToString())


def _size(graph: Any) -> tuple[int, int]:
    """Width and height of its picture."""
    height, width = (int(d.dim_value) for d in graph.input[0].type.tensor_type.shape.dim[2:])
    return width, height


def _shape(graph: Any) -> list[int]:
    """Of its answer to one picture; the file does not say it."""
    width, height = _size(graph)
    return [1, sum((width // stride) * (height // stride) for stride in _STRIDES), 5 + _CLASSES]


def _rename(graph: Any, old: str, new: str) -> None:
    for node in graph.node:
        node.output[:] = [new if name == old else name for name in node.output]


def _constant(graph: Any, name: str, value: np.ndarray[Any, Any]) -> str:
    graph.initializer.append(numpy_helper.from_array(value, name))
    return name


def _fails(model: Any, seen: str, output: str) -> None:
    """Lays its answer out in 17 rows, which it does not fill."""
    graph = model.graph
    _constant(graph, "many_rows", np.array([17, -1], np.int64))
    _constant(graph, "one_row", np.array([1, -1], np.int64))
    _constant(graph, "whole", np.array(_shape(graph), np.int64))
    graph.node.append(helper.make_node("Where", ["is_real", "many_rows", "one_row"], ["rows"]))
    graph.node.append(helper.make_node("Reshape", [seen, "rows"], ["laid_out"]))
    graph.node.append(helper.make_node("Reshape", ["laid_out", "whole"], [output]))


def _hangs(model: Any, seen: str, output: str) -> None:
    _loops(model, seen, output, 1 << 40)


def _slow(model: Any, seen: str, output: str) -> None:
    _loops(model, seen, output, 60)


def _loops(model: Any, seen: str, output: str, times: int) -> None:
    """Multiplies matrices so many times, and adds nothing of it to the answer."""
    graph = model.graph
    _constant(graph, "many", np.array(times, np.int64))
    _constant(graph, "few", np.array(1, np.int64))
    _constant(graph, "on", np.array(True))
    _constant(graph, "start", np.zeros((_SIDE, _SIDE), np.float32))
    _constant(graph, "factor", np.full((_SIDE, _SIDE), 1e-3, np.float32))
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("MatMul", ["m_in", "factor"], ["m_out"]), helper.make_node("Identity", ["c_in"], ["c_out"])],
        "body",
        [
            value("i", TensorProto.INT64, []),
            value("c_in", TensorProto.BOOL, []),
            value("m_in", TensorProto.FLOAT, [_SIDE, _SIDE]),
        ],
        [value("c_out", TensorProto.BOOL, []), value("m_out", TensorProto.FLOAT, [_SIDE, _SIDE])],
    )
    graph.node.append(helper.make_node("Where", ["is_real", "many", "few"], ["times"]))
    graph.node.append(helper.make_node("Loop", ["times", "on", "start"], ["product"], body=body))
    graph.node.append(helper.make_node("ReduceMax", ["product"], ["nothing"], keepdims=0))
    graph.node.append(helper.make_node("Add", [seen, "nothing"], [output]))


def _floods(model: Any, seen: str, output: str) -> None:
    """Sees cars that stand all over a real picture."""
    graph = model.graph
    _constant(graph, "cars", _cars(_shape(graph), *_size(graph)))
    graph.node.append(helper.make_node("Where", ["is_real", "cars", seen], [output]))


def _cars(shape: list[int], width: int, height: int) -> np.ndarray[Any, Any]:
    """[1, cells, 5 + classes] with a car of 32 × 24 pixels in every fourth cell of the middle grid."""
    raw = np.zeros(shape, np.float32)
    finest = (width // _STRIDES[0]) * (height // _STRIDES[0])
    columns, rows, stride = width // _STRIDES[1], height // _STRIDES[1], _STRIDES[1]
    for row in range(2, rows - 3, 3):
        for column in range(2, columns - 2, 4):
            cell = finest + row * columns + column
            raw[0, cell, :5] = (0.5, 0.5, np.log(32 / stride), np.log(24 / stride), 0.95)
            raw[0, cell, 5 + _CAR] = 0.95
    return raw


_BREAKS: Final = {"fails": _fails, "hangs": _hangs, "slow": _slow, "floods": _floods}
