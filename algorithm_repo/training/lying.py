"""Crops of what the litter sense puts forward in simulated streets, labelled by what lies there: a chunk a street.

    .venv/bin/python -m algorithm_repo.training.lying --folder DIR --worker 0 --of 2 --streets 2000

The two backgrounds run as they do at run time (what is tracked comes from the truth, with a detector's gaps), and each
thing they find is cut as it would be then. It needs the project's own environment, unlike the other renderers, so it
runs beforehand; training takes its folder by `--lying DIR`. Seeds are those of training and validation (`rendering`).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from algorithm_repo.training import samples
from algorithm_repo.training.rendering import TRAIN_SEEDS, VAL_SEEDS, write_chunk
from algorithm_repo.training.samples import Batch
from contracts.pool import Camera
from contracts.vision import ObjectClass, Tracks
from pipeline.senses.leftovers import SCALES, LeftoverMemory, scaled, search
from pipeline.senses.litter import bin_box
from simulator.street import KINDS, as_frame, scenario
from simulator.street.types import Picture, TruthBox
from simulator.street.weather import coded

_KINDS = {
    "litter_bag": 4.0, "litter_pile": 2.0, "litter_rain": 4.0, "litter_bin": 2.5, "litter_attended": 1.5,
    "litter_picked": 1.5, "litter_leaves": 3.0, "litter_cart": 4.0, "litter_shadow": 3.0, "ordinary": 4.0,
    "crowd_pass": 0.5, "parking_legal": 1.0, "parking_brief": 1.0, "water_shadow": 1.0, "water_cleaning": 0.5,
    "water_traffic": 0.5,
}  # fmt: skip
_SIZES = ((640, 360), (640, 360), (640, 360), (960, 540))
_EVERY_S = (0.5, 1.0, 2.0)
_MOST_S = 110.0
_TAKEN = 0.6  # of the things that are put forward in a look
_MOST = 14  # crops of one thing
_GROUND = 0.3  # of what turns out to be bare ground: there is most of it
_SHARE_OF_BOX, _SHARE_OF_ITEM = 0.12, 0.5  # of it, a true item: the box shows the item
_FILLS_S = 2940.0  # in an ordinary street: a little later a bag shows in its bin
_WHOLE = {"id": "all", "kind": "road", "polygon": [(0.0, 0.35), (1.0, 0.35), (1.0, 1.0), (0.0, 1.0)]}
_UNTRACKED = {ObjectClass.OTHER}  # carts: no detector knows them


def looks(seed: int) -> Iterator[tuple[Picture, float, Camera]]:
    """One street at one look rate, decided by the seed alone."""
    rng = np.random.default_rng([seed, 79])
    names, weights = list(_KINDS), np.array(list(_KINDS.values()))
    kind = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    scene = scenario(seed, kind, size=_SIZES[int(rng.integers(len(_SIZES)))])
    watched = KINDS[kind].about == "litter"
    camera = Camera.model_validate(scene.camera if watched else scene.camera | {"zones": [_WHOLE]})
    every = float(_EVERY_S[int(rng.integers(len(_EVERY_S)))])
    quality = int(rng.integers(35, 92))
    begin = _FILLS_S if kind == "ordinary" and rng.random() < 0.6 else 0.0
    for number in range(int(min(scene.duration, _MOST_S) / every)):
        picture = scene.picture(begin + number * every)
        yield (
            Picture(coded(picture.bgr, quality), picture.boxes, picture.water, picture.litter, picture.bins),
            number * every,
            camera,
        )


def street(seed: int) -> Batch:
    """Everything that the litter sense would have put forward in one street."""
    batch, rng, memory = Batch(), np.random.default_rng([seed, 80]), LeftoverMemory()
    taken: dict[int, int] = {}
    for picture, time, camera in looks(seed):
        found = search(memory, as_frame(picture.bgr, time), _tracks(rng, picture.boxes), camera.zones)
        found.answer([0.45] * len(found.wanted))  # nothing is surely litter, nothing becomes part of the scene soon
        for item, visible in zip(memory.items, found.visible, strict=True):
            if not visible or taken.get(item.number, 0) >= _MOST or rng.random() > _TAKEN:
                continue
            label = label_of(item.box, picture)
            if label is not None and (label != samples.THING["ground"] or rng.random() < _GROUND):
                taken[item.number] = taken.get(item.number, 0) + 1
                samples.add_crop(batch, picture.bgr, scaled(item.box, float(rng.choice(SCALES))), label)
        _bins(batch, rng, picture, camera)
    return batch


def label_of(box: Sequence[float], picture: Picture) -> int | None:
    """The "thing" label of a box that was put forward; None where it is not clear."""
    best: tuple[float, int] | None = None
    for item in picture.litter:
        of_box, of_item = samples.overlap(box, item.box)[1], samples.overlap(item.box, box)[1]
        if of_box >= _SHARE_OF_BOX and of_item >= _SHARE_OF_ITEM:
            best = max(best or (0.0, 0), (of_box, samples.item_label(item.kind)))
        elif of_item > 0 and best is None:
            best = (0.0, samples.NO_LABEL)
    if best is not None:
        return None if best[1] == samples.NO_LABEL else best[1]
    covered = max((samples.overlap(box, one.box)[1] for one in picture.boxes if one.visible > 0.3), default=0.0)
    if covered > 0.5:
        return samples.THING["object"]
    bins = [one for one in picture.bins if samples.overlap(box, one.box)[1] > 0]
    if any(samples.overlap(box, one.box)[1] > 0.5 and not one.overflowing for one in bins):
        return samples.THING["object"]  # what lies in a bin is where it belongs
    return samples.THING["ground"] if covered < 0.05 and not bins else None


def _tracks(rng: np.random.Generator, boxes: Sequence[TruthBox]) -> Tracks:
    """What a detector would have found: not what is hidden, and now and then nothing where somebody is."""
    seen = [b for b in boxes if b.object_class not in _UNTRACKED and b.visible > 0.35 and rng.random() < 0.93]
    none = Tracks.empty()
    if not seen:
        return none
    corners = np.array([b.box for b in seen], np.float32)
    ids = np.array([b.id for b in seen], np.int64)
    scores, first = np.ones(len(seen), np.float32), np.zeros(len(seen))
    classes = np.array([int(b.object_class) for b in seen], np.int64)
    return Tracks(ids, corners, scores, classes, first, np.zeros((len(seen), 2), np.float32))


def _bins(batch: Batch, rng: np.random.Generator, picture: Picture, camera: Camera) -> None:
    zones = {zone.id: zone for zone in camera.zones}
    aspect = picture.bgr.shape[1] / picture.bgr.shape[0]
    for one in picture.bins:
        covered = max((samples.overlap(one.box, b.box)[1] for b in picture.boxes if b.visible > 0.2), default=0.0)
        if one.zone in zones and covered < 0.2 and rng.random() < 0.12:
            samples.add_crop(batch, picture.bgr, bin_box(zones[one.zone], aspect), state=int(one.overflowing))


def main() -> None:
    """Renders this worker's share, less what is there already: validation streets are every twelfth."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--worker", type=int, required=True)
    parser.add_argument("--of", type=int, required=True)
    parser.add_argument("--streets", type=int, required=True, help="of all workers together")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for number in range(arguments.worker, arguments.streets, arguments.of):
        side, base = ("val", VAL_SEEDS) if number % 12 == 0 else ("train", TRAIN_SEEDS)
        name = f"{side}-{number:06d}"
        if not (arguments.folder / f"{name}.npz").exists():
            batch = street(base + 50_000_000 + number)
            if batch.crops:
                write_chunk(arguments.folder, name, batch)


if __name__ == "__main__":
    main()
