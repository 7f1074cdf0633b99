"""Samples kept as bytes on the training device, growing while the renderers work; batches are drawn from them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from algorithm_repo.training.samples import CROP_SIDE, MAX_BOXES, STREET_SIZE, WATER_SIZE

Arrays = Mapping[str, NDArray[Any]]

# What a pool of each network holds: array name -> (shape of one sample, dtype).
FIELDS: dict[str, dict[str, tuple[tuple[int, ...], torch.dtype]]] = {
    "street": {
        "street": ((STREET_SIZE[1], STREET_SIZE[0], 3), torch.uint8),
        "street_boxes": ((MAX_BOXES, 5), torch.float32),
    },
    "water": {
        "water": ((WATER_SIZE[1], WATER_SIZE[0], 3), torch.uint8),
        "water_masks": ((WATER_SIZE[1] // 2, WATER_SIZE[0] // 2), torch.uint8),
    },
    "litter": {
        "crops": ((CROP_SIDE, CROP_SIDE, 3), torch.uint8),
        "things": ((), torch.int8),
        "bins": ((), torch.int8),
    },
}


class Pool:
    """At most `capacity` samples of one network; past that, the oldest are written over.

    Args:
        kind: "street", "water" or "litter".
        capacity: samples.
        device: where they lie.
    """

    def __init__(self, kind: str, capacity: int, device: torch.device) -> None:
        self._fields = {
            name: torch.zeros((capacity, *shape), dtype=dtype, device=device)
            for name, (shape, dtype) in FIELDS[kind].items()
        }
        self._capacity = capacity
        self._written = 0

    def __len__(self) -> int:
        return min(self._written, self._capacity)

    def add(self, arrays: Arrays) -> None:
        """Takes what a chunk has of this network; nothing if it has none."""
        first = next(iter(self._fields))
        if first not in arrays:
            return
        count = len(arrays[first])
        rows = (torch.arange(count) + self._written) % self._capacity
        for name, tensor in self._fields.items():
            tensor[rows.to(tensor.device)] = torch.from_numpy(np.asarray(arrays[name])).to(tensor.device)
        self._written += count

    def draw(self, count: int) -> tuple[Tensor, ...]:
        """`count` random samples, with repetition, one tensor a field.

        Raises:
            ValueError: there is none yet.
        """
        if len(self) == 0:
            raise ValueError("the pool is empty: nothing was rendered or packed")
        tensors = list(self._fields.values())
        rows = torch.randint(len(self), (count,), device=tensors[0].device)
        return tuple(tensor[rows] for tensor in tensors)

    def all(self) -> tuple[Tensor, ...]:
        """Every sample, in the order in which they came."""
        return tuple(tensor[: len(self)] for tensor in self._fields.values())


def pool_of(folder: Path | None, side: str, kind: str, capacity: int, device: torch.device) -> Pool:
    """All chunks of one side that lie in a folder, which stays as it is; empty without one.

    Raises:
        OSError: a chunk is damaged.
    """
    pool = Pool(kind, capacity, device)
    for path in sorted(folder.glob(f"{side}-*.npz")) if folder is not None else ():
        pool.add(_read(path))
    return pool


def _read(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except zipfile.BadZipFile as error:
        raise OSError(f"{path} is damaged; render again") from error


class Chunks:
    """Reads the renderers' chunks, each once, and removes them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.read = 0

    def take(self, side: str, pools: Mapping[str, Pool], most: int = 1000) -> int:
        """Moves up to `most` chunks of a side into the pools; returns how many there were."""
        found = sorted(self._folder.glob(f"{side}-*.npz"))[:most]
        for path in found:
            chunk = _read(path)
            for pool in pools.values():
                pool.add(chunk)
            path.unlink()
        self.read += len(found)
        return len(found)
