"""How many changed copies of real photos the check of near-duplicates finds, what else it takes for one, and its cost.

    python -m bench.alike TRUTH_FOLDER

Each copy is made two thirds as large and coded anew as JPEG of quality 50 after it was changed. docs/datasets.md has
the figures.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from algorithm_repo.datasets.alike import Signature, pairs, signature

Grey = NDArray[np.uint8]
_ROOMS = {"coco128": "coco128/images/train2017", "flood": "flood/images", "trash": "trash"}
_MOST = 250  # photos of a room
_RNG = np.random.default_rng(3)


def part(one: Grey, share: float) -> Grey:
    """A piece of a picture, somewhere."""
    height, width = (int(share * side) for side in one.shape)
    top, left = (int(_RNG.integers(0, side - kept + 1)) for side, kept in zip(one.shape, (height, width), strict=True))
    return one[top : top + height, left : left + width]


def tilted(one: Grey) -> Grey:
    """Turned by 5 degrees."""
    height, width = one.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 5, 1)
    return np.asarray(cv2.warpAffine(one, turn, (width, height)), np.uint8)


def covered(one: Grey) -> Grey:
    """With a black box over a ninth."""
    done = one.copy()
    done[: one.shape[0] // 3, : one.shape[1] // 3] = 0
    return done


CHANGES: Mapping[str, Callable[[Grey], Grey]] = {
    "coded anew": lambda one: one,
    "half as bright": lambda one: one // 2,
    "mirrored": lambda one: one[:, ::-1],
    "turned by a quarter": np.rot90,
    "on its head": lambda one: one[::-1, ::-1],
    "flipped": lambda one: one[::-1],
    "a part of 95 %": lambda one: part(one, 0.95),
    "a part of 90 %": lambda one: part(one, 0.9),
    "a part of 85 %": lambda one: part(one, 0.85),
    "a part of 80 %": lambda one: part(one, 0.8),
    "a part of 75 %": lambda one: part(one, 0.75),
    "a part of 70 %": lambda one: part(one, 0.7),
    "a part of 80 %, mirrored": lambda one: part(one, 0.8)[:, ::-1],
    "moved by 5 %": lambda one: one[:, one.shape[1] // 20 :],
    "moved by 10 %": lambda one: one[:, one.shape[1] // 10 :],
    "a part of 80 %, turned by a quarter": lambda one: np.rot90(part(one, 0.8)),
    "turned by 5 degrees": tilted,
    "a black box over a ninth": covered,
}


def coded(one: Grey) -> Grey:
    """Smaller, and as JPEG."""
    height, width = one.shape
    smaller = cv2.resize(one, (width * 2 // 3, height * 2 // 3), interpolation=cv2.INTER_AREA)
    data = cv2.imencode(".jpg", smaller, [cv2.IMWRITE_JPEG_QUALITY, 50])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def photos(truth: Path) -> dict[str, list[Grey]]:
    """Grey photos, by room."""
    found: dict[str, list[Grey]] = {}
    for room, folder in _ROOMS.items():
        paths = sorted((truth / folder).rglob("*.jpg"))
        some = paths[:: max(1, len(paths) // _MOST)][:_MOST]
        read = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in some]
        found[room] = [np.asarray(one, np.uint8) for one in read if one is not None]
    return found


def main(truth: Path) -> None:
    """Says the figures."""
    rooms = photos(truth)
    for room, ones in rooms.items():
        click.echo(f"{room}: {len(ones)} photos, {len(pairs(_looks(ones)))} pairs that are nearly the same")
    every = [one for ones in rooms.values() for one in ones]
    click.echo(f"all together: {len(every)} photos, {len(pairs(_looks(every)))} pairs")
    some = every[::4]
    for what, change in CHANGES.items():
        copies = [coded(np.ascontiguousarray(change(one))) for one in some]
        found = sum(len(pairs(_looks([one, copy]))) for one, copy in zip(some, copies, strict=True))
        click.echo(f"{what}: {found} of {len(some)} ({found / len(some):.0%})")
    corners = [corner for one in _every(truth) for corner in _corners(one)]
    for count in (1000, 4000):
        _timed("different", corners[:: len(corners) // count][:count])
        noise = _RNG.normal(scale=12, size=(count, 48, 48))
        street = cv2.resize(every[0], (48, 48)).astype(np.float32)
        _timed("of one camera", [np.asarray((street + one).clip(0, 255), np.uint8) for one in noise])


def _every(truth: Path) -> list[Grey]:
    paths = sorted(path for folder in _ROOMS.values() for path in (truth / folder).rglob("*.jpg"))
    read = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in paths]
    return [np.asarray(one, np.uint8) for one in read if one is not None]


def _corners(one: Grey) -> list[Grey]:
    """Four quarters: pictures that have nothing in common."""
    y, x = (side // 2 for side in one.shape)
    return [one[:y, :x], one[:y, x:], one[y:, :x], one[y:, x:]]


def _timed(what: str, ones: list[Grey]) -> None:
    looks = _looks(ones)
    start = time.process_time()
    found = len(pairs(looks))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    spent = time.process_time() - start
    click.echo(f"{len(looks)} {what}: {found} pairs in {spent:.1f} s of processor time, at most {most} MiB")


def _looks(ones: list[Grey]) -> dict[str, Signature]:
    return {f"{number:064x}": signature(one) for number, one in enumerate(ones)}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
