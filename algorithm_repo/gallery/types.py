"""What a trial asks and answers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.rollout import ServedModel

Box = tuple[float, float, float, float]
"""x1 y1 x2 y2, normalised to the picture, 0..1."""

ON_A_PICTURE = frozenset({"illegal_parking", "crowding", "waterlogging"})
"""Event types of which a single picture shows something: the others compare pictures."""
LONGEST_CLIP_S = 180.0


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Lent(Frozen):
    """A network of production that no release holds; `entry` is how it is read, as the zoo writes it (JSON)."""

    role: str
    name: str
    sha256: str
    entry: str


class Trial(Frozen):
    """What is to be tried.

    Attributes:
        serving: production's networks, in place of what the installation names; one a role at most.
        algorithm: the event type.
        kind: what comes with it.
        polygon: the zone, normalised; the whole picture unless given.
        after_s: T of the trial, s; clips are short, and T as it ships is minutes.
        people: limit of the zone, of crowding.
    """

    algorithm: str = Field(max_length=64)
    kind: Literal["picture", "clip"]
    polygon: tuple[tuple[float, float], ...] = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    after_s: float = Field(10.0, ge=2, le=120)
    people: int = Field(10, ge=1, le=10_000)
    serving: tuple[ServedModel, ...] = ()


class SeenObject(Frozen):
    """Something in a picture; `score` 0..1."""

    what: str
    score: float
    box: Box
    in_zone: bool


class RaisedEvent(Frozen):
    """An event of a clip; times in seconds of the clip.

    Attributes:
        confidence: that it is real, 0..1; None where nothing was calibrated.
        reason: language → sentence.
        picture: which of the answer's pictures shows its opening; None: only the first ones are kept.
    """

    type: str
    started: float
    opened: float
    ended: float | None
    confidence: float | None
    reason: dict[str, str]
    picture: int | None


class TrialAnswer(Frozen):
    """What came of it.

    Attributes:
        networks: names of those that looked.
        seconds: of the clip that were watched; 0 for a picture.
        looks: how often it was looked at.
        seen: in a picture, best score first.
        water_share: share of the zone under water, 0..1, of a picture tried for waterlogging.
        events: of a clip, in their order.
        pictures: JPEG sizes in bytes, in the order in which they follow the answer.
    """

    algorithm: str
    kind: Literal["picture", "clip"]
    networks: tuple[str, ...]
    seconds: float = 0.0
    looks: int = 0
    seen: tuple[SeenObject, ...] = ()
    water_share: float | None = None
    events: tuple[RaisedEvent, ...] = ()
    pictures: tuple[int, ...] = ()
