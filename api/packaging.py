"""Evidence of an event as a signed package, for whoever has to prove it elsewhere."""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import IO

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection

from api import sight
from api.deps import ConnectionDep, DoorsDep, SeerDep
from api.doors import Doors
from api.evidence import EventId, settle
from api.problems import NotFound, Problem
from api.schemas import PurposeBody
from events import queries
from events.types import EventDetail
from governance import audit, package
from governance.package import Absent, Content

router = APIRouter(prefix="/api/events", tags=["evidence"])

_IN_MEMORY = 8 << 20
_PIECE = 256 * 1024


@router.post(
    "/{event_id}/package",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}}, 404: {"model": Problem}, 503: {"model": Problem}},
)
def evidence_package(
    event_id: EventId, body: PurposeBody, doors: DoorsDep, connection: ConnectionDep, viewer: SeerDep
) -> StreamingResponse:
    """Pictures, clips, what the event said, who touched it, and a signed manifest: `cityvision evidence verify`
    checks it anywhere. Needs the grant for evidence; the purpose goes into package and audit chain."""
    now = time.time()
    found = queries.get_event(connection, event_id, sight.of_events(viewer))
    if found is None or not found.evidence:
        raise NotFound(f"event {event_id} has no evidence")
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 closed by whoever sends it
    contents, absent = contents_of(connection, doors, found)
    manifest = package.write(file, event_id, contents, viewer.name, body.purpose, now, doors.signer, absent)
    size = file.tell()
    hashed = hashlib.sha256(json.dumps(manifest.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()
    told = {"event": event_id, "purpose": body.purpose, "files": len(contents), "manifest": hashed}
    audit.record(connection, viewer.name, "evidence.exported", told, now)
    headers = {"Content-Disposition": f'attachment; filename="evidence-{event_id}.zip"', "Content-Length": str(size)}
    return StreamingResponse(_pieces(file), media_type="application/zip", headers=headers)


def contents_of(connection: Connection, doors: Doors, found: EventDetail) -> tuple[list[Content], list[Absent]]:
    """The files of a package, the event's own words first; and what is not there, with the reason.

    Raises:
        ObjectsUnavailable, ObjectMissing: bytes cannot be had now.
    """
    event = found.event
    transitions = [row.event.model_dump(mode="json") for row in found.transitions]
    custody = [asdict(line) for line in audit.about_event(connection, event.id)]
    contents = [
        Content("event.json", _json(event.model_dump(mode="json")), "the event as it stands"),
        Content("transitions.json", _json(transitions), "every transition, in order"),
        Content("provenance.json", _json(event.provenance.model_dump(mode="json")), "code and weights that said so"),
        Content("custody.json", _json(custody), "lines of the audit chain about this event, the oldest first"),
    ]
    absent = []
    for told in {row.ref.sha256: row.ref for row in found.evidence}.values():
        ref = settle(connection, doors.objects, told)
        if not ref.stored:
            absent.append(Absent(sha256=ref.sha256, role=ref.role, why="the worker still holds the bytes"))
            continue
        name, what = f"evidence/{ref.role}-{ref.key.rpartition('/')[2]}", f"{ref.role}, captured {ref.utc:.3f} s UTC"
        contents.append(Content(name, doors.objects.get(ref.key), what, ref.sha256))
    return contents, absent


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode()


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece
