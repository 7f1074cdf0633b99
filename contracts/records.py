"""What a worker tells the city plane: events, times not watched, and the envelope they travel in.

Each `Event` is one transition of an interval and carries the interval's whole present state, so a consumer may
upsert by (`id`, `seq`) and never needs an earlier transition to understand a later one.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION: Final = 1


class Contract(BaseModel):
    """Base of every type that crosses a process: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class Transition(StrEnum):
    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"


class Severity(StrEnum):
    INFO = "info"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class ClockSource(StrEnum):
    """How a moment of stream time was mapped to UTC."""

    RTCP = "rtcp"  # the camera's sender reports
    ARRIVAL = "arrival"  # arrival less the estimated delay
    FILE = "file"  # a start time given by the caller; the file itself has no clock


class EvidenceRef(Contract):
    """A picture or clip kept in the object store, content-addressed.

    `key` is `evidence/<sha256[:2]>/<sha256>.<ext>`. `stored` is False while the bytes still wait in the worker's
    spool because the object store is down: the hash is already binding.
    """

    role: Literal["entry", "decision", "density", "latest", "closing", "clip"]
    key: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    media_type: str
    size: int = Field(ge=0)
    utc: float
    stored: bool = True
    derived: bool = False


class NetworkUsed(Contract):
    """One network, or one fitted calibration, that a look or an event rests on.

    Attributes:
        role: what it is used for: detector, water, litter, plate_finder, plate_reader, confidence.
        name: of its version, e.g. "water-37ef97ef".
        sha256: of its weights.
    """

    role: str
    name: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Provenance(Contract):
    """Which code, weights and settings said so.

    `model` is the detector; `networks` are all that the event rests on, the detector among them, by role. Events of
    releases that did not tell them have none.
    """

    algorithm: str
    algorithm_version: str
    model: str
    model_sha256: str
    networks: tuple[NetworkUsed, ...] = ()
    dataset_version: str = ""
    config_digest: str


class Subject(Contract):
    """What the event is about: a track, where there is one, and its box (normalised x1 y1 x2 y2).

    `plate` is the number plate as voted over several readings, "" where it could not be read, None where nobody
    tried (or not long enough to say); `plate_score` is how sure the reading is, 0..1. A plate is personal data.
    """

    track: int | None = None
    object_class: str | None = None
    box: tuple[float, float, float, float] | None = None
    plate: str | None = None
    plate_score: float | None = Field(None, ge=0, le=1)


class Event(Contract):
    """One transition of one event interval (see the module's docstring).

    Attributes:
        id: 32 hex digits, from `event_id`.
        seq: 0 for `opened`, then 1, 2, … without a gap.
        started_utc: when the condition began (a vehicle stopped), s since 1970 UTC.
        utc: when this transition happened.
        ended_utc: when it ended; only on `closed`.
        stream_time: of this transition, s of the stream's own clock.
        numbers: the explanation in numbers, e.g. {"still_s": 187, "moved_body_lengths": 0.06}.
        reason: the same as a sentence, {"zh": …, "en": …}.
        confidence: calibrated probability that the event is real, 0..1; None where nothing was calibrated.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    seq: int = Field(ge=0)
    transition: Transition
    type: str
    severity: Severity
    camera: str
    department: str
    zone: str
    grid: str = ""
    started_utc: float
    utc: float
    ended_utc: float | None = None
    stream_time: float
    clock_source: ClockSource
    clock_error_ms: float
    subject: Subject
    numbers: dict[str, float]
    reason: dict[str, str]
    confidence: float | None = Field(None, ge=0, le=1)
    evidence: tuple[EvidenceRef, ...] = ()
    provenance: Provenance


UnwatchedReason = Literal[
    "offline",
    "stalled",
    "shed",
    "off_preset",
    "moved",
    "stopped",
    "error",
    "frozen",
    "black",
    "overexposed",
    "blurred",
    "covered",
]


class Unwatched(Contract):
    """A stretch of time in which a rule did not watch: not watching is not calm.

    `algorithm` is "*" when it concerns every rule of the camera. `end_utc` None: still going on. Reported again
    with the same `id` when it ends.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    id: str
    camera: str
    algorithm: str
    reason: UnwatchedReason
    start_utc: float
    end_utc: float | None = None


LookVerdict = Literal["still_there", "gone", "unseen"]


class LookResult(Contract):
    """What a second look saw; see `contracts.looks`.

    Attributes:
        request: `LookRequest.id`.
        utc: of the last picture that was looked at (or of the end of waiting), s since 1970.
        verdict: "unseen": the camera did not show the place well enough to say.
        looks, watched_s: what it rests on.
        reason: in words, {"zh": …, "en": …}.
        evidence: a picture of the place as it is now.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    request: str
    camera: str
    type: str
    zone: str
    utc: float
    verdict: LookVerdict
    looks: int = Field(ge=0)
    watched_s: float = Field(ge=0)
    reason: dict[str, str]
    evidence: tuple[EvidenceRef, ...] = ()


class EventRecord(Contract):
    kind: Literal["event"] = "event"
    event: Event


class UnwatchedRecord(Contract):
    kind: Literal["unwatched"] = "unwatched"
    unwatched: Unwatched


class LookRecord(Contract):
    kind: Literal["look"] = "look"
    look: LookResult


Body = Annotated[EventRecord | UnwatchedRecord | LookRecord, Field(discriminator="kind")]


class Record(Contract):
    """The envelope. (`worker`, `epoch`, `offset`) is unique and its order is the worker's order.

    `epoch` grows by one each time a worker starts on an empty spool; `offset` counts records from 0 within an
    epoch without a gap.
    """

    worker: str
    epoch: int = Field(ge=1)
    offset: int = Field(ge=0)
    body: Body


def event_id(camera: str, event_type: str, zone: str, subject: str, started_ms: int) -> str:
    """The id of an event, a pure function of what it is about and when it began.

    The same transition computed twice (after a crash, in a replay) therefore has the same id.

    Args:
        camera, event_type, zone: their ids.
        subject: what tells two events of the same zone apart, e.g. "track:17"; may be empty.
        started_ms: start of the interval, ms since 1970 UTC.

    Returns:
        32 lower-case hex digits (the first 128 bits of SHA-256).
    """
    text = "\x1f".join((camera, event_type, zone, subject, str(started_ms)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
