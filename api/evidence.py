"""Evidence bytes: pictures and clips by content hash, with ranges so that a clip can be sought in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Header, Path, Request
from fastapi.responses import Response, StreamingResponse

from api.deps import ConnectionDep, DoorsDep, UserDep
from api.problems import EvidenceWaiting, NotFound, Problem, problem
from contracts.records import EvidenceRef
from events import queries
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


def _send(request: Request, objects: ObjectStore, ref: EvidenceRef, range_header: str | None) -> Response:
    etag = f'"{ref.sha256}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, max-age=31536000, immutable",
        "Accept-Ranges": "bytes",
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    media_type = ref.media_type if ref.media_type in _SHOWN_INLINE else "application/octet-stream"
    extension = ref.key.rpartition(".")[2] if "." in ref.key else "bin"
    disposition = "inline" if media_type != "application/octet-stream" else "attachment"
    headers["Content-Disposition"] = f'{disposition}; filename="{ref.role}-{ref.sha256[:12]}.{extension}"'
    size = objects.size(ref.key)
    if request.headers.get("if-range") not in (None, etag):
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
        _pieces(objects, ref.key, start, end), 206 if part else 200, headers=headers, media_type=media_type
    )


@router.get(
    "/{event_id}/evidence/{sha256}",
    response_class=Response,
    responses={
        200: {"content": {"image/jpeg": {}, "video/mp4": {}}, "description": "the bytes; immutable"},
        206: {"description": "the range asked for"},
        304: {"description": "the caller has it"},
        404: {"model": Problem},
        416: {"model": Problem},
    },
)
def evidence(
    request: Request,
    event_id: EventId,
    sha256: Sha256,
    doors: DoorsDep,
    connection: ConnectionDep,
    _user: UserDep,
    range_header: Annotated[str | None, Header(alias="Range")] = None,
) -> Response:
    """One picture or clip of an event, byte for byte as it was hashed."""
    found = queries.get_event(connection, event_id)
    if found is None:
        raise NotFound(f"no event {event_id}")
    ref = next((row.ref for row in found.evidence if row.ref.sha256 == sha256), None)
    if ref is None:
        raise NotFound(f"event {event_id} has no evidence {sha256[:12]}…")
    if not ref.stored:
        raise EvidenceWaiting("the bytes still wait at the worker", "they follow when the object store takes them")
    return _send(request, doors.objects, ref, range_header)
