"""Real photos of the public COCO128, every second one darkened: tagged day or night, as a frozen version."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from algorithm_repo.datasets.pictures import decode, encode
from algorithm_repo.datasets.types import Item, Manifest, Tag
from tests.contract.detect_scene import Photos, photos

_DARK = 0.15


def days_and_nights(mirror: Path, train: int = 32, val: int = 12) -> Photos:
    """So many of each side."""
    scene = photos(mirror, train, val)
    items: dict[str, Item] = {}
    media: dict[str, bytes] = {}
    for number, one in enumerate(scene.manifest.items):
        data = scene.read(one.content)
        if number % 2:
            data = encode((decode(data) * _DARK).astype(np.uint8))
        content = hashlib.sha256(data).hexdigest()
        media[content] = data
        tag = Tag(label="night" if number % 2 else "day")
        items[content] = one.model_copy(update={"content": content, "labels": (tag,)})
    manifest = Manifest(
        name="day and night",
        task="classify",
        classes=("day", "dusk", "night"),
        sources=scene.manifest.sources,
        items=tuple(items[content] for content in sorted(items)),
    )
    return Photos(manifest, media.__getitem__)
