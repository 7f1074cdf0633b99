"""What was missed: told by who saw it, with the picture that they drew on, masked, and each reading of it noted."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response, status
from sqlalchemy import Connection, func, literal, select

from api import readings, sight
from api.access_schemas import CustodyPage
from api.deps import (
    ConnectionDep,
    Credential,
    CredentialDep,
    DoorsDep,
    JudgeDep,
    Number,
    SeerDep,
    check_session,
    viewer_of,
)
from api.doors import Doors
from api.evidence import BYTES, UNKEPT, Asked, AskedDep, deletion, send_masked
from api.problems import EvidenceDeleted, Fault, Invalid, NotFound, Problem, SnapshotGone
from api.review_schemas import MissedBody, VerdictOut
from contracts.algorithms import ALGORITHMS
from contracts.records import EvidenceRef
from events import frames, queries, review
from events.review import Missed, Verdict
from events.types import EvidenceRow
from governance import access, audit, custody
from governance.access import Access, Place, Viewer, require
from governance.roles import Right
from governance.tables import camera_places

router = APIRouter(prefix="/api/misses", tags=["review"])


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    responses={404: {"model": Problem}, 410: {"model": Problem}, 422: {"model": Problem}},
)
def report_missed(body: MissedBody, connection: ConnectionDep, doors: DoorsDep, viewer: JudgeDep) -> VerdictOut:
    """Says that something was missed: what, where and when, drawn around by hand. Of a picture that its reporter was
    shown of the camera (`sha256` without `event`, as `X-Picture-Sha256` of the snapshot names it) the server keeps its
    own bytes; the moment is then the picture's."""
    if body.type not in ALGORITHMS:
        fault = Fault(field="type", message=f"there is no {body.type}", fix=f"one of {', '.join(sorted(ALGORITHMS))}")
        raise Invalid(f"type: there is no {body.type}", fault.fix, [fault])
    department, grid = _place(connection, viewer, body)
    frame = None
    if body.event is not None:
        _require_picture(connection, viewer, body)
    elif body.sha256 is not None:
        frame = _frame(connection, doors, viewer, body)
    missed = Missed(
        type=body.type,
        camera=body.camera,
        department=department,
        zone=body.zone,
        grid=grid,
        moment_utc=body.moment_utc if frame is None else frame.utc,
        polygon=body.polygon,
        drawn_on=() if body.event is None or body.sha256 is None else (body.event, body.sha256),
        frame=frame,
        note=body.note,
        who=viewer.name,
        key=body.key,
    )
    verdict = review.report_missed(connection, missed)
    what = {"camera": body.camera, "type": body.type, "verdict": verdict.id}
    told = audit.record(
        connection, viewer.name, "event.missed", what | ({"sha256": frame.sha256} if frame is not None else {})
    )
    if frame is not None:
        custody.shown(connection, told, verdict.id, frame, body.camera, body.type)
    return VerdictOut.of(verdict)


@router.get(
    "/{number}/picture",
    response_class=Response,
    responses=BYTES | {200: {"content": {"image/jpeg": {}}, "description": "a masked copy, or the bytes"}},
)
def missed_picture(
    number: Number, request: Request, doors: DoorsDep, shown: CredentialDep, asked: AskedDep
) -> Response:
    """What the camera showed whoever says that something was missed, faces and plates made unrecognisable;
    `unmasked=1` with a `purpose` sends the bytes, to those who have the right. Each reading is noted."""
    ref = _admit(doors, shown, number, asked)
    if asked.unmasked:
        return Response(doors.objects.get(ref.key), media_type=ref.media_type, headers=UNKEPT)
    return send_masked(request, doors.objects, ref.sha256, doors.masked_copies.ensure(ref, None, None), None)


