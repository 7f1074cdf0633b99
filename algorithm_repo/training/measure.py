"""Figures of trained networks as they run: exported files, OpenVINO on one thread, the run-time readers.

    python -m algorithm_repo.training.measure OUT --mirror MIRROR --data DIR [--streets 60]

Simulated streets have seeds that training and validation never see; the flood photos are the test side of the fixed
split at their own resolution; YOLOX-nano is measured beside the detector on the same pictures. Writes
OUT/measured.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from algorithm_repo.datasets.pictures import ByteArray, decode
from algorithm_repo.training import figures
from algorithm_repo.training.install import artefact_of
from algorithm_repo.training.packed import RealPictures, load_real
from algorithm_repo.training.rendering import Teacher, pictures
from algorithm_repo.training.samples import CROP_SIDE, NO_LABEL
from algorithm_repo.training.splits import flood_split
from contracts.vision import Detections, ObjectClass
from models.classifier import CropClassifier, build_classifier
from models.detector import Detector, build_detector
from models.openvino_runner import OpenVinoRunner
from models.picture import frame_from_bgr
from models.segmenter import WaterSegmenter, build_segmenter
from models.zoo import Artefact, Zoo
from simulator.street.types import Picture

MEASURE_SEEDS = 2_000_000_000
_LOW = 0.02
_CLASSES = {name: ObjectClass[name.upper()] for name in ("person", "bicycle", "car", "motorcycle", "bus", "truck")}
_COCO = {0: "person", 1: "bicycle", 2: "car", 3: "motorcycle", 5: "bus", 7: "truck"}


def measure(out: Path, mirror: Path, data: Path, streets: int) -> dict[str, Any]:
    """Figures of every network whose `.onnx` lies in `out`.

    Args:
        out: folder of a training run.
        mirror: folder with `models/` and `truth/`.
        data: folder of `algorithm_repo.training.pack`.
        streets: simulated streets, ten pictures each.
    """
    cv2.setNumThreads(1)
    real = load_real(data / "real.npz")
    scenes = [scene for number in range(streets) for scene in pictures(MEASURE_SEEDS + number)]
    found: dict[str, Any] = {"simulated_pictures": len(scenes)}
    if (out / "street.onnx").is_file():
        found["street"] = measure_street(out / "street.onnx", mirror, real, [one for one, _ in scenes])
    if (out / "water.onnx").is_file():
        artefact, runner = _opened("water", out / "water.onnx")
        found["water"] = measure_water(build_segmenter(artefact, runner), mirror / "truth" / "flood", scenes)
    if (out / "litter.onnx").is_file():
        artefact, runner = _opened("litter", out / "litter.onnx")
        found["litter"] = measure_litter(build_classifier(artefact, runner), real, streets)
    return found


def measure_street(path: Path, mirror: Path, real: RealPictures, scenes: Sequence[Picture]) -> dict[str, Any]:
    """AP50 by class on simulated and on everyday pictures, ours beside YOLOX-nano, and ms a look."""
    artefact, runner = _opened("street", path)
    zoo = Zoo(mirror=mirror)
    peer = zoo.artefact("yolox_nano")
    peer_runner = OpenVinoRunner(zoo.fetch("yolox_nano")[0], name="yolox_nano", sha256=peer.digest)
    simulated = [(one.bgr, _truth(one)) for one in scenes]
    everyday = []
    for photo in real.photos["val"]:
        known = np.array([_CLASSES.get(_COCO.get(label, ""), ObjectClass.OTHER) for label in photo.classes], int)
        known[known == ObjectClass.OTHER] = -2
        everyday.append((decode(photo.jpeg), figures.Boxes(photo.boxes, np.ones(len(known)), known)))
    detectors = {"street": build_detector(artefact, runner), "yolox_nano": build_detector(peer, peer_runner)}
    return {
        name: {
            "simulated": _precision(detector, simulated),
            "everyday_photos": _precision(detector, everyday),
            "ms": _milliseconds(lambda bgr, one=detector: one.detect_frames([frame_from_bgr(bgr)], 0.3), simulated),  # type: ignore[misc]
        }
        for name, detector in detectors.items()
    }


def measure_water(segmenter: WaterSegmenter, flood: Path, scenes: Sequence[tuple[Picture, str]]) -> dict[str, Any]:
    """IoU on the flood photos of the test side and on simulated pictures; what dry simulated streets show, by kind."""
    found, truth = [], []
    for name in flood_split()["test"]:
        photo = cv2.imread(str(flood / "images" / f"{name}.jpg"))
        mask = cv2.imread(str(flood / "masks" / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
        if photo is None or mask is None:
            raise FileNotFoundError(f"{flood} lacks {name}")
        found.append(_wet(segmenter, photo, (mask.shape[1], mask.shape[0])))  # type: ignore[arg-type]
        truth.append(np.asarray(mask > 127))
    everywhere = [np.ones_like(one) for one in truth]
    shown, real = [], []
    dry: dict[str, list[float]] = {}
    for picture, kind in scenes:
        size = (picture.bgr.shape[1] // 4, picture.bgr.shape[0] // 4)
        wet = _wet(segmenter, picture.bgr, size)
        if picture.water is not None and picture.water.any():
            shown.append(wet)
            real.append(picture.water[: size[1], : size[0]])
        else:
            dry.setdefault(kind, []).append(float(wet.mean()))
    return {
        "flood_iou": round(figures.mask_iou(found, truth), 4),
        "flood_iou_all_water": round(figures.mask_iou(everywhere, truth), 4),
        "flood_photos": len(truth),
        "simulated_iou": round(figures.mask_iou(shown, real), 4),
        "simulated_wet_pictures": len(real),
        "dry_called_water": {kind: round(float(np.mean(values)), 5) for kind, values in sorted(dry.items())},
        "ms": _milliseconds(
            lambda bgr: segmenter.segment_frames([frame_from_bgr(bgr)]), [(p.bgr, None) for p, _ in scenes]
        ),
    }


def measure_litter(classifier: CropClassifier, real: RealPictures, streets: int) -> dict[str, Any]:
    """Precision, recall and accuracy of both heads on crops of unseen streets and of litter photos of the test side."""
    teacher = Teacher(real, "test")
    crops: list[ByteArray] = []
    labels: dict[str, list[int]] = {"thing": [], "bin": []}
    off = (CROP_SIDE - classifier.size) // 2
    for number in range(streets):
        batch = teacher.street(MEASURE_SEEDS + number)
        crops += [crop[off : off + classifier.size, off : off + classifier.size] for crop in batch.crops]
        labels["thing"] += batch.things
        labels["bin"] += batch.bins
    answers = classifier.classify(crops)
    results: dict[str, Any] = {}
    for head, positive in (("thing", "litter"), ("bin", "overflowing")):
        real_labels = np.array(labels[head])
        known = real_labels != NO_LABEL
        mine = answers[head][known].argmax(axis=1)
        each = figures.accuracy(mine, real_labels[known], classifier.heads[head].index(positive))
        results[head] = {name: round(value, 4) for name, value in each.items()}
    results["ms"] = _milliseconds(lambda crop: classifier.classify([crop]), [(crop, None) for crop in crops])
    return results


def _opened(kind: str, path: Path) -> tuple[Artefact, OpenVinoRunner]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return artefact_of(kind, digest), OpenVinoRunner(path, name=kind, sha256=digest)


def _truth(picture: Picture) -> figures.Boxes:
    """Boxes of the detector's classes; hidden or tiny things and carts are not judged."""
    rows, labels = [], []
    for one in picture.boxes:
        rows.append(one.box)
        w, h = (one.box[2] - one.box[0]) * 416, (one.box[3] - one.box[1]) * 234
        clear = one.visible >= 0.4 and max(w, h) >= 10 and min(w, h) >= 3 and one.object_class in _CLASSES.values()
        labels.append(int(one.object_class) if clear else -1)
    return figures.Boxes(np.array(rows, float).reshape(-1, 4), np.ones(len(rows)), np.array(labels, int))


