"""Evidence: pictures and clips by content hash, masked unless somebody may see more, and says what for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy import Connection

from api import readings, sight
from api.deps import Credential, CredentialDep, DoorsDep, check_session, viewer_of
from api.doors import Doors
from api.masked_copies import MaskedCopy
from api.problems import EvidenceDeleted, EvidenceWaiting, Fault, Invalid, NotFound, Problem, problem
from contracts.errors import Forbidden
from contracts.records import EvidenceRef, Subject
from events import queries
from events.store import mark_stored
from governance import deletions
from governance.access import require
from governance.proofs import check
from governance.roles import Right
from governance.types import User
from store.objects import ObjectStore, is_there

router = APIRouter(prefix="/api/events", tags=["evidence"])

_PIECE = 256 * 1024
_LEAST_PURPOSE = 4  # characters
UNKEPT = {"Cache-Control": "no-store"}  # each look at what is unmasked is asked for, and noted
_SHOWN_INLINE = {"image/jpeg", "image/png", "image/webp", "video/mp4", "application/json"}
_RANGE = re.compile(r"^bytes=(\d*)-(\d*)$")

Sha256 = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
EventId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """The one byte range asked for as (start, end), end exclusive; None: send everything.

    Several ranges, or a form not understood, are answered with everything, as RFC 9110 allows.

    Raises:
        ValueError: the range lies outside the object (HTTP 416).
    """
    match = _RANGE.match(header.strip()) if header else None
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match[1], match[2]
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
    if start >= end:
        raise ValueError(f"range {start}-{end} of {size} bytes")
    return start, end


def _pieces(objects: ObjectStore, key: str, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, _PIECE):
        yield objects.read_range(key, at, min(at + _PIECE, end))


@dataclass(frozen=True, slots=True)
class Served:
    """One object as it goes out; `etag` names its bytes for good."""

    key: str
    etag: str
    media_type: str
    filename: str
    headers: dict[str, str]


def _original(ref: EvidenceRef) -> Served:
    media_type = ref.media_type if ref.media_type in _SHOWN_INLINE else "application/octet-stream"
    extension = ref.key.rpartition(".")[2] if "." in ref.key else "bin"
    return Served(ref.key, f'"{ref.sha256}"', media_type, f"{ref.role}-{ref.sha256[:12]}.{extension}", UNKEPT)


def send(request: Request, objects: ObjectStore, served: Served, range_header: str | None) -> Response:
    """An object as it goes out: whole, the range asked for, or nothing where the caller has it."""
    headers = {
        "ETag": served.etag,
        "Accept-Ranges": "bytes",
        **served.headers,
    }
    if served.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    disposition = "attachment" if served.media_type == "application/octet-stream" else "inline"
    headers["Content-Disposition"] = f'{disposition}; filename="{served.filename}"'
    size = objects.size(served.key)
    if request.headers.get("if-range") not in (None, served.etag):
        range_header = None
    try:
        part = parse_range(range_header, size)
    except ValueError as error:
        return problem(416, "range_not_satisfiable", str(error), headers={"Content-Range": f"bytes */{size}"})
    start, end = part or (0, size)
    headers["Content-Length"] = str(end - start)
    if part:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return StreamingResponse(
        _pieces(objects, served.key, start, end), 206 if part else 200, headers=headers, media_type=served.media_type
    )


def settle(connection: Connection, objects: ObjectStore, ref: EvidenceRef) -> EvidenceRef:
    """The reference as it stands now: bytes that waited at the worker may have reached the object store since.

    What has arrived is marked, once. Raises ObjectsUnavailable.
    """
    if ref.stored or not is_there(objects, ref.key):
        return ref
    mark_stored(connection, ref.key)
    return ref.model_copy(update={"stored": True})


def deletion(connection: Connection, key: str) -> str:
    """That an object was deleted, when and by which rule, in one line."""
    signed = deletions.proofs_of(connection, [key]).get(key)
    if signed is None:
        return "deleted by policy"
    proof = check(signed)
    moment = datetime.fromtimestamp(proof.deleted_utc, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    return f"deleted by policy on {moment} ({proof.rule})"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which form is asked for: masked unless `unmasked`, which takes a right and a purpose."""

    unmasked: bool
    purpose: str


def asked_form(
    shown: CredentialDep,
    unmasked: Annotated[bool, Query(description="faces and plates of bystanders as they are")] = False,
    purpose: Annotated[
        str, Query(max_length=500, description="what it is unmasked for, 4 characters at least; audited")
    ] = "",
) -> Asked:
    """Raises Forbidden, Invalid: it may not be unmasked so."""
    if not unmasked:
        return Asked(False, "")
    if shown.key is not None:
        raise Forbidden("no API key unmasks evidence", "log in")
    if len(purpose.strip()) < _LEAST_PURPOSE:
        fault = Fault(field="purpose", message="needed to unmask", fix="say what for, in 4 characters or more")
        raise Invalid("purpose: needed to unmask", fault.fix, [fault])
    return Asked(True, purpose.strip())


AskedDep = Annotated[Asked, Depends(asked_form)]


@dataclass(frozen=True, slots=True)
class Admitted:
    """Evidence that somebody may read, and the event's subject as it is in that picture."""

    ref: EvidenceRef
    subject: Subject


@dataclass(frozen=True, slots=True)
class Reading:
    """One piece of evidence, the form in which somebody wants to see it, and what for."""

    event: str
    sha256: str
    kind: readings.Kind
    purpose: str


