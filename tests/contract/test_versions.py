"""`cityvision evaluate versions`: two real networks on the same clips, through the whole chain, to gate and card."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from sqlalchemy import Engine

from algorithm_repo.archive import media
from algorithm_repo.evaluation.job import FileJob, Setup
from algorithm_repo.evaluation.simulated import clip_of_scenario
from algorithm_repo.evaluation.suite import read_suite, write_suite
from algorithm_repo.judging.comparison import compared
from algorithm_repo.judging.event_card import event_card
from algorithm_repo.judging.events import EventLimits
from algorithm_repo.judging.kept_pairs import KeptPairs
from algorithm_repo.judging.networks import Network
from algorithm_repo.judging.replays import Pair, PairJob, Tuned, replay_pairs
from algorithm_repo.registry import judged, ledger, tuning
from algorithm_repo.registry import service as registry
from algorithm_repo.registry.shipped import ensure_shipped
from algorithm_repo.registry.types import Grounds, ModelRef, Move, Needs, NewVersion, Office, Stage
from algorithm_repo.rollout import service
from algorithm_repo.rollout.keeping import keep_network
from cityvision.commands.evaluate_ledger import both
from cityvision.named_networks import in_production, named, tuned_by
from cityvision.object_store import object_store
from cityvision.settings import Settings, load_settings
from contracts.errors import ConfigError
from models.zoo import Zoo, file_sha256
from simulator.street import scenario, write_clip

pytest_plugins = ["tests.embedded"]

CARD = """
name: water-dry
version: 1.0.0
licence: AGPL-3.0-or-later
source: https://models.city.example/water
family: segmenter
width: 320
height: 192
labels: [water]
"""
_BLIND = 40.0  # taken off the logit, so that no place is water


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flood and a dry street, a picture for each look of the rule."""
    folder = tmp_path_factory.mktemp("suite")
    clips = []
    for number, kind in enumerate(("water_grow", "water_shadow"), 1):
        street = scenario(7001, kind, size=(640, 360))
        write_clip(street, folder / f"{kind}.mp4", fps=0.2, gop_s=5)
        clips.append(clip_of_scenario(number, street, f"{kind}.mp4"))
    write_suite(folder, clips)
    return folder


