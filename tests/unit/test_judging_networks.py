"""Networks beside each other: timed by turns, in the role that they play, and named as people name them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from algorithm_repo.evaluation.job import Setup
from algorithm_repo.evaluation.suite import Clip
from algorithm_repo.intake.roles import role_of
from algorithm_repo.judging.networks import TimedRunner, chain_with, of_zoo
from algorithm_repo.judging.replays import PairJob
from algorithm_repo.judging.speed import by_turns
from algorithm_repo.registry.types import AlgorithmVersion, ModelRef, Needs, Stage
from cityvision.cli import cli
from cityvision.named_networks import model_of, named
from cityvision.settings import Settings
from contracts.errors import ConfigError, HashMismatch, ModelMissing, SourceError
from models.fake_runner import FakeRunner
from models.runner import Tensors, TensorSpec
from models.zoo import Zoo
from tests.unit.judged_clips import clip

_SPEC = TensorSpec("image", (-1, 2), np.dtype(np.float32))
_NEEDS = Needs(look_every_s=5, zone_kinds=("road",))


class Noted:
    """Runners that write into one list who was asked what."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []

    def runner(self, name: str) -> TimedRunner:
        def compute(inputs: Tensors) -> dict[str, NDArray[Any]]:
            self.asked.append((name, float(inputs["image"][0, 0])))
            return {"image": inputs["image"]}

        return TimedRunner(FakeRunner((_SPEC,), (_SPEC,), compute, name=name))


def picture(value: float) -> Tensors:
    return {"image": np.full((1, 2), value, np.float32)}


def test_two_networks_are_timed_by_turns_on_what_each_was_asked() -> None:
    noted = Noted()
    old, new = noted.runner("old"), noted.runner("new")
    for value in (1.0, 2.0):
        old.infer(picture(value))
        new.infer(picture(10 * value))
    reused = picture(30.0)
    new.infer(reused)
    reused["image"][:] = 99  # a caller fills its batch anew
    noted.asked.clear()
    before, after = by_turns(old.again, new.again, turns=3)
    assert noted.asked == [("old", 1), ("new", 10), ("old", 2), ("new", 20), ("old", 1), ("new", 30)]
    assert (len(before), len(after)) == (3, 3)
    assert min(one.ms for one in (*before, *after)) > 0


def test_a_network_remembers_what_it_was_asked_in_this_clip_alone() -> None:
    runner, remembers = Noted().runner("old"), []
    for step in (lambda: runner.infer(picture(1.0)), runner.begin):
        remembers.append(runner.remembers)
        step()
    assert [*remembers, runner.remembers] == [False, True, False]


def test_a_network_plays_what_its_entry_says() -> None:
    zoo = Zoo()
    assert {name: of_zoo(name, zoo).role for name in ("water", "litter", "street")} == {
        "water": "water",
        "litter": "litter",
        "street": "detector",
    }
    assert of_zoo("water", zoo).version == "water-37ef97ef"
    with pytest.raises(ConfigError, match="plays no role"):
        role_of("clip", zoo.artefact("water").model_copy(update={"segmenter": None}))


def test_a_file_that_changed_since_it_was_named_is_not_run(tmp_path: Path) -> None:
    file = tmp_path / "water.onnx"
    file.write_bytes(Zoo().fetch("water")[0].read_bytes() + b"more")
    changed = replace(of_zoo("water", Zoo()), path=file)
    with pytest.raises(HashMismatch, match="has changed since"):
        chain_with(changed, "street", None)


def version(*models: tuple[str, str]) -> AlgorithmVersion:
    refs = tuple(ModelRef(role=role, name=name, sha256="a" * 64) for role, name in models)
    return AlgorithmVersion(
        algorithm="waterlogging",
        version="1.1.0",
        models=refs,
        rule_version="1",
        needs=_NEEDS,
        licence="MIT",
        id=1,
        author="lin",
        created_utc=0,
        stage=Stage.SHADOW,
        moves=1,
    )


def test_of_a_version_the_network_beside_the_detector_is_meant() -> None:
    both = version(("detector", "street"), ("water", "wetter"))
    assert (model_of(both, "").name, model_of(both, "detector").name) == ("wetter", "street")
    assert model_of(version(("detector", "street")), "").name == "street"
    with pytest.raises(ConfigError, match=r"waterlogging 1.1.0 has no network for litter: detector, water"):
        model_of(both, "litter")
    with pytest.raises(ConfigError, match="no single network"):
        model_of(version(("litter", "a"), ("water", "b")), "")


def test_whatever_is_no_network_is_said_with_the_fix(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, cache=tmp_path)
    alone = tmp_path / "alone.onnx"
    alone.write_bytes(b"no model")
    with pytest.raises(ConfigError, match=r"has no card: there is no .*alone\.yaml"):
        named(str(alone), None, settings)
    with pytest.raises(ConfigError, match="so it has no card"):
        named("water", alone, settings)
    with pytest.raises(ModelMissing, match="the zoo has no 'watre'"):
        named("watre", None, settings)
    with pytest.raises(ConfigError, match=r"write ALGORITHM@VERSION"):
        named("waterlogging@", None, settings)


@pytest.mark.parametrize(
    ("networks", "words"),
    [
        (("--candidate", "water", "--production", "street"), "water plays water, street plays detector"),
        (("--candidate", "water"), "water and water are the same network"),
    ],
)
def test_only_two_networks_of_one_role_are_compared(networks: tuple[str, ...], words: str, tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text("clips: [{file: 'street:water_grow:1'}]")
    done = CliRunner().invoke(cli, ["evaluate", "versions", "--suite", str(tmp_path), *networks])
    assert (done.exit_code, words in done.output) == (2, True), done.output


@dataclass(frozen=True, slots=True)
class There:
    """A clip that is there, or (None) cannot be had."""

    path: Path | None
    number: int = 3
    name: str = "3.mp4"
    model: str = "street"
    setup: Setup = field(default_factory=lambda: Setup("street"))
    kept_as: str = "3.mp4"

    def placed(self, folder: Path) -> tuple[Clip, Path]:
        if self.path is None:
            raise SourceError("3.mp4 is not in the suite's folder")
        return clip(self.number), self.path


def test_what_cannot_be_had_fails_that_clip_alone_and_says_whose_fault_it_is(tmp_path: Path) -> None:
    network = of_zoo("water", Zoo())
    gone = replace(network, path=tmp_path / "gone.onnx")
    nowhere = PairJob(There(None), network, gone).run()
    assert [side.outcome.failed for side in nowhere.sides] == ["3.mp4 is not in the suite's folder"] * 2
    pair = PairJob(There(tmp_path / "no.mp4"), network, gone).run()
    before, after = (side.outcome.failed for side in pair.sides)
    assert "gone.onnx has gone since it was named" in after
    assert "no.mp4" in before
    assert pair.sides[1].outcome.model == network.version