def admit(doors: Doors, user: User, wanted: Reading, seen: Callable[[Connection], queries.Sight]) -> Admitted:
    """The evidence that somebody may read, noted in the audit chain before the first byte goes out.

    A transaction of its own: none may stand open while a clip is sent or converted.

    Args:
        seen: what they may see, asked in that transaction.

    Raises:
        NotFound: there is no such evidence for them.
        EvidenceDeleted, EvidenceWaiting: its bytes are gone, or not here yet.
    """
    event_id, sha256 = wanted.event, wanted.sha256
    reading = f"{event_id} {sha256} {wanted.kind} {wanted.purpose}"
    note = doors.readings.due(user, reading)
    with doors.engine.begin() as connection:
        found = queries.get_event(connection, event_id, seen(connection))
        if found is None:
            raise NotFound(f"no event {event_id}")
        row = next((row for row in found.evidence if row.ref.sha256 == sha256), None)
        if row is None:
            raise NotFound(f"event {event_id} has no evidence {sha256[:12]}…")
        if row.deleted_utc is not None:
            raise EvidenceDeleted(deletion(connection, row.ref.key), "the custody log of the event has its proof")
        ref = settle(connection, doors.objects, row.ref)
        if not ref.stored:
            raise EvidenceWaiting("the worker still holds the bytes", "they follow when the object store takes them")
        if note:
            readings.record(connection, user, found.event.camera, event_id, ref, wanted.kind, wanted.purpose)
    if note:
        doors.readings.noted(user, reading)
    step = next((one.event for one in found.transitions if one.event.seq == row.seq), found.event)
    return Admitted(ref, step.subject)


def _admit(doors: Doors, shown: Credential, event_id: str, sha256: str, asked: Asked, kind: readings.Kind) -> Admitted:
    """By what belongs to somebody's department, and by grants."""
    user = check_session(doors, shown)
    viewer = viewer_of(user)
    require(viewer, Right.SEE)
    if asked.unmasked:
        require(viewer, Right.UNMASK)
    return admit(doors, user, Reading(event_id, sha256, kind, asked.purpose), lambda _: sight.of_events(viewer))


def masked(request: Request, doors: Doors, admitted: Admitted, range_header: str | None) -> Response:
    """The masked copy of evidence, made where there is none yet."""
    ref, subject = admitted.ref, admitted.subject
    copy = doors.masked_copies.ensure(ref, subject.object_class, subject.box)
    return send_masked(request, doors.objects, ref.sha256, copy, range_header)


def send_masked(
    request: Request, objects: ObjectStore, sha256: str, copy: MaskedCopy, range_header: str | None
) -> Response:
    """A masked copy as it goes out: `X-Masking` says how it was made, `X-Derived-From` of what."""
    told = {"X-Derived-From": sha256, "X-Masking": copy.how}
    if copy.key is None:  # another day it may be made better
        return Response(copy.data, media_type=copy.media_type, headers=told | {"Cache-Control": "no-store"})
    name = copy.key.rpartition("/")[2]
    told["Cache-Control"] = "private, max-age=86400"
    return send(request, objects, Served(copy.key, f'"{name}"', copy.media_type, name, told), range_header)


BYTES: dict[int | str, dict[str, Any]] = {
    206: {"description": "the range asked for"},
    304: {"description": "the caller has it"},
    401: {"model": Problem},
    403: {"model": Problem},
    404: {"model": Problem},
    410: {"model": Problem},
    416: {"model": Problem},
    422: {"model": Problem},
    503: {"model": Problem},
}
RangeHeader = Annotated[str | None, Header(alias="Range")]


@router.get(
    "/{event_id}/evidence/{sha256}",
    response_class=Response,
    responses=BYTES
    | {200: {"content": {"image/jpeg": {}, "video/mp4": {}}, "description": "a masked copy, or the bytes"}},
)
def evidence(
    request: Request,
    event_id: EventId,
    sha256: Sha256,
    doors: DoorsDep,
    shown: CredentialDep,
    asked: AskedDep,
    range_header: RangeHeader = None,
) -> Response:
    """One picture or clip of an event, faces and plates of bystanders made unrecognisable; the event's own vehicle
    keeps its plate. `unmasked=1` with a `purpose` sends the bytes as they were hashed, to those who have the right."""
    if not asked.unmasked:
        return masked(request, doors, _admit(doors, shown, event_id, sha256, asked, "masked"), range_header)
    ref = _admit(doors, shown, event_id, sha256, asked, "original").ref
    return send(request, doors.objects, _original(ref), range_header)


@router.get(
    "/{event_id}/evidence/{sha256}/proxy",
    response_class=Response,
    responses=BYTES
    | {200: {"content": {"video/mp4": {}}, "description": "derived from the evidence, not evidence itself"}},
)
def evidence_proxy(
    request: Request,
    event_id: EventId,
    sha256: Sha256,
    doors: DoorsDep,
    shown: CredentialDep,
    asked: AskedDep,
    range_header: RangeHeader = None,
) -> Response:
    """A viewing copy in H.264 of a clip, made at the first call and then kept: the masked one; with `unmasked=1` one
    of the bytes as they were hashed, for browsers that cannot play them.

    `X-Derived-From` names the original's SHA-256.
    """
    if not asked.unmasked:
        return masked(request, doors, _admit(doors, shown, event_id, sha256, asked, "masked"), range_header)
    ref = _admit(doors, shown, event_id, sha256, asked, "viewing copy").ref
    key = doors.viewing_copies.ensure(ref)
    name = f"{ref.role}-{sha256[:12]}-viewing-copy.mp4"
    told = {"X-Derived-From": sha256} | UNKEPT
    return send(request, doors.objects, Served(key, f'"{sha256}-h264"', "video/mp4", name, told), range_header)