@router.get("/{number}/custody", responses={404: {"model": Problem}})
def missed_custody(number: Number, connection: ConnectionDep, viewer: SeerDep) -> CustodyPage:
    """Who saw or deleted that picture, when and why, newest first. Needs the grant for evidence."""
    _kept(connection, viewer, number)
    lines = custody.of_verdict(connection, number)[::-1]
    audit.record(connection, viewer.name, "custody.read", {"verdict": number})
    return CustodyPage(lines=lines, next_before=None)


def _place(connection: Connection, viewer: Viewer, body: MissedBody) -> tuple[str, str]:
    """Department and grid of the camera; NotFound where one may not see the evidence of such an event there."""
    c = camera_places.c
    moment = func.to_timestamp(body.moment_utc)
    place = Place(c.department, c.camera, c.grid, literal(body.zone), literal(body.type), moment)
    query = select(c.department, c.grid).where(c.camera == body.camera, access.may_see(viewer, place, Access.EVIDENCE))
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"no camera {body.camera}", "it may have left the pool")
    return row.department, row.grid


def _require_picture(connection: Connection, viewer: Viewer, body: MissedBody) -> None:
    """Raises NotFound: the event has no such picture of the camera, or not for this viewer."""
    found = queries.get_event(connection, str(body.event), sight.of_evidence(viewer))
    if found is None:
        raise NotFound(f"no event {body.event}")
    if found.event.camera != body.camera or all(row.ref.sha256 != body.sha256 for row in found.evidence):
        raise NotFound(f"event {body.event} has no such picture of camera {body.camera}")


def _frame(connection: Connection, doors: Doors, viewer: Viewer, body: MissedBody) -> EvidenceRef:
    """The picture that its reporter was shown, kept; sent again, the one that was kept then.

    Raises:
        SnapshotGone: the server has not shown them such a picture of the camera, or too long ago.
        ObjectsUnavailable: it cannot be kept now.
    """
    before = review.given(connection, viewer.name, body.key)
    if before is not None and before.seen.evidence and before.seen.evidence[0].sha256 == body.sha256:
        return before.seen.evidence[0]
    seen = doors.snapshots.find(viewer.name, str(body.sha256))
    if seen is None or seen.camera != body.camera:
        raise SnapshotGone(
            f"no such picture of camera {body.camera} was shown here of late",
            "look again, and draw on what you see then",
        )
    key = frames.key_of(seen.sha256)
    doors.objects.put(key, seen.jpeg, "image/jpeg")
    return EvidenceRef(
        role="decision", key=key, sha256=seen.sha256, media_type="image/jpeg", size=len(seen.jpeg), utc=seen.utc
    )


def _admit(doors: Doors, shown: Credential, number: int, asked: Asked) -> EvidenceRef:
    """The picture that somebody may see, noted before its first byte goes out; in a transaction of its own, for
    masking takes its time."""
    user = check_session(doors, shown)
    viewer = viewer_of(user)
    require(viewer, Right.SEE)
    if asked.unmasked:
        require(viewer, Right.UNMASK)
    kind: readings.Kind = "original" if asked.unmasked else "masked"
    reading = f"missed {number} {kind} {asked.purpose}"
    note = doors.readings.due(user, reading)
    with doors.engine.begin() as connection:
        verdict, frame = _kept(connection, viewer, number)
        if frame.deleted_utc is not None:
            raise EvidenceDeleted(deletion(connection, frame.ref.key), "its custody log has the proof")
        if note:
            readings.record_of_verdict(connection, user, number, frame.ref, verdict.camera, kind, asked.purpose)
    if note:
        doors.readings.noted(user, reading)
    return frame.ref


def _kept(connection: Connection, viewer: Viewer, number: int) -> tuple[Verdict, EvidenceRow]:
    """What was missed with its picture. Raises NotFound: there is none for this viewer, or it has no picture."""
    verdict = review.missed_of(connection, number, sight.of_verdicts(viewer, Access.EVIDENCE))
    frame = frames.of_verdicts(connection, [number]).get(number)
    if verdict is None or frame is None:
        raise NotFound(f"no picture of what was missed, {number}")
    return verdict, frame
