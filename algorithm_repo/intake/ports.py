"""Inputs and outputs: what the reader of the card's family expects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from onnx import GraphProto, TensorProto, ValueInfoProto

from algorithm_repo.intake.card import Card
from algorithm_repo.intake.reasons import Code, Reason

# A side as a graph tells it: None is one that it leaves open.
Shape = tuple[int | None, ...]
_FLOAT = (TensorProto.FLOAT,)
_NUMBERS = (TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64)
_STRIDES = (8, 16, 32)  # of the grids of YOLOX (see models.families.yolox)


@dataclass(frozen=True, slots=True)
class Port:
    """What one output has to be: possible element types and shapes (None: any side), and both in words."""

    types: tuple[int, ...]
    shapes: tuple[Shape, ...]
    words: str


def shape_of(value: ValueInfoProto) -> Shape | None:
    """Its shape; None: it is not told, or it is no tensor."""
    kind = value.type.tensor_type
    if not value.type.HasField("tensor_type") or not kind.HasField("shape"):
        return None
    return tuple(side.dim_value if side.HasField("dim_value") else None for side in kind.shape.dim)


def input_faults(graph: GraphProto, card: Card) -> Iterator[Reason]:
    """Whether there is one input, float32 [N or 1, 3, height, width] of the card."""
    fixed = {tensor.name for tensor in graph.initializer}
    for value in graph.input:
        if value.name in fixed:
            what = f"the weight {value.name!r} is also an input"
            yield Reason(code=Code.INPUT, field="graph.input", what=what, fix="export weights as constants")
            return
    if len(graph.input) != 1:
        what = f"it has {len(graph.input)} inputs"
        yield Reason(code=Code.INPUT, field="graph.input", what=what, fix="a model here has one: the picture")
        return
    value = graph.input[0]
    field = f"graph.input[{value.name}]"
    if value.type.tensor_type.elem_type != TensorProto.FLOAT:
        what = f"its element type is {_type_name(value)}"
        yield Reason(code=Code.INPUT, field=field, what=what, fix="take the picture as float32, 0 to 255, BGR")
    shape, wanted = shape_of(value), (3, card.height, card.width)
    if shape is None or len(shape) != 4 or shape[0] not in (None, 1) or shape[1:] != wanted:
        what = f"its shape is {_words(shape)}, the card says [N, {', '.join(map(str, wanted))}]"
        yield Reason(code=Code.INPUT, field=field, what=what, fix="N is open or 1; correct the card or the export")


def output_faults(graph: GraphProto, card: Card) -> Iterator[Reason]:
    """Whether the outputs are those of the card's family, after their shapes were inferred for one picture."""
    values = {value.name: value for value in graph.output}
    if card.family == "classifier":
        ports: Mapping[str, Port] = {
            head: Port(_FLOAT, ((1, len(labels)),), f"[N, {len(labels)}], a column a label of {head!r}")
            for head, labels in card.heads.items()
        }
    elif set(values) == {"boxes", "labels"} and card.family == "omz_ssd":
        ports = {
            "boxes": Port(_FLOAT, ((1, None, 5), (None, 5)), "[N, M, 5]: x1 y1 x2 y2 score"),
            "labels": Port(_NUMBERS, ((1, None), (None,)), "[N, M]: label numbers"),
        }
    else:
        ports = {name: _only(card) for name in values}
        if len(values) != 1:
            what = f"it has {len(values)} outputs"
            yield Reason(
                code=Code.OUTPUT, field="graph.output", what=what, fix=f"{card.family} has one: {_only(card).words}"
            )
            return
    for name in sorted(set(ports) ^ set(values)):
        what = f"the output {name!r} is missing" if name in ports else f"the output {name!r} is not on the card"
        yield Reason(code=Code.OUTPUT, field="graph.output", what=what, fix="name in card.labels what the model has")
    for name in ports.keys() & values.keys():
        yield from _faults(values[name], ports[name])


def _only(card: Card) -> Port:
    if card.family == "yolox":
        cells = sum((card.width // stride) * (card.height // stride) for stride in _STRIDES)
        columns = 5 + card.classes
        return Port(_FLOAT, ((1, cells, columns),), f"[N, {cells}, {columns}]: {columns - 5} classes after 5 columns")
    if card.family == "segmenter":
        shapes = tuple(
            (1, 1, card.height // step, card.width // step)
            for step in range(1, 65)
            if card.height % step == 0 and card.width % step == 0
        )
        return Port(_FLOAT, shapes, f"[N, 1, {card.height} / k, {card.width} / k]")
    return Port(_FLOAT, ((1, 1, None, 7),), "[N, 1, M, 7]: picture, label, score, x1 y1 x2 y2")


def _faults(value: ValueInfoProto, port: Port) -> Iterator[Reason]:
    field = f"graph.output[{value.name}]"
    if value.type.tensor_type.elem_type not in port.types:
        what = f"its element type is {_type_name(value)}"
        yield Reason(code=Code.OUTPUT, field=field, what=what, fix="give the output as float32")
    shape = shape_of(value)
    # What inference leaves open is held against the compiled model in the trial.
    if shape is not None and not any(_fits(shape, wanted) for wanted in port.shapes):
        what = f"its shape for one picture is {_words(shape)}"
        yield Reason(code=Code.OUTPUT, field=field, what=what, fix=f"the card asks for {port.words}")


def _fits(shape: Shape, wanted: Shape) -> bool:
    return len(shape) == len(wanted) and all(
        side is None or other is None or side == other for side, other in zip(shape, wanted, strict=True)
    )


def _words(shape: Shape | None) -> str:
    return "not told" if shape is None else f"[{', '.join('?' if side is None else str(side) for side in shape)}]"


def _type_name(value: ValueInfoProto) -> str:
    if not value.type.HasField("tensor_type"):
        return "no tensor"
    number = value.type.tensor_type.elem_type
    return TensorProto.DataType.Name(number) if number in TensorProto.DataType.values() else str(number)
