"""YAML with line numbers: text to nodes (libyaml), nodes to plain data, and paths back to lines.

Scalars follow YAML 1.2's core schema: `no` is text, `1:30` is text, a date is text. Only plain data can come out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import yaml
from yaml._yaml import CParser
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.resolver import BaseResolver

from contracts.problems import Location
from pool.syntax import plain_words

_TAG = "tag:yaml.org,2002:"
_MERGE = _TAG + "merge"
MAX_DEPTH = 32
_MAX_ALIASED = 1_000_000  # nodes reached through aliases: a few lines of aliases can stand for billions


class _Resolver(BaseResolver):
    """The core schema of YAML 1.2, and merge keys."""


def _resolve(tag: str, pattern: str, first: str) -> None:
    _Resolver.add_implicit_resolver(_TAG + tag, re.compile(pattern), list(first))


_resolve("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF")
_resolve("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", "-+0123456789")
_resolve(
    "float",
    r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
    "-+.0123456789",
)
_resolve("merge", r"^<<$", "<")
_Resolver.add_implicit_resolver(_TAG + "null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])


class _Composer(CParser, _Resolver):
    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        _Resolver.__init__(self)


class SyntaxFault(Exception):
    """The text is not YAML; `line` counts from 1 within the text."""

    def __init__(self, line: int, what: str, fix: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what
        self.fix = fix


def compose(text: str) -> Node | None:
    """The one document of `text` as nodes, None when it is empty.

    Raises:
        SyntaxFault: it is not YAML, or holds a second document.
    """
    try:
        node: Node | None = _Composer(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        line, what, fix = plain_words(error)
        raise SyntaxFault(line, what, fix) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SyntaxFault(line, "a control character stands here", "delete it") from None
    return node


class NodeProblem(NamedTuple):
    """Something wrong with a node itself; `line` is that of the file, from 1."""

    location: Location
    line: int
    what: str
    fix: str


class Built(NamedTuple):
    """Plain data out of a node.

    Attributes:
        data: dict, list, str, int, float, bool or None.
        problems: what was wrong with the nodes (the data holds the rest).
        booleans: paths at which true or false stands, because pydantic would take them for 1 and 0.
    """

    data: Any
    problems: list[NodeProblem]
    booleans: list[Location]


def build(node: Node | None, offset: int = 0) -> Built:
    """Plain data of `node`; duplicate keys, odd tags and endless aliases are reported, never followed.

    Args:
        node: None gives None.
        offset: lines of the file before the text that `node` was composed from.
    """
    builder = _Builder(offset)
    data = builder.value(node, (), 0) if node is not None else None
    return Built(data, builder.problems, builder.booleans)


def _number(text: str) -> int | str:
    if len(text) > 40:
        return text
    if text.startswith(("0o", "0x")):
        return int(text, 0)
    return int(text)


def _real(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


_SCALARS: dict[str, Callable[[str], Any]] = {
    _TAG + "str": str,
    _TAG + "int": _number,
    _TAG + "float": _real,
    _TAG + "bool": lambda text: text.lower() == "true",
    _TAG + "null": lambda _: None,
    _TAG + "merge": str,
}
_TEXT = _TAG + "str"
_BOOL = _TAG + "bool"


class _Builder:
    def __init__(self, offset: int) -> None:
        self._offset = offset
        self.problems: list[NodeProblem] = []
        self.booleans: list[Location] = []
        self._seen: set[int] = set()
        self._aliased = 0
        self._gave_up = False

    def value(self, node: Node, location: Location, depth: int) -> Any:
        if isinstance(node, ScalarNode):
            return self._scalar(node, location)
        if self._endless(node, location, depth):
            return None
        if node.tag not in (_TAG + "seq", _TAG + "map"):
            self._odd_tag(node, location)
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, location, depth)
        return [self.value(item, (*location, index), depth + 1) for index, item in enumerate(node.value)]

    def _scalar(self, node: ScalarNode, location: Location) -> Any:
        tag = node.tag
        if tag == _TEXT:
            return node.value
        if tag == _BOOL:
            self.booleans.append(location)
        scalar = _SCALARS.get(tag)
        if scalar is None:
            self._odd_tag(node, location)
            return None
        try:
            return scalar(node.value)
        except ValueError:  # an explicit tag on a text that is none of its kind, e.g. !!int abc
            self._odd_tag(node, location)
            return None

    def _mapping(self, node: MappingNode, location: Location, depth: int) -> dict[str, Any]:
        data: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                continue
            if not isinstance(key, ScalarNode):
                self._problem(location, key, "a list or mapping stands as a key", "write a plain word before the colon")
                continue
            name = key.value
            if name in lines:
                what = f"the key stands twice (first in line {lines[name]})"
                self._problem((*location, name), key, what, "keep one of them")
                continue
            lines[name] = key.start_mark.line + 1 + self._offset
            data[name] = self.value(value, (*location, name), depth + 1)
        for base in _merged(node):
            if isinstance(base, MappingNode):
                data = self.value(base, location, depth + 1) | data
            else:
                self._problem(location, base, "<<: needs a mapping", "write <<: *name of an anchored mapping")
        return data

    def _endless(self, node: Node, location: Location, depth: int) -> bool:
        """Whether following aliases has gone on for too long; each node's first visit is free."""
        if id(node) in self._seen:
            self._aliased += 1 + len(node.value)
        self._seen.add(id(node))
        if depth < MAX_DEPTH and self._aliased <= _MAX_ALIASED:
            return False
        if not self._gave_up:
            self._gave_up = True
            self._problem(location, node, "the data is nested or repeated without end", "write it out without aliases")
        return True

    def _odd_tag(self, node: Node, location: Location) -> None:
        tag = node.tag.replace(_TAG, "!!")
        self._problem(location, node, f"the tag {tag[:40]} does not fit here", "leave the tag out")

    def _problem(self, location: Location, node: Node, what: str, fix: str) -> None:
        self.problems.append(NodeProblem(location, node.start_mark.line + 1 + self._offset, what, fix))


def _merged(node: MappingNode) -> Iterator[Node]:
    """The mappings that `<<:` names, strongest first."""
    for key, value in node.value:
        if key.tag == _MERGE:
            yield from value.value if isinstance(value, SequenceNode) else [value]


def line_of(node: Node | None, location: Location) -> int:
    """Line of the key or item that `location` names, from 1; of the nearest thing above it when it is not there."""
    if node is None:
        return 1
    line: int = node.start_mark.line
    for step in location:
        found = _child(node, step)
        if found is None:
            break
        line, node = found
    return line + 1


def _child(node: Node, step: str | int, depth: int = 0) -> tuple[int, Node] | None:
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        item = node.value[step]
        return item.start_mark.line, item
    if isinstance(node, MappingNode) and depth < MAX_DEPTH:
        for key, value in node.value:
            if isinstance(key, ScalarNode) and key.value == step and key.tag != _MERGE:
                return key.start_mark.line, value
        for base in _merged(node):
            found = _child(base, step, depth + 1)
            if found is not None:
                return found
    return None
