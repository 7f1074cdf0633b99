"""`cityvision evaluate pictures`: real networks on labelled photos of a kept version, to gate, card and ledger."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from sqlalchemy import Engine

from algorithm_repo.archive import media
from algorithm_repo.archive import service as archive
from algorithm_repo.datasets.photos import masked_photos
from algorithm_repo.datasets.types import Manifest, Source
from algorithm_repo.registry import ledger
from algorithm_repo.registry import service as registry
from algorithm_repo.registry.shipped import ensure_shipped
from algorithm_repo.registry.types import Grounds, ModelRef, Move, Needs, NewVersion, Office
from algorithm_repo.rollout import service
from algorithm_repo.rollout.keeping import keep_network
from cityvision.object_store import object_store
from cityvision.settings import Settings, load_settings
from models.zoo import Zoo
from tests.contract.detect_scene import photos

pytest_plugins = ["tests.embedded"]
pytestmark = pytest.mark.media

_BLIND = 40.0  # taken off the logit, so that no place is water


@pytest.fixture
def settings(engine: Engine, database_url: str, mirror: Path, tmp_path: Path) -> Settings:
    url = {"database_url": database_url, "redis_url": "redis://127.0.0.1:1/0"}
    return load_settings(data=tmp_path, cache=tmp_path / "cache", mirror=mirror, **url)


def kept(engine: Engine, settings: Settings, manifest: Manifest, read: Callable[[str], bytes]) -> str:
    """The digest of a version that is kept with its pictures and masks."""
    objects = object_store(settings)
    masks = {label.sha256 for item in manifest.items for label in item.labels if label.kind == "mask"}
    for content in (*masks, *(item.content for item in manifest.items)):
        media.keep(objects, read(content), ".jpg", "image/jpeg")
    with engine.begin() as connection:
        return archive.keep(connection, objects, manifest, [], "lin").digest


def run(settings: Settings, *more: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("cityvision")), "evaluate", "pictures", *more]
    told = dict(os.environ) | settings.child_environment()
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=150, env=told)


def test_a_detector_of_simulated_streets_is_refused_on_real_photos(
    engine: Engine, settings: Settings, mirror: Path, tmp_path: Path
) -> None:
    scene = photos(mirror, train=1)
    marked = tuple(
        item.model_copy(update={"slices": ("many",) if len(item.labels) > 3 else ("few",)})
        for item in scene.manifest.items
    )
    digest = kept(engine, settings, scene.manifest.model_copy(update={"items": marked}), scene.read)
    out, card = tmp_path / "out.json", tmp_path / "card.html"
    files = ("--json", str(out), "--card", str(card))
    done = run(settings, "--dataset", digest, "--candidate", "street", "--production", "yolox_nano", *files)
    assert done.returncode == 3, done.stderr
    assert "all pictures: AP fell by" in done.stdout
    report: dict[str, Any] = json.loads(out.read_text())
    assert (report["dataset"], report["side"], report["pictures"]) == (digest, "val", 16)
    rows = {(row["kind"], row["name"]): row for row in report["verdict"]["rows"]}
    assert {("whole", ""), ("class", "person"), ("slice", "few"), ("slice", "many")} <= rows.keys()
    whole = rows["whole", ""]
    assert 0.1 < whole["before"]["AP"] < whole["before"]["AP50"] < 0.9
    assert whole["after"]["AP"] < whole["before"]["AP"]
    assert report["speed_before"]["inferences"] > 10
    page = card.read_text()
    assert "The gate refuses it" in page
    assert page.count("data:image/jpeg;base64,") == len(report["worse"]) + len(report["better"]) > 0


@pytest.fixture
def flood(engine: Engine, settings: Settings, mirror: Path, tmp_path: Path) -> str:
    """Sixteen photos of the public flood pictures, kept as a version."""
    folder, root = tmp_path / "flood", mirror / "truth" / "flood"
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for photo in sorted((root / "images").glob("*.jpg"))[:16]:
        for path in (photo, root / "masks" / f"{photo.stem}.png"):
            (folder / path.parent.name / path.name).symlink_to(path)
    items, places = masked_photos(folder / "images", folder / "masks", "water", "flood")
    manifest = Manifest(
        name="flood",
        task="segment",
        classes=("water",),
        sources={"flood": Source(name="flood photos", licence="not stated")},
        items=tuple(item.model_copy(update={"side": "test"}) for item in items),
    )
    return kept(engine, settings, manifest, lambda content: places[content].read_bytes())


def dry(settings: Settings) -> ModelRef:
    """The water network as shipped, but for its last bias: it sees no water anywhere."""
    model = onnx.load_from_string(Zoo().fetch("water")[0].read_bytes())
    (bias,) = [one for one in model.graph.initializer if one.name == "out.bias"]
    bias.CopyFrom(numpy_helper.from_array((numpy_helper.to_array(bias) - _BLIND).astype(np.float32), bias.name))
    like = Zoo().artefact("water")
    return keep_network(object_store(settings), model.SerializeToString(), role="water", name="dry", like=like)


def test_a_network_that_sees_no_water_is_refused_and_the_ledger_says_why(
    engine: Engine, settings: Settings, flood: str, tmp_path: Path
) -> None:
    shipped = ModelRef(role="water", name="water", sha256=Zoo().artefact("water").digest)
    with engine.begin() as connection:
        for version, model in (("0.0.0", shipped), ("1.1.0", dry(settings))):
            entry = NewVersion(
                algorithm="waterlogging",
                version=version,
                models=(ModelRef(role="detector", name="street", sha256="a" * 64), model),
                rule_version="1",
                needs=Needs(look_every_s=5, zone_kinds=("road",)),
                licence="AGPL-3.0-or-later",
            )
            if model is shipped:
                ensure_shipped(connection, [entry], "0.1")
            else:
                made = registry.enter(connection, entry, "lin")
                registry.carry_out(connection, made.id, Move.TRAIN, "lin", Office.ENGINEER, Grounds(run="training 1"))
    out, card = tmp_path / "out.json", tmp_path / "card.html"
    files = ("--json", str(out), "--card", str(card), "--record", "--side", "test")
    done = run(settings, "--dataset", flood, "--candidate", "waterlogging@1.1.0", *files)
    assert done.returncode == 3, done.stderr
    assert "all pictures: IoU fell by" in done.stdout
    whole = json.loads(out.read_text())["verdict"]["rows"][0]
    assert whole["before"]["IoU"] > 0.6
    assert whole["after"]["IoU"] < 0.01
    with engine.begin() as connection:
        judged = service.find(connection, "waterlogging", "1.1.0", set())
        grounds = ledger.of_version(connection, judged.id)[-1].grounds
    assert grounds.passed is False
    assert grounds.why is not None
    assert "all pictures: IoU fell" in grounds.why
    assert grounds.card is not None
    assert object_store(settings).get(media.place("cards", grounds.card, ".html")).decode() == card.read_text()
