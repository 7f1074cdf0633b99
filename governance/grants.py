"""Grants: asked for by one department, decided by the one whose cameras they speak of, revocable at once.

Every function works in the caller's transaction; each change is a line of the audit chain.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import ColumnElement, Connection, Row, any_, insert, literal, or_, select, update

from contracts.errors import ConfigError, StaleRevision
from contracts.hours import Hours
from contracts.records import Contract
from governance import access, audit
from governance.access import Access, Viewer, require
from governance.roles import Right
from governance.tables import camera_places, department_paths, grants
from store.database import at

LONGEST_S = 366 * 86_400.0
_LINE = r"^[^\x00-\x1f\x7f]+$"
Ids = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=160, pattern=_LINE)], ...], Field(max_length=2000)]
State = Literal["asked", "approved", "refused", "revoked"]


class NewGrant(Contract):
    """What is asked for; empty lists mean any.

    Attributes:
        grantee: department that asks.
        owner: department whose cameras it is about; those below it are meant too.
        zones: camera/zone.
        types: of events.
        hours: when it holds; None: always.
        actions: event (know of it), evidence (its pictures and clips), live (watch the camera).
        purpose: what for, in words; it stands in the audit chain.
        starts_utc: None: from the moment it is approved.
        expires_utc: s since 1970; a year ahead at most.
    """

    grantee: str = Field(min_length=1, max_length=64)
    owner: str = Field(min_length=1, max_length=64)
    cameras: Ids = ()
    zones: Ids = ()
    grids: Ids = ()
    types: Ids = ()
    hours: Hours | None = None
    actions: tuple[Access, ...] = Field((Access.EVENT,), min_length=1, max_length=3)
    purpose: str = Field(min_length=4, max_length=500, pattern=r"^[^\x00]*$")
    starts_utc: float | None = Field(None, ge=0, le=1e11)
    expires_utc: float = Field(ge=0, le=1e11)


class Grant(NewGrant):
    """A grant as it stands; `ended_*` of one that was revoked or given back. Times are s since 1970 UTC."""

    id: int
    starts_utc: float
    state: State
    in_force: bool
    asked_by: str
    asked_utc: float
    decided_by: str | None
    decided_utc: float | None
    note: str
    ended_by: str | None
    ended_utc: float | None


def ask(connection: Connection, viewer: Viewer, wanted: NewGrant, now: float | None = None) -> Grant:
    """Asks for access; nothing is allowed before the owner approves.

    Raises:
        Forbidden: the role may not ask.
        ConfigError: a department, camera or zone does not fit, or the end does.
    """
    at_s = time.time() if now is None else now
    require(viewer, Right.ASK)
    if not viewer.everything and wanted.grantee not in access.departments(connection, viewer):
        raise ConfigError(f"grantee: {wanted.grantee!r} is not your department", "ask for your own, or one below it")
    _check(connection, wanted, at_s)
    values = {
        "grantee": wanted.grantee,
        "owner": wanted.owner,
        "cameras": list(wanted.cameras),
        "zones": list(wanted.zones),
        "grids": list(wanted.grids),
        "types": list(wanted.types),
        "hours": None if wanted.hours is None else wanted.hours.model_dump(mode="json"),
        "actions": sorted({action.value for action in wanted.actions}),
        "purpose": wanted.purpose,
        "starts": at(at_s if wanted.starts_utc is None else wanted.starts_utc),
        "expires": at(wanted.expires_utc),
        "state": "asked",
        "asked_by": viewer.name,
        "asked": at(at_s),
        "note": "",
    }
    number: int = connection.execute(insert(grants).values(values).returning(grants.c.id)).scalar_one()
    made = _read(connection, number)
    audit.record(connection, viewer.name, "grant.asked", _told(made), at_s)
    return made


def decide(
    connection: Connection, viewer: Viewer, number: int, approve: bool, note: str, now: float | None = None
) -> Grant | None:
    """Approves or refuses what was asked for; by the owning department, one above it, or an administrator.

    Returns:
        It as it stands now; None where there is none that the viewer could decide on.

    Raises:
        Forbidden: the role may not decide.
        StaleRevision: it was decided before.
    """
    at_s = time.time() if now is None else now
    require(viewer, Right.DECIDE)
    row = _locked(connection, number, access.owns(viewer, grants.c.owner))
    if row is None:
        return None
    if row.state != "asked":
        raise StaleRevision(f"grant {number} is {row.state} already", "read it again")
    values = {
        "state": "approved" if approve else "refused",
        "decided_by": viewer.name,
        "decided": at(at_s),
        "note": note,
    }
    connection.execute(update(grants).where(grants.c.id == number).values(values))
    after = _read(connection, number)
    audit.record(connection, viewer.name, f"grant.{after.state}", _told(after), at_s)
    return after


def revoke(connection: Connection, viewer: Viewer, number: int, note: str, now: float | None = None) -> Grant | None:
    """Ends a grant, at once: the next query already knows. By its owner's side, or given back by the grantee's.

    Returns:
        It as it stands now; None where there is none that the viewer could end.

    Raises:
        Forbidden: the role may do neither.
        StaleRevision: it does not hold.
    """
    at_s = time.time() if now is None else now
    require(viewer, Right.ASK, Right.DECIDE)
    sides: list[ColumnElement[bool]] = []
    if viewer.can(Right.DECIDE):
        sides.append(access.owns(viewer, grants.c.owner))
    if viewer.can(Right.ASK):
        sides.append(access.owns(viewer, grants.c.grantee))
    row = _locked(connection, number, or_(*sides))
    if row is None:
        return None
    if row.state not in ("asked", "approved"):
        raise StaleRevision(f"grant {number} is {row.state} already", "read it again")
    values = {"state": "revoked", "ended_by": viewer.name, "ended": at(at_s), "note": note}
    connection.execute(update(grants).where(grants.c.id == number).values(values))
    after = _read(connection, number)
    audit.record(connection, viewer.name, "grant.revoked", _told(after), at_s)
    return after


def listed(connection: Connection, viewer: Viewer, states: Collection[State] = (), limit: int = 500) -> list[Grant]:
    """Grants that concern the viewer's department, as grantee or owner, newest first."""
    query = select(grants).where(or_(access.owns(viewer, grants.c.owner), access.owns(viewer, grants.c.grantee)))
    if states:
        query = query.where(grants.c.state.in_(states))
    rows = connection.execute(query.order_by(grants.c.id.desc()).limit(limit))
    now = time.time()
    return [_grant(row, now) for row in rows]


