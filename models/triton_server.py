"""The embedded Triton server: a real `tritonserver` on this machine, started, watched and ended with us.

It has the shape the supervisor asks of a child (`start`, `stop`, `alive`, `ready`).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from contracts.errors import PortTaken, ServiceError
from models.triton_control import TritonControl
from models.triton_install import TritonInstallation, ensure_installed
from models.triton_repository import Serving, publish
from models.zoo import Zoo
from store.offspring import die_with_parent

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class TritonPorts:
    """Where it listens, on 127.0.0.1 alone."""

    grpc: int
    metrics: int

    @staticmethod
    def free() -> TritonPorts:
        """Two ports nothing listens on now."""
        with socket.socket() as first, socket.socket() as second:
            first.bind((_HOST, 0))
            second.bind((_HOST, 0))
            return TritonPorts(int(first.getsockname()[1]), int(second.getsockname()[1]))


class TritonServer:
    """One server process on one model repository, in explicit model control.

    Start it from a thread that lives as long as the server should: the kernel ends the server with that thread.

    Args:
        installation: see `models.triton_install.ensure_installed`.
        repository: folder written by `models.triton_repository.publish`.
        log: file its output is appended to.
        models: Triton names that are loaded at the start.
        ports: by default free ones, chosen here and kept over restarts.
    """

    def __init__(
        self,
        installation: TritonInstallation,
        repository: Path,
        *,
        log: Path,
        models: Sequence[str] = (),
        ports: TritonPorts | None = None,
    ) -> None:
        self._installation = installation
        self._repository = repository
        self._log = log
        self._models = tuple(models)
        self.ports = ports or TritonPorts.free()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """gRPC endpoint, "host:port"."""
        return f"{_HOST}:{self.ports.grpc}"

    @property
    def metrics_url(self) -> str:
        """Prometheus metrics."""
        return f"http://{_HOST}:{self.ports.metrics}/metrics"

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def __enter__(self) -> TritonServer:
        self.start()
        self.wait_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Starts it and returns at once; running already is fine.

        Raises:
            PortTaken: somebody else listens on one of its ports.
        """
        if self.alive():
            return
        for port in (self.ports.grpc, self.ports.metrics):
            _check_free(port)
        self._repository.mkdir(parents=True, exist_ok=True)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                start_new_session=True,
                preexec_fn=die_with_parent(os.getpid(), signal.SIGTERM),  # noqa: PLW1509 two calls, see there
            )

    def wait_ready(self, within_s: float = 60.0) -> None:
        """Waits until it serves its models; stops it when it does not.

        Raises:
            ServiceError: it ended, or was not ready in time; the last lines of its log say why.
        """
        with TritonControl(self.url) as control:
            end = time.monotonic() + within_s
            while not control.ready():
                ended = not self.alive()
                if ended or time.monotonic() > end:
                    self.stop()
                    what = "ended at its start" if ended else f"was not ready within {within_s:g} s"
                    raise ServiceError(f"Triton {what}: {self._last_lines()}", f"see {self._log}")
                time.sleep(0.05)

    def alive(self) -> bool:
        """The process runs. One found dead is cleared away with what it left behind."""
        if self._process is None:
            return False
        if os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return True
        self._clear()
        return False

    def ready(self) -> bool:
        """It serves its models."""
        if not self.alive():
            return False
        with TritonControl(self.url) as control:
            return control.ready()

    def stop(self, within_s: float = 3.0) -> None:
        """Asks it to end, kills it and its backend processes after `within_s`; stopped already is fine."""
        if not self.alive() or self._process is None:
            return
        self._process.terminate()
        end = time.monotonic() + within_s
        while self.alive() and time.monotonic() < end:
            time.sleep(0.02)
        self._clear()

    def _clear(self) -> None:
        """Kills what is left of its group, backends above all, before the group's number is free for others."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _command(self) -> list[str]:
        loads = [f"--load-model={name}" for name in self._models]
        return [
            str(self._installation.binary),
            f"--model-repository={self._repository.resolve()}",
            f"--backend-directory={self._installation.backends}",
            "--model-control-mode=explicit",
            *loads,
            "--allow-http=false",
            f"--grpc-address={_HOST}",
            f"--grpc-port={self.ports.grpc}",
            f"--metrics-address={_HOST}",
            f"--metrics-port={self.ports.metrics}",
            "--allow-gpu-metrics=false",
            "--exit-timeout-secs=2",
            "--log-format=ISO8601",
        ]

    def _environment(self) -> dict[str, str]:
        libraries = ":".join(str(folder) for folder in self._installation.libraries)
        inherited = os.environ.get("LD_LIBRARY_PATH")
        # The backend's embedded Python runs isolated: it ignores PYTHONPATH, but looks for its environment by PATH.
        return os.environ | {
            "LD_LIBRARY_PATH": f"{libraries}:{inherited}" if inherited else libraries,
            "PATH": f"{self._installation.scripts}:{os.environ.get('PATH', os.defpath)}",
        }

    def _last_lines(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-3:]
        return " | ".join(line.strip() for line in lines)


def embedded_server(
    names: Sequence[str],
    zoo: Zoo,
    *,
    venv: Path,
    repository: Path,
    log: Path,
    serving: Serving | None = None,
    ports: TritonPorts | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> TritonServer:
    """A server, not started yet, that will serve these models of the zoo: installed and published first where needed.

    Args:
        names: artefacts of the zoo, e.g. ["yolox_nano"].
        venv: the server's own environment, e.g. `.venv-triton`.
        repository: e.g. `triton_models`.
        log: file its output is appended to.
        serving: see `models.triton_repository.Serving`.
        ports: by default free ones.
        say: told in a line what takes time.

    Raises:
        ServiceError: the server cannot be installed.
        ModelMissing, HashMismatch, RunnerError: a model cannot be had or read.
    """
    installation = ensure_installed(venv, say=say)
    versions = [publish(name, zoo, repository, serving) for name in names]
    return TritonServer(installation, repository, log=log, models=versions, ports=ports)


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise PortTaken(f"port {port}, wanted by Triton, is taken", "stop what listens there") from error
