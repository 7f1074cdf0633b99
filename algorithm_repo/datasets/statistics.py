"""What a version holds, counted: by side, label, slice, source, licence, camera."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from algorithm_repo.datasets.types import SIDES, Manifest


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: items on each side, in the order of `SIDES`, and labels of it all together."""

    name: str
    items: tuple[int, int, int]
    labels: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """Attributes:
    sides: items of each, in the order of `SIDES`.
    classes: of each label the items that have it.
    slices, sources, licences, cameras: items of each; "" is a camera nobody knows.
    background: items without any label.
    small: labels (boxes) whose shorter side is below 2 % of the picture's: mostly too small to learn.
    """

    sides: tuple[int, int, int]
    classes: tuple[Row, ...]
    slices: tuple[Row, ...]
    sources: tuple[Row, ...]
    licences: tuple[Row, ...]
    cameras: tuple[Row, ...]
    background: int
    small: int


_SMALL = 0.02


def statistics(manifest: Manifest) -> Statistics:
    """Counts of a frozen version; items without a side count on none."""
    items: dict[str, Counter[tuple[str, str | None]]] = {
        key: Counter() for key in ("class", "slice", "source", "licence", "camera")
    }
    labels: dict[str, Counter[str]] = {key: Counter() for key in items}
    small = 0
    for item in manifest.items:
        found = Counter(label.label for label in item.labels)
        groups: dict[str, Iterable[str]] = {
            "class": found,
            "slice": item.slices,
            "source": (item.source,),
            "licence": (manifest.sources[item.source].licence,),
            "camera": (item.camera,),
        }
        for key, names in groups.items():
            for name in names:
                items[key][name, item.side] += 1
                labels[key][name] += found[name] if key == "class" else len(item.labels)
        small += sum(
            label.kind == "box" and min(label.box[2] - label.box[0], label.box[3] - label.box[1]) < _SMALL
            for label in item.labels
        )

    def row(key: str, name: str) -> Row:
        train, val, test = (items[key][name, side] for side in SIDES)
        return Row(name, (train, val, test), labels[key][name])

    def rows(key: str, names: Iterable[str]) -> tuple[Row, ...]:
        return tuple(row(key, name) for name in names)

    train, val, test = (sum(item.side == side for item in manifest.items) for side in SIDES)
    return Statistics(
        sides=(train, val, test),
        classes=rows("class", manifest.classes),
        slices=rows("slice", sorted(labels["slice"])),
        sources=rows("source", sorted(manifest.sources)),
        licences=rows("licence", sorted(labels["licence"])),
        cameras=rows("camera", sorted(labels["camera"])),
        background=sum(not item.labels for item in manifest.items),
        small=small,
    )
