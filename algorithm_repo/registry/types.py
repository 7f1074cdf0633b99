"""What the registry keeps. A version never changes; where it is in its life is what its ledger says."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from algorithm_repo.datasets.types import Name, Sha256
from contracts.records import Contract

Version = Annotated[str, Field(pattern=r"^(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})$")]
"""Semantic version (semver.org, 2.0.0) without pre-release and build."""

Value = str | float | bool | None
"""Of a parameter of a rule, as JSON has it."""


class Stage(StrEnum):
    """Where a version is in its life."""

    DRAFT = "draft"
    TRAINED = "trained"
    EVALUATED = "evaluated"
    REGISTERED = "registered"
    SHADOW = "shadow"  # runs beside, records, raises nothing
    CANARY = "canary"  # raises on a few cameras
    PRODUCTION = "production"
    RETIRED = "retired"


class Move(StrEnum):
    """What is done with a version."""

    ENTER = "enter"
    TRAIN = "train"
    RECEIVE = "receive"  # from a third party, checked
    TUNE = "tune"  # other parameters, no other network
    SHIP = "ship"  # came with the release
    EVALUATE = "evaluate"
    REGISTER = "register"
    SHADOW = "shadow"
    CANARY = "canary"
    PROMOTE = "promote"
    REPLACE = "replace"  # another version takes its place
    ABORT = "abort"  # a guardrail broke, or a person stopped it
    ROLL_BACK = "roll_back"  # out of production
    RESTORE = "restore"  # back into production, in place of one rolled back
    REFUSE = "refuse"
    RETIRE = "retire"


class Office(StrEnum):
    """In whose name something is done."""

    ENGINEER = "engineer"
    PROMOTER = "promoter"  # a person with the right, and not the one who made the version
    SYSTEM = "system"  # a job's end, the gate, a guardrail


class ModelRef(Contract):
    """One network of a version.

    Attributes:
        role: what the algorithm uses it for: detector, water, litter …
        name: of the artefact.
        sha256: of its file.
        dataset: digest of the version it was trained on; None where others trained it.
        run: id of the training; None where others trained it.
    """

    role: Name
    name: Name
    sha256: Sha256
    dataset: Sha256 | None = None
    run: str | None = Field(None, max_length=64)


class Needs(Contract):
    """What the algorithm asks of a camera.

    Attributes:
        look_every_s: stream time between looks, s.
        zone_kinds: it watches zones of these kinds.
        calibration: it needs the ground's scale.
    """

    look_every_s: float = Field(gt=0, le=3600, allow_inf_nan=False)
    zone_kinds: tuple[str, ...]
    calibration: bool = False


class NewVersion(Contract):
    """A version as it is entered: models, rule and parameters together.

    Attributes:
        algorithm: event type whose rule it is, e.g. `waterlogging`.
        rule_version: of the rule's code.
        parameters: of the rule, as in the pool; what is left out has the default.
        licence: SPDX expression of the whole.
    """

    algorithm: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    version: Version
    models: Annotated[tuple[ModelRef, ...], Field(max_length=16)]
    rule_version: str = Field(max_length=40)
    parameters: dict[str, Value] = Field(default_factory=dict)
    needs: Needs
    licence: str = Field(min_length=1, max_length=200)
    note: str = Field("", max_length=2000)


class AlgorithmVersion(NewVersion):
    """As it stands. `author` entered it; `moves` is how many lines its ledger has."""

    id: int
    author: str
    created_utc: float
    stage: Stage
    moves: int


class Grounds(Contract):
    """What a move is founded on; which of it a move needs is in the table.

    Attributes:
        content: SHA-256 of the version as it was entered; lines of older releases have none.
        run: id of the training.
        report: SHA-256 of the intake report of a third party's model.
        evaluation: SHA-256 of the evaluation.
        passed: what the gate said of it.
        card: SHA-256 of the model card.
        cameras: those it is rolled out to; empty: every camera that has the algorithm.
        comparison: SHA-256 of the comparison with the version in production.
        other: id of the version that takes its place, or whose place it takes.
        why: in words.
    """

    content: Sha256 | None = None
    run: str | None = Field(None, max_length=64)
    report: Sha256 | None = None
    evaluation: Sha256 | None = None
    passed: bool | None = None
    card: Sha256 | None = None
    cameras: tuple[str, ...] | None = None
    comparison: Sha256 | None = None
    other: int | None = None
    why: str | None = Field(None, min_length=1, max_length=2000)


class LedgerLine(Contract):
    """One line of the ledger. `number` counts all lines without a gap; `hash` binds it to the one before."""

    number: int
    version_id: int
    move: Move
    source: Stage | None
    target: Stage
    who: str
    office: Office
    utc: float
    grounds: Grounds
    hash: Sha256
