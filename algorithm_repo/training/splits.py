"""The fixed split of the flood photos: `splits/flood.json`, made once, before anything was trained.

    python -m algorithm_repo.training.splits TRUTH_FOLDER    makes it again (the same file for the same photos)

Photos of one scene (the same photo cropped or resized, neighbouring pictures of one flight) stay on one side: they are
grouped by how alike they are at 24×24 grey pixels, and whole groups are drawn.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from algorithm_repo.datasets.alike import ALIKE, signature

Side = Literal["train", "val", "test"]
_SIDES: tuple[Side, ...] = ("train", "val", "test")
_FILE = Path(__file__).with_name("splits") / "flood.json"
_SEED = 20261126
_SHARES = {"test": 0.2, "val": 0.1}


def flood_split() -> dict[Side, tuple[str, ...]]:
    """Names of the photos (file names without suffix) on each side."""
    found = json.loads(_FILE.read_text(encoding="utf-8"))
    return {side: tuple(found[side]) for side in _SIDES}


def make_split(signatures: NDArray[np.float32], names: Sequence[str], seed: int = _SEED) -> dict[Side, list[str]]:
    """Draws whole groups of alike photos until test and val have their shares; the rest is for training.

    Args:
        signatures: float32 [N, K], rows of zero mean and unit length.
        names: N names.
        seed: of the drawing.
    """
    alike = signatures @ signatures.T > ALIKE
    group = np.arange(len(names))
    for row, column in zip(*np.nonzero(alike), strict=True):
        group[group == group[column]] = group[row]
    members = [[names[i] for i in np.flatnonzero(group == one)] for one in sorted(set(group.tolist()))]
    random.Random(seed).shuffle(members)
    sides: dict[Side, list[str]] = {side: [] for side in _SIDES}
    for one in members:
        side: Side = "train"
        if len(sides["test"]) < _SHARES["test"] * len(names):
            side = "test"
        elif len(sides["val"]) < _SHARES["val"] * len(names):
            side = "val"
        sides[side].extend(one)
    return {side: sorted(sides[side], key=int) for side in _SIDES}


def main(truth: Path) -> None:
    """Writes the split file from `truth`/flood/images."""
    paths = sorted((truth / "flood" / "images").glob("*.jpg"), key=lambda path: int(path.stem))
    greys = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in paths]
    signatures = np.stack([signature(grey) for grey in greys if grey is not None])  # type: ignore[arg-type]
    split = make_split(signatures, [path.stem for path in paths])
    _FILE.parent.mkdir(exist_ok=True)
    _FILE.write_text(json.dumps({"seed": _SEED, **split}, separators=(",", ": "), indent=None) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
