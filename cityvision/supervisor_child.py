"""One supervised child: a process of ours in its own group, or an embedded service with its own start and stop.

A process is never orphaned: the kernel kills it when the supervisor dies (`PR_SET_PDEATHSIG`), and when it ends,
what is left of its process group is killed before the group's number can be given to anybody else.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from store.offspring import die_with_parent

_LOG_BYTES = 10_000_000  # a larger log is put aside at the next start


class Managed(Protocol):
    """What the supervisor asks of a child. An embedded service (Postgres, Valkey) has this shape by itself."""

    def start(self) -> object:
        """Starts it. Raises ServiceError where it cannot start."""
        ...

    def stop(self) -> object:
        """Ends it and everything it started, within its own time limit; stopped already is fine."""
        ...

    def alive(self) -> bool:
        """Whether it still runs."""
        ...


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How a child that ended is started again. Never given up: at `attempts_alarm` in a row it is reported.

    Attributes:
        initial_s: wait before the first restart, s.
        factor: each further wait is this much longer.
        longest_s: and never longer than this.
        jitter: each wait is drawn from ±this share, so that children do not restart in step.
        stable_s: ready for this long: the count of failures begins anew.
        attempts_alarm: failures in a row that make a crash loop.
    """

    initial_s: float = 0.2
    factor: float = 2.0
    longest_s: float = 30.0
    jitter: float = 0.25
    stable_s: float = 10.0
    attempts_alarm: int = 5

    def wait(self, failures: int, draw: float) -> float:
        """Seconds before the next start after `failures` ≥ 1 failures in a row; `draw` is uniform in 0..1."""
        base = min(self.longest_s, self.initial_s * self.factor ** min(failures - 1, 64))
        return base * (1 + self.jitter * (2 * draw - 1))


def _always_ready(_child: Managed) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """What to run and when.

    Attributes:
        name: shown to people, and the log file's name.
        factory: makes the child; called once, when those it depends on are ready.
        ready: given the child, asked until it says yes; it must answer within a fraction of a second. What it
            raises at the first start ends the start.
        depends_on: names of children that must be ready before the first start.
        ready_timeout_s: not ready after this long: killed and started again.
        policy: how it is restarted.
    """

    name: str
    factory: Callable[[], Managed]
    ready: Callable[[Managed], bool] = _always_ready
    depends_on: tuple[str, ...] = ()
    ready_timeout_s: float = 30.0
    policy: RestartPolicy = field(default_factory=RestartPolicy)


class ProcessChild:
    """A command in its own session, its output appended to a log file.

    Args:
        argv: the command.
        environment: added to ours.
        log: file its stdout and stderr are appended to.
        stop_signal: asks it to end.
        stop_timeout_s: and after this long it is killed.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        stop_timeout_s: float = 2.0,
    ) -> None:
        self.argv = list(argv)
        self._environment = dict(environment or {})
        self._log = log
        self._stop_signal = stop_signal
        self._stop_timeout = stop_timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._kill_at: float | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._kill_at = None
        if self._log.exists() and self._log.stat().st_size > _LOG_BYTES:
            self._log.replace(self._log.with_name(self._log.name + ".old"))
        with self._log.open("ab") as out:
            self._log_start = out.seek(0, os.SEEK_END)
            self._process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=os.environ | self._environment,
                start_new_session=True,  # a terminal's Ctrl-C reaches the supervisor alone, which stops in order
                preexec_fn=die_with_parent(os.getpid(), signal.SIGKILL),  # noqa: PLW1509 one thread forks, see there
            )

    def alive(self) -> bool:
        if self._process is None or self._process.returncode is not None:
            return False
        if os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return True
        self._reap()
        return False

    def ask_to_stop(self) -> None:
        """Sends the stop signal and returns at once; its time limit counts from here."""
        if self._kill_at is None and self.alive() and self._process is not None:
            self._kill_at = time.monotonic() + self._stop_timeout
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, self._stop_signal)

    def stop(self) -> None:
        self.ask_to_stop()
        while self.alive() and time.monotonic() < (self._kill_at or 0.0):
            time.sleep(0.01)
        if self.alive():
            self._reap()

    @property
    def returncode(self) -> int | None:
        """Exit status, negative for a signal; None while it runs or before its first start."""
        return None if self._process is None else self._process.returncode

    def ending(self) -> str:
        """How it ended, in words; empty while it runs or before its first start."""
        code = self.returncode
        if code is None:
            return ""
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"

    def last_lines(self, count: int = 3) -> list[str]:
        """The newest lines it wrote since its last start, for a report of why it ended."""
        if not self._log.exists():
            return []
        with self._log.open("rb") as file:
            file.seek(max(self._log_start, self._log.stat().st_size - 8192))
            return list(deque(file.read().decode(errors="replace").splitlines(), maxlen=count))

    def _reap(self) -> None:
        """Kills what is left of the group, then takes the exit status (in this order, see the module)."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
