"""MOT sequences as tracking tasks, at any look rate, and their scoring by TrackEval.

Ground truth and public detections of MOT15 and MOT17 (MOTChallenge, CC BY-NC-SA: for evaluation only). A look rate
below the sequence's keeps every k-th picture, of truth and detections alike.
"""

from __future__ import annotations

import configparser
import contextlib
import io
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_Part = tuple[dict[str, object], dict[str, object]]  # of HOTA, of Identity

MOT17 = ("MOT17-02-FRCNN", "MOT17-09-FRCNN", "MOT17-11-FRCNN")
MOT15 = (
    "ADL-Rundle-6",
    "ADL-Rundle-8",
    "ETH-Bahnhof",
    "ETH-Pedcross2",
    "ETH-Sunnyday",
    "KITTI-13",
    "KITTI-17",
    "PETS09-S2L1",
    "TUD-Campus",
    "TUD-Stadtmitte",
    "Venice-2",
)
# The tracker's settings were chosen on TUNED alone (docs/decisions/0003-tracker.md).
TUNED = (
    "ADL-Rundle-6",
    "ETH-Bahnhof",
    "ETH-Sunnyday",
    "KITTI-17",
    "PETS09-S2L1",
    "TUD-Stadtmitte",
    "MOT17-02-FRCNN",
)
# Filmed by a camera that stands still, as a city's do.
FIXED = (
    "MOT17-02-FRCNN",
    "MOT17-09-FRCNN",
    "ADL-Rundle-6",
    "KITTI-17",
    "PETS09-S2L1",
    "TUD-Campus",
    "TUD-Stadtmitte",
    "Venice-2",
)
HELD_OUT = tuple(name for name in (*MOT17, *MOT15) if name not in TUNED)


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """One task.

    Attributes:
        name: as MOTChallenge names it.
        rate: looks per s.
        width, height: of the picture, px.
        looks: detections of each look, float64 [N, 5]: x1 y1 x2 y2 in px, score.
        truth: float64 [M, 9], rows of the ground truth, frames counted 1.. in looks.
    """

    name: str
    rate: float
    width: int
    height: int
    looks: tuple[Array, ...]
    truth: Array


@dataclass(frozen=True, slots=True)
class Scores:
    """HOTA (mean over its thresholds) and IDF1, 0..1, over all sequences together."""

    hota: float
    idf1: float


def read(root: Path, name: str, rate: float | None = None) -> Sequence:
    """Reads one sequence from `truth/mot`, thinned to about `rate` looks per s (None: as filmed)."""
    folder = root / name if name in MOT17 else root / "MOT15" / name
    info = configparser.ConfigParser()
    info.read(folder / "seqinfo.ini")
    about = info["Sequence"]
    filmed = float(about["frameRate"])
    step = max(1, round(filmed / rate)) if rate else 1
    rows = np.loadtxt(folder / ("det.txt" if name in MOT17 else "det_frcnn_sort.txt"), delimiter=",", ndmin=2)
    truth = np.loadtxt(folder / "gt.txt", delimiter=",", ndmin=2)
    if name not in MOT17:
        truth = np.concatenate([truth[:, :7], np.ones((len(truth), 2))], axis=1)  # MOT15 has no classes
    truth = truth[(truth[:, 0] - 1) % step == 0]
    truth[:, 0] = (truth[:, 0] - 1) // step + 1
    looks = []
    for frame in range(1, int(about["seqLength"]) + 1, step):
        of_frame = rows[rows[:, 0] == frame]
        looks.append(np.column_stack([of_frame[:, 2:4], of_frame[:, 2:4] + of_frame[:, 4:6], of_frame[:, 6]]))
    return Sequence(name, filmed / step, int(about["imWidth"]), int(about["imHeight"]), tuple(looks), truth)


class Judge:
    """Scores trackers' answers on some sequences with TrackEval, MOT17's distractors handled as its rules say."""

    def __init__(self, sequences: Iterable[Sequence]) -> None:
        self._sequences = {one.name: one for one in sequences}

    def score(self, answers: Mapping[str, Array]) -> Scores:
        """Scores `answers`: for each sequence float64 [R, 6], rows of look (1..), id, x1, y1, x2, y2 in px."""
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            parts: dict[str, _Part] = {}
            for benchmark, names in (("MOT17", MOT17), ("MOT15", MOT15)):
                present = [name for name in names if name in self._sequences]
                if present:
                    parts |= self._score_benchmark(Path(folder) / benchmark, benchmark, present, answers)
            return _combine(parts)

    def _score_benchmark(
        self, folder: Path, benchmark: str, names: list[str], answers: Mapping[str, Array]
    ) -> dict[str, _Part]:
        from trackeval.datasets import MotChallenge2DBox
        from trackeval.metrics import HOTA, Identity

        for name in names:
            (folder / "gt" / name / "gt").mkdir(parents=True)
            (folder / "trackers" / "one" / "data").mkdir(parents=True, exist_ok=True)
            _write(folder / "gt" / name / "gt" / "gt.txt", self._sequences[name].truth)
            r = answers[name]
            fixed = np.tile([1.0, -1.0, -1.0, -1.0], (len(r), 1))
            _write(folder / "trackers/one/data" / f"{name}.txt", np.hstack([r[:, :4], r[:, 4:6] - r[:, 2:4], fixed]))
        data = MotChallenge2DBox(
            {
                "GT_FOLDER": str(folder / "gt"),
                "TRACKERS_FOLDER": str(folder / "trackers"),
                "TRACKERS_TO_EVAL": ["one"],
                "BENCHMARK": benchmark,
                "SKIP_SPLIT_FOL": True,
                "PRINT_CONFIG": False,
                "SEQ_INFO": {name: len(self._sequences[name].looks) for name in names},
            }
        )
        hota, identity = HOTA(), Identity({"PRINT_CONFIG": False})
        parts = {}
        for name in names:
            cleaned = data.get_preprocessed_seq_data(data.get_raw_seq_data("one", name), "pedestrian")
            parts[name] = (hota.eval_sequence(cleaned), identity.eval_sequence(cleaned))
        return parts


def _write(path: Path, rows: Array) -> None:
    np.savetxt(path, rows, delimiter=",", fmt=["%d", "%d", *["%.3f"] * 4, *["%d"] * (rows.shape[1] - 6)])


def _combine(parts: dict[str, _Part]) -> Scores:
    from trackeval.metrics import HOTA, Identity

    hota = HOTA().combine_sequences({name: one for name, (one, _) in parts.items()})
    identity = Identity({"PRINT_CONFIG": False}).combine_sequences({name: one for name, (_, one) in parts.items()})
    return Scores(float(np.mean(hota["HOTA"])), float(identity["IDF1"]))
