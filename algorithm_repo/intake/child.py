"""The process in which an upload is looked at: `python -m algorithm_repo.intake.child JOB PARENT`.

It bounds itself before it touches the file, answers one line of JSON on standard output, and ends.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path

from algorithm_repo.intake.job import Job, Stage
from algorithm_repo.intake.reasons import Code, Reason, Refusal
from algorithm_repo.intake.types import Answer, Limits, StaticFigures, TrialFigures
from store.offspring import die_with_parent

_FILES = 64
# Nothing is written but what libraries print.
_WRITTEN_BYTES = 1 << 20


def bound(limits: Limits) -> None:
    """Limits this process for good: memory, CPU time, files; no core dump."""
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, _WRITTEN_BYTES),
        (resource.RLIMIT_NOFILE, _FILES),
    ):
        resource.setrlimit(kind, (most, most))
    # A second more before the kill that cannot be told from anybody else's.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s + 1))


def answer(job: Job) -> Answer:
    """What the stage says of the upload."""
    try:
        return Answer(figures=_figures(job))
    except Refusal as refusal:
        return Answer(reasons=refusal.reasons)
    except MemoryError:
        what = f"it takes more than the {job.limits.memory_bytes >> 20} MiB that it may"
        return Answer(reasons=(Reason(code=Code.OUT_OF_MEMORY, field=job.stage, what=what, fix="use a smaller model"),))


def _figures(job: Job) -> StaticFigures | TrialFigures:
    if job.stage is Stage.CHECK:
        from algorithm_repo.intake.check import check

        return check(job.model.read_bytes(), job.card, job.limits)
    from algorithm_repo.intake.trial import try_model

    return try_model(job.model, job.sha256, job.card, job.limits)


def main() -> int:
    """Does the job whose file is the first argument; the second is the process id of whoever asked."""
    die_with_parent(int(sys.argv[2]), signal.SIGKILL)()
    job = Job.model_validate_json(Path(sys.argv[1]).read_bytes())
    bound(job.limits)
    # What libraries print must not get into the answer.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    out.write(answer(job).model_dump_json().encode() + b"\n")
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
