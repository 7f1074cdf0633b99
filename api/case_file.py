"""What an event's case adds to its package: the history, what the camera saw again, photos from the place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from api.evidence import deletion
from cases import queries
from cases.pictures import BEFORE, CasePicture
from cases.queries import CaseDetail, Sight
from cases.tables import case_decisions
from contracts.records import Event
from governance import custody
from governance.custody import CustodyLine, Piece
from governance.package import Absent, Content
from store.objects import ObjectStore, is_there

EVERYTHING = Sight(everything=True)
_READ = 4 << 20


@dataclass(frozen=True, slots=True)
class CaseFile:
    """The case's part of a package.

    Attributes:
        number: of the case, where the one who takes it out may see the case itself; else None.
        pieces: the pictures that leave.
        handled: the lines of custody about them.
        deleted: keys of those that are gone by policy.
    """

    number: int | None = None
    contents: list[Content] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    handled: list[CustodyLine] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)


def of_event(connection: Connection, objects: ObjectStore, event: Event, whose: Sight) -> CaseFile:
    """The part of the case that an event stands behind. Whoever may not see the case gets what the event's own camera
    saw again at the event's own place, which the right to the event's evidence covers, and nothing else.

    Args:
        whose: which cases the one who takes it out may see.

    Raises:
        ObjectsUnavailable: what is there cannot be known now.
    """
    behind = select(case_decisions.c.case_id).where(case_decisions.c.event_id == event.id)
    number = connection.execute(behind).scalar_one_or_none()
    detail = None if number is None else queries.get_case(connection, EVERYTHING, number)
    if number is None or detail is None:
        return CaseFile()
    whole = queries.get_case(connection, whose, number) is not None
    same_place = (detail.case.camera, detail.case.zone) == (event.camera, event.zone)
    own = [one for one in detail.pictures if one.role != BEFORE]  # that one goes out with its event
    mine = [one for one in own if whole or (one.looked and same_place)]
    return _filed(connection, objects, detail, mine, whole)


def _filed(
    connection: Connection, objects: ObjectStore, detail: CaseDetail, mine: list[CasePicture], whole: bool
) -> CaseFile:
    number = detail.case.id
    file = CaseFile(number if whole else None)
    if whole:
        told = json.dumps(detail.model_dump(mode="json"), ensure_ascii=False, indent=1, sort_keys=True).encode()
        file.contents.append(Content("case.json", (told,), f"case {number}: its history and its second looks"))
    for one in mine:
        if one.deleted_utc is not None:
            file.absent.append(Absent(sha256=one.sha256, role=one.role, why=deletion(connection, one.key)))
            file.deleted.append(one.key)
            continue
        if not is_there(objects, one.key):
            file.absent.append(Absent(sha256=one.sha256, role=one.role, why="not in the object store"))
            continue
        what = "what the camera saw at a second look" if one.looked else "a photo from the place"
        name = f"{'looks' if one.looked else 'photos'}/{one.role}-{one.key.rpartition('/')[2]}"
        file.contents.append(Content(name, bytes_of(objects, one.key), f"{what}, case {number}", one.sha256))
        file.pieces.append(Piece("", one.sha256, one.role, number))
    shown = {one.sha256 for one in mine}
    file.handled.extend(line for line in custody.of_case(connection, number) if line.sha256 in shown)
    return file


def bytes_of(objects: ObjectStore, key: str) -> Iterator[bytes]:
    """Raises, when it is read, ObjectsUnavailable, ObjectMissing."""
    size = objects.size(key)
    for start in range(0, size, _READ):
        yield objects.read_range(key, start, min(start + _READ, size))
