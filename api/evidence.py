"""Evidence bytes: pictures and clips by content hash, with ranges so that a clip can be sought in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy import Connection

from api import readings, sight
from api.deps import Credential, CredentialDep, DoorsDep, check_session, viewer_of
from api.doors import Doors
from api.problems import EvidenceDeleted, EvidenceWaiting, NotFound, Problem, problem
from contracts.errors import ObjectMissing
from contracts.records import EvidenceRef
from events import queries
from events.store import mark_stored
from governance import deletions
from governance.access import require
from governance.proofs import check
from governance.roles import Right
from store.objects import ObjectStore

router = APIRouter(prefix="/api/events", tags=["evidence"])

_PIECE = 256 * 1024
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
    return Served(ref.key, f'"{ref.sha256}"', media_type, f"{ref.role}-{ref.sha256[:12]}.{extension}", {})


def _send(request: Request, objects: ObjectStore, served: Served, range_header: str | None) -> Response:
    headers = {
        "ETag": served.etag,
        "Cache-Control": "private, max-age=31536000, immutable",
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
    if ref.stored:
        return ref
    try:
        objects.size(ref.key)
    except ObjectMissing:
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


def _admit(doors: Doors, shown: Credential, event_id: str, sha256: str, kind: str) -> EvidenceRef:
    """The evidence that somebody may read, noted in the audit chain before the first byte goes out.

    A transaction of its own: none may stand open while a clip is sent or converted.
    """
    user = check_session(doors, shown)
    viewer = viewer_of(user)
    require(viewer, Right.SEE)
    note = doors.readings.due(user, sha256)
    with doors.engine.begin() as connection:
        found = queries.get_event(connection, event_id, sight.of_events(viewer))
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
            readings.record(connection, user, found.event.camera, event_id, ref, kind)
    if note:
        doors.readings.noted(user, sha256)
    return ref


_BYTES: dict[int | str, dict[str, Any]] = {
    206: {"description": "the range asked for"},
    304: {"description": "the caller has it"},
    401: {"model": Problem},
    404: {"model": Problem},
    410: {"model": Problem},
    416: {"model": Problem},
    503: {"model": Problem},
}
RangeHeader = Annotated[str | None, Header(alias="Range")]


@router.get(
    "/{event_id}/evidence/{sha256}",
    response_class=Response,
    responses=_BYTES | {200: {"content": {"image/jpeg": {}, "video/mp4": {}}, "description": "the bytes; immutable"}},
)
def evidence(
    request: Request,
    event_id: EventId,
    sha256: Sha256,
    doors: DoorsDep,
    shown: CredentialDep,
    range_header: RangeHeader = None,
) -> Response:
    """One picture or clip of an event, byte for byte as it was hashed."""
    ref = _admit(doors, shown, event_id, sha256, "original")
    return _send(request, doors.objects, _original(ref), range_header)


@router.get(
    "/{event_id}/evidence/{sha256}/proxy",
    response_class=Response,
    responses=_BYTES
    | {
        200: {"content": {"video/mp4": {}}, "description": "derived from the evidence, not evidence itself"},
        422: {"model": Problem},
    },
)
def evidence_proxy(
    request: Request,
    event_id: EventId,
    sha256: Sha256,
    doors: DoorsDep,
    shown: CredentialDep,
    range_header: RangeHeader = None,
) -> Response:
    """A viewing copy in H.264 of a clip that the browser cannot play, made at the first call and then kept.

    `X-Derived-From` names the original's SHA-256.
    """
    ref = _admit(doors, shown, event_id, sha256, "viewing copy")
    key = doors.viewing_copies.ensure(ref)
    served = Served(
        key,
        f'"{sha256}-h264"',
        "video/mp4",
        f"{ref.role}-{sha256[:12]}-viewing-copy.mp4",
        {"X-Derived-From": sha256},
    )
    return _send(request, doors.objects, served, range_header)
