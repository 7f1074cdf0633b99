"""What this room hands out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from governance.roles import Role


class SecondFactor(StrEnum):
    """What a session has shown besides the password."""

    NONE = "none"  # nothing, and nothing is asked
    DUE = "due"  # the password was right, the code is still to come: half a session
    DONE = "done"
    PROVIDER = "provider"  # the login was another system's, which has its own


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who is logged in.

    Attributes:
        department: whose eyes they have; None: nobody's.
        session: which of their logins this is (the hash of its token); "" outside a login.
        second_factor: what that login has shown besides the password.
    """

    id: int
    name: str
    role: Role
    must_change_password: bool
    session: str = field(default="", repr=False)
    second_factor: SecondFactor = SecondFactor.NONE
    department: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A fresh login. `token` goes into the cookie and is kept nowhere else; only its hash is stored."""

    token: str = field(repr=False)
    user: User
    expires_utc: float


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit log; `utc` in s since 1970."""

    id: int
    utc: float
    who: str
    action: str
    what: dict[str, object]
    hash: str
