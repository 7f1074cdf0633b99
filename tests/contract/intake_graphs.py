"""Graphs built to harm: what it is, the file, and the reason for which it has to be refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from algorithm_repo.intake.reasons import Code
from tests.contract import intake_uploads as up


def _with_metadata() -> bytes:
    made = up.model()
    made.metadata_props.add(key="note", value="x" * 100_000)
    return bytes(made.SerializeToString())


def _with_function() -> bytes:
    made = up.model(domains=["mine"])
    made.functions.append(
        helper.make_function("mine", "F", ["a"], ["b"], [up.node("Relu", ["a"], ["b"])], [helper.make_opsetid("", 17)])
    )
    del made.opset_import[1:]
    return bytes(made.SerializeToString())


def _with_training() -> bytes:
    made = up.model()
    made.training_info.add().algorithm.CopyFrom(up.graph())
    return bytes(made.SerializeToString())


def weight(tensor: TensorProto) -> bytes:
    return up.saved(up.graph(tensors=[tensor]))


def tail(*nodes: Any, more: Any = ()) -> bytes:
    return up.saved(up.graph(up.body(nodes), more=more))


def bomb(*nodes: Any, more: Any) -> bytes:
    """The nodes make "big" of anything; it ends in the output, so that nothing can leave it out."""
    rest = [up.node("ReduceMax", ["big"], ["most"], keepdims=0), up.node("Add", ["l", "most"], ["l2"])]
    return tail(*nodes, *rest, up.node("Softmax", ["l2"], ["kind"], axis=1), more=more)


_SIX = np.arange(6, dtype=np.float32).tobytes()
SHAPE = up.constant("sides", [10**5, 10**5], np.int64)
_CAST = up.node("Cast", ["l"], ["kind"], to=TensorProto.DOUBLE)
GRAPHS: list[tuple[str, Callable[[], bytes], Code, str, str]] = [
    ("IR too new", lambda: up.saved(ir=99), Code.IR_VERSION, "ir_version", "99"),
    ("IR too old", lambda: up.saved(ir=3), Code.IR_VERSION, "ir_version", "3 is not"),
    ("opset too new", lambda: up.saved(opset=99), Code.OPSET, "opset_import", "opset 99"),
    ("opset too old", lambda: up.saved(opset=8), Code.OPSET, "opset_import", "opset 8"),
    ("opset twice", lambda: up.saved(domains=["", ""]), Code.OPSET, "opset_import", "3 versions"),
    ("texts", _with_metadata, Code.METADATA, "metadata_props", "bytes of texts"),
    ("functions", _with_function, Code.FUNCTIONS, "functions", "1 functions"),
    ("training", _with_training, Code.TRAINING, "training_info", "training graph"),
    (
        "custom operator",
        lambda: tail(up.node("Evil", ["l"], ["kind"], domain="org.evil")),
        Code.CUSTOM_OP,
        "graph.node[2]",
        "org.evil.Evil",
    ),
    ("unknown operator", lambda: tail(up.node("Frob", ["l"], ["kind"])), Code.UNKNOWN_OP, "graph.node[2]", "Frob"),
    (
        "operator of a later opset",
        lambda: tail(up.node("Gelu", ["l"], ["kind"])),
        Code.UNKNOWN_OP,
        "graph.node[2]",
        "Gelu",
    ),
    (
        "operator that is no UTF-8",
        lambda: up.saved().replace(b"Softmax", b"Soft\xffax"),
        Code.UNKNOWN_OP,
        "graph.node[2]",
        "no operator",
    ),
    (
        "path that is no UTF-8",
        lambda: weight(up.outside("/etc/passwd")).replace(b"/etc/passwd", b"/etc/\xff\xfe\xff\xfewd"),
        Code.EXTERNAL_DATA,
        "graph.initializer[w]",
        "absolute path",
    ),
    ("endless loop", lambda: tail(up.endless_loop(), more=[up.condition()]), Code.CONTROL_FLOW, "node[2]", "Loop"),
    (
        "random numbers",
        lambda: tail(up.node("RandomNormalLike", ["l"], ["kind"])),
        Code.RANDOM_OP,
        "graph.node[2]",
        "RandomNormalLike",
    ),
    ("deep nesting", lambda: tail(up.nested(12), more=[up.condition()]), Code.NESTING, "_branch", "3 deep"),
    ("a million nodes", lambda: up.many_nodes(1_000_000), Code.NODES, "graph", "1000000 nodes"),
    (
        "a loop in a branch",
        lambda: tail(
            up.node(
                "If",
                ["yes"],
                ["kind"],
                **{
                    name: helper.make_graph(
                        [up.endless_loop()], name, [], [helper.make_tensor_value_info("kind", 1, None)]
                    )
                    for name in ("then_branch", "else_branch")
                },
            ),
            more=[up.condition()],
        ),
        Code.CONTROL_FLOW,
        "_branch.node[0]",
        "Loop",
    ),
    # weights
    ("4 GB declared", lambda: weight(up.declared("w", [2**15, 2**15])), Code.TENSOR_SIZE, "[w]", "4294967296 bytes"),
    (
        "overflow",
        lambda: weight(up.declared("w", [2**32, 2**32, 6], _SIX)),
        Code.TENSOR_SIZE,
        "graph.initializer[w]",
        str(2**64 * 24),
    ),
    (
        "overflow hidden by 0",
        lambda: weight(up.declared("w", [2**62, 0])),
        Code.TENSOR_SIZE,
        "graph.initializer[w]",
        "declares",
    ),
    (
        "negative side",
        lambda: weight(up.declared("w", [-3, -2], _SIX)),
        Code.TENSOR_SHAPE,
        "[w]",
        "negative: [-3, -2]",
    ),
    ("data too short", lambda: weight(up.declared("w", [3, 2], _SIX[:-4])), Code.TENSOR_DATA, "[w]", "20 bytes"),
    ("data too long", lambda: weight(up.declared("w", [3, 2], _SIX + b"1234")), Code.TENSOR_DATA, "[w]", "28 bytes"),
    (
        "listed data too short",
        lambda: weight(TensorProto(name="w", data_type=1, dims=[3, 2], float_data=[1.0] * 5)),
        Code.TENSOR_DATA,
        "[w]",
        "5 elements of data for 6",
    ),
    (
        "text as weight",
        lambda: weight(TensorProto(name="w", data_type=8, dims=[1], string_data=[b"x"])),
        Code.TENSOR_TYPE,
        "[w]",
        "STRING",
    ),
    (
        "data in another folder",
        lambda: weight(up.outside("../../../etc/passwd")),
        Code.EXTERNAL_DATA,
        "graph.initializer[w]",
        "leaves its folder: '../../../etc/passwd'",
    ),
    (
        "data at an absolute path",
        lambda: weight(up.outside("/etc/passwd")),
        Code.EXTERNAL_DATA,
        "graph.initializer[w]",
        "absolute path: '/etc/passwd'",
    ),
    ("data beside it", lambda: weight(up.outside("w.bin")), Code.EXTERNAL_DATA, "[w]", "another file: 'w.bin'"),
    ("data nowhere", lambda: weight(up.outside(None)), Code.EXTERNAL_DATA, "[w]", "does not say where"),
    (
        "constant outside",
        lambda: tail(up.node("Constant", [], ["c"], value=up.outside("/x")), up.node("Add", ["l", "c"], ["kind"])),
        Code.EXTERNAL_DATA,
        "graph.node[2:Constant].value",
        "absolute",
    ),
    # names
    (
        "a name twice",
        lambda: tail(up.node("Relu", ["l"], ["m"]), up.node("Relu", ["m"], ["kind"])),
        Code.DUPLICATE_NAME,
        "graph.node[2:Relu]",
        "'m'",
    ),
    (
        "two weights of a name",
        lambda: up.saved(up.graph(more=up.weights())),
        Code.DUPLICATE_NAME,
        "graph.initializer",
        "'w'",
    ),
    (
        "circle",
        lambda: tail(
            up.node("Add", ["l", "b"], ["a"]), up.node("Relu", ["a"], ["b"]), up.node("Relu", ["a"], ["kind"])
        ),
        Code.CYCLE,
        "graph.node",
        "circle",
    ),
    (
        "wrong order",
        lambda: tail(up.node("Relu", ["a"], ["kind"]), up.node("Relu", ["l"], ["a"])),
        Code.ORDER,
        "graph.node",
        "before",
    ),
    (
        "input made nowhere",
        lambda: tail(up.node("Add", ["l", "ghost"], ["kind"])),
        Code.MISSING_INPUT,
        "graph.node[2:Add]",
        "'ghost'",
    ),
    ("output made nowhere", lambda: tail(up.node("Relu", ["l"], ["x"])), Code.MISSING_INPUT, "graph.output", "'kind'"),
    # inputs and outputs
    (
        "wrong size",
        lambda: up.saved(up.graph(inputs=[up.picture(["N", 3, 31, 32])])),
        Code.INPUT,
        "graph.input[crops]",
        "[?, 3, 31, 32], the card says [N, 3, 32, 32]",
    ),
    (
        "wrong layout",
        lambda: up.saved(up.graph(inputs=[up.picture(["N", 32, 32, 3])])),
        Code.INPUT,
        "[crops]",
        "[?, 32",
    ),
    ("batch of 4", lambda: up.saved(up.graph(inputs=[up.picture([4, 3, 32, 32])])), Code.INPUT, "[crops]", "[4, 3"),
    ("open size", lambda: up.saved(up.graph(inputs=[up.picture(["N", 3, "H", "W"])])), Code.INPUT, "[crops]", "?, ?]"),
    (
        "bytes in",
        lambda: up.saved(up.graph(inputs=[up.picture(kind=TensorProto.UINT8)])),
        Code.INPUT,
        "graph.input[crops]",
        "element type is UINT8",
    ),
    (
        "two inputs",
        lambda: up.saved(up.graph(inputs=[up.picture(), helper.make_tensor_value_info("more", 1, [1])])),
        Code.INPUT,
        "graph.input",
        "2 inputs",
    ),
    (
        "weight as input",
        lambda: up.saved(up.graph(inputs=[up.picture(), helper.make_tensor_value_info("w", 1, [3, 2])])),
        Code.INPUT,
        "graph.input",
        "'w' is also an input",
    ),
    (
        "three classes",
        lambda: up.saved(up.graph(tensors=[up.constant("w", np.ones((3, 3)))], outputs=[up.head(None)])),
        Code.OUTPUT,
        "graph.output[kind]",
        "[1, 3]",
    ),
    (
        "wrong output type",
        lambda: up.saved(up.graph(up.body([_CAST]), outputs=[up.head(kind=TensorProto.DOUBLE)])),
        Code.OUTPUT,
        "graph.output[kind]",
        "DOUBLE",
    ),
    (
        "another output",
        lambda: up.saved(up.graph(up.body([up.node("Relu", ["l"], ["sort"])]), outputs=[up.head(name="sort")])),
        Code.OUTPUT,
        "graph.output",
        "'kind' is missing",
    ),
    (
        "it contradicts itself",
        lambda: up.saved(up.graph(tensors=[up.constant("w", np.ones((5, 2)))])),
        Code.INVALID,
        "graph",
        "contradicts itself",
    ),
    # sizes
    (
        "ConstantOfShape of 10^10",
        lambda: bomb(up.node("ConstantOfShape", ["sides"], ["big"]), more=[SHAPE]),
        Code.SIZE_BOMB,
        "graph.value[big]",
        "40000000000 bytes",
    ),
    (
        "Expand",
        lambda: bomb(
            up.node("ReduceMean", ["l"], ["n"], axes=[0, 1], keepdims=1),
            up.node("Expand", ["n", "sides"], ["big"]),
            more=[SHAPE],
        ),
        Code.SIZE_BOMB,
        "graph.value[big]",
        "100000 x 100000",
    ),
    (
        "Tile",
        lambda: bomb(up.node("Tile", ["l", "sides"], ["big"]), more=[SHAPE]),
        Code.SIZE_BOMB,
        "graph.value[big]",
        "100000 x 200000",
    ),
    (
        "Resize",
        lambda: bomb(
            up.node("Resize", ["crops", "", "scales"], ["big"], mode="nearest"),
            more=[up.constant("scales", [1, 1, 500, 500])],
        ),
        Code.SIZE_BOMB,
        "graph.value[big]",
        "1 x 3 x 16000 x 16000",
    ),
]
