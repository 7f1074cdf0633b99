"""The tracker beside trackers from PyPI: CPU time and accuracy, all measured in the same run.

Speed: CPU time of the update calls alone, on made-up scenes at 25 looks/s (objects of a walker's shape in straight
motion, noise on the boxes, one in fifty missed): 200 objects in one camera (`speedup_200`), and 100 cameras of 10
objects, each with a tracker of its own for the peers (`speedup_fleet`). The least of several repetitions counts, for
everyone. A speedup is over the fastest peer.

Accuracy: HOTA and IDF1 by TrackEval over all MOT15 and MOT17 sequences of the mirror, given their public detections,
as filmed and thinned to 5, 2 and 1 looks/s. A delta is over the best peer at that rate, taken for HOTA and IDF1 apart.
Peers run with their defaults and are told the look rate. `*_held_out*` counts only the sequences on which no setting
of ours was chosen, `*_fixed*` only those whose camera stands still.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence as Listing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import mot
from bench.mot import Judge, Scores, Sequence
from bench.trackpeers import IN_PROCESS, track_apart, track_in_process
from contracts.errors import ConfigError
from contracts.vision import Detections
from pipeline.track import FleetTracker, TrackerInput

Array = NDArray[np.float64]
Figures = dict[str, float]

APART = "supervision_bytetrack"
RATES: dict[str, float | None] = {"": None, "_5": 5.0, "_2": 2.0, "_1": 1.0}
_GROUPS = {"": None, "_held_out": mot.HELD_OUT, "_fixed": mot.FIXED}
_REPEATS = 3
_LOOKS = 120
_WIDTH, _HEIGHT = 1920, 1080


def run() -> tuple[Figures, Figures]:
    """Measures everything. Raises ConfigError where the ground truth is not at hand."""
    figures, peers = _speed()
    for one, other in _accuracy():
        figures |= one
        peers |= other
    return figures, peers


def truth_folder() -> Path:
    """`truth/mot` of the media mirror."""
    root = Path(os.environ.get("CITYVISION_MIRROR", Path(__file__).resolve().parent.parent.parent / "shared"))
    folder = root / "truth" / "mot"
    if not folder.is_dir():
        raise ConfigError("no MOT ground truth at hand", "set CITYVISION_MIRROR to a folder that holds truth/mot")
    return folder


def track_with_ours(tasks: Listing[Sequence]) -> tuple[dict[str, Array], float]:
    """One tracker steps all tasks at once: answers [R, 6] of each, and CPU s of all steps."""
    tracker = FleetTracker()
    given = [_inputs(task) for task in tasks]
    answers: dict[str, list[Array]] = {task.name: [np.zeros((0, 6))] for task in tasks}
    seconds = 0.0
    for number in range(max(len(task.looks) for task in tasks)):
        present = [(task, inputs[number]) for task, inputs in zip(tasks, given, strict=True) if number < len(inputs)]
        looks = [look for _, look in present]
        began = time.process_time()
        got = tracker.step(looks)
        seconds += time.process_time() - began
        for (task, _), tracks in zip(present, got, strict=True):
            pixels = tracks.boxes * np.array([task.width, task.height] * 2)
            rows = np.column_stack([np.full(len(tracks), number + 1), tracks.ids, pixels])
            answers[task.name].append(rows.reshape(-1, 6))
    return {name: np.concatenate(rows) for name, rows in answers.items()}, seconds


def _inputs(task: Sequence) -> list[TrackerInput]:
    scale = np.array([task.width, task.height] * 2)
    return [
        TrackerInput(
            task.name,
            number / task.rate,
            Detections(
                (look[:, :4] / scale).astype(np.float32), look[:, 4].astype(np.float32), np.zeros(len(look), np.int64)
            ),
            aspect=task.width / task.height,
        )
        for number, look in enumerate(task.looks)
    ]


def _scene(name: str, objects: int, seed: int) -> Sequence:
    """Walkers that cross a square."""
    rng = np.random.default_rng(seed)
    height = rng.uniform(60, 160, objects)
    start = rng.uniform([0, 100], [_WIDTH, _HEIGHT - 100], (objects, 2))
    speed = rng.normal(0, 0.7, (objects, 2)) * height[:, None]
    looks = []
    for number in range(_LOOKS):
        centre = (start + speed * number / 25) % [_WIDTH, _HEIGHT] + rng.normal(0, 0.01, (objects, 2)) * height[:, None]
        half = np.column_stack([0.2 * height, 0.5 * height]) * rng.normal(1, 0.02, (objects, 2))
        rows = np.column_stack([centre - half, centre + half, np.full(objects, 0.9)])
        looks.append(rows[rng.random(objects) > 0.02])
    return Sequence(name, 25.0, _WIDTH, _HEIGHT, tuple(looks), np.zeros((0, 9)))


def _speed() -> tuple[Figures, Figures]:
    """CPU time for one look of every camera, us, and how much faster than the fastest peer that is."""
    figures: Figures = {}
    peers: Figures = {}
    scenes = {
        "200": [_scene("one", 200, 0)],
        "fleet": [_scene(f"camera{index}", 10, index) for index in range(100)],
    }
    for key, scene in scenes.items():
        per_look = 1e6 / _LOOKS
        best = dict.fromkeys(("ours", *IN_PROCESS), np.inf)
        for _ in range(_REPEATS):
            best["ours"] = min(best["ours"], track_with_ours(scene)[1])
            for kind in IN_PROCESS:
                best[kind] = min(best[kind], sum(track_in_process(kind, task)[1] for task in scene))
        apart = track_apart({task.name: task for task in scene})
        if apart is not None:
            best[APART] = sum(seconds for _, seconds in apart.values())
        ours = best.pop("ours")
        figures[f"us_{key}"] = ours * per_look
        figures[f"speedup_{key}"] = min(best.values()) / ours
        peers |= {f"{kind}_us_{key}": seconds * per_look for kind, seconds in best.items()}
    return figures, peers


def _accuracy() -> list[tuple[Figures, Figures]]:
    """Scores and deltas at each look rate."""
    folder = truth_folder()
    results = []
    for suffix, rate in RATES.items():
        tasks = [mot.read(folder, name, rate) for name in (*mot.MOT17, *mot.MOT15)]
        answers = {"ours": track_with_ours(tasks)[0]}
        for kind in IN_PROCESS:
            answers[kind] = {task.name: track_in_process(kind, task)[0] for task in tasks}
        apart = track_apart({task.name: task for task in tasks})
        if apart is not None:
            answers[APART] = {name: rows for name, (rows, _) in apart.items()}
        for group, names in _GROUPS.items():
            chosen = [task for task in tasks if names is None or task.name in names]
            results.append(_compare(chosen, answers, f"{group}{suffix}"))
    return results


def _compare(tasks: Listing[Sequence], answers: dict[str, dict[str, Array]], suffix: str) -> tuple[Figures, Figures]:
    judge = Judge(tasks)
    scores: dict[str, Scores] = {kind: judge.score(answer) for kind, answer in answers.items()}
    ours = scores.pop("ours")
    figures = {
        f"hota{suffix}": ours.hota,
        f"idf1{suffix}": ours.idf1,
        f"hota_delta{suffix}": ours.hota - max(one.hota for one in scores.values()),
        f"idf1_delta{suffix}": ours.idf1 - max(one.idf1 for one in scores.values()),
    }
    peers = {f"{kind}_hota{suffix}": one.hota for kind, one in scores.items()}
    return figures, peers | {f"{kind}_idf1{suffix}": one.idf1 for kind, one in scores.items()}
