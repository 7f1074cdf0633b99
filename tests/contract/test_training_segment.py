"""A network of masks by ultralytics on drawn lakes: laid down, learnt, exported, judged, killed and gone on with."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from algorithm_repo.datasets.types import Manifest
from algorithm_repo.formats import yolo
from algorithm_repo.judging.masks import iou, overlaps
from algorithm_repo.training import folderjob, segmentjob
from algorithm_repo.training.folderjob import Reached, TrainingFailed
from algorithm_repo.training.ultra_settings import SegmentSettings
from algorithm_repo.training.ultrazoo import zoo_of
from cityvision.training_courses import Segmenters
from contracts.errors import ConfigError
from models.segmenter import load_segmenter
from tests.contract.detect_scene import Photos, training_python
from tests.contract.lakes_scene import lakes
from tests.contract.trainers import kill

pytestmark = pytest.mark.timeout(1200)
SETTINGS = SegmentSettings(size=96, epochs=60, batch=2, rate=2e-3, mosaic=60, seed=3, threads=1, calibrate=8)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Photos:
    """The lakes, every third on the val side."""
    manifest, places = lakes(tmp_path_factory.mktemp("lakes"))
    items = tuple(
        item.model_copy(update={"side": "train" if number % 3 else "val"}) for number, item in enumerate(manifest.items)
    )
    return Photos(manifest.model_copy(update={"items": items}), lambda content: places[content].read_bytes())


@pytest.mark.thorough
def test_it_learns_is_exported_and_is_the_same_when_it_was_killed(scene: Photos, tmp_path: Path) -> None:
    whole, told = tmp_path / "whole", list[Reached]()
    segmentjob.lay(whole, scene.manifest, scene.read, SETTINGS)
    segmentjob.train(whole, training_python(), told.append, lambda: False)
    assert {"box_loss", "seg_loss", "cls_loss", "dfl_loss", "map50", "rate"} < told[0].figures.keys()
    differs = json.loads((whole / "export.json").read_text())
    assert max(differs[form]["probability"] for form in ("onnx", "openvino")) < 1e-3
    shown = [item for item in scene.manifest.items if item.side == "val"]
    zoo = zoo_of(whole, "lakes", "not stated", ("onnx", "openvino", "int8"))
    for name in zoo.names():
        with closing(load_segmenter(name, zoo)) as segmenter:
            assert segmenter.label == "water"
            assert iou(overlaps(segmenter, shown, scene.read)) > 0.7
    Segmenters().judge(whole, scene.manifest, scene.read)
    verdict = json.loads((whole / "int8.json").read_text())
    assert (verdict["before"]["figure"], verdict["before"]["pictures"]) == ("overlap", len(shown))
    assert (whole / "segmenter-int8.xml").exists() == verdict["kept"]

    broken, settings = tmp_path / "broken", replace(SETTINGS, calibrate=0)
    segmentjob.lay(broken, scene.manifest, scene.read, settings)

    with pytest.raises(TrainingFailed, match="training ended with -9"):
        segmentjob.train(broken, training_python(), kill, lambda: False)
    assert 1 <= folderjob.curve(broken)[-1].step < SETTINGS.epochs
    segmentjob.train(broken, training_python(), lambda _line: None, lambda: False)
    for file in ("curve.jsonl", "segmenter.npz", "segmenter.onnx"):
        assert (broken / file).read_bytes() == (whole / file).read_bytes(), file


def test_masks_are_laid_down_as_outlines(scene: Photos, tmp_path: Path) -> None:
    assert segmentjob.lay(tmp_path / "job", scene.manifest, scene.read, SETTINGS) == ()
    data = tmp_path / "job" / "data"
    files = [path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file()]
    found = yolo.read(files, lambda file: (data / file).read_bytes())
    assert found.classes == ("water",)
    assert len(found.pictures) == 12
    for picture in found.pictures:
        (label,) = picture.labels
        assert label.kind == "polygon"
        assert len(label.points) >= 8  # of an ellipse


def test_what_is_refused(scene: Photos, tmp_path: Path) -> None:
    def refused(manifest: Manifest, told: str) -> None:
        with pytest.raises(ConfigError, match=told):
            segmentjob.lay(tmp_path / "a", manifest, scene.read, SETTINGS)

    refused(scene.manifest.model_copy(update={"task": "detect"}), "not a frozen version of one mask")
    refused(scene.manifest.model_copy(update={"classes": ("water", "ice")}), "it has 2 classes")
    trained = tuple(item.model_copy(update={"side": "train"}) for item in scene.manifest.items)
    refused(scene.manifest.model_copy(update={"items": trained}), "nothing with a mask is on the val side")
    assert not (tmp_path / "a").exists()
