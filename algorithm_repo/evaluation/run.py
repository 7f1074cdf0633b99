"""Many jobs, a core each: in processes of their own, with a progress bar, in the order of their numbers."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from algorithm_repo.evaluation.job import one_core
from algorithm_repo.evaluation.outcome import Outcome
from store.offspring import die_with_parent


class Job(Protocol):
    """Work for one core; it is pickled, so it holds plain values."""

    @property
    def number(self) -> int: ...

    @property
    def name(self) -> str: ...

    def run(self) -> Outcome: ...


J = TypeVar("J", bound=Job)


def default_jobs() -> int:
    """As many as this process may use cores."""
    return len(os.sched_getaffinity(0))


def run_jobs(
    jobs: Sequence[J],
    processes: int,
    *,
    quiet: bool = False,
    title: str = "clips",
    done: Callable[[J, Outcome], None] = lambda _job, _outcome: None,
) -> list[Outcome]:
    """Runs every job; the outcomes in the order of the jobs' numbers. `done` is told of each as soon as it is there.

    A process that dies (a decoder that crashes on a damaged clip) costs its own clip alone: what was not finished is
    run again one by one, and the clip that kills its process again has failed.
    """
    with _bar(len(jobs), title, quiet) as advance:

        def told(job: J, outcome: Outcome) -> None:
            done(job, outcome)
            advance()

        outcomes = _pooled(jobs, max(1, min(processes, len(jobs))), told)
        for job in jobs:
            if job.number not in outcomes:
                outcomes |= _pooled([job], 1, told)
            if job.number not in outcomes:
                outcomes[job.number] = Outcome(job.number, job.name, failed=f"{job.name}: its replay crashed")
                advance()
    return [outcomes[job.number] for job in sorted(jobs, key=lambda one: one.number)]


def _pooled(jobs: Sequence[J], processes: int, told: Callable[[J, Outcome], None]) -> dict[int, Outcome]:
    """What was finished before a process died, if one did; by number."""
    finished: dict[int, Outcome] = {}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_begin, initargs=(os.getpid(),)) as pool:
        futures: dict[Future[Outcome], J] = {pool.submit(_run, job): job for job in jobs}
        try:
            for future in as_completed(futures):
                job, outcome = futures[future], future.result()
                finished[job.number] = outcome
                told(job, outcome)
        except BrokenProcessPool:
            return finished
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return finished


def _begin(parent: int) -> None:
    """A process of the pool; it does not outlive who waits for it, however that dies."""
    die_with_parent(parent, signal.SIGKILL)()
    one_core()


def _run(job: Job) -> Outcome:
    return job.run()


@contextmanager
def _bar(total: int, title: str, quiet: bool) -> Iterator[Callable[[], None]]:
    """A bar on a terminal's stderr; nothing where nobody watches."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda: bar.advance(task)
