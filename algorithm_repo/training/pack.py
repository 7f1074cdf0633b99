"""Packs what training needs of the real world, and the weights it starts from, into two small files.

    python -m algorithm_repo.training.pack TRUTH_MIRROR DIR

DIR/real.npz: photos of floods with masks (fixed split, `splits/flood.json`), pieces of litter cut from their plain
ground, everyday photos with boxes, dry and clean grounds. DIR/start.npz: the convolutions of YOLOX-nano. The photos may
be trained on but not passed on (see docs/training.md), so DIR stays out of the repository. Needs `onnx`.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import cv2
import numpy as np

from algorithm_repo.datasets.pictures import ByteArray, encode
from algorithm_repo.training.packed import PackedFile
from algorithm_repo.training.splits import Side, flood_split

_FLOOD_SIZE = (480, 288)
_TRASH_SIDE = 96
_PHOTO_SIDE = 480
# Clips whose licence allows it; never those that the project's own real suite measures on its streets.
_GROUND_CLIPS = ("car-detection", "one-by-one-person-detection")
_SIDES: tuple[Side, ...] = ("train", "val", "test")


def pack_flood(truth: Path, file: PackedFile) -> None:
    """Flood photos at 480×288 with masks, by the fixed split."""
    for side, names in flood_split().items():
        photos, masks = [], []
        for name in names:
            photos.append(encode(_scaled(_read(truth / "flood" / "images" / f"{name}.jpg"), _FLOOD_SIZE)))
            mask = _read(truth / "flood" / "masks" / f"{name}.png", cv2.IMREAD_GRAYSCALE)
            masks.append(encode(_scaled(np.where(mask > 127, 255, 0).astype(np.uint8), _FLOOD_SIZE), ".png"))
        file.put(f"flood.{side}", photos)
        file.put(f"flood.{side}.masks", masks)


def pack_trash(truth: Path, file: PackedFile) -> None:
    """Pieces of litter at 96×96 with their masks; photos that a piece fills or where none is found stay out."""
    sides: dict[Side, tuple[list[bytes], list[bytes]]] = {side: ([], []) for side in _SIDES}
    for path in sorted((truth / "trash").glob("*/*.jpg")):
        picture = _scaled(_read(path), (_TRASH_SIDE, _TRASH_SIDE))
        mask = piece_mask(picture)
        if mask is None:
            continue
        photos, masks = sides[_drawn_side(path.name)]
        photos.append(encode(picture))
        masks.append(encode(mask, ".png"))
    for side, (photos, masks) in sides.items():
        file.put(f"trash.{side}", photos)
        file.put(f"trash.{side}.masks", masks)


def piece_mask(picture: ByteArray) -> ByteArray | None:
    """The mask [H, W] (255: the piece) of one thing on a plain ground; None where it cannot be told from the ground."""
    height, width = picture.shape[:2]
    labels = np.full((height, width), cv2.GC_PR_FGD, np.uint8)
    rim = 5
    labels[:rim], labels[-rim:], labels[:, :rim], labels[:, -rim:] = (cv2.GC_BGD,) * 4
    border = np.concatenate([picture[:rim].reshape(-1, 3), picture[-rim:].reshape(-1, 3)]).astype(np.float32)
    if border.std(axis=0).max() > 34:
        return None
    distance = np.abs(picture.astype(np.float32) - np.median(border, axis=0)).max(axis=2)
    labels[(distance < 12) & (labels == cv2.GC_PR_FGD)] = cv2.GC_PR_BGD
    if not (labels == cv2.GC_PR_FGD).any():
        return None
    cv2.setRNGSeed(0)
    cv2.grabCut(picture, labels, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), 2, cv2.GC_INIT_WITH_MASK)
    piece = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    piece = cv2.morphologyEx(piece, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))  # type: ignore[assignment]
    count, parts, stats, _ = cv2.connectedComponentsWithStats(piece)
    if count < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    share = stats[largest, cv2.CC_STAT_AREA] / (height * width)
    if not 0.03 < share < 0.7:
        return None
    return np.where(parts == largest, 255, 0).astype(np.uint8)


def pack_photos(truth: Path, file: PackedFile) -> None:
    """COCO128's photos (128 for training, 128 for validation) with their boxes."""
    folders: dict[Side, str] = {"train": "train2017", "val": "val2017"}
    for side, folder in folders.items():
        photos: list[bytes] = []
        rows = []
        for path in sorted((truth / "coco128" / "images" / folder).glob("*.jpg")):
            picture = _read(path)
            scale = min(1.0, _PHOTO_SIDE / max(picture.shape[:2]))
            size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
            labels = truth / "coco128" / "labels" / folder / f"{path.stem}.txt"
            for line in labels.read_text().splitlines() if labels.is_file() else []:
                number, x, y, w, h = (float(word) for word in line.split()[:5])
                rows.append((len(photos), number, x - w / 2, y - h / 2, x + w / 2, y + h / 2))
            photos.append(encode(_scaled(picture, size), quality=88))
        file.put(f"photos.{side}", photos)
        file.put_array(f"photos.{side}.rows", np.array(rows, np.float32).reshape(-1, 6))


def pack_grounds(mirror: Path, file: PackedFile, each: int = 12) -> None:
    """Pictures of dry and clean places from clips."""
    grounds = []
    for name in _GROUND_CLIPS:
        clip = cv2.VideoCapture(str(mirror / "footage" / f"{name}.mp4"))
        total = int(clip.get(cv2.CAP_PROP_FRAME_COUNT))
        for number in range(each):
            clip.set(cv2.CAP_PROP_POS_FRAMES, total * number // each)
            done, picture = clip.read()
            if done:
                grounds.append(encode(_scaled(np.asarray(picture, np.uint8), (640, 360)), quality=88))
        clip.release()
    file.put("grounds", grounds)


def pack_start(model: Path, target: Path) -> None:
    """YOLOX-nano's convolutions, in the order in which they run."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(model).graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    convs = [node for node in graph.node if node.op_type == "Conv"]
    arrays = {f"{n}.weight": values[node.input[1]] for n, node in enumerate(convs)}
    arrays |= {f"{n}.bias": values[node.input[2]] for n, node in enumerate(convs)}
    np.savez(target, **arrays)  # type: ignore[arg-type]


def main(mirror: Path, target: Path) -> None:
    """Packs everything of a mirror folder (`models/`, `footage/`, `truth/`)."""
    cv2.setNumThreads(1)
    target.mkdir(parents=True, exist_ok=True)
    file = PackedFile()
    pack_flood(mirror / "truth", file)
    pack_trash(mirror / "truth", file)
    pack_photos(mirror / "truth", file)
    pack_grounds(mirror, file)
    file.save(target / "real.npz")
    pack_start(mirror / "models" / "yolox_nano.onnx", target / "start.npz")
    for path in sorted(target.glob("*.npz")):
        sys.stdout.write(f"{path}: {path.stat().st_size / 1e6:.1f} MB\n")


def _drawn_side(name: str) -> Side:
    """A file's side by its name alone: a tenth each for validation and test."""
    digit = hashlib.sha256(name.encode()).digest()[0] % 10
    return "test" if digit == 0 else "val" if digit == 1 else "train"


def _read(path: Path, flag: int = cv2.IMREAD_COLOR) -> ByteArray:
    picture = cv2.imread(str(path), flag)
    if picture is None:
        raise FileNotFoundError(f"{path} is no picture")
    return picture  # type: ignore[return-value]


def _scaled(picture: ByteArray, size: tuple[int, int]) -> ByteArray:
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
