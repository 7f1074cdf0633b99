"""Another tool's labels as a project draws them, and turned with their picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import cv2

from algorithm_repo.datasets.photos import outlines_of
from algorithm_repo.datasets.pictures import decode
from algorithm_repo.datasets.types import Box, Label, Mask, Point, Polygon, Tag
from algorithm_repo.formats.types import GRID, box_around
from algorithm_repo.labelling.types import Kind, Shape
from contracts.errors import ConfigError

# Where a point of the stored picture is in the shown one, by EXIF's orientation (CIPA DC-008 4.6.5).
_TURNS: Mapping[int, Callable[[float, float], Point]] = {
    1: lambda x, y: (x, y),
    2: lambda x, y: (1 - x, y),
    3: lambda x, y: (1 - x, 1 - y),
    4: lambda x, y: (x, 1 - y),
    5: lambda x, y: (y, x),
    6: lambda x, y: (1 - y, x),
    7: lambda x, y: (1 - y, 1 - x),
    8: lambda x, y: (y, 1 - x),
}


class Notes:
    """What was not taken as it stands: each kind of thing once, with how many there are and the first of them."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def add(self, what: str, name: str) -> None:
        self._found.setdefault(what, []).append(name)

    @property
    def lines(self) -> tuple[str, ...]:
        """E.g. "masks are taken as outlines: 3, a.jpg, b.jpg, …"."""
        return tuple(counted(what, names) for what, names in self._found.items())


def counted(what: str, names: Sequence[str]) -> str:
    """Of how many something holds, and the first of them."""
    different = list(dict.fromkeys(names))
    return f"{what}: {len(names)}, {', '.join(different[:3])}{', …' if len(different) > 3 else ''}"


def fitted(
    name: str, labels: Iterable[Label], kinds: Sequence[Kind], masks: Mapping[str, bytes], notes: Notes
) -> tuple[Shape, ...]:
    """Labels of a picture as what its project draws: outlines and masks as boxes where only boxes are drawn, masks as
    outlines where these are.

    Args:
        name: of the picture, for errors and notes.
        masks: PNG by SHA-256.
        notes: is told of what became something else.

    Raises:
        ConfigError: a label can be nothing that the project draws.
    """
    found: list[Shape] = []
    for one in labels:
        if isinstance(one, Mask):
            found += _of_mask(name, one, kinds, masks, notes)
        elif isinstance(one, Polygon) and "polygon" not in kinds and "box" in kinds:
            notes.add("outlines are taken as the boxes around them", name)
            found += _around(name, [one], notes)
        elif isinstance(one, Box | Polygon | Tag):
            found.append(one)
        else:
            raise ConfigError(
                f"{name}: a label of the kind {one.kind} cannot be given here", "give it as box, polygon or tag"
            )
    return tuple(found)


def turned(labels: Iterable[Shape], orientation: int) -> tuple[Shape, ...]:
    """Boxes and outlines of the stored picture as they lie in the shown one.

    Args:
        orientation: of EXIF, 1 to 8.
    """
    turn = _TURNS[orientation]
    return tuple(_turned(one, turn) for one in labels)


def _turned(one: Shape, turn: Callable[[float, float], Point]) -> Shape:
    if isinstance(one, Polygon):
        return one.model_copy(update={"points": tuple(_rounded(turn(x, y)) for x, y in one.points)})
    if isinstance(one, Box):
        (ax, ay), (bx, by) = _rounded(turn(*one.box[:2])), _rounded(turn(*one.box[2:]))
        return one.model_copy(update={"box": (min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))})
    return one


def _rounded(point: Point) -> Point:
    return round(point[0], GRID), round(point[1], GRID)


def _of_mask(name: str, one: Mask, kinds: Sequence[Kind], masks: Mapping[str, bytes], notes: Notes) -> Sequence[Shape]:
    if "polygon" not in kinds and "box" not in kinds:
        raise ConfigError(f"{name}: a mask cannot be labelled here", "make a project of boxes or polygons")
    try:
        pixels = decode(masks[one.sha256], cv2.IMREAD_GRAYSCALE)
    except ValueError as error:
        raise ConfigError(f"{name}: its mask of {one.label}: {error}", "make the picture smaller") from error
    outlines = outlines_of(pixels, one.label)
    if "polygon" in kinds:
        notes.add("masks are taken as outlines", name)
        return outlines
    notes.add("masks are taken as the boxes around them", name)
    return _around(name, outlines, notes)


def _around(name: str, outlines: Sequence[Polygon], notes: Notes) -> Sequence[Box]:
    found = box_around(outlines)
    if found is None:
        notes.add("what has no area is left out", name)
    return () if found is None else (found,)
