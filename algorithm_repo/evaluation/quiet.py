"""An ordinary street with nothing to report, for many hours: whatever is raised is false.

The algorithms run as they ship: their own T, their own look rate.

Pictures go through gate, detector, tracker, senses and rules without being encoded; the day is cut into blocks of an
hour, each of another street at another time of day, so that they can run beside each other.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from algorithm_repo.evaluation.job import Setup, illustrated, tools
from algorithm_repo.evaluation.outcome import Outcome, asked_for, judge, scored
from algorithm_repo.evaluation.pictures import OpeningPictures
from algorithm_repo.evaluation.simulated import HEALTH, clip_of_scenario, derived
from algorithm_repo.evaluation.suite import Clip
from contracts.algorithms import ALGORITHMS
from contracts.errors import CityVisionError
from contracts.vision import Frame
from pipeline.blindness import Blindness
from pipeline.replay import Progress, replay_frames
from simulator.street import as_frame, frames, scenario

KIND = "ordinary"
SIZE = (640, 360)
BLOCK_S = 3600.0


@dataclass(frozen=True, slots=True)
class QuietJob:
    """`seconds` of one street."""

    number: int
    seed: int
    seconds: float
    setup: Setup

    @property
    def name(self) -> str:
        return f"quiet-{self.number:04d}-{self.seed}"

    @property
    def model(self) -> str:
        """Name of the detector it runs with."""
        return self.setup.model

    @property
    def kept_as(self) -> str:
        """What it is, besides code, detector and setup."""
        return f"{self.seed} {self.seconds:g}"

    def run(self) -> Outcome:
        """Every event is a false alarm: the street has no truth."""
        begun = time.monotonic()
        street = scenario(self.seed, KIND, size=SIZE, duration=self.seconds)
        clip = as_shipped(clip_of_scenario(self.number, street, self.name))
        pictures, blindness, progress = OpeningPictures(), Blindness(), Progress(0.0, 0)

        def on_progress(now: Progress) -> None:
            nonlocal progress
            progress = now

        every = min(parameters.look_every for parameters in clip.camera.algorithms.values())
        try:
            detector, sensing = tools(self.setup.model, self.setup.mirror)
            events = list(
                replay_frames(
                    frames(street, every),
                    clip.camera,
                    detector,
                    sensing,
                    pictures,
                    gate=self.setup.gate,
                    blindness=blindness,
                    on_progress=on_progress,
                )
            )
        except CityVisionError as error:
            return Outcome(self.number, self.name, failed=str(error))
        watched = min(progress.time + every, self.seconds)
        findings = judge(clip, asked_for(clip, events), watched)

        def frame(at: float) -> Frame:
            return as_frame(street.picture(at).bgr, at)

        return Outcome(
            self.number,
            self.name,
            seconds=round(watched, 3),
            looks=progress.looks,
            wall_s=time.monotonic() - begun,
            scores=scored(clip, findings, watched, blindness.until(watched)),
            findings=illustrated(findings, clip.camera, pictures, detector, frame),
            model=detector.name,
        )


def as_shipped(clip: Clip) -> Clip:
    """The clip with every algorithm's own T and look rate, not the short ones of clips; the camera's health too."""
    algorithms = {kind: type(parameters)(zones=parameters.zones) for kind, parameters in clip.camera.algorithms.items()}
    algorithms.setdefault(HEALTH, ALGORITHMS[HEALTH]())
    return clip.model_copy(update={"camera": clip.camera.model_copy(update={"algorithms": algorithms})})


def blocks(seed: int, hours: float, setup: Setup) -> list[QuietJob]:
    """`hours` of ordinary streets, an hour (the last one maybe less) each."""
    whole, rest = divmod(hours * 3600, BLOCK_S)
    lengths = [BLOCK_S] * int(whole) + ([rest] if rest > 1 else [])
    return [QuietJob(number, derived(seed, "quiet", number), length, setup) for number, length in enumerate(lengths, 1)]
