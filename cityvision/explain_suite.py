"""`cityvision explain --suite`: a clip of a suite replayed, what was judged of it, and where to look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from cityvision.settings import load_settings
from contracts.trace import TraceLine

if TYPE_CHECKING:
    from algorithm_repo.evaluation.job import FileJob
    from algorithm_repo.evaluation.simulated import StreetJob

_WINDOW_S = 120.0


class OfSuite(NamedTuple):
    """What is to be explained: the camera, its trace, the moment and how long a stretch around it, s."""

    camera: str
    lines: list[TraceLine]
    at: float
    window: float


def of_suite(
    suite: str,
    clip: str,
    event_type: str,
    zone: str | None,
    model: str | None,
    at: float | None,
    window: float | None,
    *,
    quiet: bool,
) -> OfSuite:
    """Replays a clip and tells, unless `quiet`, what became of the true and raised events that are asked about.

    Args:
        suite: folder with suite.yaml, or `simulated`.
        clip: its file or number.
        event_type, zone: what is asked about; zone None: any.
        model: the detector; None: as the evaluation chooses it.
        at: stream time, s; None: the first miss, else the first false alarm, else what was found, else all.
        window: s; None: the whole event, or 120 s around `at`.
        quiet: tell nothing.

    Raises:
        ConfigError: there is no such clip, or it does not run the type.
        SuiteFaults: the suite cannot be used.
        SourceError, ModelError, RunnerError: the clip cannot be replayed.
    """
    from algorithm_repo.evaluation.explained import asked_about, in_question, told_of, trace
    from cityvision.commands.explain import check

    job = _job(suite, clip, model)
    found = trace(job)
    check(found.clip.camera, event_type, zone)
    mine = in_question(found, event_type, zone)
    if not quiet:
        click.echo(f"{found.clip.file}: {found.seconds:.1f} s; {event_type}:")
        for finding in mine:
            click.echo(f"  {told_of(finding)}")
        if not mine:
            click.echo("  nothing is true there, and nothing was raised")
        click.echo("")
    about = asked_about(mine[0] if mine else None, found.seconds)
    moment = about.at if at is None else at
    return OfSuite(found.clip.camera.id, found.lines, moment, window or (about.window if at is None else _WINDOW_S))


def _job(suite: str, clip: str, model: str | None) -> FileJob | StreetJob:
    from algorithm_repo.evaluation.explained import SIMULATED, drawn_job, job_of
    from algorithm_repo.evaluation.job import Setup
    from algorithm_repo.evaluation.simulated import street_model
    from algorithm_repo.evaluation.suite import read_suite

    settings = load_settings(model=model)
    drawn = model or street_model()
    if suite == SIMULATED:
        return drawn_job(clip, Setup(drawn, settings.mirror))
    return job_of(read_suite(Path(suite)), clip, Setup(settings.model, settings.mirror, drawn=drawn))
