"""What the loop shows while it runs: a line a step, and a bar for each training, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from algorithm_repo.training.headjob import Point

_LINES = 4  # of a training where nobody watches a terminal


class Shown:
    """Keeps what it showed, for the last page. `seconds` since it began."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self._began = time.monotonic()
        self._console = Console(stderr=True)

    @property
    def seconds(self) -> float:
        return round(time.monotonic() - self._began, 1)

    def say(self, text: str) -> None:
        """One step that was done."""
        self.steps.append(text)
        self._write(text)

    @contextmanager
    def training(self, name: str, steps: int) -> Iterator[Callable[[Point], None]]:
        """A bar while a training lasts; it is given each point of the curve."""
        if not self._console.is_terminal:
            yield self._lines(name)
            return
        columns = (TextColumn(name), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[loss]}"))
        # No thread that draws: the supervisor forks from this process.
        with Progress(
            *columns, TimeRemainingColumn(), console=self._console, transient=True, auto_refresh=False
        ) as bar:
            task = bar.add_task(name, total=steps, loss="")

            def told(point: Point) -> None:
                bar.update(task, completed=point.step, loss=f"loss {point.loss:.3f}", refresh=True)

            yield told

    def _lines(self, name: str) -> Callable[[Point], None]:
        told_of = 0

        def told(point: Point) -> None:
            nonlocal told_of
            quarter = point.step * _LINES // point.of
            if quarter > told_of:
                told_of = quarter
                self._write(f"{name}: step {point.step} of {point.of}, loss {point.loss:.3f}")

        return told

    def _write(self, text: str) -> None:
        sys.stderr.write(f"{self.seconds:7.0f} s  {text}\n")
        sys.stderr.flush()
