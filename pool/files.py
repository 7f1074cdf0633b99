"""One pool file: its text to departments and cameras with their lines, whole or piece by piece."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from contracts.pool import Camera, Department, Pool
from contracts.problems import Problem
from contracts.relations import did_you_mean
from pool.chunks import Chunk, Split, split
from pool.cross import Item, Lines
from pool.faults import Fault
from pool.nodes import Built, SyntaxFault, build, compose
from pool.parse import check_camera, check_department

_KEYS = tuple(Pool.model_fields)


class KnownCameras(Protocol):
    """Cameras that were once checked, by the digest of their text (see `pool.cache`)."""

    def get(self, digest: bytes) -> Camera | None: ...

    def put(self, digest: bytes, camera: Camera) -> None: ...


@dataclass(slots=True)
class FileContent:
    """What one file holds. `readable` is False when it is not YAML at all, so that its ids are unknown."""

    file: str
    departments: list[Item] = field(default_factory=list)
    cameras: list[Item] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    readable: bool = True


def text_digest(text: str) -> bytes:
    """Digest of a camera's text, the key of what was once checked."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def read_file(file: str, raw: bytes, known: KnownCameras) -> FileContent:
    """Everything in a file, and everything wrong with it.

    Block-style files are taken piece by piece, with unchanged cameras out of `known`; any other way of writing, and
    every doubt, is parsed as a whole. Both give the same.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return _unreadable(file, [Fault.at(file, line, (), "the text is not UTF-8", "save the file as UTF-8")])
    pieces = split(text)
    if pieces is not None:
        content = read_pieces(file, pieces, known)
        if content is not None:
            return content
    return read_whole(file, text, pieces)


def read_whole(file: str, text: str, pieces: Split | None = None) -> FileContent:
    """The file parsed in one go; `pieces` serve to name the faults of the other cameras when it is not YAML."""
    try:
        node = compose(text)
    except SyntaxFault as error:
        return _not_yaml(file, error, pieces)
    content = FileContent(file)
    cameras = _top(content, node)
    items = cameras.value if isinstance(cameras, SequenceNode) else []
    for index, item in enumerate(items):
        _camera(content, index, item, Lines(partial(_itself, item)))
    return content


def read_pieces(file: str, pieces: Split, known: KnownCameras) -> FileContent | None:
    """The file piece by piece, or None where the pieces turn out not to be what they looked like."""
    content = FileContent(file)
    try:
        rest = compose(pieces.rest)
        if not _has_section_at(rest, pieces.section_line):
            return None
        _top(content, rest)
        for index, chunk in enumerate(pieces.chunks):
            digest = text_digest(chunk.text)
            camera = known.get(digest)
            if camera is not None:
                content.cameras.append(
                    Item.of_camera(file, index, camera, None, Lines(partial(_one_item, chunk), chunk.line))
                )
                continue
            item = _one_item(chunk)
            if item is None:
                return None
            checked = _camera(content, index, item, Lines(partial(_itself, item), chunk.line))
            if checked is not None:
                known.put(digest, checked)
    except SyntaxFault:
        return None
    return content


def _one_item(chunk: Chunk) -> Node | None:
    node = compose(chunk.text)
    if not isinstance(node, SequenceNode) or node.flow_style or len(node.value) != 1:
        return None
    item: Node = node.value[0]
    return item


def _itself(node: Node) -> Node:
    return node


def _has_section_at(rest: Node | None, line: int) -> bool:
    """Whether the rest is a block mapping whose one `cameras:` stands at `line` and is empty."""
    if not isinstance(rest, MappingNode) or rest.flow_style:
        return False
    found = [(key, value) for key, value in rest.value if isinstance(key, ScalarNode) and key.value == "cameras"]
    if len(found) != 1 or found[0][0].start_mark.line != line:
        return False
    value = found[0][1]
    return isinstance(value, ScalarNode) and value.value == "" and not value.style


def _not_yaml(file: str, error: SyntaxFault, pieces: Split | None) -> FileContent:
    """The syntax fault; where a piece alone shows it more closely, that, beside the faults of the other cameras."""
    content = FileContent(file, readable=False)
    syntax: list[Fault] = []
    for index, chunk in enumerate(pieces.chunks if pieces is not None else []):
        try:
            item = _one_item(chunk)
        except SyntaxFault as own:
            line = own.line + chunk.line
            syntax.append(Fault.at(file, line, ("cameras", index), own.what, own.fix))
            continue
        if item is not None:
            _camera(content, index, item, Lines(partial(_itself, item), chunk.line))
    if not syntax:
        return _unreadable(file, [Fault.at(file, error.line, (), error.what, error.fix)])
    content.faults += syntax
    return content


def _unreadable(file: str, faults: list[Fault]) -> FileContent:
    return FileContent(file, faults=faults, readable=False)


def _top(content: FileContent, root: Node | None) -> Node | None:
    """Takes in everything but the cameras, whose node is returned (None when there are none)."""
    if root is None or (isinstance(root, ScalarNode) and root.value == ""):
        fix = "write departments: and cameras: ([] where none are meant)"
        content.faults.append(Fault.at(content.file, 1, (), "the file is empty", fix))
        return None
    lines = Lines(partial(_itself, root))
    if not isinstance(root, MappingNode):
        fault = Fault.at(content.file, lines.of(()), (), "the file is not a mapping", "write departments: and cameras:")
        content.faults.append(fault)
        return None
    values: dict[str, Node] = {}
    for key, value in root.value:
        problem = _top_key(key, values)
        if problem is None:
            values[key.value] = value
            continue
        line = key.start_mark.line + 1
        content.faults.append(Fault.at(content.file, line, problem.location, problem.what, problem.fix))
    _version(content, values.get("version"), lines)
    for index, item in enumerate(_items(content, values.get("departments"), "departments", lines)):
        _department(content, index, item)
    cameras = values.get("cameras")
    _items(content, cameras, "cameras", lines)
    return cameras


def _top_key(key: Node, earlier: dict[str, Node]) -> Problem | None:
    if not isinstance(key, ScalarNode) or key.value not in _KEYS:
        name = key.value if isinstance(key, ScalarNode) else ""
        what = f"there is no key {name[:64]!r} here{did_you_mean(name, _KEYS)}"
        return Problem((name,) if name else (), what, f"write one of {', '.join(_KEYS)}")
    if key.value in earlier:
        return Problem((key.value,), "the key stands twice", "join both under one")
    return None


def _version(content: FileContent, node: Node | None, lines: Lines) -> None:
    if node is not None and not (isinstance(node, ScalarNode) and node.value == "1" and not node.style):
        fix = "write version: 1, or leave it out"
        content.faults.append(
            Fault.at(content.file, lines.of(("version",)), ("version",), "this version is not known", fix)
        )


def _items(content: FileContent, node: Node | None, key: str, lines: Lines) -> list[Node]:
    if node is None or (isinstance(node, ScalarNode) and node.value == "" and not node.style):
        return []
    if isinstance(node, SequenceNode):
        items: list[Node] = node.value
        return items
    fault = Fault.at(content.file, lines.of((key,)), (key,), "no list stands here", "write one - item each, or []")
    content.faults.append(fault)
    return []


def _camera(content: FileContent, index: int, node: Node, lines: Lines) -> Camera | None:
    """Adds one camera and its faults; gives the camera where it has none."""
    built = build(node, lines.offset)
    checked = check_camera(built.data, built.booleans)
    camera = checked.value if isinstance(checked.value, Camera) and not built.problems else None
    item = Item.of_camera(content.file, index, camera, built.data, lines)
    content.cameras.append(item)
    _add_faults(content, item, built, checked.problems)
    return camera


def _department(content: FileContent, index: int, node: Node) -> None:
    built = build(node)
    checked = check_department(built.data)
    department = checked.value if isinstance(checked.value, Department) and not built.problems else None
    item = Item.of_department(content.file, index, department, built.data, Lines(partial(_itself, node)))
    content.departments.append(item)
    _add_faults(content, item, built, checked.problems)


def _add_faults(content: FileContent, item: Item, built: Built, problems: list[Problem]) -> None:
    told = set()
    for location, line, what, fix in built.problems:
        told.add(location)
        content.faults.append(Fault.at(item.file, line, (*item.location, *location), what, fix))
    content.faults += [
        item.fault(problem.location, problem.what, problem.fix) for problem in problems if problem.location not in told
    ]
