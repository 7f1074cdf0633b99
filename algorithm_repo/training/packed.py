"""The training data of real pictures as one file of encoded pictures, so that it travels to a training machine.

`algorithm_repo.training.pack` writes it; see there for what it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from algorithm_repo.training.splits import Side


@dataclass(frozen=True, slots=True)
class Labelled:
    """A photo with boxes.

    Attributes:
        jpeg: the photo.
        boxes: float32 [N, 4], x1 y1 x2 y2, normalised.
        classes: int64 [N], COCO's numbers.
    """

    jpeg: bytes
    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RealPictures:
    """What is known of the real world.

    Attributes:
        flood: photos of floods on each side of the split, as (JPEG, PNG mask of the same size, 255 water).
        trash: single pieces of litter on each side, as (JPEG, PNG mask of the same size, 255 the piece).
        photos: everyday photos with boxes, on "train" and "val".
        grounds: pictures of places without water and litter.
    """

    flood: dict[Side, list[tuple[bytes, bytes]]]
    trash: dict[Side, list[tuple[bytes, bytes]]]
    photos: dict[Side, list[Labelled]]
    grounds: list[bytes]


class PackedFile:
    """Lists of byte strings and plain arrays in one `.npz`."""

    def __init__(self) -> None:
        self._arrays: dict[str, NDArray[np.generic]] = {}

    def put(self, name: str, items: list[bytes]) -> None:
        """Keeps a list of byte strings under a name."""
        self._arrays[f"{name}.data"] = np.frombuffer(b"".join(items), np.uint8)
        self._arrays[f"{name}.ends"] = np.cumsum([len(item) for item in items], dtype=np.int64)

    def put_array(self, name: str, array: NDArray[np.generic]) -> None:
        self._arrays[name] = array

    def save(self, path: Path) -> None:
        np.savez(path, **self._arrays)  # type: ignore[arg-type]

    @staticmethod
    def load(path: Path) -> PackedFile:
        """Reads a file of `save`.

        Raises:
            OSError: there is none.
        """
        found = PackedFile()
        with np.load(path) as arrays:
            found._arrays = {name: arrays[name] for name in arrays.files}
        return found

    def get(self, name: str) -> list[bytes]:
        data, ends = self._arrays[f"{name}.data"].tobytes(), self._arrays[f"{name}.ends"].tolist()
        return [data[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]

    def array(self, name: str) -> NDArray[np.generic]:
        return self._arrays[name]


def load_real(path: Path) -> RealPictures:
    """The real pictures of a packed file."""
    file = PackedFile.load(path)

    def pairs(name: str) -> dict[Side, list[tuple[bytes, bytes]]]:
        sides: tuple[Side, ...] = ("train", "val", "test")
        return {
            side: list(zip(file.get(f"{name}.{side}"), file.get(f"{name}.{side}.masks"), strict=True)) for side in sides
        }

    return RealPictures(
        flood=pairs("flood"),
        trash=pairs("trash"),
        photos={"train": _labelled(file, "photos.train"), "val": _labelled(file, "photos.val")},
        grounds=file.get("grounds"),
    )


def _labelled(file: PackedFile, name: str) -> list[Labelled]:
    rows = file.array(f"{name}.rows")
    found = []
    for number, jpeg in enumerate(file.get(name)):
        mine = rows[rows[:, 0] == number]
        found.append(Labelled(jpeg, mine[:, 2:].astype(np.float32), mine[:, 1].astype(np.int64)))
    return found
