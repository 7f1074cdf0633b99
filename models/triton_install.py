"""The embedded Triton server's own environment: made once, on first use, and again when its lock file changes."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import ServiceError

LOCK_FILE = Path(__file__).resolve().parent.parent / "requirements" / "triton.txt"
_WAY_OUT = "run without TRITON=1, or give the address of a Triton server (CITYVISION_TRITON_URL)"
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True, slots=True)
class TritonInstallation:
    """Where the server's parts lie.

    Attributes:
        binary: the tritonserver executable.
        backends: backend directory that holds the Python backend with the stub of our Python version.
        libraries: folders for LD_LIBRARY_PATH.
        scripts: the environment's `bin`; first in PATH, it makes the embedded Python find the environment.
    """

    binary: Path
    backends: Path
    libraries: tuple[Path, ...]
    scripts: Path


def ensure_installed(
    venv: Path, *, lock_file: Path = LOCK_FILE, say: Callable[[str], None] = lambda _: None
) -> TritonInstallation:
    """The installation in `venv`, made first where it is not there or not of this lock file.

    Safe to call from several processes at once: one installs, the others wait.

    Args:
        venv: folder of the environment, e.g. `.venv-triton`.
        lock_file: pinned requirements.
        say: told in a line what takes time.

    Raises:
        ServiceError: the packages cannot be installed (no network, no such wheel for this machine), or there is no
            lock file because this is not a checkout.
    """
    if not lock_file.is_file():
        raise ServiceError(f"no {lock_file.name}: the embedded Triton comes with a checkout", _WAY_OUT)
    venv = venv.resolve()
    stamp = venv / "cityvision-stamp"
    wanted = hashlib.sha256(lock_file.read_bytes() + sys.version.encode()).hexdigest()
    venv.parent.mkdir(parents=True, exist_ok=True)
    with _alone(venv.parent):
        if not stamp.is_file() or stamp.read_text() != wanted:
            say(f"installing the Triton server into {venv.name} (400 MB, once)")
            _install(venv, lock_file)
            stamp.write_text(wanted)
    return _installation(venv)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Holds the folder itself locked: no lock file is left lying about, and the environment may be deleted inside."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _install(venv: Path, lock_file: Path) -> None:
    shutil.rmtree(venv, ignore_errors=True)
    # Our own pip fills it: an environment without pip is made in a tenth of the time.
    pip = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python"), "--disable-pip-version-check"]
    for command in (
        [sys.executable, "-m", "venv", "--without-pip", str(venv)],
        [*pip, "install", "--quiet", "--no-deps", "-r", str(lock_file)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
            raise ServiceError(
                f"the Triton server cannot be installed: {lines[-1] if lines else 'pip failed'}",
                _WAY_OUT,
            )
    _place_backend(venv)


def _place_backend(venv: Path) -> None:
    """The Python backend and the stub for our Python, side by side, as Triton wants them."""
    server = _packages(venv) / "pytriton" / "tritonserver"
    target = venv / "backends" / "python"
    shutil.copytree(server / "backends" / "python", target)
    stub = server / "python_backend_stubs" / _PYTHON / "triton_python_backend_stub"
    if not stub.is_file():
        raise ServiceError(f"the Triton server's Python backend does not know Python {_PYTHON}", "use Python 3.11")
    shutil.copy2(stub, target / stub.name)
    (target / stub.name).chmod(0o755)


def _packages(venv: Path) -> Path:
    return venv / "lib" / f"python{_PYTHON}" / "site-packages"


def _installation(venv: Path) -> TritonInstallation:
    packages = _packages(venv)
    return TritonInstallation(
        binary=packages / "pytriton" / "tritonserver" / "bin" / "tritonserver",
        backends=venv / "backends",
        # First our own libpython: the stub would pick the system's, which may be another build.
        libraries=(Path(sysconfig.get_config_var("LIBDIR")), packages / "nvidia_pytriton.libs"),
        scripts=venv / "bin",
    )
