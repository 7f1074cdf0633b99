"""Trackers from PyPI behind one face: a task in, an answer and its CPU time out."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.mot import Sequence

Array = NDArray[np.float64]

_ROOT = Path(__file__).resolve().parent.parent
_VENV = _ROOT / ".venv-peers"
_SUPERVISION = "supervision==0.25.1"  # the last ones with ByteTrack inside
IN_PROCESS = ("sort", "bytetrack", "ocsort")


def track_in_process(kind: str, task: Sequence) -> tuple[Array, float]:
    """`trackers` with its default settings and the task's look rate: answer [R, 6] and CPU s of all updates."""
    import supervision as sv
    import trackers

    kinds = {
        "sort": trackers.SORTTracker,
        "bytetrack": trackers.ByteTrackTracker,
        "ocsort": trackers.OCSORTTracker,
    }
    tracker = kinds[kind](frame_rate=task.rate)
    answers: list[Array] = []
    seconds = 0.0
    for number, look in enumerate(task.looks, start=1):
        given = sv.Detections(
            xyxy=look[:, :4].astype(np.float32),
            confidence=look[:, 4].astype(np.float32),
            class_id=np.zeros(len(look), np.int64),
        )
        began = time.process_time()
        got: Any = tracker.update(given)
        seconds += time.process_time() - began
        known = got.tracker_id >= 0
        rows = np.column_stack([np.full(len(got), number), got.tracker_id, got.xyxy]).reshape(-1, 6)
        answers.append(rows[known].astype(np.float64))
    return np.concatenate(answers), seconds


def track_apart(tasks: Mapping[str, Sequence]) -> dict[str, tuple[Array, float]] | None:
    """supervision's ByteTrack on every task, in an environment of its own; None where that cannot be had."""
    python = _peer_python()
    if python is None:
        return None
    with TemporaryDirectory() as folder:
        given, taken = Path(folder) / "tasks.npz", Path(folder) / "answers.npz"
        arrays: dict[str, Any] = {}
        for name, task in tasks.items():
            numbers = np.repeat(np.arange(1, len(task.looks) + 1), [len(look) for look in task.looks])
            arrays[f"{name}/rows"] = np.column_stack([numbers, np.concatenate(task.looks)])
            arrays[f"{name}/looks"] = len(task.looks)
            arrays[f"{name}/rate"] = task.rate
        np.savez(given, **arrays)
        subprocess.run([python, _ROOT / "bench/peers/track_peer.py", given, taken], check=True)
        with np.load(taken) as got:
            return {name: (got[name], float(got[f"{name}/seconds"])) for name in tasks}


def _peer_python() -> Path | None:
    """Python of the peers' environment, made on first use."""
    python = _VENV / "bin/python"
    if python.is_file() and subprocess.run([python, "-c", "import supervision"], check=False).returncode == 0:
        return python
    steps: list[list[str | Path]] = [
        [sys.executable, "-m", "venv", _VENV],
        [python, "-m", "pip", "install", "--quiet", _SUPERVISION],
    ]
    for command in steps:
        if subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode != 0:
            return None
    return python
