"""What every process does at its start and end."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from cityvision.logs import set_up
from cityvision.settings import Settings, load_settings
from contracts.errors import CityVisionError

log = logging.getLogger(__name__)


def ready_file(data: Path, name: str) -> Path:
    """Where the process `name` says that it is ready: the file then holds its process id."""
    return data / "run" / f"{name}.ready"


def worker_name(number: int) -> str:
    """The id of worker `number` (1, 2, …): of its process, its records and its assignment."""
    return f"worker-{number}"


@dataclass(frozen=True, slots=True)
class Process:
    """Handed to the body of a process.

    Attributes:
        stop: set by SIGTERM or SIGINT; the body then returns within two seconds.
    """

    name: str
    settings: Settings
    stop: threading.Event
    pid: int

    def ready(self) -> None:
        """To be called once everything is up; those who depend on this process start then."""
        path = ready_file(self.settings.data, self.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(self.pid))
        log.info("ready")


def run(name: str, body: Callable[[Process], None]) -> None:
    """Runs `body` as the process `name`, and ends this process.

    Exit status 0 after a stop request, 2 with one line on stderr after a `CityVisionError`; anything else is a
    traceback, in the log file too.
    """

    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    try:
        settings = load_settings()
        set_up(name, settings.data / "logs", settings.log_level, terminal=sys.stderr.isatty())
        log.info("starting")
        body(Process(name, settings, stop, os.getpid()))
        log.info("ended")
    except CityVisionError as error:
        log.error("%s", error)
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except Exception:
        log.exception("failed")
        raise
