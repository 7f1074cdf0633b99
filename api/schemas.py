"""The bodies that cross the HTTP boundary where a contract type alone does not fit. Times are s since 1970 UTC."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.live import CameraState
from contracts.pool import Position, Preset, Zone
from contracts.records import ClockSource, Event, EvidenceRef, Provenance, Severity, Subject, Transition
from subscriptions.types import Attempt, Delivery, NewSubscription, State, Subscription


class Body(BaseModel):
    """Base of all: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PurposeBody(Body):
    purpose: str = Field(min_length=4, max_length=500, description="what for; kept in the audit chain")


class StreamOut(Body):
    """Where a stream comes from, without credentials and without the address's query (cameras hide tokens there)."""

    address: str
    transport: Literal["tcp", "udp"]
    has_credentials: bool


class LiveStatus(Body):
    """A camera as its worker last saw it; `state` is unknown where nobody said anything of late."""

    state: CameraState | Literal["unknown", "disabled"]
    since_utc: float | None = None
    updated_utc: float | None = None
    worker: str = ""
    error: str = ""
    codec: str = ""
    width: int = 0
    height: int = 0
    fps: float = 0.0
    kbit_s: float = 0.0
    gop_s: float = 0.0
    reconnects: int = 0
    model: str = Field("", description="detector that looks at its pictures, with the first digits of its hash")
    looks: int = 0
    looks_superseded: int = 0
    looks_shed: int = 0
    looks_gated: int = 0
    looks_failed: int = Field(0, description="of which an inference failed")
    look_ms: float | None = Field(None, description="what a look takes of late; null while none was done")
    decode_errors: int = 0
    last_look_utc: float | None = None
    clock_source: ClockSource | None = None
    clock_error_ms: float = 0.0
    clock_wrong_s: float = 0.0


class CameraSummary(Body):
    id: str
    name: str
    department: str
    department_name: str
    camera_class: int = Field(description="1, 2 or 3")
    kind: Literal["fixed", "ptz"]
    grid: str
    enabled: bool
    position: Position | None
    zones: tuple[Zone, ...]
    algorithms: tuple[str, ...]
    status: LiveStatus


class CameraList(Body):
    """One page."""

    revision: int = Field(description="of the pool this list was read from")
    total: int = Field(description="how many match, on all pages")
    page: int = Field(description="from 1")
    limit: int
    cameras: list[CameraSummary]


class DepartmentTally(Body):
    id: str
    name: str
    cameras: int


class DetectorTally(Body):
    """A detector in use. One that is built in was made for simulated streets and says little of real ones."""

    name: str
    cameras: int
    built_in: bool


class CameraTallies(Body):
    """The whole pool in numbers."""

    revision: int
    total: int
    states: dict[str, int] = Field(description="state → cameras, as known within the last seconds")
    detectors: list[DetectorTally] = Field(description="those that look at cameras just now, most cameras first")
    departments: list[DepartmentTally] = Field(description="those that have cameras, most first")


class CameraDetail(CameraSummary):
    revision: int = Field(description="of the pool; send it back as If-Match with an edit")
    mounting: Literal["high", "low"]
    presets: tuple[Preset, ...]
    main: StreamOut
    sub: StreamOut | None
    parameters: dict[str, dict[str, object]] = Field(description="algorithm → its parameters, in the units of the pool")


class ZonesBody(Body):
    """All zones of the camera, as they shall stand from now on."""

    zones: tuple[Zone, ...] = Field(max_length=200)


class EventSummary(Body):
    """One interval as its newest transition left it."""

    id: str
    type: str
    severity: Severity
    state: Literal["open", "closed"]
    camera: str
    camera_name: str
    department: str
    department_name: str
    zone: str
    zone_name: str
    grid: str
    started_utc: float
    updated_utc: float
    ended_utc: float | None
    numbers: dict[str, float]
    reason: dict[str, str]
    confidence: float | None = Field(description="calibrated probability that it is real, 0..1; null: not calibrated")
    object_class: str | None = Field(None, description="what it is about; of camera_health: the ailment")
    picture: str | None = Field(None, description="address of the picture that shows it best")
    has_clip: bool = False


