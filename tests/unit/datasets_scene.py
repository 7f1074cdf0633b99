"""Items and versions of training data for tests, by number."""

from __future__ import annotations

import hashlib
from typing import Any

from algorithm_repo.datasets.alike import Pair
from algorithm_repo.datasets.types import Item, Manifest, Source

SOURCES = {"city": Source(name="city cameras", licence="internal")}


def content(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def item(number: int, **more: Any) -> Item:
    fields: dict[str, Any] = {"name": f"{number}.jpg", "width": 640, "height": 360, "source": "city"}
    return Item.model_validate(fields | {"content": content(number)} | more)


def manifest(*items: Item, **more: Any) -> Manifest:
    ordered = tuple(sorted(items, key=lambda one: one.content))
    fields: dict[str, Any] = {"name": "v", "task": "detect", "classes": ("car", "bus"), "sources": SOURCES}
    return Manifest.model_validate(fields | {"items": ordered} | more)


def alike_pair(one: int, other: int) -> Pair:
    first, second = sorted((content(one), content(other)))
    return Pair(first, second, 0.9)
