"""Crops of what the litter sense puts forward: each with the label of what lies there, or none."""

from __future__ import annotations

import numpy as np
import pytest

from algorithm_repo.training import lying, samples
from algorithm_repo.training.lying import label_of, street
from algorithm_repo.training.rendering import TRAIN_SEEDS
from contracts.vision import ObjectClass
from simulator.street.types import Box, Picture, TruthBin, TruthBox, TruthItem

PLACE = (0.40, 0.60, 0.44, 0.66)


def item(kind: str, box: Box = PLACE) -> TruthItem:
    return TruthItem(1, box, 0.0, attended=False, kind=kind)


def actor(kind: ObjectClass, box: Box = PLACE) -> TruthBox:
    return TruthBox(1, kind, box, 1.0)


@pytest.mark.parametrize(
    ("picture", "label"),
    [
        ({"litter": (item("bag"),)}, "litter"),
        ({"litter": (item("leaves"),)}, "leaves"),
        ({"litter": (item("shadow"),)}, "ground"),
        ({"litter": (item("luggage"),)}, "object"),
        ({"litter": (item("bag", (0.41, 0.61, 0.43, 0.63)),)}, "litter"),  # a part of the box, but all of the bag
        ({"litter": (item("bag", (0.43, 0.60, 0.60, 0.66)),)}, None),  # a corner of it
        ({"boxes": (actor(ObjectClass.OTHER),)}, "object"),
        ({"boxes": (actor(ObjectClass.PERSON, (0.43, 0.5, 0.46, 0.64)),)}, None),
        ({"bins": (TruthBin("", (0.38, 0.55, 0.46, 0.70), False),)}, "object"),  # a bag in a bin
        ({"bins": (TruthBin("", (0.38, 0.55, 0.46, 0.70), True),)}, None),
        ({}, "ground"),
    ],
)
def test_the_label_is_what_lies_there(picture: dict[str, tuple[object, ...]], label: str | None) -> None:
    parts: dict[str, tuple[object, ...]] = {"boxes": (), "litter": (), "bins": (), **picture}
    shown = Picture(np.zeros((36, 64, 3), np.uint8), water=None, **parts)  # type: ignore[arg-type]
    assert label_of(PLACE, shown) == (None if label is None else samples.THING[label])


def test_a_street_is_the_same_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lying, "_MOST_S", 30.0)
    seed = TRAIN_SEEDS + 50_000_001
    one, other = street(seed), street(seed)
    assert one.things == other.things
    assert all(np.array_equal(a, b) for a, b in zip(one.crops, other.crops, strict=True))
    assert set(one.things) <= {samples.NO_LABEL, *samples.THING.values()}
