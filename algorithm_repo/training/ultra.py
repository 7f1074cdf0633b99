"""A network of ultralytics, trained in a folder; the training may be killed at any time.

    python -m algorithm_repo.training.ultra FOLDER

FOLDER holds what `algorithm_repo.training.ultrajob` laid down: `job.json`, `data/`, perhaps `start.npz`. After each
epoch `checkpoint.npz` is replaced and a line is added to `curve.jsonl`; a run that was killed goes on after its last
whole epoch. On one machine's processor its curve and weights are to the last bit those of an unbroken one: order,
mosaics and variations of an epoch follow from seed and epoch alone, and the checkpoint holds weights, their moving
average and the optimizer's moments in full precision. ultralytics' own checkpoints (pickles, in half precision) are
neither written nor read. At the end there are the weights (`detector.npz`, `classifier.npz`) and what `ultra_export`
makes of them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from algorithm_repo.training.checkpoints import Checkpoint, under, write_arrays
from algorithm_repo.training.provenance import code_version, environment
from algorithm_repo.training.ultra_setup import prepare


def _say_start(folder: Path, job: dict[str, Any]) -> None:
    """A line for each start: which code and machine went on from where."""
    lines = (folder / "curve.jsonl").read_text().count("\n") if (folder / "curve.jsonl").is_file() else 0
    line = {"after": lines, "code": code_version(), "environment": environment(), "job": job}
    with (folder / "starts.jsonl").open("a") as starts:
        starts.write(json.dumps(line, sort_keys=True) + "\n")


def main(folder: Path) -> None:
    """Trains what is left of the job in `folder`, and exports."""
    # Jobs of detectors that were laid down before there were others do not say so.
    job = {"task": "detect"} | json.loads((folder / "job.json").read_text())
    _say_start(folder, job)
    prepare(folder / "ultralytics")
    from algorithm_repo.training.ultra_tasks import TASKS

    task = TASKS[job["task"]]
    checkpoint = Checkpoint(folder)
    kept = checkpoint.read()
    if kept is None or int(kept["epochs"]) < job["epochs"]:
        for cache in (folder / "data").rglob("*.cache"):
            cache.unlink()  # ultralytics pickles them; they are made again in a moment
        task.trainer(folder, job).train()
        kept = checkpoint.read()
    assert kept is not None
    write_arrays(folder / f"{task.stem}.npz", {name: value.numpy() for name, value in under(kept, "mean/").items()})
    task.export(folder, job)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
