"""Sixty-four photos of the public COCO128 with their boxes, as a frozen version; and the environment with torch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from algorithm_repo.datasets.pictures import decode
from algorithm_repo.datasets.types import Box, Item, Label, Manifest, Side, Source

ROOT = Path(__file__).resolve().parents[2]
CLASSES = {0: "person", 1: "bicycle", 2: "car", 3: "motorcycle", 5: "bus", 7: "truck"}


@dataclass(frozen=True, slots=True)
class Photos:
    """A version, and what reads its pictures."""

    manifest: Manifest
    read: Callable[[str], bytes]


def photos(mirror: Path, train: int = 48, val: int = 16) -> Photos:
    """The first so many of each published side."""
    root = mirror / "truth" / "coco128"
    items: dict[str, Item] = {}
    places: dict[str, Path] = {}
    sides: tuple[tuple[str, Side, int], ...] = (("train2017", "train", train), ("val2017", "val", val))
    for folder, side, most in sides:
        for path in sorted((root / "images" / folder).glob("*.jpg"))[:most]:
            data = path.read_bytes()
            height, width = decode(data).shape[:2]
            content = hashlib.sha256(data).hexdigest()
            places[content] = path
            items[content] = Item(
                content=content,
                name=path.name,
                width=width,
                height=height,
                source="coco",
                labels=_labels(root / "labels" / folder / f"{path.stem}.txt"),
                side=side,
            )
    manifest = Manifest(
        name="coco64",
        task="detect",
        classes=tuple(CLASSES.values()),
        sources={"coco": Source(name="COCO128", licence="COCO terms")},
        items=tuple(items[content] for content in sorted(items)),
    )
    return Photos(manifest, lambda content: places[content].read_bytes())


def _labels(path: Path) -> tuple[Label, ...]:
    found: list[Label] = []
    for line in path.read_text().splitlines() if path.is_file() else []:
        number, cx, cy, width, height = (float(word) for word in line.split())
        if int(number) in CLASSES:
            x1, y1, x2, y2 = cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2
            found.append(Box(label=CLASSES[int(number)], box=(max(0, x1), max(0, y1), min(1, x2), min(1, y2))))
    return tuple(found)


def training_python() -> Path:
    """Of the environment with torch and ultralytics."""
    found = ROOT / ".venv-train" / "bin" / "python"
    assert found.is_file(), "no environment for training: `make test` and `make train` make it"
    return found
