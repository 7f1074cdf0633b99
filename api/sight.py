"""What somebody may see, as conditions for the queries of the rooms: access and cases meet the rows here."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, func, literal, or_, select, true

from algorithm_repo.labelling.tables import label_items
from api.problems import NotFound
from cases import queries as case_queries
from cases.tables import cases
from events.queries import Sight
from events.tables import event_verdicts, events
from governance import access
from governance.access import Access, Place, Viewer
from governance.roles import Right
from governance.tables import camera_places

_e = events.c
_v = event_verdicts.c
_VERDICT = Place(_v.department, _v.camera, _v.grid, _v.zone, _v.type, _v.moment)
_l = label_items.c
_LABEL_ITEM = Place(_l.department, _l.camera, _l.grid, _l.zone, _l.type, _l.moment)
_EVENT = Place(_e.department, _e.camera, _e.grid, _e.zone, _e.type, _e.started)


def of_events(viewer: Viewer) -> Sight:
    """Which events somebody may know of, and of which they may see the evidence."""
    return Sight(access.may_see(viewer, _EVENT), access.may_see(viewer, _EVENT, Access.EVIDENCE))


def of_verdicts(viewer: Viewer, action: Access) -> ColumnElement[bool]:
    """Which verdicts somebody may see, of `event_verdicts`: those about what they may see so."""
    return access.may_see(viewer, _VERDICT, action) if viewer.can(Right.SEE) else true()


def of_label_items(viewer: Viewer) -> ColumnElement[bool]:
    """Which pictures somebody may label, of `label_items`: those of no camera, and those whose evidence
    they may see."""
    return or_(_l.camera == "", access.may_see(viewer, _LABEL_ITEM, Access.EVIDENCE))


def of_case(whose: case_queries.Sight, number: int) -> Sight:
    """The events behind a case while it is open, with their evidence, for those who work on it: the case is what they
    are shown for, and its end ends it."""
    behind = case_queries.behind_open(whose, number, _e.id)
    return Sight(behind, behind)


def of_own_cases(connection: Connection, viewer: Viewer) -> case_queries.Sight:
    """The cases of the viewer's department and of those below it, whatever their role does with cases."""
    if viewer.everything:
        return case_queries.Sight(everything=True)
    return case_queries.Sight(departments=access.departments(connection, viewer))


def of_evidence(viewer: Viewer) -> Sight:
    """The events whose pictures somebody may see; the others do not exist for this."""
    shown = of_events(viewer).evidence
    return Sight(shown, shown)


def of_counts(viewer: Viewer) -> Sight:
    """Which events count: for those who only ever see numbers, all."""
    return of_events(viewer) if viewer.can(Right.SEE) else Sight(true(), true())


def counted_cameras(connection: Connection, viewer: Viewer) -> frozenset[str] | None:
    """The cameras whose numbers somebody may see; None: all."""
    return access.cameras(connection, viewer) if viewer.can(Right.SEE) else None


def require_camera(connection: Connection, viewer: Viewer, camera: str, action: Access = Access.EVENT) -> None:
    """Raises NotFound where there is no such camera for this viewer, or not for this."""
    c = camera_places.c
    # A grant for some hours of the week holds for what is shown now.
    place = Place(c.department, c.camera, c.grid, at=func.clock_timestamp())
    allowed = select(literal(1)).where(c.camera == camera, access.may_see(viewer, place, action))
    if connection.execute(allowed).first() is None:
        raise NotFound(f"no camera {camera}", "it may have left the pool")


def require_evidence_at(connection: Connection, viewer: Viewer, case: int) -> None:
    """Raises NotFound where the viewer may not see evidence of the camera, zone and time that a case is about."""
    c = cases.c
    place = Place(c.department, c.camera, c.grid, c.zone, at=c.started)
    allowed = select(literal(1)).where(c.id == case, access.may_see(viewer, place, Access.EVIDENCE))
    if connection.execute(allowed).first() is None:
        raise NotFound(f"no original of case {case}", "ask the camera's department for access to its evidence")


def require_own_camera(connection: Connection, viewer: Viewer, camera: str) -> None:
    """Raises NotFound where the camera is not of the viewer's own department, or of one below it."""
    c = camera_places.c
    if connection.execute(select(literal(1)).where(c.camera == camera, access.owns(viewer, c.department))).first():
        return
    raise NotFound(f"no camera {camera}", "it may have left the pool")
