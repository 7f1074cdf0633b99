"""Who read which evidence: one line in the audit chain per session and object, not one per range request."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Literal

from sqlalchemy import Connection

from contracts.records import EvidenceRef
from governance import audit, custody
from governance.custody import Act, Piece
from governance.types import User

Kind = Literal["masked", "original", "viewing copy"]
"""Which form of it is shown; a viewing copy is one of the original."""

AGAIN_AFTER_S = 300.0
_MOST = 20_000


class Readings:
    """What was noted of late, in this process. Thread-safe; bounded, the oldest is forgotten first."""

    def __init__(self) -> None:
        self._noted: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._lock = threading.Lock()

    def due(self, user: User, what: str, now: float | None = None) -> bool:
        """Whether a reading must be noted: none by this session of the same in the last minutes.

        Args:
            what: names the object, the form that is shown and what for.
            now: monotonic clock, s; by default the present.
        """
        at = time.monotonic() if now is None else now
        with self._lock:
            noted = self._noted.get((user.session, what))
        return noted is None or at - noted >= AGAIN_AFTER_S

    def noted(self, user: User, what: str, now: float | None = None) -> None:
        """To be called once the line is committed; before that a failed request could leave a reading unnoted."""
        key, at = (user.session, what), time.monotonic() if now is None else now
        with self._lock:
            self._noted[key] = at
            self._noted.move_to_end(key)
            while len(self._noted) > _MOST:
                self._noted.popitem(last=False)


def record(
    connection: Connection, user: User, camera: str, event_id: str, ref: EvidenceRef, kind: Kind, purpose: str
) -> None:
    """The line itself and that of the custody log, in the caller's transaction; `purpose` is of what is unmasked."""
    what = {"event": event_id, "camera": camera, "sha256": ref.sha256, "role": ref.role, "kind": kind}
    what |= {"purpose": purpose} if purpose else {}
    told = audit.record(connection, user.name, custody.AUDITED[Act.VIEWED], what)
    custody.note(connection, told, Act.VIEWED, [Piece(event_id, ref.sha256, ref.role)], purpose, kind)


def record_of_verdict(
    connection: Connection, user: User, verdict: int, ref: EvidenceRef, camera: str, kind: Kind, why: str
) -> None:
    """The same of the picture on which somebody drew what was missed."""
    what = {"verdict": verdict, "camera": camera, "sha256": ref.sha256, "role": ref.role, "kind": kind}
    told = audit.record(connection, user.name, custody.AUDITED[Act.VIEWED], what | ({"purpose": why} if why else {}))
    custody.note(connection, told, Act.VIEWED, [Piece("", ref.sha256, ref.role, verdict_id=verdict)], why, kind)


def record_of_case(connection: Connection, user: User, case: int, sha256: str, role: str, kind: Kind, why: str) -> None:
    """The same of a picture that belongs to a case; `why` is what it is unmasked for."""
    what = {"case": case, "sha256": sha256, "role": role, "kind": kind} | ({"purpose": why} if why else {})
    told = audit.record(connection, user.name, custody.AUDITED[Act.VIEWED], what)
    custody.note(connection, told, Act.VIEWED, [Piece("", sha256, role, case)], why, kind)
