"""Uploads for the intake's tests: a small good classifier, and what somebody may make of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx import ValueInfoProto as Value

SIDE = 32
OPSET, IR = 17, 8

CARD: dict[str, Any] = {
    "name": "bins",
    "version": "1.2.0",
    "licence": "Apache-2.0",
    "source": "https://models.city.example/bins",
    "family": "classifier",
    "width": SIDE,
    "height": SIDE,
    "labels": {"kind": ["ok", "overflowing"]},
}


def node(operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> NodeProto:
    return helper.make_node(operator, list(inputs), list(outputs), **attributes)


def constant(name: str, values: Any, kind: Any = np.float32) -> TensorProto:
    return numpy_helper.from_array(np.asarray(values, kind), name)


def picture(shape: Sequence[int | str] = ("N", 3, SIDE, SIDE), kind: int = TensorProto.FLOAT) -> Value:
    return helper.make_tensor_value_info("crops", kind, shape)


def head(columns: int | None = 2, name: str = "kind", kind: int = TensorProto.FLOAT) -> Value:
    return helper.make_tensor_value_info(name, kind, ["N", columns])


def declared(name: str, dims: Sequence[int], raw: bytes = b"", kind: int = TensorProto.FLOAT) -> TensorProto:
    """A weight that says of itself what it likes."""
    tensor = TensorProto(name=name, data_type=kind, raw_data=raw)
    tensor.dims.extend(dims)
    return tensor


def outside(location: str | None) -> TensorProto:
    """A weight whose data lie elsewhere."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    tensor.dims.extend([3, 2])
    if location is not None:
        tensor.external_data.add(key="location", value=location)
    return tensor


def weights() -> list[TensorProto]:
    return [constant("w", [[0.01, -0.01], [0.0, 0.01], [-0.01, 0.0]])]


def body(last: Sequence[NodeProto] | None = None) -> list[NodeProto]:
    """Mean colour → two numbers "l" → `last`, by default the probabilities."""
    first = [node("ReduceMean", ["crops"], ["m"], axes=[2, 3], keepdims=0), node("MatMul", ["m", "w"], ["l"])]
    return first + list(last if last is not None else [node("Softmax", ["l"], ["kind"], axis=1)])


def graph(
    nodes: Sequence[NodeProto] | None = None,
    *,
    more: Sequence[TensorProto] = (),
    tensors: Sequence[TensorProto] | None = None,
    inputs: Sequence[Value] | None = None,
    outputs: Sequence[Value] | None = None,
) -> GraphProto:
    made: GraphProto = helper.make_graph(
        list(body() if nodes is None else nodes),
        "bins",
        list([picture()] if inputs is None else inputs),
        list([head()] if outputs is None else outputs),
        [*(weights() if tensors is None else tensors), *more],
    )
    return made


def model(of: GraphProto | None = None, *, opset: int = OPSET, ir: int = IR, domains: Sequence[str] = ()) -> ModelProto:
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    made: ModelProto = helper.make_model(of or graph(), opset_imports=opsets, ir_version=ir)
    return made


def saved(of: GraphProto | None = None, **how: Any) -> bytes:
    made: bytes = model(of, **how).SerializeToString()
    return made


def condition() -> TensorProto:
    return constant("yes", True, np.bool_)


def nested(depth: int) -> NodeProto:
    """An If in the branch of an If, `depth` deep; its result is called "kind"."""
    inner = node("Softmax", ["l"], ["p0"], axis=1)
    for level in range(1, depth + 1):
        branches = {
            name: helper.make_graph([inner], name, [], [helper.make_tensor_value_info(inner.output[0], 1, None)])
            for name in ("then_branch", "else_branch")
        }
        inner = node("If", ["yes"], ["kind" if level == depth else f"p{level}"], **branches)
    return inner


def endless_loop() -> NodeProto:
    turn = helper.make_graph(
        [node("Identity", ["c"], ["c2"]), node("Identity", ["v"], ["v2"])],
        "turn",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("c2", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v2", TensorProto.FLOAT, None),
        ],
    )
    return node("Loop", ["", "yes", "l"], ["kind"], body=turn)


def many_nodes(count: int) -> bytes:
    """A file of `count` nodes, written without making them one by one."""
    one: bytes = node("Relu", ["a"], ["a"]).SerializeToString()
    nodes = (b"\x0a" + bytes([len(one)]) + one) * count
    prefix: bytes = ModelProto(ir_version=IR, opset_import=[helper.make_opsetid("", OPSET)]).SerializeToString()
    length, size = len(nodes), b""
    while length > 127:
        size += bytes([length & 127 | 128])
        length >>= 7
    return prefix + b"\x3a" + size + bytes([length]) + nodes


def hungry(gigabytes: float) -> bytes:
    """A model that tiles the picture to so many GB on the way."""
    times = int(gigabytes * 2**30 / (4 * 3 * SIDE * SIDE))
    nodes = [
        node("Tile", ["crops", "times"], ["large"]),
        node("Sigmoid", ["large"], ["larger"]),
        node("ReduceMax", ["larger"], ["most"], axes=[0, 2, 3], keepdims=0),
        node("Unsqueeze", ["most", "zero"], ["row"]),
        *[node("MatMul", ["row", "w"], ["l"]), node("Softmax", ["l"], ["kind"], axis=1)],
    ]
    more = [constant("times", [times, 1, 1, 1], np.int64), constant("zero", [0], np.int64)]
    return saved(graph(nodes, more=more))


def slow(steps: int) -> bytes:
    """A model that is right but takes for ever: products of large matrices, each of the one before."""
    side = 1500
    nodes = [
        node("ReduceMean", ["crops"], ["m"], axes=[2, 3], keepdims=0),
        node("MatMul", ["m", "w"], ["l"]),
        node("ReduceMean", ["l"], ["one"], axes=[1], keepdims=1),
        node("Add", ["square", "one"], ["x0"]),
        *(node("MatMul", [f"x{i}", f"x{i}"], [f"y{i}"]) for i in range(steps)),
        *(node("Tanh", [f"y{i}"], [f"x{i + 1}"]) for i in range(steps)),
        node("ReduceMean", [f"x{steps}"], ["mean"], axes=[0, 1], keepdims=1),
        node("Add", ["l", "mean"], ["l2"]),
        node("Softmax", ["l2"], ["kind"], axis=1),
    ]
    ordered = [*nodes[:4]]
    for i in range(steps):
        ordered += [nodes[4 + i], nodes[4 + steps + i]]
    ordered += nodes[4 + 2 * steps :]
    return saved(graph(ordered, more=[constant("square", np.eye(side) / side)]))