def _check(connection: Connection, wanted: NewGrant, now: float) -> None:
    known = set(connection.execute(select(department_paths.c.id)).scalars())
    if wanted.owner not in known:
        raise ConfigError(f"owner: there is no department {wanted.owner!r}", "take one of the pool")
    if wanted.expires_utc <= max(now, wanted.starts_utc or now):
        raise ConfigError("expires_utc: it would be over before it begins", "name a later end")
    if wanted.expires_utc > max(now, wanted.starts_utc or now) + LONGEST_S:
        raise ConfigError("expires_utc: more than a year ahead", "ask for a year at most, and again then")
    named = [("cameras", one, one) for one in wanted.cameras]
    named += [("zones", one, one.partition("/")[0]) for one in wanted.zones]
    theirs = _cameras_of(connection, wanted.owner) if named else frozenset()
    for field, told, camera in named:
        if camera not in theirs or (field == "zones" and "/" not in told):
            fix = "write camera/zone of its cameras" if field == "zones" else "name cameras of that department"
            raise ConfigError(f"{field}: {told!r} is not of {wanted.owner}", fix)


def _cameras_of(connection: Connection, department: str) -> frozenset[str]:
    c, p = camera_places.c, department_paths.c
    below = select(p.id).where(literal(department) == any_(p.path))
    return frozenset(connection.execute(select(c.camera).where(c.department.in_(below))).scalars())


def _locked(connection: Connection, number: int, allowed: ColumnElement[bool]) -> Row[Any] | None:
    return connection.execute(select(grants).where(grants.c.id == number, allowed).with_for_update()).one_or_none()


def _read(connection: Connection, number: int) -> Grant:
    return _grant(connection.execute(select(grants).where(grants.c.id == number)).one(), time.time())


def _grant(row: Row[Any], now: float) -> Grant:
    def utc(value: Any) -> float | None:
        return None if value is None else float(value.timestamp())

    starts, expires = float(row.starts.timestamp()), float(row.expires.timestamp())
    return Grant(
        id=row.id,
        grantee=row.grantee,
        owner=row.owner,
        cameras=tuple(row.cameras),
        zones=tuple(row.zones),
        grids=tuple(row.grids),
        types=tuple(row.types),
        hours=None if row.hours is None else Hours.model_validate(row.hours),
        actions=tuple(Access(one) for one in row.actions),
        purpose=row.purpose,
        starts_utc=starts,
        expires_utc=expires,
        state=row.state,
        in_force=row.state == "approved" and starts <= now < expires,
        asked_by=row.asked_by,
        asked_utc=float(row.asked.timestamp()),
        decided_by=row.decided_by,
        decided_utc=utc(row.decided),
        note=row.note,
        ended_by=row.ended_by,
        ended_utc=utc(row.ended),
    )


def _told(grant: Grant) -> dict[str, object]:
    """What the audit chain keeps of it."""
    lists: Sequence[tuple[str, tuple[str, ...]]] = (
        ("cameras", grant.cameras),
        ("zones", grant.zones),
        ("grids", grant.grids),
        ("types", grant.types),
        ("actions", tuple(one.value for one in grant.actions)),
    )
    said: dict[str, object] = {name: list(values) for name, values in lists if values}
    about = {"grant": grant.id, "grantee": grant.grantee, "owner": grant.owner, "purpose": grant.purpose}
    return about | said | {"expires": grant.expires_utc, "note": grant.note}
