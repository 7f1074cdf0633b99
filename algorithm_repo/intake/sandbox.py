"""Starts the child process of a stage, waits for its one line, and says how it ended where that was no good end."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

import algorithm_repo
from algorithm_repo.intake.job import Job
from algorithm_repo.intake.reasons import Code, Refusal, refuse
from algorithm_repo.intake.types import Answer
from contracts.errors import RunnerError

_ROOT = Path(algorithm_repo.__file__).resolve().parent.parent
_ANSWER_BYTES = 64 << 10
_LAST_WORDS = 2000
_SMALLER = "use a smaller or faster model"
# Signals by which native code ends when it does what it must not.
_FAULTS = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)


def ask(job: Job, folder: Path) -> Answer:
    """One stage in a process of its own. Blocks for at most the job's time; the process is gone afterwards.

    The process has its own session, no environment but what it needs to start, no input, and dies with the calling
    thread.

    Args:
        folder: a private one, for what the process is told and what it prints.

    Raises:
        Refusal: it was killed, crashed, took too long or too much, or gave no answer that can be read.
        RunnerError: it cannot be started.
    """
    told, printed = folder / f"{job.stage}.json", folder / f"{job.stage}.log"
    told.write_text(job.model_dump_json(), encoding="utf-8")
    deadline = time.monotonic() + job.limits.wall_s
    command = [sys.executable, "-s", "-P", "-m", "algorithm_repo.intake.child", str(told), str(os.getpid())]
    with printed.open("wb") as log:
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                cwd=folder,
                env=_environment(folder),
                start_new_session=True,
            )
        except OSError as error:
            raise RunnerError(f"the process for a model on trial cannot be started: {error}") from error
    try:
        data = _hear(child, deadline, job)
        code = child.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise _late(job) from error
    finally:
        _end(child)
    if code != 0:
        raise _bad_end(job, code, _last_words(printed))
    try:
        return Answer.model_validate_json(data)
    except ValidationError as error:
        raise refuse(Code.NO_ANSWER, job.stage, "its process gave no answer that can be read") from error


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of the service's own, which may hold secrets; one thread, and no place but the folder."""
    return {
        "PYTHONPATH": str(_ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _hear(child: subprocess.Popen[bytes], deadline: float, job: Job) -> bytes:
    """All it says until it closes its end."""
    assert child.stdout is not None
    pipe = child.stdout.fileno()
    data = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            raise _late(job)
        chunk = os.read(pipe, _ANSWER_BYTES)
        if not chunk:
            return data
        data += chunk
        if len(data) > _ANSWER_BYTES:
            raise refuse(Code.NO_ANSWER, job.stage, f"its process said more than {_ANSWER_BYTES} bytes")


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kills whatever is left of its session, and waits for it."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    if child.stdout is not None:
        child.stdout.close()


def _last_words(printed: Path) -> str:
    return printed.read_bytes()[-_LAST_WORDS:].decode("utf-8", "replace")


def _late(job: Job) -> Refusal:
    what = f"it takes longer than the {job.limits.wall_s:g} s that it may"
    return refuse(Code.OUT_OF_TIME, job.stage, what, _SMALLER)


def _bad_end(job: Job, code: int, words: str) -> Refusal:
    """Why a process that ended by itself, but not well, did so."""
    if code == -signal.SIGXCPU:
        what = f"it takes more than the {job.limits.cpu_s} s of CPU time that it may"
        return refuse(Code.OUT_OF_CPU, job.stage, what, _SMALLER)
    if "bad_alloc" in words or "MemoryError" in words or "Cannot allocate memory" in words:
        what = f"it takes more than the {job.limits.memory_bytes >> 20} MiB that it may"
        return refuse(Code.OUT_OF_MEMORY, job.stage, what, _SMALLER)
    if -code in _FAULTS:
        what = f"its process crashed ({signal.Signals(-code).name})"
        return refuse(Code.CRASHED, job.stage, what, "export it again, with other versions")
    if code < 0:
        what = f"its process was killed ({signal.Signals(-code).name})"
        return refuse(Code.KILLED, job.stage, what, "try again; the machine may be short of memory")
    last = next((line for line in reversed(words.splitlines()) if line.strip()), "")
    return refuse(Code.CRASHED, job.stage, f"its process failed (exit status {code}): {last}", "export it again")
