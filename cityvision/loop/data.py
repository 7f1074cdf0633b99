"""The versions of data that the loop goes through, out of real photos of floods with their masks.

The test side is drawn first, by the seed alone and before anything is trained; every version has the same one, and no
network of the loop has seen it. Nothing is chosen on a val side, so there is none.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np

from algorithm_repo.datasets.alike import Pair, Signature, pairs, signature
from algorithm_repo.datasets.photos import mask_of, masked_photos
from algorithm_repo.datasets.pictures import Read, decode, encode
from algorithm_repo.datasets.split import across, split
from algorithm_repo.datasets.types import Item, Manifest, Mask, Source

LABEL = "water"
_SOURCE = Source(name="flood photos", licence="none stated: trained on, never passed on")
_TEST_SHARE = 0.3
_PARENT_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Photos:
    """Attributes:
    whole: every photo with its side; no version by itself.
    files: where pictures and masks lie, by SHA-256.
    looks: what pictures look like from afar, by SHA-256.
    parent: photos that the parent is trained on.
    shown: photos that cameras show; they come in by verdicts alone.
    """

    whole: Manifest
    files: Mapping[str, Path]
    looks: Mapping[str, Signature]
    parent: frozenset[str]
    shown: tuple[Item, ...]


def load(truth: Path, *, count: int | None, cameras: int, seed: int) -> Photos:
    """The photos below `truth`/flood.

    Args:
        count: so many of them, drawn by the seed; None: all.
        cameras: so many are shown.
        seed: of every drawing.

    Raises:
        ConfigError: a photo without a mask, or a file that is no picture.
    """
    items, files = masked_photos(truth / "flood" / "images", truth / "flood" / "masks", LABEL, _SOURCE.name)
    draw = random.Random(seed)
    if count is not None and count < len(items):
        items = sorted(draw.sample(items, count), key=lambda item: item.content)
    looks = {item.content: _looks(files[item.content].read_bytes()) for item in items}
    loose = Manifest(
        name="flooded streets",
        task="segment",
        classes=(LABEL,),
        sources={_SOURCE.name: _SOURCE},
        items=tuple(items),
    )
    whole = split(loose, pairs(looks), seed=seed, shares={"test": _TEST_SHARE}).manifest
    train = [item for item in whole.items if item.side == "train"]
    parent = frozenset(item.content for item in draw.sample(train, max(1, round(_PARENT_SHARE * len(train)))))
    wet = [item for item in train if item.content not in parent and f"much {LABEL}" in item.slices]
    return Photos(whole, files, looks, parent, tuple(draw.sample(wet, min(cameras, len(wet)))))


def beginning(photos: Photos) -> Manifest:
    """What the parent is trained on: a quarter of the train side."""
    return _version(
        photos, [item for item in photos.whole.items if item.side == "test" or item.content in photos.parent]
    )


def grown(
    photos: Photos, before: Manifest, brought: Manifest | None, looks: Mapping[str, Signature]
) -> tuple[Manifest, list[Pair]]:
    """What the candidate is trained on: all photos that no camera showed, and what verdicts brought.

    Args:
        before: the parent's version.
        brought: pictures that verdicts brought, with what counts of them; None: nobody said anything.
        looks: of those pictures.

    Returns:
        The version, and which of its pictures are nearly the same.
    """
    shown = {item.content for item in photos.shown}
    items = [item for item in photos.whole.items if item.content not in shown]
    sources = dict(before.sources)
    if brought is not None:
        items += [item.model_copy(update={"side": "train"}) for item in brought.items]
        sources |= brought.sources
    version = _version(photos, items, before.digest, sources)
    found = alike(photos, version, looks)
    leaking = {content for pair in across(version, found) for content in (pair.first, pair.second)} & looks.keys()
    kept = tuple(item for item in version.items if item.content not in leaking)
    return version.model_copy(update={"items": kept}), found


def alike(photos: Photos, version: Manifest, looks: Mapping[str, Signature] = MappingProxyType({})) -> list[Pair]:
    """Which pictures are nearly the same, by the sides of a version.

    Args:
        looks: of pictures that are none of the photos.
    """
    sides = {item.content: item.side for item in version.items if item.side is not None}
    return pairs({**photos.looks, **looks}, sides=sides)


def spoilt(version: Manifest, share: float, seed: int, read: Read, keep: Callable[[bytes], str]) -> Manifest:
    """The same pictures, of which `share` on the train side has water and ground exchanged.

    Args:
        read: bytes of a picture or mask by SHA-256.
        keep: keeps a mask's bytes, as PNG; returns their SHA-256.
    """
    train = [item.content for item in version.items if item.side == "train"]
    wrong = set(random.Random(seed).sample(train, round(share * len(train))))
    items = tuple(_exchanged(item, read, keep) if item.content in wrong else item for item in version.items)
    return version.model_copy(update={"items": items, "parent": version.digest})


def _exchanged(item: Item, read: Read, keep: Callable[[bytes], str]) -> Item:
    mask = mask_of(item, read)
    if mask is None:
        mask = np.zeros((item.height, item.width), np.uint8)
    sha256 = keep(encode(np.asarray(255 - mask, np.uint8), ".png"))
    return item.model_copy(update={"labels": (Mask(label=LABEL, sha256=sha256),)})


def _version(
    photos: Photos, items: list[Item], parent: str | None = None, sources: Mapping[str, Source] | None = None
) -> Manifest:
    return Manifest(
        name=photos.whole.name,
        task=photos.whole.task,
        classes=photos.whole.classes,
        sources=dict(sources or photos.whole.sources),
        items=tuple(sorted(items, key=lambda item: item.content)),
        parent=parent,
    )


def _looks(data: bytes) -> Signature:
    return signature(decode(data, cv2.IMREAD_GRAYSCALE))
