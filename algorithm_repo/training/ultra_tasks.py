"""What is done with a network of ultralytics by the task of the version. Import it after `ultra_setup.prepare`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from algorithm_repo.training import (
    classify_export,
    classify_trainer,
    detect_export,
    detect_trainer,
    segment_export,
    segment_trainer,
)


@dataclass(frozen=True, slots=True)
class UltraTask:
    """One task.

    Attributes:
        stem: of the files that are its result.
        trainer: of folder and `job.json`.
        export: writes what runs, given the same.
    """

    stem: str
    trainer: Callable[[Path, dict[str, Any]], Any]
    export: Callable[[Path, dict[str, Any]], None]


TASKS: Mapping[str, UltraTask] = {
    "detect": UltraTask("detector", detect_trainer.Trainer, detect_export.export),
    "classify": UltraTask("classifier", classify_trainer.Trainer, classify_export.export),
    "segment": UltraTask("segmenter", segment_trainer.Trainer, segment_export.export),
}
