"""Another tool's labels as a project draws them, and turned with their picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from algorithm_repo.datasets.pictures import decode, encode
from algorithm_repo.datasets.types import Box, Interval, Label, Mask, Polygon, Tag
from algorithm_repo.formats import rle
from algorithm_repo.labelling.fitting import Notes, fitted, turned
from algorithm_repo.labelling.types import Kind, Shape
from contracts.errors import ConfigError
from tests.unit.heads_scene import turned_jpeg

CORNER = Polygon(label="car", points=((0.1, 0.2), (0.4, 0.2), (0.4, 0.6)), track=3)
AROUND = Box(label="car", box=(0.1, 0.2, 0.4, 0.6), track=3)
TAG = Tag(label="car")


def pixels() -> tuple[str, bytes]:
    mask = np.zeros((100, 200), np.bool_)
    mask[20:61, 20:81] = True
    return rle.png_of(mask)


@pytest.mark.parametrize(
    ("label", "kinds", "expected", "noted"),
    [
        (CORNER, ("polygon",), (CORNER,), ()),
        (CORNER, ("box", "polygon"), (CORNER,), ()),
        (CORNER, ("box",), (AROUND,), ("outlines are taken as the boxes around them: 1, a.jpg",)),
        (AROUND, ("box",), (AROUND,), ()),
        (TAG, ("tag",), (TAG,), ()),
        (
            Polygon(label="car", points=((0, 0), (1, 0), (0, 0))),
            ("box",),
            (),
            ("outlines are taken as the boxes around them: 1, a.jpg", "what has no area is left out: 1, a.jpg"),
        ),
    ],
)
def test_shapes_become_what_the_project_draws(
    label: Label, kinds: tuple[Kind, ...], expected: tuple[Shape, ...], noted: tuple[str, ...]
) -> None:
    notes = Notes()
    assert fitted("a.jpg", [label], kinds, {}, notes) == expected
    assert notes.lines == noted


def test_masks_become_outlines_or_the_box_around_all_of_one() -> None:
    sha256, png = pixels()
    mask, masks = Mask(label="car", sha256=sha256), {sha256: png}
    (box,) = fitted("a.jpg", [mask], ("box",), masks, Notes())
    assert box == Box(label="car", box=(0.1, 0.2, 0.4, 0.6))
    (outline,) = fitted("a.jpg", [mask], ("polygon", "box"), masks, Notes())
    assert isinstance(outline, Polygon)
    assert set(outline.points) == {(0.1, 0.2), (0.4, 0.2), (0.4, 0.6), (0.1, 0.6)}


def test_what_can_be_nothing_of_it_is_refused() -> None:
    sha256, png = pixels()
    for label, told in (
        (Mask(label="car", sha256=sha256), "a.jpg: a mask cannot be labelled here"),
        (Interval(label="car", start=0), "a.jpg: a label of the kind interval cannot be given here"),
    ):
        with pytest.raises(ConfigError, match=told):
            fitted("a.jpg", [label], ("tag",), {sha256: png}, Notes())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_labels_are_turned_as_opencv_turns_their_picture(orientation: int) -> None:
    """A bright block is drawn into the stored picture; the label of it has to lie on it in the shown one."""
    stored = decode(turned_jpeg(160, 80, 1))
    stored[8:24, 96:144] = 255
    head = turned_jpeg(160, 80, orientation)
    exif = head[2 : 4 + int.from_bytes(head[4:6], "big")]
    plain = encode(stored)
    shown = decode(plain[:2] + exif + plain[2:], cv2.IMREAD_GRAYSCALE)
    (box, outline) = turned(
        (
            Box(label="car", box=(0.6, 0.1, 0.9, 0.3)),
            Polygon(label="car", points=((0.6, 0.1), (0.9, 0.1), (0.9, 0.3))),
        ),
        orientation,
    )
    assert isinstance(box, Box)
    assert isinstance(outline, Polygon)
    height, width = shown.shape
    rows, columns = np.nonzero(shown > 127)
    seen = (columns.min() / width, rows.min() / height, (columns.max() + 1) / width, (rows.max() + 1) / height)
    assert box.box == pytest.approx(seen, abs=0.02)
    assert {(round(x, 6), round(y, 6)) for x, y in outline.points} <= {
        (x, y) for x in (box.box[0], box.box[2]) for y in (box.box[1], box.box[3])
    }
