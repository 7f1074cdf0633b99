"""What a child process is asked to do."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from algorithm_repo.intake.card import Card
from algorithm_repo.intake.types import Limits


class Stage(StrEnum):
    """Looked at without running, or run."""

    CHECK = "check"
    TRIAL = "trial"


class Job(BaseModel):
    """One stage over one upload.

    Attributes:
        stage: which.
        model: the ONNX file, a copy that nobody else writes.
        sha256: of it.
        card: as it was read.
        limits: of the process and of what is looked for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Stage
    model: Path
    sha256: str
    card: Card
    limits: Limits
