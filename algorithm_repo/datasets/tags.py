"""Which one thing a picture is said to be as a whole: what classifiers learn and are measured on."""

from __future__ import annotations

from algorithm_repo.datasets.types import Item, Tag

WHOLE = (0.0, 0.0, 1.0, 1.0)
"""The box of a whole picture."""


def tagged(item: Item) -> str | None:
    """The picture's tag; None: it is a clip, or has none or several."""
    return None if why_not(item) else _tags(item)[0]


def why_not(item: Item) -> str:
    """Why it does not count, in words; "" where it does."""
    if item.media != "image":
        return "it is a clip"
    tags = _tags(item)
    if len(tags) > 1:
        return f"it has several tags: {', '.join(tags)}"
    return "" if tags else "it has no tag"


def _tags(item: Item) -> list[str]:
    return sorted({one.label for one in item.labels if isinstance(one, Tag)})
