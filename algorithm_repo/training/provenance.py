"""What a training was done with: the code and the machine, as text that can be compared. Only the standard library."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from algorithm_repo.training.whole import whole_lines

_HERE = Path(__file__).parent
_PACKAGES = ("torch", "torchvision", "ultralytics", "numpy", "opencv-python-headless", "onnx", "openvino", "nncf")


def code_version() -> str:
    """SHA-256 over this folder's sources, by name: the same code gives the same, from a checkout or an installation."""
    digest = hashlib.sha256()
    for path in sorted(_HERE.glob("*.py")):
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def environment(packages: Sequence[str] = _PACKAGES) -> dict[str, str]:
    """Versions of Python, the machine's kind and those of `packages` that are installed."""
    found = {"python": platform.python_version(), "machine": platform.machine(), "cores": str(os.cpu_count())}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@dataclass(frozen=True, slots=True)
class Start:
    """What a training was last started with.

    Attributes:
        code: see `code_version`.
        environment: see `environment`.
        starts: how often it was started so far.
    """

    code: str
    environment: Mapping[str, str]
    starts: int


def say_start(folder: Path, job: Mapping[str, Any]) -> None:
    """Adds a line to a folder's `starts.jsonl`: which code and machine went on from where, with which settings.

    Args:
        job: `job.json`.
    """
    line = {"after": len(whole_lines(folder / "curve.jsonl")), "code": code_version(), "environment": environment()}
    path = folder / "starts.jsonl"
    before = path.read_text() if path.is_file() else ""
    torn = "" if before.endswith("\n") or not before else "\n"
    with path.open("a") as starts:
        starts.write(torn + json.dumps(line | {"job": job}, sort_keys=True) + "\n")


def last_start(folder: Path) -> Start | None:
    """The newest of a folder's `starts.jsonl`; None: it was not started, or not by a release that tells."""
    lines = [line for line in whole_lines(folder / "starts.jsonl") if line.endswith("}")]
    if not lines:
        return None
    last = json.loads(lines[-1])
    return Start(last["code"], last["environment"], len(lines))
