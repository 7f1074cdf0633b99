"""What the embedded services share: a free port, room on the disk, no orphans (and `store.lock`).

A service is started from the main thread: the kernel's parent-death signal is tied to the thread that forks, and
that is what stops the service when its supervisor is killed.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from contracts.errors import DiskFull, PortTaken, ServiceError

MIN_FREE_BYTES = 512 * 1024 * 1024
HOST = "127.0.0.1"


def require_space(folder: Path, min_free_bytes: int) -> None:
    """Raises DiskFull when the file system of `folder` has less than `min_free_bytes` left."""
    free = shutil.disk_usage(folder).free
    if free < min_free_bytes:
        raise DiskFull(
            f"{folder} has {free // 2**20} MiB left, less than the {min_free_bytes // 2**20} MiB kept in reserve",
            "free some space, or move the data folder to a larger disk",
        )


def require_port(port: int, setting: str) -> None:
    """Raises PortTaken when something listens on 127.0.0.1:`port`; `setting` names what to change."""
    with socket.socket() as probe:
        # As the services themselves do: connections of the last run in TIME_WAIT do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PortTaken(
                f"port {port} is taken ({error.strerror})",
                f"stop what listens there (`ss -ltnp 'sport = :{port}'`), or set {setting} to a free port",
            ) from error


def password_file(path: Path) -> str:
    """The secret kept in `path` (mode 0600), drawn at the first call."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(24))
        file.flush()
        os.fsync(file.fileno())
    return path.read_text().strip()


def with_parent(sig: Literal["INT", "TERM"]) -> list[str]:
    """Command prefix: the kernel sends `sig` to the program when the thread that started it ends.

    A prefix and not a `preexec_fn`, because running Python between fork and exec can deadlock beside threads.
    """
    program = shutil.which("setpriv")
    return [program, "--pdeathsig", sig] if program else []


def stop_process(process: subprocess.Popen[bytes], sig: signal.Signals, timeout: float) -> None:
    """Sends `sig`, waits `timeout` s, then kills; always reaps."""
    if process.poll() is None:
        process.send_signal(sig)
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_ready(
    process: subprocess.Popen[bytes], is_ready: Callable[[], bool], *, name: str, log: Path, timeout: float
) -> None:
    """Blocks until `is_ready()`.

    Raises:
        ServiceError: the process ended, or was not ready in `timeout` s; the message carries the log's last lines.
    """
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServiceError(f"{name} ended with status {process.returncode}: {_tail(log)}", f"see {log}")
        if is_ready():
            return
        time.sleep(0.02)
    raise ServiceError(f"{name} was not ready within {timeout:g} s: {_tail(log)}", f"see {log}")


def _tail(log: Path, lines: int = 4) -> str:
    try:
        return " | ".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "no log"
