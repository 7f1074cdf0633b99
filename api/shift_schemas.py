"""The bodies of shift handover. Times are s since 1970 UTC."""

from __future__ import annotations

from pydantic import Field

from api.schemas import Body
from cases.shift.types import CASE_NOTE_CHARS, NOTE_CHARS, Answer, Handover, Shift, Snapshot

_NO_NUL = r"^[^\x00]*$"


class ShiftBegin(Body):
    """The first shift of the centre."""

    until_utc: float = Field(ge=0, le=1e11, description="when it should end: within 36 hours")


class CaseNote(Body):
    """A line about one open case."""

    case: int = Field(ge=1, le=2**62)
    note: str = Field(min_length=1, max_length=CASE_NOTE_CHARS, pattern=_NO_NUL)


class HandoverBody(Body):
    """What whoever hands over adds to what is computed."""

    until_utc: float = Field(ge=0, le=1e11, description="when the next shift should end: within 36 hours")
    note: str = Field("", max_length=NOTE_CHARS, pattern=_NO_NUL)
    cases: list[CaseNote] = Field(default_factory=list, max_length=200)


class AnswerBody(Body):
    """What is said to a handover that waits."""

    answer: Answer
    note: str = Field("", max_length=NOTE_CHARS, pattern=_NO_NUL, description="needed for a refusal")


class ReliefBody(Body):
    """Taking over from a shift that does not hand over."""

    until_utc: float = Field(ge=0, le=1e11, description="when one's own shift should end: within 36 hours")
    note: str = Field(min_length=1, max_length=NOTE_CHARS, pattern=_NO_NUL, description="why nobody handed over")


class CurrentShift(Body):
    """Whose shift it is, and the handover that waits to be confirmed."""

    desk: str
    shift: Shift | None = Field(description="null before the first")
    waiting: Handover | None
    now_utc: float


class HandoverDetail(Body):
    """A handover as it was signed."""

    handover: Handover
    snapshot: Snapshot
    intact: bool = Field(description="what is kept still has the SHA-256 that the audit chain names")


class HandoverPage(Body):
    """Newest first."""

    handovers: list[Handover]
    next_before: int | None = Field(description="give it as `before` for the next page; null: this is the last")
