"""One clip through the real chain with two versions of a network, one after the other on the same core."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, Protocol

from algorithm_repo.evaluation.job import Setup, illustrated
from algorithm_repo.evaluation.outcome import Outcome, asked_for, judge, scored
from algorithm_repo.evaluation.pictures import OpeningPictures, frame_at
from algorithm_repo.evaluation.run import run_jobs
from algorithm_repo.evaluation.suite import Clip
from algorithm_repo.judging.networks import Chain, Network, chain_with
from algorithm_repo.judging.speed import Taken, by_turns
from algorithm_repo.registry.parameters import applied
from algorithm_repo.registry.types import Value
from contracts.errors import CityVisionError
from contracts.rollout import DETECTOR
from pipeline.blindness import Blindness
from pipeline.replay import Progress, replay

_TURNS = 12  # of each clip


class Source(Protocol):
    """A clip that can be had: of a folder, or rendered for the run (`algorithm_repo.evaluation`)."""

    @property
    def number(self) -> int: ...

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def setup(self) -> Setup: ...

    @property
    def kept_as(self) -> str:
        """What it is, besides code, detector and setup."""
        ...

    def placed(self, folder: Path) -> tuple[Clip, Path]: ...


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a clip came to with one version.

    Attributes:
        outcome: see there; `wall_s` is of the replay alone, without loading.
        cpu_s: of the replay, s of all cores.
        taken: by inferences of the network on pictures of this clip, by turns with the other version's.
    """

    outcome: Outcome
    cpu_s: float = 0.0
    taken: tuple[Taken, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair(Outcome):
    """Both versions on one clip; None where the process died over it. As an outcome it says which clip it is."""

    before: Replayed | None = None
    after: Replayed | None = None

    @property
    def sides(self) -> tuple[Replayed, Replayed]:
        """Both, a failed outcome where there is none."""
        none = Replayed(Outcome(self.number, self.file, failed=self.failed or f"{self.file}: it was not replayed"))
        return self.before or none, self.after or none


@dataclass(frozen=True, slots=True)
class Tuned:
    """Parameters of a rule that two versions bring; pickled, so plain values."""

    algorithm: str
    before: dict[str, Value]
    after: dict[str, Value]


@dataclass(frozen=True, slots=True)
class PairJob:
    """Replays one clip with both. Which goes first alternates, so that a warm disk or core favours neither.

    Attributes:
        source: the clip.
        before, after: production's network and the candidate's.
        tuned: what both say of the rule; None: nothing.
    """

    source: Source
    before: Network
    after: Network
    tuned: Tuned | None = None

    @property
    def number(self) -> int:
        return self.source.number

    @property
    def name(self) -> str:
        return self.source.name

    def run(self) -> Pair:
        """A clip that cannot be read, or a network that fails on it, is a failed outcome, never an error."""
        with TemporaryDirectory(prefix="cityvision-versions-") as folder:
            try:
                clip, path = self.source.placed(Path(folder))
            except CityVisionError as error:
                return Pair(self.number, self.name, failed=str(error))
            turn = 1 if self.number % 2 else -1
            versions = ((self._clip(clip, "before"), self.before), (self._clip(clip, "after"), self.after))
            found = [self._replayed(mine, path, network) for mine, network in versions[::turn]][::turn]
        if not any(one.outcome.failed for one in found):
            found = self._timed(*found)
        return Pair(self.number, self.name, before=found[0], after=found[1])

    def _clip(self, clip: Clip, side: Literal["before", "after"]) -> Clip:
        """The clip with the camera as a version has it."""
        if self.tuned is None:
            return clip
        camera = applied(clip.camera, self.tuned.algorithm, getattr(self.tuned, side))
        return clip.model_copy(update={"camera": camera})

    def _chain(self, network: Network) -> Chain:
        detector = "" if network.role == DETECTOR else self.source.model
        return chain_with(network, detector, self.source.setup.mirror)

    def _replayed(self, clip: Clip, path: Path, network: Network) -> Replayed:
        try:
            return replayed(clip, path, self._chain(network), self.source.setup.gate)
        except CityVisionError as error:
            return Replayed(Outcome(self.number, self.name, failed=str(error), model=network.version))

    def _timed(self, before: Replayed, after: Replayed) -> list[Replayed]:
        try:
            old, new = self._chain(self.before).watch, self._chain(self.after).watch
            turns = _TURNS if old.remembers and new.remembers else 0
            taken = by_turns(old.again, new.again, turns)
        except CityVisionError:
            return [before, after]  # what they raised stands; this clip says nothing of speed
        return [replace(one, taken=mine) for one, mine in zip((before, after), taken, strict=True)]


class KeepsPairs(Protocol):
    """Where finished pairs are written down (`kept_pairs`)."""

    def find(self, job: PairJob) -> Pair | None: ...

    def add(self, job: PairJob, pair: Pair) -> None: ...


def replay_pairs(
    sources: Sequence[Source],
    before: Network,
    after: Network,
    processes: int,
    *,
    tuned: Tuned | None = None,
    kept: KeepsPairs | None = None,
    quiet: bool = False,
) -> tuple[Pair, ...]:
    """Every clip with both, beside each other, with a progress bar; in the order of the clips' numbers.

    Args:
        tuned: what both versions say of the rule.
        kept: clips that were finished before are taken from there, others are added.
        quiet: no progress bar.
    """
    jobs = [PairJob(source, before, after, tuned) for source in sources]
    before_this = {} if kept is None else {job.number: pair for job in jobs if (pair := kept.find(job)) is not None}
    rest = [job for job in jobs if job.number not in before_this]

    def done(job: PairJob, outcome: Outcome) -> None:
        if kept is not None and isinstance(outcome, Pair):
            kept.add(job, outcome)

    outcomes = run_jobs(rest, processes, quiet=quiet, title="clips, both versions", done=done)
    found = before_this | {
        one.number: one if isinstance(one, Pair) else Pair(one.number, one.file, failed=one.failed) for one in outcomes
    }
    return tuple(found[number] for number in sorted(found))


@dataclass(slots=True)
class _Way:
    """How far a replay came."""

    at: Progress = field(default_factory=lambda: Progress(0.0, 0))

    def reach(self, now: Progress) -> None:
        self.at = now


def replayed(clip: Clip, path: Path, chain: Chain, gate: bool) -> Replayed:
    """One file as `clip` through a chain, judged; with pictures of misses and false alarms.

    Raises:
        SourceError, RunnerError: it cannot be read, or inference failed.
    """
    pictures, blindness, way = OpeningPictures(), Blindness(), _Way()
    chain.watch.begin()
    begun, begun_cpu = time.monotonic(), time.process_time()
    events = list(
        replay(
            path,
            clip.camera,
            chain.detector,
            chain.sensing,
            lambda _: pictures,
            gate=gate,
            blindness=blindness,
            on_progress=way.reach,
        )
    )
    wall_s, cpu_s, end = time.monotonic() - begun, time.process_time() - begun_cpu, way.at.time
    outcome = Outcome(clip.number, clip.file, round(end, 3), way.at.looks, wall_s, model=chain.watch.name)
    if way.at.looks == 0:
        return Replayed(replace(outcome, failed=f"{clip.file}: no picture could be decoded"))
    findings = judge(clip, asked_for(clip, events), end)
    shown = illustrated(findings, clip.camera, pictures, chain.detector, lambda at: frame_at(path, at))
    scores = scored(clip, findings, end, blindness.until(end))
    return Replayed(replace(outcome, scores=scores, findings=shown), cpu_s)
