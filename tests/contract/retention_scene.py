"""Evidence of events that are long over, for tests of what is deleted and what is kept."""

from __future__ import annotations

import hashlib
import time
import uuid
from pathlib import Path
from typing import Literal

from sqlalchemy import Engine, insert, update

from cases import pictures
from cases.tables import case_decisions, cases
from contracts.records import Event, EvidenceRef
from events import review
from events.review import Kind, Said, Why
from events.store import lock_ingest, write_event
from governance import audit, custody
from governance.retention import Policy, read_policy
from governance.signing import Ed25519Signer
from store.database import at
from store.objects import DiskObjects
from tests.e2e.console_city import make_event

DAY = 86_400.0
SECRET = "a key for this test alone"
SIGNER = Ed25519Signer(SECRET)
RULES = """
rules:
  - {class: false_alarm, case: [void], days: 7}
  - {class: case_evidence, case: [closed], days: 100}
  - {class: crowds, events: [crowding], days: forever}
  - {class: unconfirmed, days: 30}
"""
CASE_RULES = """
case_pictures:
  - {class: struck_out_pictures, case: [void], days: 7}
  - {class: case_pictures, days: 50}
"""


def policy_in(folder: Path, text: str = RULES) -> Policy:
    path = folder / "retention.yaml"
    path.write_text(text)
    return read_policy(path)


def keep(objects: DiskObjects, data: bytes, utc: float, role: str = "decision") -> EvidenceRef:
    """A picture in the object store."""
    digest = hashlib.sha256(data).hexdigest()
    key = f"evidence/{digest[:2]}/{digest}.jpg"
    objects.put(key, data, "image/jpeg")
    fields = {"role": role, "key": key, "sha256": digest, "media_type": "image/jpeg", "size": len(data), "utc": utc}
    return EvidenceRef.model_validate(fields)


def over(
    engine: Engine, ref: EvidenceRef, days: float, subject: str, *, closed: bool = True, kind: str = "litter"
) -> Event:
    """An event that ended so many days ago, with that evidence."""
    started = time.time() - days * DAY - 34
    event = make_event(started, kind=kind, subject=subject, evidence=(ref,), closed=closed)
    with engine.begin() as connection:
        lock_ingest(connection)
        write_event(connection, "w", event)
        custody.captured(connection, event)
    return event


def in_case(engine: Engine, event: Event, status: str, days: float) -> int:
    """A case of the event that was last touched so many days ago; its number."""
    moment = at(time.time() - days * DAY)
    row = {
        "source": "event",
        "category": "0304",
        "place": "",
        "address": "",
        "camera": event.camera,
        "zone": event.zone,
        "grid": "",
        "department": event.department,
        "severity": "minor",
        "note": "",
        "started": moment,
        "opened": moment,
        "updated": moment,
        "revision": 0,
        "status": status,
        "owner": "city",
        "handler": "",
        "supervised": False,
        "state": {},
    }
    with engine.begin() as connection:
        number: int = connection.execute(insert(cases).values(row).returning(cases.c.id)).scalar_one()
        decision = {"event_id": event.id, "case_id": number, "kind": "new", "category": "0304", "reason": {}}
        connection.execute(insert(case_decisions).values(decision | {"at": moment}))
    return number


def photo(engine: Engine, objects: DiskObjects, case: int, data: bytes, days: float) -> str:
    """A photo from the place that came to the case so many days ago; its key."""
    digest = hashlib.sha256(data).hexdigest()
    key = f"cases/{digest[:2]}/{digest}.jpg"
    objects.put(key, data, "image/jpeg")
    with engine.begin() as connection:
        moment = time.time() - days * DAY
        pictures.attached(connection, case, key, len(data), moment)
        told = audit.record(connection, "operator", "case.picture", {"case": case, "sha256": digest}, moment)
        custody.attached(connection, told, case, [digest], pictures.PHOTO)
    return key


def set_status(engine: Engine, number: int, status: str) -> None:
    with engine.begin() as connection:
        connection.execute(update(cases).where(cases.c.id == number).values(status=status))


def judged(engine: Engine, event: Event, kind: Literal[Kind.REAL, Kind.FALSE_ALARM], days: float) -> None:
    """What somebody said of the event so many days ago."""
    moment = time.time() - days * DAY
    why = Why.OTHER if kind is Kind.FALSE_ALARM else None
    with engine.begin() as connection:
        said = Said(kind=kind, reason=why, note="", who="tests", key=uuid.uuid4().hex)
        review.judge(connection, event, (), said, moment)
