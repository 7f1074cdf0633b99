"""Which pictures are nearly the same: the same photo cropped, resized, coded anew or mirrored, neighbouring frames.

A picture is compared by what it looks like from afar. That finds the copies that make a test set worthless; two photos
of one street by different people it does not find, so those are kept apart by camera and time (`split`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 24
ALIKE = 0.85
_ROWS = 2048  # compared with all others at a time: 2048 x 100,000 similarities are 800 MB

Signature = NDArray[np.float32]


def signature(grey: NDArray[np.uint8]) -> Signature:
    """What a picture looks like from afar.

    Args:
        grey: uint8 [H, W].

    Returns:
        float32 [576]: 24x24 grey values, of zero mean and unit length.
    """
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    small -= small.mean()
    unit: Signature = small / max(float(np.linalg.norm(small)), 1e-6)
    return unit


def likeness(one: Signature, others: Sequence[Signature]) -> float:
    """How alike (-1..1) a picture is to the most alike of others, mirrored or not; -1: there are none."""
    if not others:
        return -1.0
    rows = np.stack(others)
    mirrored = one.reshape(SIDE, SIDE)[:, ::-1].ravel()
    return float(np.maximum(rows @ one, rows @ mirrored).max())


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """Two contents that are nearly the same picture; `likeness` -1..1, `first` < `second`."""

    first: str
    second: str
    likeness: float


def pairs(signatures: Mapping[str, Signature], alike: float = ALIKE) -> list[Pair]:
    """Every pair whose likeness, one of them mirrored or not, is above `alike`; in order.

    Args:
        signatures: by content hash, each of `signature`.
        alike: likeness above which two pictures are nearly the same.
    """
    names = sorted(signatures)
    if len(names) < 2:
        return []
    rows = np.stack([signatures[name] for name in names])
    mirrored = rows.reshape(-1, SIDE, SIDE)[:, :, ::-1].reshape(len(names), -1)
    return sorted(_close(names, rows, np.ascontiguousarray(mirrored), alike))


def _close(names: Sequence[str], rows: Signature, mirrored: Signature, alike: float) -> Iterator[Pair]:
    for start in range(0, len(names), _ROWS):
        some = rows[start : start + _ROWS]
        likeness = np.maximum(some @ rows.T, some @ mirrored.T)
        for one, other in zip(*np.nonzero(likeness > alike), strict=True):
            if start + one < other:
                yield Pair(names[start + int(one)], names[int(other)], round(float(likeness[one, other]), 4))
