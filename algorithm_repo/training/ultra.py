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

import torch

from algorithm_repo.training.alone import alone
from algorithm_repo.training.checkpoints import Checkpoint, under, write_arrays
from algorithm_repo.training.provenance import say_start
from algorithm_repo.training.ultra_setup import prepare


def _check_device(name: str) -> None:
    """Ends the process, naming the setting, where the machine has no such device."""
    if name == "cuda" and not torch.cuda.is_available():
        sys.exit("device: cuda is not on this machine; write cpu, or run the worker where there is one")


def main(folder: Path) -> None:
    """Trains what is left of the job in `folder`, and exports."""
    # Jobs of detectors that were laid down before there were others do not say so.
    job = {"task": "detect"} | json.loads((folder / "job.json").read_text())
    _check_device(job["device"])
    say_start(folder, job)
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
    _folder = Path(sys.argv[1])
    with alone(_folder):
        main(_folder)
