"""What a shift and its handover are. Times are s since 1970 UTC."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from cases.types import Status
from contracts.records import Contract, Severity

NOTE_CHARS = 4000
CASE_NOTE_CHARS = 500


class Answer(StrEnum):
    """What became of a handover that was signed."""

    CONFIRMED = "confirmed"  # somebody else took over: their shift began
    REFUSED = "refused"  # not like this; the former shift goes on
    WITHDRAWN = "withdrawn"  # by whoever had signed it


Mark = Literal["late", "due", "supervised", "resumes", "look", "noted"]
"""Why a case is handed on by name: over its time; due within the next shift; under 督办; its 挂账 ends within the next
shift; the camera's look at it is not answered, or saw nothing; somebody wrote a note."""

Look = Literal["", "waiting", "silent", "unseen"]
"""The newest second look of a case under 核查: none, still waited for, never answered, could not see."""


class Shift(Contract):
    """A stretch of time in which one person is responsible for a desk.

    Attributes:
        desk: id of the dispatch centre, or of a department.
        who: name of the account.
        opened_utc: from when.
        planned_end_utc: until when it should last; a handover after that is late.
        ended_utc: when somebody else took over; None while it lasts.
    """

    id: int
    desk: str
    who: str
    opened_utc: float
    planned_end_utc: float
    ended_utc: float | None = None


class HandedCase(Contract):
    """An open case that whoever takes over has to know of.

    Attributes:
        where: for people: address, or camera and zone by name.
        due_utc: of its running clock; of a suspended case the date at which it goes on.
        note: of whoever hands over.
    """

    id: int
    category: str
    status: Status
    severity: Severity
    where: str
    grid: str
    handler: str
    opened_utc: float
    due_utc: float | None
    incident: int | None
    marks: tuple[Mark, ...]
    look: Look = ""
    note: str = ""


class HandedIncident(Contract):
    """A mass incident with cases that are still open, how many of them, and how many are late."""

    id: int
    category: str
    open: int
    late: int


class HandedSilence(Contract):
    """A silence that is in force, or to come: of cases, or of a department's deliveries (`department`, else "").

    Attributes:
        kind: what is silenced.
        number: the silence's own id.
        hidden: how many events, or deliveries, it has held back.
    """

    kind: Literal["cases", "deliveries"]
    number: int
    who: str
    department: str = ""
    note: str
    from_utc: float
    until_utc: float
    hidden: int


class HandedCamera(Contract):
    """A camera behind open cases that is not watched now, or by one of its rules not.

    Attributes:
        algorithm: the rule; "*": the whole camera.
        hours: not watched since the shift began.
        cases: how many open cases it is behind.
    """

    camera: str
    name: str
    algorithm: str
    reason: str
    since_utc: float
    hours: float
    cases: int


class Snapshot(Contract):
    """How things stand at a desk, computed and never typed.

    Attributes:
        shift, who, since_utc: whose shift it is; None and "" where nobody's.
        drawn_utc: when this was computed.
        until_utc: the end of the next shift: what falls due before it is named.
        by_status: open cases, how many of each status.
        marked: how many open cases have each mark.
        opened, closed: how many cases were since the shift began.
        cases: the marked ones, the soonest due first; of very many the first.
        left_out: how many marked ones are not listed.
    """

    desk: str
    shift: int | None
    who: str
    since_utc: float | None
    drawn_utc: float
    until_utc: float
    by_status: dict[Status, int]
    marked: dict[Mark, int]
    opened: int
    closed: int
    cases: tuple[HandedCase, ...]
    left_out: int
    incidents: tuple[HandedIncident, ...]
    silences: tuple[HandedSilence, ...] = ()
    cameras: tuple[HandedCamera, ...] = ()


class Document(Contract):
    """What is signed, and kept as it was signed.

    Attributes:
        note: of whoever signs, to whoever takes over.
        relief: signed by who took over, because the former shift did not hand over.
    """

    snapshot: Snapshot
    note: str
    signed_by: str
    signed_utc: float
    relief: bool


class Handover(Contract):
    """A handover as it stands.

    Attributes:
        shift: that is handed over.
        open, late: how many cases were, when it was signed.
        next_end_utc: when the next shift should end.
        sha256: of the document, hex.
        audit: number of the line of the audit chain that names this hash.
        answer: None while it waits for somebody to take over.
        late_s: how long after its planned end the shift was, or is not yet, taken over.
    """

    id: int
    shift: Shift
    signed_by: str
    signed_utc: float
    next_end_utc: float
    note: str
    relief: bool
    open: int
    late: int
    sha256: str
    audit: int
    answer: Answer | None = None
    answered_by: str = ""
    answered_utc: float | None = None
    answer_note: str = ""
    late_s: float = Field(ge=0)
