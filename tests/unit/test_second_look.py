"""A second look at a place: what is there, what is gone, and what could not be seen."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.looks import LookRequest
from fleet.board import Assignment
from pipeline import secondlook
from pipeline.eventbook import Matter, MatterKey
from pipeline.secondlook import SecondLook, Seen
from simulator.rtsp import ServedCamera, ServerThread
from simulator.rtsp.clips import Encoding, render_pattern
from simulator.rtsp.media import load_clip
from tests.unit.fleet_scene import Running, camera, drive, make_stack

PARKING = "illegal_parking"
CAR: dict[MatterKey, Matter] = {(PARKING, "kerb", "car"): Matter("1", 0.0, 0.0)}
OTHER: dict[MatterKey, Matter] = {(PARKING, "kerb", "other"): Matter("2", 0.0, 0.0)}
ELSEWHERE: dict[MatterKey, Matter] = {(PARKING, "gate", "car"): Matter("3", 0.0, 0.0)}


def request(zone: str = "kerb", until: float = 1e12, kind: str = PARKING) -> LookRequest:
    name = hashlib.md5(f"{zone}{until}{kind}".encode(), usedforsecurity=False).hexdigest()
    return LookRequest(id=name, camera="a", type=kind, zone=zone, asked_utc=0, until_utc=until)


def watch(
    matters: dict[float, dict[MatterKey, Matter]],
    *,
    gap_at: float = -1.0,
    paused: tuple[float, float] = (0.0, 0.0),
    until: float = 60.0,
) -> tuple[float, Seen] | None:
    """Looks every 2 s; `matters`: from which time what is there."""
    look = SecondLook(request())
    for step in range(int(until / 2) + 1):
        now = 2.0 * step
        here = matters[max(since for since in matters if since <= now)]
        blind = {PARKING: "black"} if paused[0] <= now < paused[1] else {}
        seen = look.look(now, 2.0 if now == gap_at else 0.0, here, blind, watched=True)
        if seen is not None:
            return now, seen
    return None


@pytest.mark.parametrize(
    ("matters", "verdict", "after"),
    [
        ({0.0: CAR}, "still_there", 20.0),
        ({0.0: {}}, "gone", 20.0),
        ({0.0: ELSEWHERE}, "gone", 20.0),
        ({0.0: CAR, 10.0: {}}, "gone", 20.0),  # it drove off while we looked
        ({0.0: {}, 10.0: OTHER, 24.0: {}}, "gone", 24.0),  # somebody else stopped for a moment
        ({0.0: {}, 10.0: OTHER}, "still_there", 30.0),  # … or for good: the picture would show it
        ({0.0: CAR, 10.0: OTHER}, "still_there", 30.0),
        ({4.0 * n: CAR if n % 2 else OTHER for n in range(30)}, "gone", 60.0),  # one after the other, each in passing
    ],
)
def test_what_is_there(matters: dict[float, dict[MatterKey, Matter]], verdict: str, after: float) -> None:
    found = watch(matters, until=100.0)
    assert found is not None
    at, seen = found
    assert (at, seen.verdict, seen.looks, seen.watched_s) == (after, verdict, after / 2 + 1, after)
    assert set(seen.reason) == {"zh", "en"}


def test_what_was_not_watched_is_watched_anew() -> None:
    gap, dark = watch({0.0: CAR}, gap_at=10.0), watch({0.0: CAR}, paused=(4.0, 30.0))
    assert gap is not None
    assert gap[0] == 30.0
    assert dark is not None
    assert dark[0] == 48.0
    assert watch({0.0: CAR}, paused=(0.0, 100.0)) is None


def test_a_zone_that_nobody_watches_cannot_be_seen() -> None:
    seen = SecondLook(request()).look(0.0, 0.0, {}, {}, watched=False)
    assert seen is not None
    assert seen.verdict == "unseen"


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Running]:
    with make_stack(tmp_path) as stack:
        yield Running(stack)
        stack.worker.close()


def test_a_worker_answers_once_with_a_picture(tmp_path: Path, worker: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secondlook, "WATCH_S", 2.0)
    clip = load_clip(render_pattern(tmp_path / "pattern.mp4", 4.0, Encoding((320, 180), 10, gop=5)))
    with ServerThread([ServedCamera("a", clip)]) as server:
        board = worker.stack.board
        watched = camera("a", server.url("a"), dwell=30.0)
        corner = watched.zones[0].model_copy(update={"id": "corner", "polygon": ((0, 0), (0.1, 0), (0.1, 0.1))})
        board.assign(Assignment(1, (watched.model_copy(update={"zones": (*watched.zones, corner)}),)))
        drive([worker], lambda: worker.looks("a") >= 3, "a is looked at")
        asked = [request("kerb"), request("corner"), request("nowhere"), request(kind="litter", until=time.time() - 1)]
        board.looks = tuple(asked)
        drive([worker], lambda: len(worker.answers()) == 4, "all are answered")
        before = worker.looks("a")
        drive([worker], lambda: worker.looks("a") >= before + 8, "it goes on")
        answers = {answer.request: answer for answer in worker.answers()}
        assert len(worker.answers()) == 4, "each is answered once, however long it is asked"
        verdicts = [answers[one.id].verdict for one in asked]
        assert verdicts == ["still_there", "gone", "unseen", "unseen"]
        (picture,) = answers[asked[0].id].evidence
        assert (picture.role, picture.media_type) == ("latest", "image/jpeg")
        assert (tmp_path / "objects" / picture.key).is_file()
