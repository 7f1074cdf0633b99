"""Pictures of a case: photos from the place, and what cameras saw at second looks; masked, and each reading noted."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Request, Response, status
from fastapi import Body as HttpBody
from sqlalchemy import Connection

from api import pictures, readings, sight
from api.access_schemas import CustodyPage
from api.case_schemas import PictureOut
from api.deps import (
    CaseworkerDep,
    ConnectionDep,
    Credential,
    CredentialDep,
    DoorsDep,
    Number,
    SightDep,
    check_session,
    sight_of,
    viewer_of,
)
from api.doors import Doors
from api.evidence import BYTES, UNKEPT, Asked, AskedDep, Sha256, deletion, send_masked
from api.problems import EvidenceDeleted, NotFound, Problem
from cases import pictures as case_pictures
from cases import queries
from cases.pictures import CasePicture
from cases.queries import CaseDetail
from governance import audit, custody, holds
from governance.access import require
from governance.roles import Right

router = APIRouter(prefix="/api/cases", tags=["cases"])


@router.post(
    "/{number}/pictures",
    status_code=status.HTTP_201_CREATED,
    responses={404: {"model": Problem}, 422: {"model": Problem}},
)
def add_picture(
    number: Number,
    content: Annotated[bytes, HttpBody(media_type="image/jpeg")],
    connection: ConnectionDep,
    whose: SightDep,
    user: CaseworkerDep,
    doors: DoorsDep,
) -> PictureOut:
    """A picture from the place, as the request's body (JPEG or PNG, 1 MB at most). The key goes into `pictures` of an
    action; it is kept by its hash."""
    _detail(connection, whose, number)
    holds.lock(connection)  # a sweep that deletes the same bytes comes before this, or leaves them
    kept, now = pictures.keep(doors.objects, content, "body"), time.time()
    case_pictures.attached(connection, number, kept.key, kept.size, now)
    told = audit.record(connection, user.name, "case.picture", {"case": number, "sha256": kept.sha256}, now)
    custody.attached(connection, told, number, [kept.sha256], case_pictures.PHOTO)
    return PictureOut(key=kept.key, sha256=kept.sha256, url=f"/api/cases/{number}/pictures/{kept.sha256}")


@router.get(
    "/{number}/pictures/{sha256}",
    response_class=Response,
    responses=BYTES | {200: {"content": {"image/jpeg": {}}, "description": "a masked copy, or the bytes"}},
)
def case_picture(
    number: Number, sha256: Sha256, request: Request, doors: DoorsDep, shown: CredentialDep, asked: AskedDep
) -> Response:
    """A picture that the case's history or one of its second looks refers to, faces and plates made unrecognisable.
    `unmasked=1` with a `purpose` sends the bytes, to those who have the right; of a second look it takes the grant for
    the camera's evidence too. Each reading is noted."""
    one = _admit(doors, shown, number, sha256, asked)
    if asked.unmasked:
        return Response(doors.objects.get(one.key), media_type=one.media_type, headers=UNKEPT)
    return send_masked(request, doors.objects, one.sha256, doors.masked_copies.ensure(one, None, None), None)


@router.get("/{number}/custody", responses={404: {"model": Problem}})
def case_custody(number: Number, connection: ConnectionDep, whose: SightDep, viewer: CaseworkerDep) -> CustodyPage:
    """Who captured, saw, exported or deleted which picture of a case, when and why, newest first. Reading it is a line
    of the audit chain; the evidence of its events has a log of its own."""
    _detail(connection, whose, number)
    lines = custody.of_case(connection, number)[::-1]
    audit.record(connection, viewer.name, "custody.read", {"case": number})
    return CustodyPage(lines=lines, next_before=None)


def _admit(doors: Doors, shown: Credential, number: int, sha256: str, asked: Asked) -> CasePicture:
    """The picture that somebody may see, noted before its first byte goes out; in a transaction of its own, for
    masking takes its time."""
    user = check_session(doors, shown)
    viewer = viewer_of(user)
    require(viewer, Right.DISPATCH, Right.HANDLE)
    kind: readings.Kind = "original" if asked.unmasked else "masked"
    reading = f"case {number} {sha256} {kind} {asked.purpose}"
    note = doors.readings.due(user, reading)
    with doors.engine.begin() as connection:
        found = _detail(connection, sight_of(connection, viewer), number).pictures
        one = next((one for one in found if one.sha256 == sha256), None)
        if one is None:
            raise NotFound(f"case {number} has no picture {sha256[:12]}…")
        if one.deleted_utc is not None:
            raise EvidenceDeleted(deletion(connection, one.key), "the custody log of the case has its line")
        if asked.unmasked:
            require(viewer, Right.UNMASK)
            if one.looked:
                sight.require_evidence_at(connection, viewer, number)
        if note:
            readings.record_of_case(connection, user, number, sha256, one.role, kind, asked.purpose)
    if note:
        doors.readings.noted(user, reading)
    return one


def _detail(connection: Connection, whose: queries.Sight, number: int) -> CaseDetail:
    found = queries.get_case(connection, whose, number)
    if found is None:
        raise NotFound(f"no case {number}")
    return found
