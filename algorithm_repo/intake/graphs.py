"""The graph's build: how large, how deep, of which operators. Nothing is executed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from onnx import IR_VERSION, AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, defs

from algorithm_repo.intake.reasons import Code, Reason, refuse
from algorithm_repo.intake.types import Limits

# The file's own format; up to the newest that the reader here knows. What counts for what is computed is the opset.
IR_VERSIONS = range(4, IR_VERSION + 1)
OPSETS = range(9, 23)
STANDARD = ("", "ai.onnx")
# How often a Loop turns may hang on the picture, so no trial bounds its time. An If takes one of two branches, and both
# are looked at here.
_LOOPS = frozenset({"Loop", "Scan", "SequenceMap"})
_RANDOM = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A graph and where it stands: "graph", "graph.node[3:If].then_branch" …"""

    graph: GraphProto
    where: str
    depth: int


def opset_of(model: ModelProto) -> int:
    """Version of the standard operators; 0: it names none."""
    return next((entry.version for entry in model.opset_import if entry.domain in STANDARD), 0)


def frame_faults(model: ModelProto, limits: Limits) -> Iterator[Reason]:
    """What is wrong with the model around its graph: versions, functions, training, texts."""
    if not model.HasField("graph") or not model.graph.node:
        yield Reason(code=Code.NOT_ONNX, field="file", what="there is no graph in it", fix="upload the whole ONNX file")
        return
    if model.ir_version not in IR_VERSIONS:
        what = f"IR version {model.ir_version} is not between {IR_VERSIONS[0]} and {IR_VERSIONS[-1]}"
        yield Reason(code=Code.IR_VERSION, field="ir_version", what=what, fix="export it again with another version")
    yield from _opset_faults(model)
    if model.functions:
        what = f"it brings {len(model.functions)} functions of its own"
        yield Reason(code=Code.FUNCTIONS, field="functions", what=what, fix="inline them before the export")
    if model.training_info:
        yield Reason(code=Code.TRAINING, field="training_info", what="it holds a training graph", fix="leave it out")
    size = _text_size(model)
    if size > limits.metadata_bytes:
        what = f"{size} bytes of texts about the model, above {limits.metadata_bytes}"
        yield Reason(code=Code.METADATA, field="metadata_props", what=what, fix="leave them out")


def _opset_faults(model: ModelProto) -> Iterator[Reason]:
    versions = [entry.version for entry in model.opset_import if entry.domain in STANDARD]
    if len(versions) != 1:
        what = f"it names {len(versions)} versions of the standard operators"
        yield Reason(code=Code.OPSET, field="opset_import", what=what, fix="name one")
    elif versions[0] not in OPSETS:
        what = f"opset {versions[0]} is not between {OPSETS[0]} and {OPSETS[-1]}"
        yield Reason(code=Code.OPSET, field="opset_import", what=what, fix="export it again with another opset")


def _text_size(model: ModelProto) -> int:
    texts = [model.doc_string, model.producer_name, model.producer_version, model.domain]
    texts += [model.graph.name, model.graph.doc_string, *(node.doc_string for node in model.graph.node)]
    texts += [
        text for entry in (*model.metadata_props, *model.graph.metadata_props) for text in (entry.key, entry.value)
    ]
    return sum(map(len, texts))


def all_graphs(model: ModelProto, limits: Limits) -> list[Placed]:
    """The graph and every graph inside it, outer ones first.

    Raises:
        Refusal: too many nodes in all, or nested too deep; found before anything below is looked at.
    """
    placed = [Placed(model.graph, "graph", 0)]
    nodes = 0
    for here in placed:  # grows while it is walked
        nodes += len(here.graph.node)
        if nodes > limits.nodes:
            raise refuse(
                Code.NODES, here.where, f"{nodes} nodes or more, above {limits.nodes}", "export a smaller graph"
            )
        for number, node in enumerate(here.graph.node):
            for name, graph in inner_graphs(node):
                where = f"{here.where}.node[{number}:{node.op_type}].{name}"
                if here.depth == limits.depth:
                    what = f"graphs are nested more than {limits.depth} deep"
                    raise refuse(Code.NESTING, where, what, "export a flat graph")
                placed.append(Placed(graph, where, here.depth + 1))
    return placed


def inner_graphs(node: NodeProto) -> Iterator[tuple[str, GraphProto]]:
    """Graphs among a node's attributes, by the attribute's name."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.name, attribute.g
        for graph in attribute.graphs:
            yield attribute.name, graph


def operator_faults(placed: Placed, opset: int) -> Iterator[Reason]:
    """Operators of one graph that are not run here, by name."""
    for number, node in enumerate(placed.graph.node):
        field = f"{placed.where}.node[{number}]"
        if node.domain not in STANDARD:
            what = f"{node.domain}.{node.op_type} is no standard operator"
            yield Reason(code=Code.CUSTOM_OP, field=field, what=what, fix="use standard operators alone")
        elif node.op_type in _LOOPS:
            what = f"{node.op_type}: how long a loop takes cannot be told beforehand"
            yield Reason(code=Code.CONTROL_FLOW, field=field, what=what, fix="unroll it before the export")
        elif node.op_type in _RANDOM or _drops(node):
            what = f"{node.op_type} answers differently each time"
            yield Reason(code=Code.RANDOM_OP, field=field, what=what, fix="export it for inference")
        elif not _known(node.op_type, opset):
            what = f"{node.op_type} is no operator of opset {opset}"
            yield Reason(code=Code.UNKNOWN_OP, field=field, what=what, fix="export it again")


def _drops(node: NodeProto) -> bool:
    """A Dropout that says it trains: with its third input, whatever that is."""
    return node.op_type == "Dropout" and len(node.input) > 2 and node.input[2] != ""


@cache
def _known(operator: str, opset: int) -> bool:
    try:
        return not defs.get_schema(operator, opset, "").deprecated
    except (defs.SchemaError, TypeError):  # TypeError: a name that is no UTF-8 comes as bytes
        return False


def parameters(model: ModelProto) -> int:
    """Numbers among the weights: floating point ones, and bytes of quantised ones."""
    kinds = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE,
             TensorProto.INT8, TensorProto.UINT8)  # fmt: skip
    return sum(_elements(tensor) for tensor in model.graph.initializer if tensor.data_type in kinds)


def _elements(tensor: TensorProto) -> int:
    count = 1
    for side in tensor.dims:
        count *= side
    return count


def tensor_attributes(node: NodeProto) -> Iterator[tuple[str, TensorProto]]:
    """Tensors among a node's attributes, by the attribute's name."""
    for attribute in node.attribute:
        if attribute.HasField("t"):
            yield attribute.name, attribute.t
        for tensor in attribute.tensors:
            yield attribute.name, tensor


def has_sparse(attribute: AttributeProto) -> bool:
    """Whether the attribute holds a sparse tensor."""
    return attribute.HasField("sparse_tensor") or len(attribute.sparse_tensors) > 0
