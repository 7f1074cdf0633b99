"""What the in-process runner does with networks that fail, and with those whose answers have no fixed size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from contracts.errors import RunnerError
from models.openvino_runner import OpenVinoRunner

GOOD, BAD = (4.0, 6.0), 5.0  # rows that 192 numbers can be laid out in, and that they cannot


def fragile(path: Path, *, fixed: bool = True) -> Path:
    """Doubles its picture, [N, 3, 8, 8]; fails where the first number does not divide 192.

    Args:
        path: where it goes.
        fixed: the output has a size; else it has one that only the picture tells.
    """
    constants = {"one": [1], "rest": [-1], "whole": [1, 3, 8, 8]}
    initial = [numpy_helper.from_array(np.array(value, np.int64), name) for name, value in constants.items()]
    initial.append(numpy_helper.from_array(np.array(2.0, np.float32), "two"))
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["top"], keepdims=0),
        helper.make_node("Cast", ["top"], ["rows"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["rows", "one"], ["first"]),
        helper.make_node("Concat", ["first", "rest"], ["shape"], axis=0),
        helper.make_node("Reshape", ["x", "shape"], ["laid"]),
        helper.make_node("Mul", ["laid", "two"], ["doubled" if fixed else "y"]),
    ]
    if fixed:
        nodes.append(helper.make_node("Reshape", ["doubled", "whole"], ["y"]))
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, 8, 8] if fixed else ["a", "b"])
    picture = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])
    graph = helper.make_graph(nodes, "fragile", [picture], [output], initial)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def pictures(*firsts: float) -> dict[str, NDArray[np.float32]]:
    batch = np.zeros((len(firsts), 3, 8, 8), np.float32)
    batch[:, 0, 0, 0] = firsts
    return {"x": batch}


@pytest.mark.parametrize("threads", [1, 2])
def test_after_an_inference_that_failed_the_next_one_is_right(tmp_path: Path, threads: int) -> None:
    runner = OpenVinoRunner(fragile(tmp_path / "f.onnx"), name="f", sha256="", threads=threads, precision="f32")
    for spoilt in ((BAD, 3.0), (3.0, BAD), (BAD, BAD)):
        with pytest.raises(RunnerError, match="inference failed"):
            runner.infer(pictures(*spoilt))
        assert runner.infer(pictures(*GOOD))["y"][:, 0, 0, 0].tolist() == [8.0, 12.0]
    runner.close()


def test_an_output_without_a_fixed_size_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(RunnerError, match=r"output y .* has no fixed size"):
        OpenVinoRunner(fragile(tmp_path / "f.onnx", fixed=False), name="f", sha256="")
