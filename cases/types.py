"""What a case is. The words are those of digital city management (数字化城市管理, GB/T 30428)."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from contracts.records import Contract, Severity


class Status(StrEnum):
    """Where a case stands; named by what was last done, in its order."""

    ACCEPTED = "accepted"  # 受理: known, not yet judged worth a case
    FILED = "filed"  # 立案: it is one; whose it is has to be said
    DISPATCHED = "dispatched"  # 派遣: a department has it
    HANDLING = "handling"  # 处置: its people are at it
    REPORTED = "reported"  # 反馈: they say it is done
    VERIFYING = "verifying"  # 核查: somebody, or the camera, looks
    SUSPENDED = "suspended"  # 挂账: cannot be done before a date
    CLOSED = "closed"  # 结案
    RATED = "rated"  # 评价
    VOID = "void"  # 作废


FINAL = frozenset({Status.RATED, Status.VOID})
OPEN = frozenset(Status) - FINAL - {Status.CLOSED}
"""Cases that can absorb a further event."""


class Action(StrEnum):
    """What is done to a case."""

    ACCEPT = "accept"  # 受理
    FILE = "file"  # 立案
    DISPATCH = "dispatch"  # 派遣
    START = "start"  # 处置
    REPORT = "report"  # 反馈
    VERIFY = "verify"  # 核查
    CLOSE = "close"  # 结案
    RATE = "rate"  # 评价
    RETURN = "return"  # 退回
    REFUSE = "refuse"  # 核查不通过
    EXTEND = "extend"  # 延期
    SUSPEND = "suspend"  # 挂账
    RESUME = "resume"  # 恢复
    SUPERVISE = "supervise"  # 督办
    VOID = "void"  # 作废
    REOPEN = "reopen"  # 重新立案


class Duty(StrEnum):
    """In which office somebody acts on a case; one person may hold several."""

    CENTRE = "centre"  # the dispatch centre (指挥中心)
    HANDLER = "handler"  # the department that has the case
    SYSTEM = "system"  # the platform: rules, clocks, the camera's second look


class Clock(StrEnum):
    """What is timed. Exactly one of them runs in a case that is not at its end."""

    FILE = "file"
    DISPATCH = "dispatch"
    HANDLE = "handle"
    VERIFY = "verify"
    HOLD = "hold"
    RATE = "rate"


class Running(Contract):
    """The clock that runs.

    Attributes:
        name: which.
        started_utc: s since 1970.
        limit_s: working seconds allowed.
        due_utc: when these are over, by the working calendar.
        told: the platform has said (督办) that they are.
    """

    name: Clock
    started_utc: float
    limit_s: float = Field(gt=0)
    due_utc: float
    told: bool = False


class Paused(Contract):
    """A clock that stands still, with the working seconds it has left (negative: it was late already)."""

    name: Clock
    left_s: float
    limit_s: float = Field(gt=0)


class CaseState(Contract):
    """What decides what can be done next.

    Attributes:
        status: where it stands.
        category: of the rule book; it gives the limits.
        owner: id of the department whose turn it is; "" only at the end.
        handler: id of the department that has to handle it; "" before 派遣.
        crew: the handler's own crew, as it names it.
        clock: None only at the end.
        paused: the handling clock while the case is suspended.
        extensions: how often it was extended.
        returns: how often departments gave it back.
        refusals: how often 核查 did not pass.
        reopened: how often it was.
        supervised: 督办 was said; the case is on the list of the late until it is closed.
    """

    status: Status
    category: str
    owner: str
    handler: str = ""
    crew: str = ""
    clock: Running | None
    paused: Paused | None = None
    extensions: int = 0
    returns: int = 0
    refusals: int = 0
    reopened: int = 0
    supervised: bool = False


class Facts(Contract):
    """What comes with an action; which of it is needed, the table says.

    Attributes:
        note: in words.
        department: to whom.
        crew: of that department.
        until_utc: a date, s since 1970 UTC.
        pictures: keys of pictures in the object store.
        before: key of a picture of the place as it was, where a second look is told beside it; the platform's alone.
        verdict: what the second look, or a person, found at the place.
        overridden: a person decided against the camera's verdict.
        stars: 1..5.
    """

    note: str = Field("", max_length=2000)
    department: str = ""
    crew: str = Field("", max_length=80)
    until_utc: float | None = Field(None, ge=0, le=1e11)
    pictures: tuple[str, ...] = Field((), max_length=20)
    before: str = ""
    verdict: Literal["gone", "still_there", "unseen"] | None = None
    overridden: bool = False
    stars: int | None = Field(None, ge=1, le=5)


class Line(Contract):
    """One line of a case's history: who did what, when, and what became of it; `key` is the caller's own name of the
    action, by which one that was sent twice is known."""

    utc: float
    who: str
    duty: Duty
    action: Action
    before: Status
    after: Status
    facts: Facts
    late_s: float = Field(0.0, ge=0, description="working seconds the clock that stopped was over its limit")
    key: str = Field("", max_length=64, description="names the action where its caller gave it a name")


class NewCase(Contract):
    """What a case is about.

    Attributes:
        source: what it came from.
        place: names the place: the same for all zones that show it; "" where nobody said.
        address: for people.
        camera, zone, grid: where, as far as known.
        department: that owns the camera, or took the report.
        note: what was said of it.
        started_utc: when it began, s since 1970.
    """

    source: Literal["event", "manual", "hotline"]
    category: str
    place: str = ""
    address: str = Field("", max_length=200)
    camera: str = ""
    zone: str = ""
    grid: str = ""
    department: str
    severity: Severity = Severity.MINOR
    note: str = Field("", max_length=2000)
    started_utc: float


class Case(NewCase):
    """A case as it stands.

    Attributes:
        opened_utc, updated_utc, closed_utc: 受理, the newest line, 结案 (the last one); s since 1970.
        incident: the mass incident it belongs to.
        revision: grows with each line; an edit names the one it saw.
    """

    id: int
    opened_utc: float
    updated_utc: float
    closed_utc: float | None = None
    incident: int | None = None
    revision: int
    state: CaseState
