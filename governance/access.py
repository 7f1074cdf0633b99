"""Who may see what: one predicate, asked inside the query for lists, details, evidence, live pictures and streams.

A department sees what happens on its own cameras and on those of the departments below it. Anything else by a grant
that the owning department approved. A grant counts for the department it was given to and for those below that, and
speaks of the cameras of its owner and of those below that. What nobody may see does not exist: it is in no list, in no
count, and asking for it is answered as if it were not there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, and_, any_, exists, false, func, literal, or_, select, true

from contracts.errors import Forbidden
from governance.roles import RIGHTS, Right, Role
from governance.tables import camera_places, department_paths, grants


class Access(StrEnum):
    """What a grant allows of what it speaks of."""

    EVENT = "event"  # know that it happened
    EVIDENCE = "evidence"  # see its pictures and clips
    LIVE = "live"  # watch the camera


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever asks.

    Attributes:
        name: of the account, or of the system that calls.
        department: whose eyes they have; None: nobody's.
    """

    name: str
    role: Role
    department: str | None = None

    def can(self, right: Right) -> bool:
        """Whether the role has it."""
        return right in RIGHTS[self.role]

    @property
    def everything(self) -> bool:
        """Sees all there is."""
        return self.role is Role.ADMIN


def require(viewer: Viewer, *rights: Right) -> None:
    """Raises Forbidden where the role has none of these."""
    if not any(viewer.can(right) for right in rights):
        named = " or ".join(right.value for right in rights)
        raise Forbidden(f"the role {viewer.role} may not do that ({named})", "ask somebody whose role may")


class Place(NamedTuple):
    """What is asked about: columns of a row, or bound values. None where the question is about the whole camera.

    Attributes:
        zone: its id.
        type: of the event.
        at: when it happened, timestamptz.
    """

    department: ColumnElement[Any]
    camera: ColumnElement[Any]
    grid: ColumnElement[Any]
    zone: ColumnElement[Any] | None = None
    type: ColumnElement[Any] | None = None
    at: ColumnElement[Any] | None = None


Term = Callable[[ColumnElement[Any], Place, Access], ColumnElement[bool]]
_NOW = func.clock_timestamp()
_g = grants.c


def _below(department: ColumnElement[Any], above: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a department is `above` or one below it."""
    paths = department_paths.alias()  # of its own, also where the query around it reads the same view
    below = exists().where(paths.c.id == department, above == any_(paths.c.path)).correlate_except(paths)
    return or_(department == above, below)


def _among(listed: ColumnElement[Any], *values: ColumnElement[Any]) -> ColumnElement[bool]:
    """An empty list means any."""
    return or_(func.cardinality(listed) == 0, *(value == any_(listed) for value in values))


def _zones(_department: ColumnElement[Any], place: Place, _action: Access) -> ColumnElement[bool]:
    if place.zone is None:  # nobody who was granted a zone may see what surrounds it
        return func.cardinality(_g.zones) == 0
    return _among(_g.zones, func.concat_ws("/", place.camera, place.zone))


def _types(_department: ColumnElement[Any], place: Place, _action: Access) -> ColumnElement[bool]:
    return true() if place.type is None else _among(_g.types, place.type)


TERMS: dict[str, Term] = {
    "grantee": lambda department, _place, _action: _below(department, _g.grantee),
    "owner": lambda _department, place, _action: _below(place.department, _g.owner),
    "approved": lambda _department, _place, _action: _g.state == "approved",
    "begun": lambda _department, _place, _action: _g.starts <= _NOW,
    "lasting": lambda _department, _place, _action: _g.expires > _NOW,
    "cameras": lambda _department, place, _action: _among(_g.cameras, place.camera),
    "zones": _zones,
    "grids": lambda _department, place, _action: _among(_g.grids, place.grid),
    "types": _types,
    "hours": lambda _department, place, _action: func.hours_contain(_g.hours, _NOW if place.at is None else place.at),
    "action": lambda _department, _place, action: literal(action.value) == any_(_g.actions),
}
"""What a grant has to fulfil, each by its name: a test takes them away one at a time and must see a leak."""


def department_sees(department: ColumnElement[Any], place: Place, action: Access = Access.EVENT) -> ColumnElement[bool]:
    """Whether a department may see something, for WHERE."""
    granted = (
        exists().where(and_(*(term(department, place, action) for term in TERMS.values()))).correlate_except(grants)
    )
    return or_(_below(place.department, department), granted)


def may_see(viewer: Viewer, place: Place, action: Access = Access.EVENT) -> ColumnElement[bool]:
    """Whether somebody may see something, for WHERE."""
    if viewer.everything:
        return true()
    if viewer.department is None or not viewer.can(Right.SEE):
        return false()
    return department_sees(literal(viewer.department), place, action)


def owns(viewer: Viewer, department: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether something belongs to the viewer's department or one below it, for WHERE. Grants do not count."""
    if viewer.everything:
        return true()
    return false() if viewer.department is None else _below(department, literal(viewer.department))


def cameras(connection: Connection, viewer: Viewer, action: Access = Access.EVENT) -> frozenset[str] | None:
    """The cameras of the pool as it stands of which somebody may see the whole; None: all of them."""
    if viewer.everything:
        return None
    c = camera_places.c
    query = select(c.camera).where(may_see(viewer, Place(c.department, c.camera, c.grid), action))
    return frozenset(connection.execute(query).scalars())


def own_cameras(connection: Connection, viewer: Viewer) -> frozenset[str] | None:
    """Those of the viewer's own department and of the ones below it; None: all of them."""
    if viewer.everything:
        return None
    return frozenset(
        connection.execute(select(camera_places.c.camera).where(owns(viewer, camera_places.c.department))).scalars()
    )


def tree(connection: Connection) -> list[Row[Any]]:
    """The departments of the pool: id, name, path from the highest one down to itself; in the tree's order."""
    p = department_paths.c
    return list(connection.execute(select(p.id, p.name, p.path).order_by(p.path)))


def departments(connection: Connection, viewer: Viewer) -> tuple[str, ...]:
    """The viewer's department and those below it, as far as the pool has them; for an administrator all."""
    p = department_paths.c
    found = set(connection.execute(select(p.id).where(owns(viewer, p.id))).scalars())
    return tuple(sorted(found | ({viewer.department} if viewer.department is not None else set())))
