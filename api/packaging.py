"""Evidence of an event as a signed package, for whoever has to prove it elsewhere."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import IO, Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection

from api import case_file, sight
from api.case_file import CaseFile, bytes_of
from api.deps import Allowed, ConnectionDep, DoorsDep
from api.evidence import EventId, deletion, settle
from api.problems import NotFound, Problem
from api.schemas import PurposeBody
from cases import queries as case_queries
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
    taker = Taker(viewer.name, body.purpose, sight.of_events(viewer), sight.of_own_cases(connection, viewer))
    export(connection, doors.objects, doors.signer, event_id, taker, file)
    headers = {
        "Content-Disposition": f'attachment; filename="evidence-{event_id}.zip"',
        "Content-Length": str(file.tell()),
    }
    return StreamingResponse(_pieces(file), media_type="application/zip", headers=headers)


@dataclass(frozen=True, slots=True)
class Taker:
    """Who takes a package out.

    Attributes:
        purpose: what for.
        seen, whose: which events and which cases they may see.
        via: by which way it leaves, where that is not the door.
    """

    who: str
    purpose: str
    seen: Sight = EVERYTHING
    whose: case_queries.Sight = case_file.EVERYTHING
    via: str = ""


def export(
    connection: Connection, objects: ObjectStore, signer: Signer, event_id: str, taker: Taker, target: IO[bytes]
) -> Packed:
    """Writes the package of an event, and the line of the audit chain that says so.

    Args:
        target: stands at its end afterwards; worthless where this raises.

    Raises:
        NotFound: there is no such event to be seen, or no evidence of it.
        PackageFault: bytes are not those that were captured.
        ObjectsUnavailable, ObjectMissing: bytes cannot be had now.
    """
    now = time.time()
    found = queries.get_event(connection, event_id, taker.seen)
    if found is None or not found.evidence:
        raise NotFound(f"event {event_id} has no evidence")
    of_case = case_file.of_event(connection, objects, found.event, taker.whose)
    contents, absent = contents_of(connection, objects, found, of_case)
    packed = package.write(target, event_id, contents, taker.who, taker.purpose, now, signer, absent)
    told = {"event": event_id, "purpose": taker.purpose, "files": len(contents), "manifest": packed.sha256}
    told |= {"via": taker.via} if taker.via else {}
    entry = audit.record(connection, taker.who, custody.AUDITED[Act.EXPORTED], told, now)
    missing = {one.sha256 for one in absent}
    taken = {row.ref.sha256: row.ref.role for row in reversed(found.evidence) if row.ref.sha256 not in missing}
    pieces = [*(Piece(event_id, *one) for one in taken.items()), *of_case.pieces]
    custody.note(connection, entry, Act.EXPORTED, pieces, taker.purpose)
    return packed


def contents_of(
    connection: Connection, objects: ObjectStore, found: EventDetail, of_case: CaseFile
) -> tuple[list[Content], list[Absent]]:
    """The files of a package, the event's own words first; and what is not there, with the reason.

    Raises:
        ObjectsUnavailable: what is there cannot be known now.
    """
    event = found.event
    transitions = [row.event.model_dump(mode="json") for row in found.transitions]
    about = sorted((*custody.of_event(connection, event.id), *of_case.handled), key=lambda line: line.id)
    handled = [asdict(line) for line in about]
    lines = [asdict(line) for line in audit.about_event(connection, event.id, of_case.number)]
    contents = [
        Content("event.json", _json(event.model_dump(mode="json")), "the event as it stands"),
        Content("transitions.json", _json(transitions), "every transition, in order"),
        Content("provenance.json", _json(event.provenance.model_dump(mode="json")), "code and weights that said so"),
        Content("custody.json", _json(handled), "what was done with the evidence, by whom and why, the oldest first"),
        Content("audit.json", _json(lines), "lines of the audit chain about this event, the oldest first"),
        *of_case.contents,
    ]
    gone = [row.ref.key for row in found.evidence if row.deleted_utc is not None]
    proofs = deletions.proofs_of(connection, [*gone, *of_case.deleted])
    if proofs:
        told = [signed.model_dump() for signed in proofs.values()]
        contents.append(Content(package.DELETIONS, _json(told), "proofs of what was deleted by policy, each signed"))
    absent = list(of_case.absent)
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
        contents.append(Content(name, bytes_of(objects, ref.key), what, ref.sha256))
    return contents, absent


def _json(value: object) -> tuple[bytes]:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode(),)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece
