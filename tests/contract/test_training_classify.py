"""A classifier by ultralytics on real photos by day and night: learnt, exported, judged, killed and gone on with."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from algorithm_repo.datasets.types import Item, Manifest, Tag
from algorithm_repo.judging.tags import accuracy
from algorithm_repo.training import classifyjob, folderjob
from algorithm_repo.training.folderjob import Reached, TrainingFailed
from algorithm_repo.training.ultra_settings import ClassifySettings
from algorithm_repo.training.ultrazoo import zoo_of
from cityvision.training_courses import Classifiers
from contracts.errors import ConfigError
from models.classifier import load_classifier
from tests.contract.classify_scene import days_and_nights
from tests.contract.detect_scene import Photos, training_python
from tests.contract.trainers import kill

pytestmark = [pytest.mark.media, pytest.mark.timeout(900)]
EPOCHS = 8
SETTINGS = ClassifySettings(size=64, epochs=EPOCHS, batch=8, rate=3e-3, seed=3, threads=1, calibrate=8)


@pytest.fixture(scope="module")
def scene(mirror: Path) -> Photos:
    return days_and_nights(mirror)


@pytest.fixture(scope="module")
def whole(scene: Photos, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Reached]]:
    """A job that nothing disturbed, and what it told while it ran."""
    folder = tmp_path_factory.mktemp("whole") / "job"
    assert classifyjob.lay(folder, scene.manifest, scene.read, SETTINGS) == (
        "dusk: no picture of it is on the train side",
    )
    told: list[Reached] = []
    classifyjob.train(folder, training_python(), told.append, lambda: False)
    return folder, told


@pytest.mark.thorough  # the way is that of detectors, which learn in the short form
def test_it_learns_and_what_runs_is_as_right_as_the_curve_says(
    whole: tuple[Path, list[Reached]], scene: Photos
) -> None:
    folder, told = whole
    assert [(line.step, line.of) for line in told] == [(epoch, EPOCHS) for epoch in range(1, EPOCHS + 1)]
    assert set(told[0].figures) == {"loss", "val_loss", "top1", "rate"}
    assert told[0].figures["top1"] == 0.5
    assert told[-1].figures["top1"] > 0.8
    # ultralytics would tell MLflow by itself, into the folder that it was started in.
    assert "MLflow" not in (folder / "log.txt").read_text()
    differs = json.loads((folder / "export.json").read_text())
    for form in ("onnx", "openvino"):
        assert differs[form]["probability"] < 2e-3
    assert differs["int8"]["probability"] > differs["openvino"]["probability"]
    shown = [item for item in scene.manifest.items if item.side == "val"]
    zoo = zoo_of(folder, "hours", "not stated", ("onnx", "openvino"))
    for name in ("hours", "hours-openvino"):
        with closing(load_classifier(name, zoo, precision="f32")) as classifier:
            found = accuracy(classifier, classifyjob.HEAD, shown, scene.read)
        # Six of each on the val side, so that the mean over the classes is the share of all.
        assert found.pictures == 12
        assert set(found.classes) == {"day", "night"}
        assert found.mean == pytest.approx(told[-1].figures["top1"], abs=1e-4)


@pytest.mark.thorough  # the way is that of detectors, which learn in the short form
def test_its_small_form_stays_only_if_the_gate_allows(whole: tuple[Path, list[Reached]], scene: Photos) -> None:
    folder, told = whole
    Classifiers().judge(folder, scene.manifest, scene.read)
    verdict = json.loads((folder / "int8.json").read_text())
    assert verdict["before"]["figure"] == "accuracy"
    assert sum(verdict["before"]["classes"].values()) / 2 == pytest.approx(told[-1].figures["top1"], abs=1e-4)
    assert (folder / "classifier-int8.xml").exists() == verdict["kept"] == (not verdict["reasons"])
    assert (folder / "classifier-int8.bin").exists() == verdict["kept"]


@pytest.mark.thorough  # what is gone on from is the same code as of detectors, whose kill is in the short form
def test_killed_and_gone_on_with_it_is_the_unbroken_one(
    whole: tuple[Path, list[Reached]], scene: Photos, tmp_path: Path
) -> None:
    unbroken, _ = whole
    broken, settings = tmp_path / "broken", replace(SETTINGS, calibrate=0)
    classifyjob.lay(broken, scene.manifest, scene.read, settings)

    with pytest.raises(TrainingFailed, match="training ended with -9"):
        classifyjob.train(broken, training_python(), kill, lambda: False)
    reached = folderjob.curve(broken)
    assert 1 <= reached[-1].step < EPOCHS
    assert not (broken / "classifier.onnx").exists()
    classifyjob.lay(broken, scene.manifest, scene.read, settings)  # again, as whoever goes on would
    classifyjob.train(broken, training_python(), lambda _line: None, lambda: False)
    for file in ("curve.jsonl", "classifier.npz", "classifier.onnx"):
        assert (broken / file).read_bytes() == (unbroken / file).read_bytes(), file
    assert not (broken / "classifier-int8.xml").exists()
    assert [*broken.rglob("*.pt")] == []


def with_labels(manifest: Manifest, wanted: Item, *labels: str) -> Manifest:
    items = tuple(
        item.model_copy(update={"labels": tuple(Tag(label=one) for one in labels)}) if item == wanted else item
        for item in manifest.items
    )
    return manifest.model_copy(update={"items": items})


def test_a_picture_without_one_tag_is_left_out_and_told(scene: Photos, tmp_path: Path) -> None:
    first, second = scene.manifest.items[:2]
    manifest = with_labels(with_labels(scene.manifest, first), second, "night", "day")
    left_out = classifyjob.lay(tmp_path / "job", manifest, scene.read, SETTINGS)
    assert left_out[:2] == (f"{first.name}: it has no tag", f"{second.name}: it has several tags: day, night")
    assert (tmp_path / "job" / "left_out.txt").read_text().splitlines() == [*left_out]
    laid = [path.stem for path in (tmp_path / "job" / "data").rglob("*.png")]
    assert len(laid) == len(set(laid)) == len(manifest.items) - 2
    assert not {first.content, second.content} & set(laid)


def test_what_is_refused(scene: Photos, tmp_path: Path) -> None:
    manifest, read = scene.manifest, scene.read
    boxes = manifest.model_copy(update={"task": "detect"})
    with pytest.raises(ConfigError, match="not a frozen version of tags"):
        classifyjob.lay(tmp_path / "a", boxes, read, SETTINGS)
    one_sided = manifest.model_copy(
        update={"items": tuple(item.model_copy(update={"side": "train"}) for item in manifest.items)}
    )
    with pytest.raises(ConfigError, match="on the val side"):
        classifyjob.lay(tmp_path / "a", one_sided, read, SETTINGS)
    days = manifest.model_copy(
        update={"items": tuple(item.model_copy(update={"labels": (Tag(label="day"),)}) for item in manifest.items)}
    )
    with pytest.raises(ConfigError, match="pictures of 1 of its classes on the train side"):
        classifyjob.lay(tmp_path / "a", days, read, SETTINGS)
    with pytest.raises(ConfigError, match=r"weights\.pt is no \.npz"):
        classifyjob.lay(tmp_path / "a", manifest, read, SETTINGS, start=tmp_path / "weights.pt")
    with pytest.raises(ConfigError, match="network: 'yolo11n'"):
        ClassifySettings(network="yolo11n")  # type: ignore[arg-type]
    assert not (tmp_path / "a").exists()
