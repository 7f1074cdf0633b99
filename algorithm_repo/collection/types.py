"""What a project wants collected, and what was. Times are s since 1970 UTC."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from algorithm_repo.datasets.types import Share
from contracts.records import Contract
from events.weather import Weather

MOST_PICTURES = 240


class Reason(StrEnum):
    """Why a picture is taken."""

    RANDOM = "random"  # a moment drawn beforehand at which no event stood: what production misses is estimated from it
    HOURLY = "hourly"  # every hour of the day as often as any other
    WEATHER = "weather"  # rain, snow, fog … stands there, as somebody told
    UNCERTAIN = "uncertain"  # a detection's score lies near the operating point
    DISAGREEMENT = "disagreement"  # a candidate in shadow, or production, told of something that the other did not


def _known(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {value!r}; write e.g. Asia/Shanghai") from error
    return value


Why = Literal["", "no_moments", "none_judged", "nothing_there"]
"""What is missing for an estimate; "": nothing."""
Id = Annotated[str, Field(min_length=1, max_length=200)]


class CollectionPolicy(Contract):
    """What is collected for a project.

    Attributes:
        active: false: nothing is collected for now; what was collected keeps its days.
        cameras: these; empty beside no departments: all.
        departments: all cameras of these and of those below them, beside `cameras`.
        pictures: of each camera and day, at most.
        shares: of `pictures`, by reason; they add up to 1.
        near, within: a detection is uncertain whose score is at most `within` away from `near`.
        alike: a picture at least as alike (-1..1, `datasets.alike`) to one of the same camera is not taken again;
            random moments stand for time and are taken all the same.
        days: they are kept for so many days from the moment that they show.
        timezone: by which days and hours are counted.
        seed: of drawing the moments.
    """

    active: bool = True
    cameras: Annotated[tuple[Id, ...], Field(max_length=20_000)] = ()
    departments: Annotated[tuple[Id, ...], Field(max_length=1000)] = ()
    pictures: int = Field(12, ge=1, le=MOST_PICTURES)
    shares: dict[Reason, Share] = Field(
        default={Reason.RANDOM: 0.5, Reason.HOURLY: 0.25, Reason.UNCERTAIN: 0.25}, min_length=1
    )
    near: Share = 0.35
    within: float = Field(0.1, gt=0, le=0.5)
    alike: float = Field(0.98, ge=0.5, le=1)
    days: int = Field(90, ge=1, le=36_500)
    timezone: Annotated[str, AfterValidator(_known)] = "Asia/Shanghai"
    seed: int = Field(1, ge=0, le=2**31)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        told = sum(self.shares.values())
        if abs(told - 1) > 1e-6:
            raise ValueError(f"shares: they add up to {told:g}: make it 1")
        for field, values in (("cameras", self.cameras), ("departments", self.departments)):
            if len(set(values)) != len(values):
                raise ValueError(f"{field}: each once")
        return self


class Standing(Contract):
    """The policy of a project, and in whose name it stands.

    Attributes:
        department: with whose eyes cameras are chosen; None beside `everything`: all.
        set_by, set_utc: by whom, and when.
    """

    project: int
    policy: CollectionPolicy
    department: str | None
    everything: bool
    set_by: str
    set_utc: float


class Collected(Contract):
    """What was collected for a project, deleted pictures too.

    Attributes:
        hours: by hour of the day of the policy's time zone, 24 counts.
        weather: by what stood there, as far as anybody told of it.
        gone: of them were deleted when their days were over.
    """

    total: int
    reasons: dict[Reason, int]
    cameras: dict[str, int]
    hours: tuple[int, ...]
    weather: dict[Weather, int]
    gone: int


class Known(Contract):
    """What recall in production of one event type is estimated from (`collection.recall`).

    Attributes:
        moments: random moments without such an event that two people agree on.
        missed: of these held something of the type.
        events: of the type in that time at those cameras; `judged` of them by people, as `real`.
        watched_h, alerted_h: camera-hours watched, and those of them during which such an event stood.
    """

    type: str
    moments: int
    missed: int
    events: int
    judged: int
    real: int
    watched_h: float
    alerted_h: float


class RecallEstimate(Known):
    """With the estimate.

    Attributes:
        recall, low, high: the estimate and its 95 % interval, 0..1; None where `why` says what is missing.
    """

    recall: float | None
    low: float | None
    high: float | None
    why: Why
