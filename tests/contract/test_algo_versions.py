"""From a training, or from elsewhere, to a version that may go onto cameras: by command, as a person does it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import onnx
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from algorithm_repo.archive import media
from algorithm_repo.archive import service as archive
from algorithm_repo.datasets.types import Manifest
from algorithm_repo.entering import service as entering
from algorithm_repo.entering.sweeping import ROOMS
from algorithm_repo.jobs import service as jobs
from algorithm_repo.registry import ledger
from algorithm_repo.registry import service as registry
from algorithm_repo.registry.shipped import ensure_shipped
from algorithm_repo.registry.types import AlgorithmVersion, Office, Stage
from algorithm_repo.rollout.keeping import NetworkShelf
from cityvision.cli import cli
from cityvision.object_store import object_store
from cityvision.settings import Settings, load_settings
from cityvision.shipped import shipped
from contracts.rollout import ServedModel
from models.zoo import Zoo, file_sha256
from tests.unit.datasets_scene import item, manifest

pytest_plugins = ["tests.embedded"]

CARD = """
name: wetter
version: 2.0.0
licence: Apache-2.0
source: https://models.city.example/water
family: segmenter
width: 320
height: 192
labels: [water]
"""


@pytest.fixture
def settings(engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of an installation with its release in production; commands are told of it."""
    monkeypatch.setenv("CITYVISION_DATABASE_URL", database_url)
    monkeypatch.setenv("CITYVISION_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("CITYVISION_DATA", str(tmp_path))
    with engine.begin() as connection:
        ensure_shipped(connection, shipped("street"), "0.1")
    return load_settings()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["algo", *arguments])


def training(engine: Engine, settings: Settings, data: Manifest, file: str, result: bytes) -> int:
    """A training that is done, as the queue leaves it."""
    objects = object_store(settings)
    sha256 = media.keep(objects, result, ".onnx", "application/octet-stream", "training")
    with engine.begin() as connection:
        digest = archive.keep(connection, objects, data, [], "lin").digest
        asked: dict[str, dict[str, int]] = {data.task: {"seed": 1}}
        number = jobs.submit(connection, "积水 Night 2", digest, asked, "lin").id
        assert jobs.claim(connection, "token", 60) is not None
        jobs.end(connection, number, "token", "done", "", {file: sha256})
    return number


def of(engine: Engine, algorithm: str, version: str) -> AlgorithmVersion:
    with engine.begin() as connection:
        return next(one for one in registry.listed(connection, algorithm) if one.version == version)


def water(engine: Engine, settings: Settings) -> int:
    data = manifest(item(1, side="train", labels=()), item(2, side="val", labels=()))
    data = data.model_copy(update={"task": "segment", "classes": ("water",)})
    return training(engine, settings, data, "water.onnx", Zoo().fetch("water")[0].read_bytes())


def test_a_training_becomes_a_version_that_goes_on_once_it_was_judged(engine: Engine, settings: Settings) -> None:
    number = water(engine, settings)
    entered = run("enter", "waterlogging", "1.1.0", "--training", str(number), "--note", "nights")
    assert entered.exit_code == 0, entered.output
    assert "waterlogging 1.1.0 is trained: " in entered.output
    assert "water night-2-" in entered.output
    version = of(engine, "waterlogging", "1.1.0")
    with engine.begin() as connection:
        before = registry.standing(connection, "waterlogging", Stage.PRODUCTION)
    assert before is not None
    assert {one.role: one.sha256 for one in version.models} == {one.role: one.sha256 for one in before.models}
    (model,) = (one for one in version.models if one.role == "water")
    assert (model.run, version.parameters, version.note) == (f"training {number}", before.parameters, "nights")
    served = ServedModel(role="water", name=model.name, sha256=model.sha256)
    kept = NetworkShelf(Zoo(cache=settings.cache), object_store(settings)).zoo_with(served)
    assert kept.artefact(model.name).source == "trained here"

    early = run("register", "waterlogging", "--version", "1.1.0")
    assert early.exit_code == 2, early.output
    assert "was not evaluated" in early.output
    with engine.begin() as connection:
        report, card = json.dumps({"clips": 3}).encode(), b"<html></html>"
        entering.evaluated(
            connection, object_store(settings), version, report, card, (True, None), "gate", Office.SYSTEM
        )
    assert "waterlogging 1.1.0 is registered" in run("register", "waterlogging").output
    retired = run("retire", "waterlogging", "--version", "1.1.0", "--why", "blind at dusk")
    assert "waterlogging 1.1.0 is retired" in retired.output
    assert "blind at dusk" in run("history", "waterlogging", "--version", "1.1.0").output


