"""What a training was done with: the code and the machine, as text that can be compared. Only the standard library."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

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
