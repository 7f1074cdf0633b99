"""A rendering worker: simulated streets, and real things laid onto real grounds, as chunks of samples in a folder.

    python -m algorithm_repo.training.rendering --folder DIR --data DATA --worker 0 --of 14 --pictures 1500

Seeds of training lie in [1 500 000 000, 1 900 000 000), those of validation in [1 900 000 000, 2 000 000 000);
evaluation suites use other seeds. A worker ends when it has rendered its share, when DIR/stop appears, or when its
parent is gone.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from algorithm_repo.datasets.pictures import ByteArray, decode
from algorithm_repo.training import samples
from algorithm_repo.training.compose import add_piece, add_puddle
from algorithm_repo.training.packed import Labelled, RealPictures, load_real
from algorithm_repo.training.samples import Batch
from algorithm_repo.training.splits import Side
from contracts.vision import ObjectClass
from simulator.street import KINDS, scenario
from simulator.street.types import Picture, TruthBox

TRAIN_SEEDS, VAL_SEEDS = 1_500_000_000, 1_900_000_000
_PER_SCENARIO = 10
_WAITING_CHUNKS = 120
# Kinds that have something of their own to teach: bins, what is easily taken for litter, water that hardly shows.
_MORE = {"litter_bin": 3.0, "litter_cart": 3.0, "litter_shadow": 2.0, "litter_leaves": 2.0, "water_night": 3.0}
_SHARES = {"illegal_parking": 3.0, "waterlogging": 4.0, "crowding": 2.0, "litter": 4.0, "camera_health": 0.3, "": 1.0}
_SIZES = ((640, 360), (640, 360), (640, 360), (960, 540), (480, 270))
# COCO's boat, kite and surfboard: photos with open water in them are no dry grounds.
_NEAR_WATER = {8, 33, 37}
# COCO's bottle, wine glass, cup …: things that would be litter on a street.
_LIKE_LITTER = set(range(39, 56)) | {24, 26, 28, 73, 75, 76}


def pictures(seed: int) -> Iterator[tuple[Picture, str]]:
    """Ten moments of one street, in order of time, each with its kind; decided by the seed alone."""
    rng = np.random.default_rng([seed, 77])
    names = sorted(name for name, one in KINDS.items() if one.about in _SHARES)
    abouts = [KINDS[name].about for name in names]
    weights = np.array([_SHARES[about] / abouts.count(about) for about in abouts])
    weights *= [_MORE.get(name, 1.0) for name in names]
    kind = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    scene = scenario(seed, kind, size=_SIZES[int(rng.integers(len(_SIZES)))])
    for moment in np.sort(rng.uniform(0, scene.duration, _PER_SCENARIO)):
        yield scene.picture(float(moment)), kind


def compressed(rng: np.random.Generator, bgr: ByteArray) -> ByteArray:
    """As a camera sends it, more or less: most pictures lose detail to compression."""
    if rng.random() < 0.4:
        return bgr
    quality = int(rng.integers(25, 92))
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_COLOR) if done else bgr  # type: ignore[return-value]


class Teacher:
    """Turns pictures into samples of all three networks.

    Args:
        real: pictures of the real world.
        side: which side of their split is used.
    """

    def __init__(self, real: RealPictures, side: Side) -> None:
        self._flood = real.flood[side]
        self._trash = real.trash[side]
        photos = real.photos["train" if side == "train" else "val"]
        self._photos = photos
        self._dry = [decode(ground) for ground in real.grounds]
        self._dry += [decode(one.jpeg) for one in photos if not _NEAR_WATER & set(one.classes.tolist())]

    def street(self, seed: int) -> Batch:
        """Everything that one simulated street teaches."""
        batch, rng = Batch(), np.random.default_rng([seed, 78])
        first: ByteArray | None = None
        for picture, kind in pictures(seed):
            bgr = compressed(rng, picture.bgr)
            shown = Picture(bgr, picture.boxes, picture.water, picture.litter, picture.bins)
            samples.add_street(batch, shown)
            if picture.water is not None or KINDS[kind].about == "waterlogging" or rng.random() < 0.35:
                mask = None if picture.water is None else picture.water.astype(np.uint8) * 255
                samples.add_water(batch, bgr, mask)
            if rng.random() < 0.15:
                self._real_water(batch, rng, bgr if picture.water is None or not picture.water.any() else None)
            self._crops(batch, rng, shown, first)
            first = bgr if first is None else first
        return batch

    def _real_water(self, batch: Batch, rng: np.random.Generator, ground: ByteArray | None) -> None:
        """A real puddle on a simulated or a real ground, or a real ground as it is."""
        if ground is None or rng.random() < 0.6:
            ground = self._dry[int(rng.integers(len(self._dry)))]
            if rng.random() < 0.35:
                samples.add_water(batch, ground, None)
                return
        photo, mask = self._flood[int(rng.integers(len(self._flood)))]
        found = add_puddle(rng, ground, decode(photo), decode(mask, cv2.IMREAD_GRAYSCALE))
        if found is not None:
            samples.add_water(batch, compressed(rng, found[0]), found[1])

    def _crops(self, batch: Batch, rng: np.random.Generator, picture: Picture, first: ByteArray | None) -> None:
        for item in picture.litter:
            if rng.random() < 0.6:
                samples.add_crop(batch, picture.bgr, _jittered(rng, item.box), samples.item_label(item.kind))
        for one in picture.bins:
            samples.add_crop(batch, picture.bgr, _jittered(rng, one.box, 0.25), state=int(one.overflowing))
        for actor in self._actors(rng, picture):
            samples.add_crop(batch, picture.bgr, _jittered(rng, actor.box, 0.3), samples.THING["object"])
        self._place(batch, rng, picture, _random_box(rng))
        if first is not None:
            for box in changed(first, picture.bgr, rng, 3):
                self._place(batch, rng, picture, box)
        self._real_crops(batch, rng, picture.bgr)

    def _actors(self, rng: np.random.Generator, picture: Picture) -> list[TruthBox]:
        """One of those that can be seen, and mostly every cart: no detector knows them, so the net must."""
        seen = [one for one in picture.boxes if one.visible > 0.4]
        chosen = [one for one in seen if one.object_class == ObjectClass.OTHER and rng.random() < 0.7]
        return [*chosen, seen[int(rng.integers(len(seen)))]] if seen else []

    def _place(self, batch: Batch, rng: np.random.Generator, picture: Picture, box: tuple[float, ...]) -> None:
        """A crop of any place of the picture, labelled by what lies there; undecided where that is not clear."""
        items = [(samples.overlap(box, item.box)[0], item) for item in picture.litter]
        best, item = max(items, key=lambda pair: pair[0], default=(0.0, None))
        covered = max((samples.overlap(box, one.box)[1] for one in picture.boxes), default=0.0)
        if item is not None and best > 0.3:
            samples.add_crop(batch, picture.bgr, box, samples.item_label(item.kind))
        elif covered > 0.6:
            samples.add_crop(batch, picture.bgr, box, samples.THING["object"])
        elif best == 0 and covered < 0.05:
            inside = any(samples.overlap(item.box, box)[1] > 0 for item in picture.litter)
            near_bin = any(samples.overlap(box, one.box)[1] > 0 for one in picture.bins)
            if not inside and not near_bin:
                samples.add_crop(batch, picture.bgr, box, samples.THING["ground"])

    def _real_crops(self, batch: Batch, rng: np.random.Generator, simulated: ByteArray) -> None:
        """A real piece of litter on a ground, and what a real photo shows that is no litter."""
        ground = simulated if rng.random() < 0.6 else self._dry[int(rng.integers(len(self._dry)))]
        piece, mask = self._trash[int(rng.integers(len(self._trash)))]
        found = add_piece(rng, ground, decode(piece), decode(mask, cv2.IMREAD_GRAYSCALE))
        if found is not None:
            samples.add_crop(batch, compressed(rng, found[0]), _jittered(rng, found[1]), samples.THING["litter"])
        photo = self._photos[int(rng.integers(len(self._photos)))]
        self._real_object(batch, rng, photo)

    def _real_object(self, batch: Batch, rng: np.random.Generator, photo: Labelled) -> None:
        bgr = decode(photo.jpeg)
        usable = [n for n, label in enumerate(photo.classes.tolist()) if label not in _LIKE_LITTER]
        if usable and rng.random() < 0.5:
            box = photo.boxes[usable[int(rng.integers(len(usable)))]].tolist()
            samples.add_crop(batch, bgr, _jittered(rng, box, 0.3), samples.THING["object"])
            return
        box = _random_box(rng)
        if all(samples.overlap(box, other.tolist())[0] == 0 for other in photo.boxes):
            samples.add_crop(batch, bgr, box, samples.THING["ground"])


def changed(before: ByteArray, now: ByteArray, rng: np.random.Generator, most: int) -> list[tuple[float, ...]]:
    """Boxes (normalised) of places that differ between two pictures of one street, drawn by chance: what background
    subtraction would put forward."""
    if before.shape != now.shape:
        return []
    height, width = now.shape[0] // 2, now.shape[1] // 2
    small = [cv2.resize(one, (width, height), interpolation=cv2.INTER_AREA) for one in (before, now)]
    difference = cv2.absdiff(*small).max(axis=2)
    mask = cv2.morphologyEx((difference > 22).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    usable = [row for row in stats[1:count].tolist() if row[4] >= 12 and row[2] < width * 0.4 and row[3] < height * 0.5]
    chosen = [usable[int(n)] for n in rng.permutation(len(usable))[:most]]
    return [(x / width, y / height, (x + w) / width, (y + h) / height) for x, y, w, h, _ in chosen]


def real_samples(real: RealPictures, side: Side) -> Batch:
    """The flood photos and the everyday photos of one side of the split, as they are."""
    batch = Batch()
    for photo, mask in real.flood[side]:
        samples.add_water(batch, decode(photo), decode(mask, cv2.IMREAD_GRAYSCALE))
    known = {coco: number for number, coco in enumerate((0, 1, 2, 3, 5, 7))}
    for one in real.photos["train" if side == "train" else "val"]:
        whole, width, height = samples.canvas(decode(one.jpeg), samples.STREET_SIZE)
        boxes = [
            (box, known[label])
            for box, label in zip(one.boxes.tolist(), one.classes.tolist(), strict=True)
            if label in known
        ]
        batch.street.append(whole)
        batch.street_boxes.append(samples.box_rows(boxes, width, height))
    return batch


def _jittered(rng: np.random.Generator, box: tuple[float, ...] | list[float], much: float = 0.18) -> tuple[float, ...]:
    w, h = box[2] - box[0], box[3] - box[1]
    x, y = (box[0] + box[2]) / 2 + rng.normal(0, much / 2) * w, (box[1] + box[3]) / 2 + rng.normal(0, much / 2) * h
    w, h = w * np.exp(rng.normal(0, much)), h * np.exp(rng.normal(0, much))
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2


def _random_box(rng: np.random.Generator) -> tuple[float, ...]:
    side = float(np.exp(rng.uniform(np.log(0.015), np.log(0.15))))
    w, h = side * rng.uniform(0.7, 1.4), side * 16 / 9 * rng.uniform(0.7, 1.4)
    x, y = rng.uniform(0, 1 - w), rng.uniform(0.25, 1.0 - h)
    return x, y, x + w, y + h


def write_chunk(folder: Path, name: str, batch: Batch) -> None:
    """One chunk, complete as soon as it has its name."""
    partial = folder / f".{name}.npz"
    arrays: dict[str, NDArray[np.generic]] = batch.arrays()
    np.savez(partial, **arrays)  # type: ignore[arg-type]
    partial.rename(folder / f"{name}.npz")


def main() -> None:
    """Renders this worker's share: its validation streets first."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--worker", type=int, required=True)
    parser.add_argument("--of", type=int, required=True)
    parser.add_argument("--pictures", type=int, required=True, help="of all workers together")
    parser.add_argument("--validation", type=int, default=400, help="of all workers together")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    parent = os.getppid()
    real = load_real(arguments.data / "real.npz")
    for side, base, total in (
        ("val", VAL_SEEDS, arguments.validation),
        ("train", TRAIN_SEEDS, arguments.pictures),
    ):
        teacher = Teacher(real, side)  # type: ignore[arg-type]
        for number in range(arguments.worker, max(1, total // _PER_SCENARIO), arguments.of):
            while len(list(arguments.folder.glob("train-*.npz"))) > _WAITING_CHUNKS and os.getppid() == parent:
                time.sleep(0.2)
            if (arguments.folder / "stop").exists() or os.getppid() != parent:
                return
            write_chunk(arguments.folder, f"{side}-{number:06d}", teacher.street(base + number))


if __name__ == "__main__":
    main()
