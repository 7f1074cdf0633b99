"""Evidence of an event as a signed package, for whoever has to prove it elsewhere."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import IO, Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection

from api import sight
from api.deps import Allowed, ConnectionDep, DoorsDep
from api.evidence import EventId, deletion, settle
from api.problems import NotFound, Problem
from api.schemas import PurposeBody
from contracts.records import EvidenceRef
from events import queries
from events.queries import EVERYTHING, Sight
from events.types import EventDetail
from governance import audit, custody, deletions, package
from governance.access import Viewer
from governance.custody import Act, Piece
from governance.package import Absent, Content, Packed
from governance.roles import Right
from governance.signing import Signer
from store.objects import ObjectStore

router = APIRouter(prefix="/api/events", tags=["evidence"])

TakerDep = Annotated[Viewer, Depends(Allowed(Right.UNMASK))]
_IN_MEMORY = 8 << 20
_PIECE = 256 * 1024
_READ = 4 << 20  # each is a request where the objects are in S3


@router.post(
    "/{event_id}/package",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}}, 404: {"model": Problem}, 503: {"model": Problem}},
)
def evidence_package(
    event_id: EventId, body: PurposeBody, doors: DoorsDep, connection: ConnectionDep, viewer: TakerDep
) -> StreamingResponse:
    """Pictures, clips, what the event said, who touched it, and a signed manifest: `cityvision evidence verify`
    checks it anywhere. Needs the grant for evidence and the right to unmask, for nothing in it is masked;
    the purpose goes into package and audit chain."""
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 closed by whoever sends it
    export(connection, doors.objects, doors.signer, event_id, viewer.name, body.purpose, file, sight.of_events(viewer))
    headers = {
        "Content-Disposition": f'attachment; filename="evidence-{event_id}.zip"',
        "Content-Length": str(file.tell()),
    }
    return StreamingResponse(_pieces(file), media_type="application/zip", headers=headers)


def export(
    connection: Connection,
    objects: ObjectStore,
    signer: Signer,
    event_id: str,
    who: str,
    purpose: str,
    target: IO[bytes],
    seen: Sight = EVERYTHING,
    via: str = "",
) -> Packed:
    """Writes the package of an event, and the line of the audit chain that says so.

    Args:
        target: stands at its end afterwards; worthless where this raises.
        via: by which way it leaves, where that is not the door.

    Raises:
        NotFound: there is no such event to be seen, or no evidence of it.
        PackageFault: bytes are not those that were captured.
        ObjectsUnavailable, ObjectMissing: bytes cannot be had now.
    """
    now = time.time()
    found = queries.get_event(connection, event_id, seen)
    if found is None or not found.evidence:
        raise NotFound(f"event {event_id} has no evidence")
    contents, absent = contents_of(connection, objects, found)
    packed = package.write(target, event_id, contents, who, purpose, now, signer, absent)
    told = {"event": event_id, "purpose": purpose, "files": len(contents), "manifest": packed.sha256}
    told |= {"via": via} if via else {}
    entry = audit.record(connection, who, custody.AUDITED[Act.EXPORTED], told, now)
    missing = {one.sha256 for one in absent}
    taken = {row.ref.sha256: row.ref.role for row in reversed(found.evidence) if row.ref.sha256 not in missing}
    custody.note(connection, entry, Act.EXPORTED, [Piece(event_id, *one) for one in taken.items()], purpose)
    return packed


def contents_of(connection: Connection, objects: ObjectStore, found: EventDetail) -> tuple[list[Content], list[Absent]]:
    """The files of a package, the event's own words first; and what is not there, with the reason.

    Raises:
        ObjectsUnavailable: what is there cannot be known now.
    """
    event = found.event
    transitions = [row.event.model_dump(mode="json") for row in found.transitions]
    handled = [asdict(line) for line in custody.of_event(connection, event.id)]
    lines = [asdict(line) for line in audit.about_event(connection, event.id)]
    contents = [
        Content("event.json", _json(event.model_dump(mode="json")), "the event as it stands"),
        Content("transitions.json", _json(transitions), "every transition, in order"),
        Content("provenance.json", _json(event.provenance.model_dump(mode="json")), "code and weights that said so"),
        Content("custody.json", _json(handled), "what was done with the evidence, by whom and why, the oldest first"),
        Content("audit.json", _json(lines), "lines of the audit chain about this event, the oldest first"),
    ]
    proofs = deletions.proofs_of(connection, [row.ref.key for row in found.evidence if row.deleted_utc is not None])
    if proofs:
        told = [signed.model_dump() for signed in proofs.values()]
        contents.append(Content(package.DELETIONS, _json(told), "proofs of what was deleted by policy, each signed"))
    absent = []
    for row in {row.ref.sha256: row for row in found.evidence}.values():
        if row.deleted_utc is not None:
            why = deletion(connection, row.ref.key)
            absent.append(Absent(sha256=row.ref.sha256, role=row.ref.role, why=why))
            continue
        ref = settle(connection, objects, row.ref)
        if not ref.stored:
            absent.append(Absent(sha256=ref.sha256, role=ref.role, why="the worker still holds the bytes"))
            continue
        name, what = f"evidence/{ref.role}-{ref.key.rpartition('/')[2]}", f"{ref.role}, captured {ref.utc:.3f} s UTC"
        contents.append(Content(name, _bytes_of(objects, ref), what, ref.sha256))
    return contents, absent


def _bytes_of(objects: ObjectStore, ref: EvidenceRef) -> Iterator[bytes]:
    """Raises, when it is read, ObjectsUnavailable, ObjectMissing."""
    size = objects.size(ref.key)
    for at in range(0, size, _READ):
        yield objects.read_range(ref.key, at, min(at + _READ, size))


def _json(value: object) -> tuple[bytes]:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode(),)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece
