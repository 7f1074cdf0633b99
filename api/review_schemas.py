"""The bodies of the doors of review: verdicts, what was missed, rates. Times are s since 1970 UTC."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from api.schemas import Body, EvidenceOut
from contracts.records import Provenance, Subject
from events.review import Kind, Point, Rate, Verdict, Why

Key = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$", description="names this verdict: sent again under it, it counts once")
]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class VerdictBody(Body):
    """What somebody says of an event; a false alarm says why."""

    kind: Literal[Kind.REAL, Kind.FALSE_ALARM]
    reason: Why | None = None
    note: str = Field("", max_length=500)
    key: Key

    @model_validator(mode="after")
    def _why(self) -> Self:
        if (self.reason is not None) != (self.kind is Kind.FALSE_ALARM):
            raise ValueError("reason: a false alarm has one, what is real has none")
        return self


class MissedBody(Body):
    """What somebody saw and no event told."""

    type: str = Field(min_length=1, max_length=64)
    camera: str = Field(min_length=1, max_length=200)
    zone: str = Field("", max_length=200)
    moment_utc: float = Field(ge=0, le=1e11)
    polygon: tuple[tuple[Share, Share], ...] = Field(
        min_length=3, max_length=64, description="drawn around it, normalised"
    )
    event: str | None = Field(None, pattern=r"^[0-9a-f]{32}$", description="whose picture it was drawn on")
    sha256: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{64}$",
        description="which of its pictures; without an event the one that the reporter was shown of the camera, as "
        "`X-Picture-Sha256` of its snapshot names it",
    )
    note: str = Field("", max_length=500)
    key: Key

    @model_validator(mode="after")
    def _which(self) -> Self:
        if self.event is not None and self.sha256 is None:
            raise ValueError("sha256: an event's picture is named by event and sha256 together")
        return self


class VerdictOut(Body):
    """What was said of an event, or that one was missed."""

    id: int
    kind: Kind
    reason: Why | None
    note: str
    who: str
    utc: float

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        return cls.model_validate(verdict.model_dump(include=set(cls.model_fields)))


class LabelCandidate(Body):
    """A verdict with what the algorithm had seen: what can become a label. Pictures are at their own doors."""

    id: int
    kind: Kind
    event: str | None
    type: str
    camera: str
    zone: str
    moment_utc: float
    reason: Why | None
    note: str
    utc: float
    subject: Subject | None
    numbers: dict[str, float]
    confidence: float | None
    provenance: Provenance | None
    polygon: tuple[Point, ...]
    evidence: tuple[EvidenceOut, ...] = Field(description="of the event, or what the missed one was drawn on")


class LabelCandidates(Body):
    candidates: list[LabelCandidate]
    next_after: int | None


class RateOut(Rate):
    """With the camera's name, and how long the rule watched."""

    camera_name: str
    watched_days: float = Field(ge=0, description="of the window, less what was not watched")
    false_alarms_a_day: float | None = Field(description="judged false, per watched day; null: nothing was judged")


class Rates(Body):
    since: float
    until: float
    rows: list[RateOut]
