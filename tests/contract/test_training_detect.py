"""A detector by ultralytics on 64 real photos: killed and gone on with, exported, served by both runners."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from algorithm_repo.judging.boxes import precision
from algorithm_repo.judging.int8 import Int8Limits, judged_int8, settle_int8
from algorithm_repo.training import detectjob, folderjob
from algorithm_repo.training.folderjob import Reached, TrainingFailed
from algorithm_repo.training.ultra_settings import DetectSettings
from algorithm_repo.training.ultrazoo import zoo_of
from contracts.errors import ConfigError
from contracts.vision import Detections
from models.detector import Detector, load_detector
from models.picture import frame_from_bgr
from models.triton_repository import Serving
from models.triton_server import embedded_server
from tests.contract.detect_scene import ROOT, Photos, photos, training_python
from tests.contract.trainers import kill

pytestmark = [pytest.mark.media, pytest.mark.timeout(900)]
# One thread: two that wait for each other on a busy machine take ten times as long.
SETTINGS = DetectSettings(size=96, epochs=3, mosaic=1, seed=3, threads=1, calibrate=8)


@pytest.fixture(scope="module")
def scene(mirror: Path) -> Photos:
    return photos(mirror)


@pytest.fixture(scope="module")
def whole(scene: Photos, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Reached]]:
    """A job that nothing disturbed, and what it told while it ran."""
    folder = tmp_path_factory.mktemp("whole") / "job"
    detectjob.lay(folder, scene.manifest, scene.read, SETTINGS)
    told: list[Reached] = []
    detectjob.train(folder, training_python(), told.append, lambda: False)
    return folder, told


def test_killed_and_gone_on_with_it_is_the_unbroken_one(
    whole: tuple[Path, list[Reached]], scene: Photos, tmp_path: Path
) -> None:
    unbroken, told = whole
    assert [(line.step, line.of) for line in told] == [(1, 3), (2, 3), (3, 3)]
    assert {"box_loss", "cls_loss", "dfl_loss", "map50", "rate"} < told[0].figures.keys()
    assert told[-1].figures["val_cls_loss"] < told[0].figures["val_cls_loss"]
    # What INT8 learns from has no part in the training.
    broken, settings = tmp_path / "broken", replace(SETTINGS, calibrate=0)
    detectjob.lay(broken, scene.manifest, scene.read, settings)

    with pytest.raises(TrainingFailed, match="training ended with -9"):
        detectjob.train(broken, training_python(), kill, lambda: False)
    reached = folderjob.curve(broken)
    assert 1 <= reached[-1].step < 3
    assert not (broken / "detector.onnx").exists()
    (broken / "export-killed").mkdir()  # as a kill within an export leaves it
    detectjob.lay(broken, scene.manifest, scene.read, settings)  # again, as whoever goes on would
    detectjob.train(broken, training_python(), lambda _line: None, lambda: False)
    for file in ("curve.jsonl", "detector.npz", "detector.onnx"):
        assert (broken / file).read_bytes() == (unbroken / file).read_bytes(), file
    assert not (broken / "detector-int8.xml").exists()
    starts = [json.loads(line) for line in (broken / "starts.jsonl").read_text().splitlines()]
    assert [start["after"] for start in starts] == [0, reached[-1].step]
    assert starts[0]["code"] == starts[1]["code"]
    assert starts[0]["environment"]["ultralytics"]
    assert starts[0]["job"]["dataset"] == scene.manifest.digest
    assert [*broken.rglob("*.pt"), *broken.glob("export-*")] == []


def test_what_it_exports_computes_what_it_learnt_and_int8_asks_the_gate(
    whole: tuple[Path, list[Reached]], scene: Photos
) -> None:
    folder, _ = whole
    differs = json.loads((folder / "export.json").read_text())
    for form in ("onnx", "openvino"):
        assert differs[form]["px"] < 0.5
        assert differs[form]["probability"] < 2e-3
    assert differs["int8"]["px"] > differs["openvino"]["px"]
    zoo = zoo_of(folder, "coco64", "AGPL-3.0-or-later", ("onnx", "int8"))
    shown = [item for item in scene.manifest.items if item.side == "val"]
    figures = []
    for name in ("coco64", "coco64-int8"):
        detector = load_detector(name, zoo, precision="f32")
        figures.append(precision(detector, shown, scene.read))
        detector.close()
    verdict = judged_int8(figures[0], figures[1], Int8Limits())
    settle_int8(folder, "detector", verdict)
    # Three epochs on 48 photos teach nothing that could be compared, so the gate refuses.
    assert not verdict.kept
    assert "own precision" in verdict.reasons[0]
    assert not (folder / "detector-int8.xml").exists()
    assert json.loads((folder / "int8.json").read_text())["kept"] is False


@pytest.mark.triton
def test_both_runners_serve_it_and_say_the_same(
    whole: tuple[Path, list[Reached]], mirror: Path, tmp_path: Path
) -> None:
    folder, _ = whole
    zoo = zoo_of(folder, "coco64", "AGPL-3.0-or-later")
    pictures = [
        frame_from_bgr(np.asarray(cv2.imread(str(path)), np.uint8))
        for path in sorted((mirror / "truth" / "coco128" / "images" / "val2017").glob("*.jpg"))[:4]
    ]

    def seen(detector: Detector) -> list[Detections]:
        found = detector.detect_frames(pictures, 1e-7)
        detector.close()
        return found

    here = seen(load_detector("coco64", zoo, precision="f32"))
    with embedded_server(
        ["coco64"],
        zoo,
        venv=ROOT / ".venv-triton",
        repository=tmp_path / "models",
        log=tmp_path / "triton.log",
        serving=Serving(precision="f32"),
    ) as server:
        there = seen(load_detector("coco64", zoo, triton_url=server.url))
    assert sum(len(one.scores) for one in here) > 0
    for one, other in zip(here, there, strict=True):
        assert np.allclose(one.scores, other.scores, atol=1e-6)
        assert np.allclose(one.boxes, other.boxes, atol=1e-4)


@pytest.mark.thorough
def test_an_earlier_network_is_a_start(whole: tuple[Path, list[Reached]], scene: Photos, tmp_path: Path) -> None:
    settings = replace(SETTINGS, epochs=1, calibrate=0)
    folder = tmp_path / "job"
    detectjob.lay(folder, scene.manifest, scene.read, settings, start=whole[0] / "detector.npz")
    told: list[Reached] = []
    detectjob.train(folder, training_python(), told.append, lambda: False)
    assert told[0].figures["val_cls_loss"] < whole[1][0].figures["val_cls_loss"]
    with pytest.raises(ConfigError, match="another training lies here"):
        detectjob.lay(folder, scene.manifest, scene.read, settings)


def test_what_is_refused(scene: Photos, tmp_path: Path) -> None:
    manifest, read = scene.manifest, scene.read
    loose = manifest.model_copy(
        update={"items": tuple(item.model_copy(update={"side": None}) for item in manifest.items)}
    )
    with pytest.raises(ConfigError, match="not a frozen version of boxes"):
        detectjob.lay(tmp_path / "a", loose, read, SETTINGS)
    one_sided = manifest.model_copy(
        update={"items": tuple(item.model_copy(update={"side": "train"}) for item in manifest.items)}
    )
    with pytest.raises(ConfigError, match="on the val side"):
        detectjob.lay(tmp_path / "a", one_sided, read, SETTINGS)
    with pytest.raises(ConfigError, match=r"weights\.pt is no \.npz"):
        detectjob.lay(tmp_path / "a", manifest, read, SETTINGS, start=tmp_path / "weights.pt")
    potholes = manifest.model_copy(update={"classes": ("pothole", "crack")})
    with pytest.raises(ConfigError, match="classes: none of pothole, crack is known; name them person, "):
        detectjob.lay(tmp_path / "a", potholes, read, SETTINGS)
    with pytest.raises(ConfigError, match="size: 100"):
        DetectSettings(size=100)
    with pytest.raises(ConfigError, match="network: 'yolo26x'"):
        DetectSettings(network="yolo26x")  # type: ignore[arg-type]
    assert not (tmp_path / "a").exists()
