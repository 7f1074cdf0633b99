"""Ids, sequence numbers and carried state of events."""

from __future__ import annotations

import pytest

from contracts.algorithms import IllegalParking
from contracts.pool import Camera
from contracts.records import ClockSource, Event, EvidenceRef, Provenance, Subject, Transition
from contracts.vision import Look, Tracks
from pipeline.eventbook import Clock, EventBook
from pipeline.rules.base import Output, Step

CAMERA = Camera.model_validate(
    {"id": "c1", "name": "c1", "department": "d1", "grid": "g1", "main": {"url": "rtsp://127.0.0.1/c1"}}
)
PROVENANCE = Provenance(
    algorithm="illegal_parking", algorithm_version="1", model="m", model_sha256="0" * 64, config_digest="1" * 64
)
CLOCK = Clock(ClockSource.FILE, 0.0)


def look(time: float) -> Look:
    return Look("c1", time, 1_700_000_000 + time, Tracks.empty(), 16 / 9)


def output(step: Step, time: float, started: float = 10.0, key: str = "track:7") -> Output:
    return Output(step, key, "z1", started, time, Subject(track=7), {"still_s": time - started}, {"en": "x", "zh": "x"})


def say(book: EventBook, step: Step, time: float, evidence: tuple[EvidenceRef, ...] = ()) -> Event:
    return book.transition(output(step, time), look(time), CLOCK, IllegalParking(), PROVENANCE, evidence)


def ref(name: str) -> EvidenceRef:
    return EvidenceRef(role="clip", key=f"evidence/{name}", sha256="a" * 64, media_type="video/mp4", size=1, utc=0)


def test_an_interval_has_one_id_and_counts_without_a_gap() -> None:
    book = EventBook(CAMERA)
    first = book.matter("illegal_parking", output(Step.CANDIDATE, 12), look(12))
    opened = say(book, Step.OPENED, 30)
    attached = book.attach(opened.id, 1_700_000_034, 34, (ref("clip"),))
    closed = say(book, Step.CLOSED, 60)
    assert attached is not None
    assert {first.id, opened.id, attached.id, closed.id} == {first.id}
    assert [e.seq for e in (opened, attached, closed)] == [0, 1, 2]
    assert [e.transition for e in (opened, attached, closed)] == [
        Transition.OPENED,
        Transition.UPDATED,
        Transition.CLOSED,
    ]
    assert closed.evidence == (ref("clip"),)
    assert opened.started_utc == 1_700_000_010
    assert closed.ended_utc == 1_700_000_060


def test_nothing_is_attached_to_a_closed_event() -> None:
    book = EventBook(CAMERA)
    opened = say(book, Step.OPENED, 30)
    say(book, Step.CLOSED, 40)
    assert book.attach(opened.id, 1, 1, (ref("late"),)) is None


def test_a_restart_goes_on_with_the_next_number_of_the_same_event() -> None:
    book = EventBook(CAMERA)
    opened = say(book, Step.OPENED, 30)
    again = EventBook(CAMERA)
    again.load(book.dump())
    closed = say(again, Step.CLOSED, 50)
    assert (closed.id, closed.seq, closed.started_utc) == (opened.id, 1, opened.started_utc)


def test_a_state_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="not a key"):
        EventBook(CAMERA).load([{"key": "x", "last": None, "id": "", "started_utc": 0, "started": 0}])
