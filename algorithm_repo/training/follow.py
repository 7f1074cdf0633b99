"""Telling MLflow of a training while it runs: in a process of its own, so that it neither waits nor fails with it.

    MLFLOW_TRACKING_URI=… python -m algorithm_repo.training.follow FOLDER EXPERIMENT EVERY_S [ARTEFACTS]

Tells at once that the run is RUNNING, then what the curve has gained, until its standard input is closed: by whoever
started it, or by that one's end. It stops between two tellings, never within one: a store of our own that is made at
the first would be left half made. What could not be told comes with the next telling, less and less often while the
server is away.
"""

from __future__ import annotations

import os
import select
import sys
import time
from pathlib import Path

from contracts.redact import redact

_NICE = 10  # below the training, whose cores these are
_MOST_S = 600.0


def follow(folder: Path, experiment: str, every_s: float, artefacts: str | None) -> None:
    """Returns when standard input is closed."""
    from algorithm_repo.training.track import track  # brings MLflow, which is long to load, below the training

    seen, pause = -1, every_s
    while True:
        size = _size(folder)
        if size != seen:
            try:
                track(folder, experiment, "RUNNING", artefacts)
            except Exception as error:  # noqa: BLE001 - whatever MLflow raises, the training goes on
                sys.stderr.write(f"{time.strftime('%H:%M:%S')} {redact(str(error))[:300]}\n")
                sys.stderr.flush()
                pause = min(2 * pause, _MOST_S)
            else:
                seen, pause = size, every_s
        if select.select([sys.stdin], [], [], pause)[0]:
            return


def _size(folder: Path) -> int:
    path = folder / "curve.jsonl"
    return path.stat().st_size if path.is_file() else 0


if __name__ == "__main__":
    os.nice(_NICE)
    _folder, _experiment, _every, *_artefacts = sys.argv[1:]
    follow(Path(_folder), _experiment, float(_every), _artefacts[0] if _artefacts else None)