@pytest.fixture(scope="module")
def dry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The water network as shipped, but for its last bias: it sees no water anywhere. Its card lies beside it."""
    file = tmp_path_factory.mktemp("dry") / "dry.onnx"
    model = onnx.load_from_string(Zoo().fetch("water")[0].read_bytes())
    (bias,) = [one for one in model.graph.initializer if one.name == "out.bias"]
    bias.CopyFrom(numpy_helper.from_array((numpy_helper.to_array(bias) - _BLIND).astype(np.float32), bias.name))
    file.write_bytes(model.SerializeToString())
    file.with_suffix(".yaml").write_text(CARD)
    return file


@pytest.fixture
def settings(engine: Engine, database_url: str, dry: Path, tmp_path: Path) -> Settings:
    """Of an installation that has 1.0.0 in production, and 1.1.0, the dry one, as trained."""
    url = {"database_url": database_url, "redis_url": "redis://127.0.0.1:1/0"}
    found = load_settings(data=tmp_path, cache=tmp_path / "cache", **url)
    like = Zoo().artefact("water")
    kept = keep_network(object_store(found), dry.read_bytes(), role="water", name="dry", like=like)
    shipped = ModelRef(role="water", name="water", sha256=like.digest)
    with engine.begin() as connection:
        for version, model in (("0.0.0", shipped), ("1.1.0", kept)):
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
    return found


def run(suite: Path, settings: Settings, *more: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("cityvision")), "evaluate", "versions", "--suite", str(suite), *more]
    told = dict(os.environ) | settings.child_environment()
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=150, env=told)


def test_a_network_that_sees_no_water_is_refused_with_what_it_missed(
    suite: Path, settings: Settings, engine: Engine, tmp_path: Path
) -> None:
    out, card = tmp_path / "out.json", tmp_path / "card.html"
    files = ("--json", str(out), "--card", str(card), "--record")
    done = run(suite, settings, "--candidate", "waterlogging@1.1.0", "--least-clips", "1", "--jobs", "1", *files)
    assert done.returncode == 3, done.stderr
    assert "waterlogging: recall fell by 1.000 (1.000 to 1.000), on 2 clips" in done.stdout
    report: dict[str, Any] = json.loads(out.read_text())
    assert (report["role"], report["clips"], report["verdict"]["failed"]) == ("water", 2, [])
    assert report["production"]["name"].startswith("water-")
    assert report["candidate"]["name"].startswith("dry-")
    (missed,) = report["changes"]
    assert (missed["kind"], missed["file"], missed["type"]) == ("missed", "water_grow.mp4", "waterlogging")
    for pace in (report["speed_before"], report["speed_after"]):
        assert pace["inferences"] > 10
        assert pace["cpu_ms_p50"] > 0
        assert 0 < pace["ms_p50"] < pace["look_ms"]
    page = card.read_text()
    assert "The gate refuses it" in page
    assert page.count("data:image/jpeg;base64,") == 1
    assert "missed, which production finds" in page
    recorded(settings, engine, page)


def recorded(settings: Settings, engine: Engine, page: str) -> None:
    """The ledger names report and card, and the gate binds whoever would register it."""
    with engine.begin() as connection:
        version = service.find(connection, "waterlogging", "1.1.0", set())
        line = ledger.of_version(connection, version.id)[-1]
        assert (line.move, line.target, line.grounds.passed) == (Move.EVALUATE, Stage.EVALUATED, False)
        assert line.grounds.why is not None
        assert "waterlogging: recall fell by 1.000" in line.grounds.why
        assert line.grounds.card is not None
        assert object_store(settings).get(media.place("cards", line.grounds.card, ".html")).decode() == page
        with pytest.raises(ConfigError, match=r"the gate refused waterlogging 1\.1\.0: waterlogging: F1 fell"):
            judged.register(connection, version, "chen")
        assert judged.retire(connection, version, "chen", "blind").stage is Stage.RETIRED


def test_an_evaluation_that_cannot_be_written_down_is_refused_before_it_is_made(
    suite: Path, settings: Settings, dry: Path
) -> None:
    for candidate, said in (
        (str(dry), f"--record: {dry} is no version of the registry"),
        ("waterlogging@1.0.0", "--record: waterlogging 1.0.0 is production"),
    ):
        done = run(suite, settings, "--candidate", candidate, "--record")
        assert done.returncode == 2, done.stdout
        assert said in done.stderr


def test_a_version_of_the_registry_is_had_by_its_name(settings: Settings, dry: Path) -> None:
    like, sha256 = Zoo().artefact("water"), file_sha256(dry)
    candidate = named("waterlogging@1.1.0", None, settings)
    production = in_production("waterlogging@1.1.0", candidate.role, settings)
    assert (production.sha256, candidate.sha256) == (like.digest, sha256)
    assert candidate.path.read_bytes() == dry.read_bytes()
    assert candidate.version == f"dry-{sha256[:8]}"
    with pytest.raises(ConfigError, match=r"waterlogging 2.0.0 is none"):
        named("waterlogging@2.0.0", None, settings)
    with pytest.raises(ConfigError, match=r"litter: production is none"):
        in_production("litter@1.0.0", "litter", settings)
    assert in_production(str(dry), "water", settings).sha256 == like.digest
    assert named(str(dry), None, settings).sha256 == sha256


def replayed_here(source: FileJob, before: Network, after: Network, tuned: Tuned, kept: KeptPairs) -> tuple[Pair, ...]:
    """In this process, as jobs of processes are."""

    def run_jobs(jobs: list[PairJob], *_: Any, done: Callable[[PairJob, Pair], None], **__: Any) -> list[Pair]:
        found = [job.run() for job in jobs]
        for job, pair in zip(jobs, found, strict=True):
            done(job, pair)
        return found

    with patch("algorithm_repo.judging.replays.run_jobs", run_jobs):
        return replay_pairs([source], before, after, 1, tuned=tuned, kept=kept)


def test_a_version_is_judged_by_its_parameters_alone_and_a_clip_is_replayed_once(
    suite: Path, settings: Settings, engine: Engine, tmp_path: Path
) -> None:
    with engine.begin() as connection:
        tuning.enter(connection, "waterlogging", "1.2.0", {"min_share": 0.99}, "lin")
    candidate = "waterlogging@1.2.0"
    tuned = tuned_by(candidate, None, settings)
    assert tuned == Tuned("waterlogging", {}, {"min_share": 0.99})
    assert tuned_by("waterlogging@1.1.0", None, settings) is None, "its networks alone differ"
    before, after = both(candidate, None, None, None, settings, alike=True)
    assert before.sha256 == after.sha256
    clip = next(one for one in read_suite(suite).clips if one.file == "water_grow.mp4")
    source = FileJob(clip, suite, Setup("street", settings.mirror))
    file = tmp_path / "kept.jsonl"
    with patch.object(PairJob, "run", autospec=True, side_effect=PairJob.run) as ran:
        (pair,) = first = replayed_here(source, before, after, tuned, KeptPairs(file))
        file.write_text(file.read_text() + '{"key": "torn')
        assert replayed_here(source, before, after, tuned, KeptPairs(file)) == first, "pictures and all"
        assert ran.call_count == 1
    moved = KeptPairs(file).find(
        PairJob(replace(source, clip=clip.model_copy(update={"number": 9})), before, after, tuned)
    )
    assert moved is not None
    told = [side.outcome for side in moved.sides]
    assert {moved.number, *(one.number for one in told)} == {9}, "by which both are brought together"
    assert {finding.clip for one in told for finding in one.findings} == {9}
    other = Tuned("waterlogging", {}, {"min_share": 0.98})
    assert KeptPairs(file).find(PairJob(source, before, after, other)) is None
    found = compared("clips", None, (before, after), [pair], EventLimits(clips=1), tuned)
    assert not found.report.verdict.passed
    assert [one.kind for one in found.report.changes] == ["missed"]
    page = event_card(found)
    assert "waterlogging: min_share: as released → 0.99" in page
    assert f"{after.version}, candidate&#x27;s parameters beside {before.version}, production&#x27;s" in page
