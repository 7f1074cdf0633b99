"""What the doors of the roll-out take and give."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from algorithm_repo.registry.types import AlgorithmVersion, Version
from algorithm_repo.rollout.types import LaneKind

Value = bool | float | Annotated[str, Field(max_length=64)] | None
Why = Annotated[str, Field(min_length=1, max_length=2000, description="in words, for the ledger")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RollOutCameras(_Body):
    """Whole cameras that have the algorithm."""

    cameras: Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=500)]


class EnteredVersion(_Body):
    """A version to be entered: with one new network, or with other parameters.

    Attributes:
        training: number of the one that made its network.
        parameters: of its rule, by name; durations as in the pool; null: as the release has it.
        licence: SPDX expression of the network's weights; AGPL-3.0-or-later unless given.
    """

    algorithm: str = Field(max_length=64)
    version: Version
    training: int | None = Field(None, ge=1, le=2**62)
    parameters: dict[Annotated[str, Field(max_length=64)], Value] | None = Field(None, min_length=1, max_length=64)
    licence: str | None = Field(None, min_length=1, max_length=180)
    note: str = Field("", max_length=2000)

    @model_validator(mode="after")
    def _one_change(self) -> Self:
        if (self.training is None) == (self.parameters is None):
            raise ValueError("a version has one new network or other parameters; name `training` or `parameters`")
        if self.training is None and self.licence is not None:
            raise ValueError("licence: only what a training made is given one; leave it out")
        return self


class StopReason(_Body):
    why: Why


class Promotion(_Body):
    """What a promotion is founded on beside its comparison."""

    too_soon: Why | None = Field(None, description="why it goes although its canary has not shown enough")


class TakeBack(_Body):
    """Of which algorithm which version is taken out of production; refused where another one stands there by now."""

    algorithm: str = Field(max_length=64)
    version_id: int = Field(ge=1, le=2**62, description="of the version in production, as whoever asks saw it")
    why: Why


class RolledBack(BaseModel):
    """The version that was taken out, and the one that is in production again; null where it had replaced none."""

    taken: AlgorithmVersion
    restored: AlgorithmVersion | None


class LaneState(BaseModel):
    """A candidate on cameras.

    Attributes:
        number: of the ledger line by which it began.
        camera_days: watched so far.
        candidate, production: events opened by each; of a canary: by production in as long a time before.
        both: seen by both; null for a canary, which has its cameras alone.
    """

    number: int
    version_id: int
    algorithm: str
    version: str
    kind: LaneKind
    cameras: tuple[str, ...]
    began_utc: float
    camera_days: float
    candidate: int
    production: int
    both: int | None
