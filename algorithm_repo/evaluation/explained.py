"""One clip of a suite replayed with its trace, so that a miss or a false alarm can be understood."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from algorithm_repo.evaluation.job import FileJob, Setup, tools
from algorithm_repo.evaluation.outcome import Finding, asked_for, judge
from algorithm_repo.evaluation.simulated import Plan, StreetJob
from algorithm_repo.evaluation.suite import Clip, Suite
from contracts.errors import ConfigError
from contracts.trace import TraceLine
from pipeline.evidence import NoEvidence
from pipeline.replay import Progress, replay
from pipeline.trace import Tracer

SIMULATED = "simulated"
_DRAWN = re.compile(r"(\d+)-(\w+)-(\d+)\.mp4")
_ALL = 1_000_000
_AROUND_S = 10.0  # told of before and after an event


@dataclass(frozen=True, slots=True)
class Traced:
    """A replayed clip.

    Attributes:
        clip: of the suite.
        seconds: stream time replayed, s.
        lines: its whole trace.
        findings: every true and every raised event.
    """

    clip: Clip
    seconds: float
    lines: list[TraceLine]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A stretch of stream time to be explained: its middle and its length, s."""

    at: float
    window: float


def job_of(suite: Suite, wanted: str, setup: Setup) -> FileJob:
    """The clip of a suite by its file or its number.

    Raises:
        ConfigError: there is none, or several are of that file.
    """
    found = [clip for clip in suite.clips if wanted in (clip.file, Path(clip.file).name, str(clip.number))]
    if not found:
        known = ", ".join(clip.file for clip in suite.clips[:20])
        raise ConfigError(f"the suite has no clip {wanted!r}", f"it has {known}")
    if len(found) > 1:
        numbers = ", ".join(str(clip.number) for clip in found)
        raise ConfigError(f"several clips are {wanted!r}", f"write --clip with one of their numbers: {numbers}")
    return FileJob(found[0], suite.folder, setup)


def drawn_job(name: str, setup: Setup) -> StreetJob:
    """A clip of a simulated suite by its name, which says what is in it. Raises ConfigError: it is no such name."""
    parts = _DRAWN.fullmatch(name)
    if parts is None:
        raise ConfigError(f"{name!r} is no clip of a simulated suite", "write its name, e.g. 0001-parking_kerb-7.mp4")
    return StreetJob(Plan(int(parts[1]), int(parts[3]), parts[2]), setup)


def trace(job: FileJob | StreetJob, gate: bool = True) -> Traced:
    """Replays a clip as its evaluation does, and keeps the trace.

    Raises:
        SourceError, ModelError, RunnerError: it cannot be replayed.
    """
    with TemporaryDirectory(prefix="cityvision-explain-") as folder:
        clip, path = job.placed(Path(folder))
        detector, sensing = tools(job.model, job.setup.mirror)
        tracer, progress = Tracer(kept=_ALL), Progress(0.0, 0)

        def on_progress(now: Progress) -> None:
            nonlocal progress
            progress = now

        events = list(
            replay(
                path,
                clip.camera,
                detector,
                sensing,
                lambda _ring: NoEvidence(),
                gate=gate,
                tracer=tracer,
                on_progress=on_progress,
            )
        )
    return Traced(clip, progress.time, tracer.take(), judge(clip, asked_for(clip, events), progress.time))


def in_question(found: Traced, event_type: str, zone: str | None) -> list[Finding]:
    """Misses first, then false alarms, then what was found: of a type, and a zone where one is named."""
    order = {"missed": 0, "false_alarm": 1, "found": 2}
    mine = [one for one in found.findings if one.type == event_type and zone in (None, one.zone)]
    return sorted(mine, key=lambda one: order[one.verdict])


def asked_about(finding: Finding | None, seconds: float) -> Asked:
    """The stretch in which an event was, or was said to be; the whole clip where there is none."""
    if finding is None:
        return Asked(seconds / 2, max(seconds, 1.0) + _AROUND_S)
    if finding.truth is not None:
        start, end = finding.truth
    else:
        assert finding.raised is not None
        start, end = finding.raised.started, finding.raised.opened
    return Asked((start + end) / 2, end - start + 2 * _AROUND_S)


def command_for(finding: Finding, suite: str, files: Sequence[str], model: str | None = None) -> str | None:
    """What to type to understand a finding; None where its clip cannot be had again.

    Args:
        finding: a miss or a false alarm.
        suite: as the run was told it.
        files: of all its clips: one that stands there twice is named by its number.
        model: the detector that the run was told to use.
    """
    if finding.file not in files or (suite == SIMULATED and _DRAWN.fullmatch(finding.file) is None):
        return None
    clip = finding.file if files.count(finding.file) == 1 else str(finding.clip)
    about = asked_about(finding, 0.0)
    words = ["cityvision", "explain", "--suite", suite, "--clip", clip, "--type", finding.type]
    words += ["--zone", finding.zone] if finding.zone else []
    words += ["--model", model] if model else []
    return shlex.join([*words, "--at", f"{about.at:.1f}", "--window", f"{about.window:.0f}s"])


def told_of(finding: Finding) -> str:
    """One finding as a line for people."""
    truth = "" if finding.truth is None else f"true from {finding.truth[0]:.1f} s to {finding.truth[1]:.1f} s"
    raised = "" if finding.raised is None else f"opened at {finding.raised.opened:.1f} s"
    said = ", ".join(filter(None, (truth, raised)))
    return f"{finding.verdict.replace('_', ' '):<12} {finding.zone or 'whole picture':<14} {said}"
