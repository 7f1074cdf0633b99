"""The embedded Triton server: a real `tritonserver` on this machine, started, watched and ended with us.

It has the shape the supervisor asks of a child (`start`, `stop`, `alive`, `ready`).
"""

from __future__ import annotations

import ctypes
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
from models.triton_install import TritonInstallation

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
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
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, ready_within_s: float = 60.0) -> None:
        """Starts it and waits until it serves its models.

        Raises:
            PortTaken: somebody else listens on one of its ports.
            ServiceError: it ended, or was not ready in time; the last lines of its log say why.
        """
        self.launch()
        with TritonControl(self.url) as control:
            end = time.monotonic() + ready_within_s
            while not control.ready():
                if not self.alive():
                    raise ServiceError(f"Triton ended at its start: {self._last_lines()}", f"see {self._log}")
                if time.monotonic() > end:
                    self.stop()
                    raise ServiceError(f"Triton was not ready within {ready_within_s:g} s", f"see {self._log}")
                time.sleep(0.05)

    def launch(self) -> None:
        """Starts it without waiting.

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
                preexec_fn=_end_with_parent(os.getpid()),  # noqa: PLW1509 between fork and exec it makes two calls
            )

    def alive(self) -> bool:
        """The process runs."""
        return self._process is not None and self._process.poll() is None

    def ready(self) -> bool:
        """It serves its models."""
        if not self.alive():
            return False
        with TritonControl(self.url) as control:
            return control.ready()

    def stop(self, within_s: float = 5.0) -> None:
        """Asks it to end, kills it and its backend processes after `within_s`; stopped already is fine."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            process.wait(within_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

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
            "--exit-timeout-secs=3",
            "--log-format=ISO8601",
        ]

    def _environment(self) -> dict[str, str]:
        libraries = ":".join(str(folder) for folder in self._installation.libraries)
        inherited = os.environ.get("LD_LIBRARY_PATH")
        # The backend's embedded Python runs isolated: it ignores PYTHONPATH, but looks for its environment by PATH.
        return os.environ | {
            "LD_LIBRARY_PATH": f"{libraries}:{inherited}" if inherited else libraries,
            "PATH": f"{self._installation.scripts}:{os.environ.get('PATH', os.defpath)}",
            "OPENVINO_TELEMETRY": "0",
        }

    def _last_lines(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-3:]
        return " | ".join(line.strip() for line in lines)


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise PortTaken(f"port {port}, wanted by Triton, is taken", "stop what listens there") from error


def _end_with_parent(parent: int) -> Callable[[], None]:
    """For the child, between fork and exec: it is told to end when we die. TERM, so that it ends its backends too."""
    prctl = _LIBC.prctl

    def arm() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return arm
