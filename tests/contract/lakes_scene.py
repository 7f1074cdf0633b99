"""Twelve pictures of a bright lake on dark ground with their masks, as a frozen version of task `segment`."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from algorithm_repo.datasets.photos import masked_photos
from algorithm_repo.datasets.types import Manifest, Source


def lakes(folder: Path) -> tuple[Manifest, dict[str, Path]]:
    """Draws them into `folder`; the version, and where the bytes of its pictures and masks lie, by SHA-256."""
    rng = np.random.default_rng(1)
    for part in ("images", "masks"):
        (folder / part).mkdir()
    for number in range(12):
        mask = np.zeros((120, 200), np.uint8)
        centre = (int(rng.integers(50, 150)), int(rng.integers(40, 80)))
        cv2.ellipse(mask, centre, (40, 25), 0, 0, 360, 255, -1)
        picture = rng.integers(20, 90, (120, 200, 3), np.uint8)
        picture[mask > 0] += 120
        cv2.imwrite(str(folder / "images" / f"{number}.jpg"), picture)
        cv2.imwrite(str(folder / "masks" / f"{number}.png"), mask)
    items, places = masked_photos(folder / "images", folder / "masks", "water", "ours")
    manifest = Manifest(
        name="lakes",
        task="segment",
        classes=("water",),
        sources={"ours": Source(name="drawn", licence="AGPL-3.0-or-later")},
        items=tuple(item.model_copy(update={"side": "train"}) for item in items),
    )
    return manifest, places
