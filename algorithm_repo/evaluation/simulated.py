"""A suite that is rendered for the run: what is in it, and one clip of it as a job.

Clips are rendered and replayed in one job, so that a large suite needs the disk of a few clips only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from algorithm_repo.evaluation.job import Setup, evaluate_clip
from algorithm_repo.evaluation.outcome import Outcome
from algorithm_repo.evaluation.suite import Clip, TruthEvent
from contracts.pool import Camera
from models.detector import detector_names
from models.zoo import Zoo
from simulator.street import KINDS, Scenario, TruthMeasure, scenario, write_clip

FOUR = ("illegal_parking", "waterlogging", "crowding", "litter")
HEALTH = "camera_health"
SIZES = ((640, 360), (640, 360), (640, 360), (960, 540))
FPS = 2.0  # keyframes every second: what lies between two looks costs rendering and shows nothing
_FAULTS_EACH = 8


@dataclass(frozen=True, slots=True)
class Plan:
    """One clip to render: `seed` and `kind` decide every pixel of it."""

    number: int
    seed: int
    kind: str


def street_model() -> str:
    """The built-in detector of simulated streets where the zoo has it, else the usual one."""
    names = detector_names(Zoo())
    return "street" if "street" in names else names[0]


def derived(seed: int, *parts: object) -> int:
    """A seed that follows from the run's, below 2**31."""
    text = "\x1f".join(map(str, (seed, *parts)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def mixture(seed: int, clips: int) -> list[Plan]:
    """The clips of a suite: positives and hard negatives of the four types in turn, cycling through the kinds.

    On top of these comes one with a camera fault for every eight of them. So `clips` = 400 gives each of the four
    types 50 positive clips and 50 hard negatives, and the camera's health 50.
    """
    kinds = [*islice(_four(), clips), *islice(cycle(_about(HEALTH, True)), clips // _FAULTS_EACH)]
    return [Plan(number, derived(seed, number, kind), kind) for number, kind in enumerate(kinds, 1)]


def _four() -> Iterator[str]:
    shown = [(cycle(_about(kind, True)), cycle(_about(kind, False))) for kind in FOUR]
    while True:
        for positives, negatives in shown:
            yield next(positives)
            yield next(negatives)


def _about(event_type: str, positive: bool) -> tuple[str, ...]:
    return tuple(name for name, kind in KINDS.items() if kind.about == event_type and kind.positive is positive)


def clip_of_scenario(number: int, street: Scenario, file: str) -> Clip:
    """The suite's entry for a scene that was written to `file`."""
    algorithms = {kind: dict(one) for kind, one in street.algorithms.items()}
    camera = Camera.model_validate(dict(street.camera) | {"algorithms": algorithms})
    truth = tuple(TruthEvent(type=one.type, zone=one.zone, start=one.start, end=one.end) for one in street.truth)
    return Clip(number=number, file=file, camera=camera, slices=tuple(street.slices), truth=truth)


@dataclass(frozen=True, slots=True)
class StreetJob:
    """Renders one clip, replays it, and lets it go unless it is to be kept.

    Attributes:
        plan: the clip.
        setup: the run's.
        keep: folder for the clip.
        changes: type -> parameters that are to be others than the scene's.
        limits: type -> another limit than the scene's for what its rule measures; the truth is told anew. Of scenes
            that tell that measure.
    """

    plan: Plan
    setup: Setup
    keep: Path | None = None
    changes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)

    @property
    def number(self) -> int:
        return self.plan.number

    @property
    def name(self) -> str:
        return f"{self.plan.number:04d}-{self.plan.kind}-{self.plan.seed}.mp4"

    @property
    def seed(self) -> int:
        """Of the scene."""
        return self.plan.seed

    @property
    def model(self) -> str:
        """Name of the detector it runs with."""
        return self.setup.model

    @property
    def kept_as(self) -> str:
        """What it is, besides code, detector and setup."""
        changes = sorted((kind, dict(one)) for kind, one in self.changes.items())
        return f"{self.plan.kind} {self.plan.seed} {changes} {sorted(self.limits.items())}"

    def street(self) -> Scenario:
        """The scene."""
        size = SIZES[derived(self.plan.seed, "size") % len(SIZES)]
        return scenario(self.plan.seed, self.plan.kind, size=size)

    def placed(self, folder: Path) -> tuple[Clip, Path]:
        """The clip and where its pictures lie: rendered into `folder`."""
        street = self.street()
        clip = _changed(clip_of_scenario(self.number, street, self.name), self.changes)
        for measure in street.measures:
            if measure.type in self.limits:
                clip = _limited(clip, measure, self.limits[measure.type])
        return clip, write_clip(street, folder / self.name, fps=FPS)

    def run(self) -> Outcome:
        """The outcome, with the clip's entry for the suite that is kept."""
        with TemporaryDirectory(prefix="cityvision-street-") as folder:
            clip, path = self.placed(self.keep or Path(folder))
            return replace(evaluate_clip(clip, path, self.setup), entry=clip)


def _limited(clip: Clip, measure: TruthMeasure, limit: float) -> Clip:
    """The clip with that limit in the measure's zone, and with what is then to be reported of it."""
    if measure.type == "crowding":
        # Whatever the ground's calibration says of density: the limit is a number of people here.
        values: dict[str, object] = {"max_people": round(limit), "max_density": 12.0}
    else:
        values = {"min_share": limit}
    others = tuple(one for one in clip.truth if one.type != measure.type)
    above, hold = measure.longest_above(limit), getattr(clip.camera.algorithms[measure.type], "hold")  # noqa: B009
    if above is not None and above[1] - above[0] >= hold:
        others += (TruthEvent(type=measure.type, zone=measure.zone, start=above[0], end=above[1]),)
    return _changed(clip.model_copy(update={"truth": others}), {measure.type: values})


def _changed(clip: Clip, changes: Mapping[str, Mapping[str, object]]) -> Clip:
    algorithms = {
        name: parameters.model_copy(update=dict(changes.get(name, {})))
        for name, parameters in clip.camera.algorithms.items()
    }
    return clip.model_copy(update={"camera": clip.camera.model_copy(update={"algorithms": algorithms})})
