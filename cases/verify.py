"""核查 by the camera: the platform looks again with the same algorithm, and closes what is gone or gives it back.

Every function works in its caller's transaction; times are s since 1970 UTC.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from sqlalchemy import Connection, insert, select, update

from cases import pictures, store
from cases.book import Book
from cases.service import SYSTEM, perform
from cases.tables import case_looks
from cases.types import Action, Case, Duty, Facts, Status
from contracts.looks import LookRequest
from contracts.records import LookResult
from store.database import at

PATIENCE_S = 180.0  # the camera may be offline, or busy; then a person has to decide
_AT_ONCE = 500


def ask(connection: Connection, case: Case, event_type: str, now: float) -> LookRequest:
    """Asks for a second look at a case's place."""
    request = LookRequest(
        id=secrets.token_hex(16),
        camera=case.camera,
        type=event_type,
        zone=case.zone,
        asked_utc=now,
        until_utc=now + PATIENCE_S,
    )
    values = {"id": request.id, "case_id": case.id, "request": request.model_dump(mode="json")}
    values |= {"asked": at(now), "until": at(request.until_utc)}
    connection.execute(insert(case_looks).values(values))
    return request


def begin(connection: Connection, now: float, book: Book) -> int:
    """What was reported done and can be seen by a camera is put under 核查, and a look is asked for.

    Returns:
        of how many cases.
    """
    looked = {one.code: one.events[0] for one in book.categories if one.closes == "gone" and one.events}
    found = store.reported(connection, tuple(looked), _AT_ONCE)
    for case in found:
        perform(connection, case.id, Action.VERIFY, Duty.SYSTEM, SYSTEM, Facts(note="由摄像机复核"), now, book)
        ask(connection, case, looked[case.category], now)
    return len(found)


def waiting(connection: Connection, now: float) -> list[LookRequest]:
    """Looks that are waited for."""
    query = select(case_looks.c.request).where(case_looks.c.result.is_(None), case_looks.c.until > at(now))
    return [LookRequest.model_validate(body) for body in connection.execute(query).scalars()]


class LookAnswers:
    """`events.hooks.LookHook`: an answer closes the case, gives it back to its handler, or leaves it to a person.

    Args:
        before: says the key of a picture of the place as it was when the case began ("": there is none), by the case's
            id; None: nobody knows.
    """

    def __init__(self, book: Book, before: Callable[[Connection, int], str] | None = None) -> None:
        self._book, self._before = book, before

    def __call__(self, connection: Connection, look: LookResult) -> None:
        """The first answer counts; one that nobody asked for is passed over."""
        answered = (
            update(case_looks)
            .where(case_looks.c.id == look.request, case_looks.c.result.is_(None))
            .values(result=look.model_dump(mode="json"))
            .returning(case_looks.c.case_id)
        )
        number = connection.execute(answered).scalar_one_or_none()
        case = None if number is None else store.read(connection, number, lock=True)
        if case is None:
            return
        pictures.seen(connection, case.id, look.evidence)
        if case.state.status is not Status.VERIFYING or look.verdict == "unseen":
            return
        if look.request != _newest(connection, case.id):
            return  # it saw the place before the newest report
        now = tuple(ref.key for ref in look.evidence)
        before = self._before(connection, case.id) if self._before else ""
        facts = Facts(note=look.reason.get("zh", ""), verdict=look.verdict, pictures=now, before=before)
        action = Action.CLOSE if look.verdict == "gone" else Action.REFUSE
        perform(connection, case.id, action, Duty.SYSTEM, SYSTEM, facts, look.utc, self._book)


def _newest(connection: Connection, case: int) -> str:
    """The look at a case that was asked for last."""
    mine = select(case_looks.c.id).where(case_looks.c.case_id == case)
    newest: str = connection.execute(mine.order_by(case_looks.c.asked.desc()).limit(1)).scalar_one()
    return newest