class UnwatchedTotal(Body):
    """What a count of events must be read with."""

    hours: float = Field(description="summed over cameras: hours in which the least watched rule did not watch")
    cameras: int = Field(description="how many cameras were not watched for a while")


class EventPage(Body):
    events: list[EventSummary]
    next_cursor: str | None = Field(None, description="give it back as `cursor` for the next page; null: no more")
    position: int = Field(description="of the newest transition when the page was read; start an event stream from it")


class EventCounts(Body):
    """How many events began in the window, and how much of it nobody watched."""

    since: float | None
    until: float | None
    total: int
    open: int
    by_type: dict[str, int]
    unwatched: UnwatchedTotal


class EvidenceOut(EvidenceRef):
    """An evidence reference with its address here."""

    url: str
    deleted_utc: float | None = Field(None, description="since when its bytes are gone by policy; the address is 410")


class CaseEvent(Body):
    """An event behind an open case, as those who work on that see it; the addresses are below the case."""

    id: str
    type: str
    severity: Severity
    started_utc: float
    ended_utc: float | None
    reason: dict[str, str]
    picture: str | None = Field(description="address of the picture that shows it best")
    evidence: tuple[EvidenceOut, ...]


class TransitionOut(Body):
    position: int
    seq: int
    transition: Transition
    severity: Severity
    utc: float
    numbers: dict[str, float]
    reason: dict[str, str]
    subject: Subject
    evidence: tuple[EvidenceOut, ...]


class EventDetail(EventSummary):
    stream_time: float
    clock_source: ClockSource
    clock_error_ms: float
    subject: Subject
    provenance: Provenance
    evidence: tuple[EvidenceOut, ...]
    transitions: tuple[TransitionOut, ...]
    zone_now: Zone | None = Field(None, description="the zone as the pool has it now; it may have been edited since")


class StreamedEvent(Body):
    """`data` of one message of the event stream; the message's id is `position`."""

    position: int
    event: Event
    summary: EventSummary


class UnwatchedRow(Body):
    """How long one rule of one camera did not watch."""

    camera: str
    camera_name: str
    department: str
    algorithm: str = Field(description="* where it concerns every rule of the camera")
    hours: float
    by_reason: dict[str, float]
    ongoing_since_utc: float | None = Field(None, description="it is not watching now, since then")
    ongoing_reason: str = ""


class UnwatchedReport(Body):
    since: float
    until: float
    total: UnwatchedTotal
    rows: list[UnwatchedRow]


class Readiness(Body):
    """Each store, and why it is not ready where it is not."""

    ready: bool
    database: str
    bus: str
    objects: str


class NewSubscriptionOut(Body):
    """A subscription that was made."""

    subscription: Subscription
    secret: str | None = Field(description="signing secret of a webhook; it is not shown again")


class SecretOut(Body):
    """A signing secret; it is not shown again."""

    secret: str


class SubscriptionEdit(Body):
    """New values of a subscription."""

    revision: int = Field(ge=0, le=2**31 - 1, description="of the subscription as the person saw it")
    subscription: NewSubscription


class PauseBody(Body):
    why: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")


class ReplayBody(Body):
    """A window of time in which events were recorded, s since 1970 UTC; the end is exclusive."""

    since_utc: float = Field(ge=0, le=1e11)
    until_utc: float = Field(ge=0, le=1e11)


class Counted(Body):
    count: int


class DeliveryPage(Body):
    """Newest first."""

    deliveries: list[Delivery]
    counts: dict[State, int] = Field(description="of the subscription's deliveries; 10,000: so many or more")
    next_before: int | None = Field(description="give it as `before` for the next page; null: this is the last")


class AttemptPage(Body):
    """Newest first."""

    attempts: list[Attempt]
    next_before: int | None = Field(description="give it as `before` for the next page; null: this is the last")


class AcknowledgeBody(Body):
    department: str = Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")
    note: str = Field("", max_length=500, pattern=r"^[^\x00]*$")


class LedgerState(BaseModel):
    """Whether the ledger's chain holds; `problem` names the first line that does not fit."""

    holds: bool
    lines: int
    problem: str
