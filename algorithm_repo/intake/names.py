"""Names of values: each made once, and before it is used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

from onnx import GraphProto, NodeProto

from algorithm_repo.intake.graphs import inner_graphs
from algorithm_repo.intake.reasons import Code, Reason

_EXPORT = "export it again"


def name_faults(graph: GraphProto, where: str = "graph", outer: tuple[set[str], ...] = ()) -> Iterator[Reason]:
    """What is wrong with the names of a graph and of those inside it. Its depth has been limited before.

    Args:
        graph: of the model.
        where: it stands.
        outer: names that enclosing graphs have made so far.
    """
    made: set[str] = set()
    yield from _given(graph, where, made, outer)
    produced = {name for node in graph.node for name in node.output if name}
    unordered = False
    for number, node in enumerate(graph.node):
        field = f"{where}.node[{number}:{node.op_type}]"
        for name in node.input:
            if not name or name in made or any(name in names for names in outer):
                continue
            if name not in produced:
                what = f"its input {name!r} is made nowhere"
                yield Reason(code=Code.MISSING_INPUT, field=field, what=what, fix=_EXPORT)
            unordered = unordered or name in produced
        for attribute, inner in inner_graphs(node):
            yield from name_faults(inner, f"{field}.{attribute}", (*outer, made))
        yield from _new(node.output, field, made, outer)
    if unordered:
        yield _cycle_or_order(graph.node, where)
    for value in graph.output:
        if value.name not in made and not any(value.name in names for names in outer):
            what = f"the output {value.name!r} is made nowhere"
            yield Reason(code=Code.MISSING_INPUT, field=f"{where}.output", what=what, fix=_EXPORT)


def _given(graph: GraphProto, where: str, made: set[str], outer: tuple[set[str], ...]) -> Iterator[Reason]:
    """Inputs and initialisers; one that is both is a default, which `ports` refuses."""
    yield from _new((value.name for value in graph.input), f"{where}.input", made, outer)
    inputs = set(made)
    initialisers: set[str] = set()
    yield from _new((tensor.name for tensor in graph.initializer), f"{where}.initializer", initialisers, outer)
    made |= initialisers | inputs
    outputs: set[str] = set()
    yield from _new((value.name for value in graph.output), f"{where}.output", outputs, ())


def _new(names: Iterable[str], field: str, made: set[str], outer: tuple[set[str], ...]) -> Iterator[Reason]:
    for name in names:
        if name and (name in made or any(name in others for others in outer)):
            what = f"the name {name!r} is made twice"
            yield Reason(code=Code.DUPLICATE_NAME, field=field, what=what, fix=_EXPORT)
        made.add(name)


def _cycle_or_order(nodes: Iterable[NodeProto], where: str) -> Reason:
    makers = {name: number for number, node in enumerate(nodes) for name in node.output if name}
    needs = {number: {makers[name] for name in node.input if name in makers} for number, node in enumerate(nodes)}
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        chain = " → ".join(str(number) for number in error.args[1][:8])
        what = f"nodes need each other's results in a circle: {chain}"
        return Reason(code=Code.CYCLE, field=f"{where}.node", what=what, fix=_EXPORT)
    return Reason(
        code=Code.ORDER, field=f"{where}.node", what="a node stands before one whose result it needs", fix=_EXPORT
    )