def test_a_network_from_elsewhere_comes_in_by_its_check(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "wetter.onnx"
    file.write_bytes(Zoo().fetch("water")[0].read_bytes())
    file.with_suffix(".yaml").write_text(CARD)
    entered = run("enter", "waterlogging", "2.0.0", "--model", str(file))
    assert entered.exit_code == 0, entered.output
    version = of(engine, "waterlogging", "2.0.0")
    assert (version.stage, version.licence) == (Stage.TRAINED, "AGPL-3.0-or-later AND (Apache-2.0)")
    assert file_sha256(file) in {one.sha256 for one in version.models}
    again = run("enter", "waterlogging", "2.0.0", "--model", str(file))
    assert again.exit_code == 2
    assert "waterlogging 2.0.0 is there already" in again.output
    corrected = CARD.replace("models.city.example", "water.city.example")
    file.with_suffix(".yaml").write_text(corrected)
    other = run("enter", "waterlogging", "2.1.0", "--model", str(file))
    assert "is in use, and described otherwise" in other.output
    file.write_bytes(b"no network")
    assert "ONNX" in run("enter", "waterlogging", "2.1.0", "--model", str(file)).output


def test_a_card_may_be_corrected_until_a_version_has_the_network(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "wetter.onnx"
    network = onnx.load_from_string(Zoo().fetch("water")[0].read_bytes())
    network.producer_name = "another"  # production's own is in use
    file.write_bytes(network.SerializeToString())
    file.with_suffix(".yaml").write_text(CARD.replace("[water]", "[smoke]"))
    refused = run("enter", "waterlogging", "2.0.0", "--model", str(file))
    assert refused.exit_code == 2
    assert "labels: its map shows smoke" in refused.output
    assert list(object_store(settings).keys("networks")) == []
    file.with_suffix(".yaml").write_text(CARD)
    objects = object_store(settings)
    found = entering.accepted(file.read_bytes(), CARD.encode())
    with engine.begin() as connection:  # kept, and killed before the version was entered
        entering.from_elsewhere(connection, objects, found)
        connection.rollback()
    assert len(list(objects.keys("networks"))) == 2
    file.with_suffix(".yaml").write_text(CARD.replace("Apache-2.0", "MIT"))
    assert run("enter", "waterlogging", "2.0.0", "--model", str(file)).exit_code == 0
    assert of(engine, "waterlogging", "2.0.0").licence == "AGPL-3.0-or-later AND (MIT)"


def test_what_was_kept_for_a_version_that_never_came_goes_when_the_next_one_comes(
    engine: Engine, settings: Settings
) -> None:
    objects = object_store(settings)
    number = water(engine, settings)
    assert run("enter", "waterlogging", "1.1.0", "--training", str(number)).exit_code == 0
    version = of(engine, "waterlogging", "1.1.0")
    with engine.begin() as connection:
        entering.evaluated(connection, objects, version, b"{}", b"<html></html>", (True, None), "gate", Office.SYSTEM)
    before = {room: list(objects.keys(room)) for room in ROOMS}
    network = onnx.load_from_string(Zoo().fetch("water")[0].read_bytes())
    network.producer_name = "another"
    found = entering.accepted(network.SerializeToString(), CARD.encode())
    with engine.begin() as connection:
        entering.from_elsewhere(connection, objects, found)
        entering.evaluated(connection, objects, version, b"[]", b"<p></p>", (True, None), "gate", Office.SYSTEM)
        connection.rollback()
    grown = {room: list(objects.keys(room)) for room in ROOMS}
    assert all(len(grown[room]) > len(before[room]) for room in ROOMS)
    assert run("enter", "waterlogging", "1.2.0", "--training", str(number)).exit_code == 0
    assert {room: list(objects.keys(room)) for room in ROOMS} == before


def test_whoever_is_killed_with_a_network_in_hand_leaves_nothing_for_good(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    """kill -9 as soon as the network lies in the store: before the ledger has its line, or just after."""
    file = tmp_path / "wetter.onnx"
    network = onnx.load_from_string(Zoo().fetch("water")[0].read_bytes())
    network.producer_name = "another"
    file.write_bytes(network.SerializeToString())
    file.with_suffix(".yaml").write_text(CARD)
    objects = object_store(settings)
    entering_it = subprocess.Popen(
        [sys.executable, "-m", "cityvision", "algo", "enter", "waterlogging", "2.0.0", "--model", str(file)]
    )
    while entering_it.poll() is None and not list(objects.keys("networks")):
        time.sleep(0.001)
    entering_it.kill()
    entering_it.wait()
    assert list(objects.keys("networks")) != []
    number = water(engine, settings)
    assert run("enter", "waterlogging", "1.1.0", "--training", str(number)).exit_code == 0
    with engine.begin() as connection:
        named = {model.sha256 for one in registry.listed(connection) for model in one.models}
        ledger.verify(connection)
    kept = {key.rpartition("/")[2][:64] for key in objects.keys("networks")}
    assert kept <= named
    assert run("enter", "waterlogging", "2.0.1", "--model", str(file)).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("waterlogging", "1.1.0"), "name one of --training, --model, --set"),
        (("waterlogging", "1.1.0", "--training", "99"), "training 99: there is none"),
        (("waterlogging", "one", "--training", "{water}"), "write three numbers, as 1.2.0"),
        (("waterlogging", "1.1.0", "--training", "{water}", "--note", "n" * 2001), "write at most 2000 characters"),
        (("waterlogging", "1.1.0", "--training", "{water}", "--licence", "Proprietary"), "licence: Proprietary"),
        (("crowding", "1.1.0", "--training", "{water}"), "crowding has no network for water"),
        (("floods", "1.1.0", "--training", "{water}"), "take one of camera_health, crowding"),
        (("waterlogging", "1.1.0", "--training", "{water}", "--as", "nobody"), "there is no account 'nobody'"),
    ],
)
def test_what_cannot_be_entered_names_the_field_and_leaves_nothing(
    arguments: tuple[str, ...], said: str, engine: Engine, settings: Settings
) -> None:
    number = str(water(engine, settings))
    with engine.begin() as connection:
        before = registry.listed(connection)
    done = run("enter", *(one.replace("{water}", number) for one in arguments))
    assert done.exit_code == 2, done.output
    assert said in done.output
    with engine.begin() as connection:
        assert registry.listed(connection) == before


def test_a_training_that_is_not_done_is_no_version(engine: Engine, settings: Settings) -> None:
    data = manifest(item(1, side="train"), item(2, side="val"))
    with engine.begin() as connection:
        digest = archive.keep(connection, object_store(settings), data, [], "lin").digest
        number = jobs.submit(connection, "cars", digest, {data.task: {}}, "lin").id
    done = run("enter", "crowding", "1.1.0", "--training", str(number))
    assert f"training: {number} is waiting" in done.output
