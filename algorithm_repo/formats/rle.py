"""Masks as run lengths, exactly: COCO's (by columns, plain or packed into text) and CVAT's (by rows in a box).

COCO's runs and their packed text are those of pycocotools' mask interface: columns one after another, the first run of
background; packed, each run from the fourth on is told by its difference from the one before the last, in groups of
five bits and a sixth that says whether more follow, as characters from "0" on. CVAT's are those of its XML 1.1: rows
one after another inside a box, the first run of background.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from contracts.errors import ConfigError

Pixels = npt.NDArray[np.bool_]

MOST_PIXELS = 100_000_000  # of one mask; a picture of 12,000 x 8,000 px
_MOST_GROUPS = 7  # of five bits: more than any run of MOST_PIXELS needs


def runs_of(line: Pixels) -> list[int]:
    """Lengths of equal runs of a line [N], background first (0 where the line begins otherwise)."""
    ends = np.flatnonzero(line[1:] != line[:-1]) + 1
    lengths = np.diff(np.concatenate(([0], ends, [line.size])))
    return [0, *lengths.tolist()] if line.size and line[0] else lengths.tolist()


def line_of(runs: Sequence[int], size: int) -> Pixels:
    """The line [size] of these runs.

    Raises:
        ValueError: the runs are not whole, negative, or not `size` together, or `size` is above `MOST_PIXELS`. Nothing
            of the size was taken by then.
    """
    if size > MOST_PIXELS:
        raise ValueError(f"{size} pixels are more than {MOST_PIXELS}")
    if not all(type(run) is int and 0 <= run <= size for run in runs):
        raise ValueError("runs are whole numbers from 0 to the number of pixels")
    if sum(runs) != size:
        raise ValueError(f"the runs are {sum(runs)} pixels together, not {size}")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs)


def coco_of(mask: Pixels) -> list[int]:
    """COCO's runs of a mask [H,W]."""
    return runs_of(mask.ravel(order="F"))


def from_coco(runs: Sequence[int], height: int, width: int) -> Pixels:
    """The mask [H,W] of COCO's runs.

    Raises:
        ValueError: as `line_of`.
    """
    return line_of(runs, height * width).reshape((height, width), order="F")


def packed(runs: Sequence[int]) -> str:
    """COCO's runs as text."""
    return "".join(
        group for number, run in enumerate(runs) for group in _groups(run - runs[number - 2] if number > 2 else run)
    )


def unpacked(text: str) -> list[int]:
    """COCO's runs of a text.

    Raises:
        ValueError: characters that do not belong there, a number without end, or one longer than any run.
    """
    runs: list[int] = []
    value = count = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or count == _MOST_GROUPS:
            raise ValueError(f"{character!r} does not belong there")
        value |= (bits & 31) << 5 * count
        count += 1
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << 5 * count
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = count = 0
    if count:
        raise ValueError("the text ends within a number")
    return runs


def cvat_of(mask: Pixels) -> tuple[list[int], tuple[int, int, int, int]]:
    """CVAT's runs of a mask [H,W], and the box they are in: left, top, width, height, px.

    A mask that holds nothing has a box of one pixel.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, bottom = (int(rows[0]), int(rows[-1])) if rows.size else (0, 0)
    left, right = (int(columns[0]), int(columns[-1])) if columns.size else (0, 0)
    part = mask[top : bottom + 1, left : right + 1]
    return runs_of(part.ravel()), (left, top, right - left + 1, bottom - top + 1)


def from_cvat(runs: Sequence[int], box: tuple[int, int, int, int], height: int, width: int) -> Pixels:
    """The mask [H,W] of CVAT's runs in a box: left, top, width, height, px.

    Raises:
        ValueError: the box does not lie in the picture; or as `line_of`.
    """
    left, top, across, down = box
    if not (0 <= left < left + across <= width and 0 <= top < top + down <= height):
        raise ValueError(f"the box {left} {top} {across} {down} does not lie in the picture of {width} x {height}")
    if height * width > MOST_PIXELS:
        raise ValueError(f"{height * width} pixels are more than {MOST_PIXELS}")
    part = line_of(runs, across * down).reshape(down, across)
    mask = np.zeros((height, width), np.bool_)
    mask[top : top + down, left : left + across] = part
    return mask


def as_mask(given: npt.NDArray[Any], height: int, width: int, where: str) -> Pixels:
    """What a caller has for a mask, checked, as [H,W] bool.

    Raises:
        ConfigError: it is neither bool nor uint8, of another size than the picture, or larger than `MOST_PIXELS`.
    """
    if given.shape != (height, width):
        raise ConfigError(f"{where}: its mask is {given.shape}, not {(height, width)}", "label the picture anew")
    if height * width > MOST_PIXELS:
        raise ConfigError(f"{where}: a mask of more than {MOST_PIXELS} pixels", "cut the picture into parts")
    if given.dtype == np.bool_:
        return given
    if given.dtype == np.uint8:
        return np.asarray(given >= 128, np.bool_)
    raise ConfigError(f"{where}: its mask is of {given.dtype}", "give bool, or uint8 as the PNG has it")


def png_of(mask: Pixels) -> tuple[str, bytes]:
    """SHA-256 and bytes of a mask [H,W] as a grey PNG with 0 and 255; the same mask gives the same bytes."""
    done, data = cv2.imencode(".png", np.where(mask, np.uint8(255), np.uint8(0)))
    if not done:
        raise ConfigError(f"a mask of {mask.shape[1]} x {mask.shape[0]} px cannot be stored as PNG", "make it smaller")
    content = data.tobytes()
    return hashlib.sha256(content).hexdigest(), content


def _groups(value: int) -> Iterator[str]:
    """A number as characters, lowest five bits first, until what is left is only the sign."""
    while True:
        bits, value = value & 31, value >> 5
        last = value == (-1 if bits & 16 else 0)
        yield chr(48 + bits + (0 if last else 32))
        if last:
            return
