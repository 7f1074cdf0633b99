"""The bodies of the doors about people, grants and the audit log. Times are s since 1970 UTC."""

from __future__ import annotations

from pydantic import Field

from api.schemas import Body
from governance.custody import CustodyLine
from governance.grants import Grant
from governance.holds import Hold
from governance.people import Person
from governance.types import AuditEntry


class NewPersonOut(Body):
    """An account that was made; its first password is shown here and nowhere else."""

    person: Person
    password: str


class DecisionBody(Body):
    """What the owning department says to a request."""

    approve: bool
    note: str = Field("", max_length=500)


class NoteBody(Body):
    note: str = Field("", max_length=500)


class GrantView(Grant):
    """A grant, and what the asker may do with it."""

    may_decide: bool
    may_revoke: bool


class DepartmentOut(Body):
    """A department of the pool. `path`: from the highest one down to itself."""

    id: str
    name: str
    path: list[str]
    mine: bool = Field(description="one's own, or below it")


class AuditPage(Body):
    lines: list[AuditEntry]
    next_before: int | None


class ReasonBody(Body):
    reason: str = Field(min_length=4, max_length=500, description="kept in the audit chain and the custody log")


class HoldView(Hold):
    """A legal hold, and whether the one who asks may release it."""

    may_release: bool


class CustodyPage(Body):
    """Newest first. `next_before` asks for the next page; null on the last."""

    lines: list[CustodyLine]
    next_before: int | None


class AuditState(Body):
    """Whether the chain holds, and the custody log fits it.

    Note the head somewhere else: only against it a cut end can be noticed.
    """

    holds: bool
    lines: int = Field(description="that were recomputed")
    problem: str = Field("", description="names the first line that does not fit")
    head: int
    head_hash: str
