"""What a training goes on from: arrays of a folder's `checkpoint.npz`, in full precision and never a pickle."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from algorithm_repo.training.whole import whole_lines, write_whole

Arrays = dict[str, NDArray[np.generic]]


class Checkpoint:
    """`checkpoint.npz` and `curve.jsonl` of a folder, which always tell of the same epoch once `read` has run."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "checkpoint.npz"
        self._curve = folder / "curve.jsonl"

    def write(self, arrays: Arrays, line: dict[str, float]) -> None:
        """The checkpoint first: what a line of the curve tells of is never lost again."""
        told = json.dumps(line)
        write_arrays(self._path, arrays | {"line": np.array(told)})
        with self._curve.open("a") as curve:
            curve.write(told + "\n")

    def read(self) -> Arrays | None:
        """What to go on from; the curve then ends where it does. None: from the beginning."""
        if not self._path.is_file():
            self._curve.unlink(missing_ok=True)
            return None
        with np.load(self._path, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
        last = str(arrays.pop("line"))
        before = [line for line in whole_lines(self._curve) if json.loads(line)["step"] < json.loads(last)["step"]]
        write_whole(self._curve, "".join(f"{line}\n" for line in (*before, last)))
        return arrays


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Named arrays as `.npz`, whole or not at all."""
    with (part := path.with_suffix(".part")).open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def under(arrays: Arrays, prefix: str) -> dict[str, torch.Tensor]:
    """The arrays below `prefix`, as tensors of their own by the rest of their name."""
    return {
        name.removeprefix(prefix): torch.from_numpy(np.array(value))
        for name, value in arrays.items()
        if name.startswith(prefix)
    }