def _precision(detector: Detector, pairs: Sequence[tuple[ByteArray, figures.Boxes]]) -> dict[str, float]:
    found = [_boxes(detector.detect_frames([frame_from_bgr(bgr)], _LOW)[0]) for bgr, _ in pairs]
    truth = [one for _, one in pairs]
    values = {name: figures.average_precision(found, truth, int(number)) for name, number in _CLASSES.items()}
    results = {f"ap50_{name}": round(value, 4) for name, (value, count) in values.items() if count >= 10}
    return results | {"ap50": round(float(np.mean(list(results.values()) or [0.0])), 4)}


def _boxes(found: Detections) -> figures.Boxes:
    return figures.Boxes(found.boxes, found.scores, found.classes)


def _wet(segmenter: WaterSegmenter, bgr: ByteArray, size: tuple[int, int]) -> NDArray[np.bool_]:
    chances = segmenter.segment_frames([frame_from_bgr(bgr)])[0]
    return np.asarray(cv2.resize(chances, size, interpolation=cv2.INTER_LINEAR) > 127)


def _milliseconds(look: Callable[[ByteArray], object], pairs: Sequence[tuple[ByteArray, Any]]) -> float:
    """Median CPU-ms of one look, one thread."""
    times = []
    for bgr, _ in pairs[:60]:
        start = time.process_time()
        look(bgr)
        times.append(time.process_time() - start)
    return round(float(np.median(times)) * 1e3, 2)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--streets", type=int, default=60)
    given = parser.parse_args()
    found = measure(given.out, given.mirror, given.data, given.streets)
    (given.out / "measured.json").write_text(json.dumps(found, indent=1) + "\n")
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
