"""The bodies about cases that cross the HTTP boundary. Times are s since 1970 UTC."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator

from api.schemas import Body, UnwatchedTotal
from cases.act import Offer
from cases.incident import BulkOffer
from cases.queries import CaseDetail, Tally
from cases.types import Action, Case, Facts, Status
from contracts.records import Severity


class CaseList(Body):
    """One page."""

    total: int = Field(description="how many match, on all pages")
    next_after: int | None = Field(description="give it as `after` for the next page; null: this is the last")
    cases: list[Case]
    places: dict[int, str] = Field(description="case → its camera and zone as people call them")
    unwatched: UnwatchedTotal = Field(description="in the filter's time; where it names none, in the last 24 hours")


class CaseView(CaseDetail):
    """With what whoever asks can do to it now, in the order of the transition table, and what people are called."""

    offers: tuple[Offer, ...]
    names: dict[str, str] = Field(description="account → what people call whoever has it; of the history's, where set")


class IncidentView(Body):
    """A mass incident: its cases that whoever asks may see, and what can be done to them at once."""

    incident: int
    cases: int
    statuses: dict[Status, int] = Field(description="status → how many of the cases have it")
    offers: tuple[BulkOffer, ...]


class CaseTally(Tally):
    """With the hours that nobody watched there."""

    unwatched_hours: float | None = Field(description="null: this dimension has no cameras of its own")


class CaseStatistics(Body):
    """Cases by one dimension, and the hours of the same time and places in which nobody watched."""

    unwatched: UnwatchedTotal
    rows: list[CaseTally]


class CaseCategory(Body):
    code: str
    name: dict[str, str]
    events: list[str] = Field(description="event types that make such a case by themselves")
    closes: Literal["gone", "report"]


class CaseBook(Body):
    """What the console needs of the rule book and the transition table."""

    centre: str = Field(description="department id of the dispatch centre")
    departments: dict[str, str] = Field(description="id → name, all of the pool")
    categories: list[CaseCategory]
    words: dict[str, str] = Field(description="action → its word in city management")
    steps: dict[str, dict[str, list[str]]] = Field(description="status → action → the facts it needs")


class NewCaseBody(Body):
    """A case by hand."""

    source: Literal["manual", "hotline"] = "manual"
    category: str = Field(min_length=1, max_length=20)
    address: str = Field(min_length=1, max_length=200)
    camera: str = Field("", max_length=64)
    zone: str = Field("", max_length=64)
    grid: str = Field("", max_length=40)
    severity: Severity = Severity.MINOR
    note: str = Field(min_length=1, max_length=2000)
    started_utc: float | None = Field(None, ge=0, le=1e11, description="when it began; by default now")


class ActionBody(Body):
    """What is to be done to a case."""

    action: Action
    revision: int | None = Field(None, ge=0, le=2**31 - 1, description="of the case as the person saw it")
    key: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_-]{8,64}$", description="names this action: sent again under it, it is done once"
    )
    facts: Facts = Facts()

    @field_validator("facts")
    @classmethod
    def _own_pictures(cls, facts: Facts) -> Facts:
        # A key says which object is shown with the case, to everybody who sees the case.
        if any(not re.fullmatch(r"cases/[0-9a-f]{2}/[0-9a-f]{64}\.(jpg|png)", key) for key in facts.pictures):
            raise ValueError("pictures: send each to the case first, and give the key of the answer")
        if facts.before:
            raise ValueError("before: the platform says that; leave it out")
        return facts


class PictureOut(Body):
    """A picture that was taken in; `key` is what an action refers to."""

    key: str
    sha256: str
    url: str
