"""Photos with masks: from two folders into the items of a version, and an item's mask as an array."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from algorithm_repo.datasets.pictures import ByteArray, Read, decode
from algorithm_repo.datasets.types import Item, Label, Mask, Polygon
from contracts.errors import ConfigError

_DARK = 90.0  # mean luma, 0..255
_MUCH = 0.4  # of the photo
_ROUGH = 0.005  # of the width: so far may a drawn outline be off


def masked_photos(images: Path, masks: Path, label: str, source: str) -> tuple[list[Item], dict[str, Path]]:
    """Every photo `images`/NAME.jpg with its mask `masks`/NAME.png, 255 where it shows `label`.

    Slices are what can be told from the picture itself: light or dark, much or little of the label.

    Args:
        source: key of the version's `sources`.

    Returns:
        The items, without sides; and where the bytes lie, by SHA-256.

    Raises:
        ConfigError: a photo without a mask, or a file that is no picture; names it.
    """
    items: list[Item] = []
    places: dict[str, Path] = {}
    for path in sorted(images.glob("*.jpg")):
        beside = masks / f"{path.stem}.png"
        if not beside.is_file():
            raise ConfigError(f"{path.name}: it has no mask", f"put {beside.name} into {masks}")
        (bgr, content), (mask, hidden) = _opened(path, cv2.IMREAD_COLOR), _opened(beside, cv2.IMREAD_GRAYSCALE)
        places |= {content: path, hidden: beside}
        share = float(np.mean(mask > 127))
        labels: tuple[Label, ...] = (Mask(label=label, sha256=hidden),) if share > 0 else ()
        slices = (
            "dark" if float(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY).mean()) < _DARK else "light",
            f"much {label}" if share >= _MUCH else f"little {label}",
        )
        height, width = bgr.shape[:2]
        items.append(
            Item(
                content=content,
                name=path.name,
                width=width,
                height=height,
                source=source,
                slices=slices,
                labels=labels,
            )
        )
    # Of several files with the same bytes, one.
    once = {item.content: item for item in items}
    return [once[content] for content in sorted(once)], places


def _opened(path: Path, flag: int) -> tuple[ByteArray, str]:
    """The picture, and the SHA-256 of its bytes."""
    data = path.read_bytes()
    try:
        return decode(data, flag), hashlib.sha256(data).hexdigest()
    except ValueError as error:
        raise ConfigError(f"{path.name}: not a picture", "take it out") from error


def mask_of(item: Item, read: Read) -> ByteArray | None:
    """The item's masks and polygons together, uint8 [H, W], 255 where its label is; None where nothing is."""
    masks = [decode(read(label.sha256), cv2.IMREAD_GRAYSCALE) for label in item.labels if isinstance(label, Mask)]
    outlines = [label.points for label in item.labels if isinstance(label, Polygon)]
    if outlines:
        height, width = masks[0].shape if masks else (item.height, item.width)
        masks.append(_filled(outlines, width, height))
    if not masks:
        return None
    return np.asarray(np.where(np.maximum.reduce(masks) > 127, 255, 0), np.uint8)


def outlines_of(mask: ByteArray, label: str) -> tuple[Polygon, ...]:
    """What a mask shows, as people draw it: outer outlines, within half a hundredth of the picture; holes are filled.

    Args:
        mask: uint8 [H, W], 255 where it shows `label`.
    """
    height, width = mask.shape
    found, _ = cv2.findContours(np.asarray(mask > 127, np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    rough = (cv2.approxPolyDP(one, _ROUGH * width, closed=True)[:, 0] for one in found)
    return tuple(
        Polygon(label=label, points=tuple((float(x) / width, float(y) / height) for x, y in one))
        for one in rough
        if len(one) >= 3
    )


def _filled(outlines: Sequence[Sequence[tuple[float, float]]], width: int, height: int) -> ByteArray:
    mask = np.zeros((height, width), np.uint8)
    for outline in outlines:
        cv2.fillPoly(mask, [np.rint(np.array(outline) * (width, height)).astype(np.int32)], 255)
    return mask
