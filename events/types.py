"""What the event queries take and give."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from contracts.records import Contract, Event, EvidenceRef, Severity


class Note(Contract):
    """One committed transition as listeners hear of it (stream `store.keys.Keys.events`, field "e").

    `position` grows in commit order: a listener that knows its last one catches up with `transitions_after`.
    """

    position: int
    event: Event


class EventFilter(Contract):
    """Which events; empty or None means any. Times are s since 1970 UTC and concern the start of the event."""

    types: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    grids: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    state: Literal["open", "closed"] | None = None
    judged: bool | None = Field(None, description="whether somebody has said if it is real")
    since: float | None = None
    until: float | None = Field(None, description="exclusive")


class EventSummary(Contract):
    """An event as it stands now; `position` is that of its latest transition."""

    position: int
    event: Event


class Page(Contract):
    """Newest start first. `cursor` is for the next page; None when this is the last."""

    items: tuple[EventSummary, ...]
    cursor: str | None


class TransitionRow(Contract):
    """One transition as it was committed; `received_utc` is when, s since 1970 UTC."""

    position: int
    received_utc: float
    worker: str
    event: Event


class EvidenceRow(Contract):
    """A piece of evidence, `seq` being the transition that first carried it; `ref.stored` is as known now.

    `deleted_utc` is since when its bytes are gone by policy, s since 1970.
    """

    seq: int
    ref: EvidenceRef
    deleted_utc: float | None = None


class EventDetail(Contract):
    """Everything known of one event."""

    position: int
    event: Event
    transitions: tuple[TransitionRow, ...]
    evidence: tuple[EvidenceRow, ...]


class Count(Contract):
    """How many events have this value of the dimension counted by."""

    value: str
    events: int


class UnwatchedHours(Contract):
    """How long one rule of one camera did not watch. Overlapping stretches count once in `hours`."""

    camera: str
    algorithm: str
    hours: float
    by_reason: dict[str, float]


class WorkerMark(Contract):
    """How far one worker's records are consumed: `offset` of `epoch` and everything before it."""

    worker: str
    epoch: int
    offset: int
    updated_utc: float


class RejectedRow(Contract):
    """A record that could not be applied, as it came."""

    worker: str
    epoch: int
    offset: int
    utc: float
    error: str
    raw: str
