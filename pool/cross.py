"""What must hold across the whole pool: ids that stand once, departments that exist and form no circle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from yaml.nodes import Node

from contracts.pool import Camera, Department
from contracts.problems import Location
from contracts.relations import did_you_mean, listed
from pool.faults import Fault
from pool.nodes import line_of


@dataclass(frozen=True, slots=True)
class Lines:
    """Where an item's keys stand: its node (parsed again when asked, if need be), and the line its text begins at."""

    node: Callable[[], Node | None]
    offset: int = 0

    def of(self, location: Location) -> int:
        """Line in the file, from 1."""
        return line_of(self.node(), location) + self.offset


@dataclass(frozen=True, slots=True)
class Item:
    """A camera or department as it stands in a file, faulty or not.

    Attributes:
        file: its file.
        location: its path in that file, e.g. ("cameras", 3).
        value: itself when it is right in itself.
        id: its id, where one can be read.
        refers: the department it names (a department: its parent), where it can be read.
        lines: where its keys stand.
    """

    file: str
    location: Location
    value: Camera | Department | None
    id: str | None
    refers: str | None
    lines: Lines

    def fault(self, below: Location, what: str, fix: str) -> Fault:
        return Fault.at(self.file, self.lines.of(below), (*self.location, *below), what, fix)

    @staticmethod
    def of_camera(file: str, index: int, camera: Camera | None, data: Any, lines: Lines) -> Item:
        """`data` is what the file says, needed only where there is no camera."""
        own, refers = (camera.id, camera.department) if camera else (_text(data, "id"), _text(data, "department"))
        return Item(file, ("cameras", index), camera, own, refers, lines)

    @staticmethod
    def of_department(file: str, index: int, department: Department | None, data: Any, lines: Lines) -> Item:
        own, refers = (department.id, department.parent) if department else (_text(data, "id"), _text(data, "parent"))
        return Item(file, ("departments", index), department, own, refers, lines)


def _text(data: Any, key: str) -> str | None:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, str) else None


def cross_faults(departments: Sequence[Item], cameras: Sequence[Item], *, complete: bool) -> list[Fault]:
    """Every fault between items.

    Args:
        complete: False while a file could not be read, whose departments are then unknown.
    """
    faults = [*_twice(departments, "department"), *_twice(cameras, "camera")]
    known = {item.id for item in departments if item.id is not None}
    if complete:
        faults += _unknown(departments, known, "parent")
        faults += _unknown(cameras, known, "department")
    return [*faults, *_circles(departments)]


def _twice(items: Iterable[Item], what: str) -> Iterator[Fault]:
    first: dict[str, Item] = {}
    for item in items:
        if item.id is None:
            continue
        earlier = first.setdefault(item.id, item)
        if earlier is not item:
            place = f"{earlier.file}:{earlier.lines.of(('id',))}" if earlier.file else str(earlier.location)
            yield item.fault(
                ("id",),
                f"the {what} {item.id!r} stands twice (first at {place})",
                "give it an id of its own, or remove it",
            )


def _unknown(items: Iterable[Item], known: set[str], key: str) -> Iterator[Fault]:
    for item in items:
        if item.refers is not None and item.refers not in known:
            what = f"there is no department {item.refers!r}{did_you_mean(item.refers, known)}"
            others = known - {item.id} if key == "parent" else known
            fix = f"write one of {listed(others)}, or add it to departments:" if others else "add it to departments:"
            yield item.fault((key,), what, fix)


def _circles(departments: Iterable[Item]) -> Iterator[Fault]:
    items = {item.id: item for item in departments if item.id is not None}
    done: set[str] = set()
    for start in items:
        path: list[str] = []
        here: str | None = start
        while here is not None and here in items and here not in done and here not in path:
            path.append(here)
            here = items[here].refers
        if here in path:
            circle = path[path.index(here) :]
            what = f"departments stand above each other in a circle: {' → '.join([*circle, circle[0]])}"
            yield items[circle[-1]].fault(("parent",), what, "leave out the parent of the topmost one")
        done.update(path)
