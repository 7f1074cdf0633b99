"""核查 by the camera, on a real Postgres: what is gone is closed, what is still there goes back, once."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from cases import store, verify
from cases.book import read_book
from cases.service import accept, perform
from cases.types import Action, Case, Duty, Facts, NewCase, Status
from contracts.looks import LookRequest
from contracts.records import EvidenceRef, LookRecord, LookResult, LookVerdict
from events.consumer import Consumer
from events.hooks import Hooks
from store.bus import Bus
from tests.contract.test_cases_service import PICTURE, numbers, see
from tests.contract.test_events_store import entry, send
from tests.unit.test_cases_decide import NOW, event

pytest_plugins = ["tests.embedded"]

BOOK = read_book()


def reported(engine: Engine) -> tuple[int, LookRequest]:
    """A case whose handler says that it is done, and the look that is asked for."""
    see(engine, event())
    number = numbers(engine)[-1]
    with engine.begin() as connection:
        perform(connection, number, Action.REPORT, Duty.HANDLER, "li", Facts(pictures=PICTURE), NOW + 600, BOOK)
        assert verify.begin(connection, NOW + 601, BOOK) == 1
        assert verify.begin(connection, NOW + 602, BOOK) == 0
        (request,) = verify.waiting(connection, NOW + 602)
        assert verify.waiting(connection, NOW + 601 + verify.PATIENCE_S) == []
    assert (request.camera, request.type, request.zone) == ("a", "illegal_parking", "kerb")
    return number, request


def answer(request: LookRequest, verdict: LookVerdict) -> LookResult:
    picture = EvidenceRef(
        role="latest", key="evidence/aa/now.jpg", sha256="0" * 64, media_type="image/jpeg", size=1, utc=NOW
    )
    return LookResult(
        request=request.id,
        camera=request.camera,
        type=request.type,
        zone=request.zone,
        utc=NOW + 640,
        verdict=verdict,
        looks=11,
        watched_s=20,
        reason={"zh": "观察 20 秒", "en": "watched for 20 s"},
        evidence=(picture,),
    )


def case_of(engine: Engine, number: int) -> Case:
    with engine.begin() as connection:
        found = store.read(connection, number)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("verdict", "status", "owner"),
    [
        ("gone", Status.CLOSED, "city"),
        ("still_there", Status.DISPATCHED, "traffic"),
        ("unseen", Status.VERIFYING, "city"),
    ],
)
def test_the_answer_decides_once(engine: Engine, bus: Bus, verdict: LookVerdict, status: Status, owner: str) -> None:
    number, request = reported(engine)
    other: LookVerdict = "gone" if verdict == "still_there" else "still_there"
    answers = [answer(request, verdict), answer(request, other)]
    send(bus, [entry(n, LookRecord(look=one)) for n, one in enumerate(answers)])
    consumer = Consumer(engine, bus, Hooks(looks=[verify.LookAnswers(BOOK)]))
    consumer.step()
    assert consumer.counters.rejected == 0
    case = case_of(engine, number)
    assert (case.state.status, case.state.owner) == (status, owner)
    with engine.begin() as connection:
        assert verify.waiting(connection, NOW + 641) == []
        last = store.lines(connection, number)[-1]
    if verdict != "unseen":
        assert (last.facts.verdict, last.facts.pictures) == (verdict, ("evidence/aa/now.jpg",))


def test_what_people_have_to_look_at_keeps_no_camera_waiting(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many reports wait for people, those that a camera can look at are taken."""
    monkeypatch.setattr(verify, "_AT_ONCE", 1)
    about = NewCase(source="hotline", category="0999", department="city", started_utc=NOW)
    with engine.begin() as connection:
        number = accept(connection, about, Duty.CENTRE, "zhao", NOW, BOOK).id
        for action, facts in (
            (Action.FILE, Facts()),
            (Action.DISPATCH, Facts(department="traffic")),
            (Action.REPORT, Facts(pictures=("cases/aa/photo.jpg",))),
        ):
            duty = Duty.HANDLER if action is Action.REPORT else Duty.CENTRE
            perform(connection, number, action, duty, "zhao", facts, NOW, BOOK)
    found, _ = reported(engine)
    assert case_of(engine, found).state.status is Status.VERIFYING


def test_the_answer_to_an_older_look_decides_nothing(engine: Engine) -> None:
    """It saw the place before the newest report."""
    number, older = reported(engine)
    with engine.begin() as connection:
        refused = Facts(verdict="still_there", note="还在")
        perform(connection, number, Action.REFUSE, Duty.CENTRE, "zhao", refused, NOW + 610, BOOK)
        perform(connection, number, Action.REPORT, Duty.HANDLER, "li", Facts(pictures=PICTURE), NOW + 630, BOOK)
        assert verify.begin(connection, NOW + 631, BOOK) == 1
        newer = next(one for one in verify.waiting(connection, NOW + 632) if one.id != older.id)
        verify.LookAnswers(BOOK)(connection, answer(older, "gone"))
    assert case_of(engine, number).state.status is Status.VERIFYING
    with engine.begin() as connection:
        verify.LookAnswers(BOOK)(connection, answer(newer, "still_there"))
    assert case_of(engine, number).state.status is Status.DISPATCHED


def test_a_person_decides_where_the_camera_cannot(engine: Engine) -> None:
    number, _ = reported(engine)
    facts = Facts(verdict="unseen", overridden=True, note="现场照片清楚")
    with engine.begin() as connection:
        perform(connection, number, Action.CLOSE, Duty.CENTRE, "zhao", facts, NOW + 900, BOOK)
    assert case_of(engine, number).state.status is Status.CLOSED


def test_requests_are_told_to_workers_and_withdrawn(engine: Engine, bus: Bus) -> None:
    _, request = reported(engine)
    bus.set_looks([request])
    assert bus.looks() == [request]
    bus.set_looks([])
    assert bus.looks() == []
