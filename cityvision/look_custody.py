"""What a camera saw at a second look at a case enters the custody log: looks and cases meet custody here."""

from __future__ import annotations

from sqlalchemy import Connection, select

from cases.tables import case_looks
from contracts.records import LookResult
from governance import custody


def captured(connection: Connection, look: LookResult) -> None:
    """`events.hooks.LookHook`, to be called before the one that takes the answer: the first one counts."""
    asked = select(case_looks.c.case_id).where(case_looks.c.id == look.request, case_looks.c.result.is_(None))
    number = connection.execute(asked).scalar_one_or_none()
    if number is not None:
        custody.captured_of_case(connection, number, look.evidence, look.camera, look.type)
