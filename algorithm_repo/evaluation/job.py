"""One clip through the real chain, in a process of its own core: replay, judge, keep pictures of what went wrong."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2

from algorithm_repo.evaluation.outcome import Finding, Outcome, Raised, asked_for, judge, scored
from algorithm_repo.evaluation.pictures import Marked, OpeningPictures, drawn, frame_at, marks_of, reduced
from algorithm_repo.evaluation.rendered import STREET, render
from algorithm_repo.evaluation.suite import Clip
from algorithm_repo.evaluation.suite_clip import ZOO
from contracts.errors import CityVisionError, SourceError
from contracts.pool import Camera
from contracts.vision import Frame
from models.detector import Detector, load_detector, version_name
from models.zoo import Zoo, file_sha256
from pipeline.blindness import Blindness
from pipeline.replay import Progress, replay
from pipeline.senses.engine import Sensing


@dataclass(frozen=True, slots=True)
class Setup:
    """What every job of a run shares.

    Attributes:
        model: the detector of clips that name none.
        mirror: folder with `models/` and `footage/`, asked before the internet.
        gate: let the gate skip looks at pictures that do not change, as live.
        drawn: the detector of rendered clips that name none; empty: `model`.
    """

    model: str
    mirror: Path | None = None
    gate: bool = True
    drawn: str = ""


@dataclass(frozen=True, slots=True)
class FileJob:
    """A clip of a suite in `folder`."""

    clip: Clip
    folder: Path
    setup: Setup

    @property
    def number(self) -> int:
        return self.clip.number

    @property
    def name(self) -> str:
        return self.clip.file

    @property
    def model(self) -> str:
        """Name of the detector it runs with."""
        drawn = self.setup.drawn if self.clip.file.startswith(STREET) else ""
        return self.clip.model or self.clip.camera.model or drawn or self.setup.model

    @property
    def kept_as(self) -> str:
        """What it is, besides code, detector and setup: the clip's entry, and the bytes of its file."""
        entry = self.clip.model_dump_json(exclude={"number"})
        if self.clip.file.startswith(STREET):
            return entry
        try:
            return f"{entry} {file_sha256(resolved(self.folder, self.clip.file, self.setup.mirror))}"
        except CityVisionError:
            return entry  # it fails, and what failed is not kept

    def placed(self, folder: Path) -> tuple[Clip, Path]:
        """The clip and where its pictures lie; one that is rendered is written into `folder`.

        Raises:
            SourceError, ModelError: there is no such file.
        """
        if self.clip.file.startswith(STREET):
            return self.clip, render(self.clip.file, folder)
        return self.clip, resolved(self.folder, self.clip.file, self.setup.mirror)

    def run(self) -> Outcome:
        """Replays the clip. A clip that cannot be read is a failed outcome, never an error."""
        with TemporaryDirectory(prefix="cityvision-street-") as folder:
            try:
                clip, path = self.placed(Path(folder))
            except CityVisionError as error:
                return Outcome(self.clip.number, self.clip.file, failed=str(error))
            return evaluate_clip(clip, path, replace(self.setup, model=self.model))


def one_core() -> None:
    """Makes a process of a pool use one core, as a worker does."""
    os.environ["OMP_NUM_THREADS"] = "1"
    cv2.setNumThreads(1)


@lru_cache(maxsize=16)
def version_of(model: str, mirror: Path | None) -> str:
    """The detector of that name as provenance records it: another name with other weights.

    Raises:
        ModelError: the zoo has none of that name.
    """
    return version_name(model, Zoo(mirror=mirror).artefact(model))


def resolved(folder: Path, file: str, mirror: Path | None) -> Path:
    """Where a clip lies: below the suite's folder, or in the zoo.

    Raises:
        SourceError: there is no such file.
        ModelError: the zoo does not have it, or not these bytes.
    """
    if file.startswith(ZOO):
        return Zoo(mirror=mirror).fetch(file.removeprefix(ZOO))[0]
    path = folder / file
    if not path.is_file():
        raise SourceError(f"{file} is not in the suite's folder", "put it there, or correct file:")
    return path


@lru_cache(maxsize=4)
def tools(model: str, mirror: Path | None) -> tuple[Detector, Sensing]:
    """The detector and the senses of this process, loaded once."""
    zoo = Zoo(mirror=mirror)
    return load_detector(model, zoo), Sensing(zoo)


def evaluate_clip(clip: Clip, path: Path, setup: Setup) -> Outcome:
    """Replays a file as `clip` and judges what was raised."""
    begun = time.monotonic()
    pictures, blindness = OpeningPictures(), Blindness()
    progress = Progress(0.0, 0)

    def on_progress(now: Progress) -> None:
        nonlocal progress
        progress = now

    failed, model, events = "", "", []
    try:
        detector, sensing = tools(clip.model or clip.camera.model or setup.model, setup.mirror)
        model = detector.name
        events = list(
            replay(
                path,
                clip.camera,
                detector,
                sensing,
                lambda _: pictures,
                gate=setup.gate,
                blindness=blindness,
                on_progress=on_progress,
            )
        )
    except CityVisionError as error:
        failed = str(error)
    if not failed and progress.looks == 0:
        failed = f"{clip.file}: no picture could be decoded"
    outcome = Outcome(
        clip.number, clip.file, round(progress.time, 3), progress.looks, time.monotonic() - begun, model=model
    )
    if failed:
        return replace(outcome, failed=failed)
    findings = judge(clip, asked_for(clip, events), progress.time)
    shown = illustrated(findings, clip.camera, pictures, detector, lambda at: frame_at(path, at))
    scores = scored(clip, findings, progress.time, blindness.until(progress.time))
    return replace(outcome, scores=scores, findings=shown)


def illustrated(
    findings: Sequence[Finding],
    camera: Camera,
    pictures: OpeningPictures,
    detector: Detector,
    frame: Callable[[float], Frame | None],
) -> tuple[Finding, ...]:
    """The findings, with a picture at each miss (the middle of its truth) and false alarm (its opening).

    Args:
        findings: of one clip.
        camera: what it was taken for.
        pictures: kept during the replay.
        detector: shows at a miss what it sees there.
        frame: the clip's picture at a moment of stream time.
    """
    return tuple(_illustrated(finding, camera, pictures, detector, frame) for finding in findings)


def _illustrated(
    finding: Finding,
    camera: Camera,
    pictures: OpeningPictures,
    detector: Detector,
    frame: Callable[[float], Frame | None],
) -> Finding:
    if finding.verdict == "false_alarm" and finding.raised is not None:
        kept = pictures.by_event.get(finding.raised.id)
        if kept is not None:
            return replace(finding, picture=drawn(kept, camera, finding.zone, _subject(finding.raised)))
    if finding.verdict == "missed" and finding.truth is not None:
        middle = frame(sum(finding.truth) / 2)
        if middle is not None:
            score = camera.algorithms[finding.type].min_score
            marks = marks_of(detector.detect_frames([middle], score)[0])
            return replace(finding, picture=drawn(reduced(middle), camera, finding.zone, marks))
    return finding


def _subject(raised: Raised) -> tuple[Marked, ...]:
    return () if raised.box is None else (Marked(raised.box, raised.type, subject=True),)
