"""One version of one network, in the place that it would play in the chain, with a watch on how long it takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from algorithm_repo.evaluation.job import tools
from algorithm_repo.intake.roles import role_of
from contracts.errors import HashMismatch, ModelMissing
from contracts.rollout import DETECTOR
from models.classifier import build_classifier
from models.detector import Detector, build_detector, open_runner, version_name
from models.runner import Runner, Tensors
from models.segmenter import build_segmenter
from models.served import WATER
from models.zoo import Artefact, Zoo, file_sha256
from pipeline.senses.engine import Sensing

_REMEMBERED = 4  # some 2 MB each


@dataclass(frozen=True, slots=True)
class Network:
    """A network that is to be replayed with; it is pickled, so it holds plain values.

    Attributes:
        role: what it plays in the chain: detector, water or litter.
        name: without a version.
        sha256: of its files, as the zoo counts it.
        path: of the file that is opened; it is held against `entry` again before it is.
        entry: how its outputs are read.
    """

    role: str
    name: str
    sha256: str
    path: Path
    entry: Artefact = field(compare=False)

    @property
    def version(self) -> str:
        """Its name as provenance records it."""
        return version_name(self.name, self.entry)


def of_zoo(name: str, zoo: Zoo) -> Network:
    """A network of the zoo.

    Raises:
        ModelMissing, HashMismatch: the zoo has none of that name, or cannot get it.
        ConfigError: it plays no role.
    """
    entry = zoo.artefact(name)
    return Network(role_of(name, entry), name, entry.digest, zoo.fetch(name)[0], entry)


class TimedRunner:
    """A runner that remembers some of what it was asked, so that two of them can be timed on it by turns.

    Attributes:
        name, sha256, inputs, outputs: of the runner behind it.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self.name, self.sha256 = runner.name, runner.sha256
        self.inputs, self.outputs = runner.inputs, runner.outputs
        self._asked: list[Tensors] = []

    def begin(self) -> None:
        """Forgets what it was asked."""
        self._asked = []

    def infer(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
        """As the runner behind it."""
        if len(self._asked) < _REMEMBERED:
            self._asked.append({name: array.copy() for name, array in inputs.items()})
        return self._runner.infer(inputs)

    @property
    def remembers(self) -> bool:
        """Whether it was asked anything since `begin`."""
        return bool(self._asked)

    def again(self, turn: int) -> None:
        """One of the remembered inferences, the next with the next turn; there has to be one.

        Raises:
            RunnerError: inference failed.
        """
        self._runner.infer(self._asked[turn % len(self._asked)])

    def close(self) -> None:
        self._runner.close()


def watched(network: Network) -> TimedRunner:
    """A network's runner, its file held against what it was when it was named.

    Raises:
        HashMismatch, ModelMissing: it is another by now, or gone.
        ConfigError, RunnerError: it cannot be loaded.
    """
    if not network.path.is_file():
        raise ModelMissing(f"{network.path} has gone since it was named", "leave it there while it is compared")
    if file_sha256(network.path) != network.entry.files[0].sha256:
        raise HashMismatch(f"{network.path} has changed since it was named", "leave it alone while it is compared")
    return TimedRunner(open_runner(network.name, network.entry, network.path))


@dataclass(frozen=True, slots=True)
class Chain:
    """What a clip is replayed with; `watch` is on the network in question."""

    detector: Detector
    sensing: Sensing
    watch: TimedRunner


@lru_cache(maxsize=4)
def chain_with(network: Network, detector: str, mirror: Path | None) -> Chain:
    """The chain of this process with a network in its role, loaded once.

    Args:
        network: the version in question.
        detector: name of the zoo's that looks where the network is none.
        mirror: see `models.zoo.Zoo`.

    Raises:
        HashMismatch: the file is another than when the network was named.
        ModelMissing, ConfigError, RunnerError: a network cannot be had, read or loaded.
    """
    watch = watched(network)
    sensing = Sensing(Zoo(mirror=mirror))
    if network.role == DETECTOR:
        return Chain(build_detector(network.entry, watch), sensing, watch)
    build = build_segmenter if network.role == WATER else build_classifier
    sensing.switch(network.role, build(network.entry, watch))
    return Chain(tools(detector, mirror)[0], sensing, watch)
