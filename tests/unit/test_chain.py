"""One camera's chain with its real rules: order, numbers, edits, restarts; nothing that was opened stays open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.records import Event, Transition
from pipeline.spool_evidence import EvidenceSpool
from store.objects import DiskObjects
from tests.unit.chain_scene import CAR, CLOCK, CROWDING, LEFT, PARKING, RIGHT, SQUARE, UTC, Scene, roles, said, watched
from tests.unit.scenes import parked, standing

PEOPLE = tuple(standing(50 + i, 0.2 + 0.1 * i, 0.95, 0.0, 60.0, size=(0.03, 0.1), object_class=0) for i in range(3))


@pytest.fixture
def blobs(tmp_path: Path) -> Iterator[EvidenceSpool]:
    spool = EvidenceSpool(tmp_path / "waiting", DiskObjects(tmp_path / "objects"), min_free_bytes=0)
    yield spool
    spool.close()


@pytest.fixture
def scene(tmp_path: Path, blobs: EvidenceSpool) -> Scene:
    return Scene(tmp_path / "shelf", blobs)


def closed(events: list[Event]) -> Event:
    (event,) = [event for event in events if event.transition is Transition.CLOSED]
    return event


def test_an_event_is_told_in_order_without_a_gap(scene: Scene) -> None:
    assert scene.until(10) == []
    assert scene.shelved() == {"entry.jpg", "entry.mp4", "entry.utc"}
    events = scene.until(40)
    assert said(events) == [(0, "opened"), (1, "updated"), (2, "updated"), (3, "closed")]
    opened, clip, milestone, end = events
    assert len({event.id for event in events}) == 1
    assert roles(opened) == ["entry", "decision"]
    assert roles(clip) == roles(milestone) == ["entry", "decision", "clip", "clip"]  # the entry is older than the clip
    assert roles(end) == ["entry", "decision", "clip", "clip", "closing"]
    assert opened.started_utc == pytest.approx(UTC + 5, abs=1.5)
    assert clip.stream_time == pytest.approx(opened.stream_time + 3, abs=0.6)
    assert end.ended_utc == pytest.approx(UTC + 30, abs=1.5)
    assert [event.utc for event in events] == sorted(event.utc for event in events)
    scene.chain.look(*scene.see(40.5), CLOCK)
    assert scene.shelved() == set()


def test_a_restart_after_every_look_changes_nothing(tmp_path: Path, blobs: EvidenceSpool) -> None:
    actors = (CAR, parked(2, 0.75, 0.55, 12.0, 20.0), *PEOPLE)
    camera = watched(LEFT, RIGHT, SQUARE, illegal_parking=PARKING, crowding=CROWDING)
    through = Scene(tmp_path / "a", blobs, actors, camera)
    broken = Scene(tmp_path / "b", blobs, actors, camera)
    events: list[Event] = []
    while broken.time < 40:
        events += broken.until(broken.time + 0.5)
        broken.restart(broken.state(), lose_ring=False)
        assert broken.chain.close_orphans(broken.time, UTC + broken.time, CLOCK) == []
    assert {event.type for event in events} == {"illegal_parking", "crowding"}
    assert events == through.until(40)


def test_a_zone_that_goes_closes_what_it_held_and_nothing_else(tmp_path: Path, blobs: EvidenceSpool) -> None:
    scene = Scene(tmp_path / "shelf", blobs, (CAR, parked(2, 0.75, 0.55, 6.0, 36.0)), watched(LEFT, RIGHT))
    opened = {event.zone: event for event in scene.until(18) if event.seq == 0}
    assert set(opened) == {"left", "right"}
    events = scene.chain.reconfigure(watched(RIGHT), scene.time, UTC + scene.time, CLOCK)
    end = closed(events)
    assert (end.id, end.zone) == (opened["left"].id, "left")
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert end.reason["zh"].endswith("区域已修改")
    assert end.provenance.config_digest != opened["left"].provenance.config_digest
    rest = scene.until(43)
    assert {event.id for event in rest} == {opened["right"].id}
    assert rest[-1].transition is Transition.CLOSED


def test_an_algorithm_that_goes_closes_its_events_at_once(tmp_path: Path, blobs: EvidenceSpool) -> None:
    both = watched(LEFT, SQUARE, illegal_parking=PARKING, crowding=CROWDING)
    scene = Scene(tmp_path / "shelf", blobs, (CAR, *PEOPLE), both)
    opened = {event.type: event for event in scene.until(17) if event.seq == 0}
    assert set(opened) == {"illegal_parking", "crowding"}
    events = scene.chain.reconfigure(watched(LEFT, SQUARE, crowding=CROWDING), 17.0, UTC + 17, CLOCK)
    assert said(events) == [(1, "updated"), (2, "closed")]  # the clip as far as it goes
    assert roles(events[-1]) == ["entry", "decision", "clip", "clip"]
    assert events[-1].id == opened["illegal_parking"].id
    assert events[-1].numbers == opened["illegal_parking"].numbers
    assert events[-1].reason["zh"].endswith("；该摄像机已停用此算法")
    assert events[-1].reason["en"].endswith("; the algorithm was taken off this camera")
    assert scene.chain.matters == {opened["crowding"].id}
    again = scene.chain.reconfigure(both, 17.0, UTC + 17, CLOCK)
    later = scene.until(29)
    assert again == []
    assert {event.id for event in later if event.type == "illegal_parking"}.isdisjoint({opened["illegal_parking"].id})


def test_the_last_algorithm_closes_everything(scene: Scene) -> None:
    (opened,) = scene.until(16)
    none = scene.camera.model_copy(update={"algorithms": {}})
    events = scene.chain.reconfigure(none, 16.0, UTC + 16, CLOCK)
    assert closed(events).id == opened.id
    assert scene.chain.look_every is None
    assert scene.chain.matters == frozenset()


@pytest.mark.parametrize("edited", [{"algorithms": {}}, {"zones": ()}])
def test_edited_while_the_worker_was_away(scene: Scene, edited: dict[str, object]) -> None:
    (opened,) = scene.until(16)
    state = scene.state()
    scene.camera = scene.camera.model_copy(update=edited)
    scene.restart(state, lose_ring=True)
    events = scene.chain.close_orphans(0.0, UTC + 99, CLOCK)
    assert closed(events).id == opened.id
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert closed(events).stream_time >= opened.stream_time
    assert all(number >= 0 for number in closed(events).numbers.values())
    assert scene.until(40) == []


def test_a_camera_that_leaves_closes_what_is_open_and_drops_what_was_not(tmp_path: Path, blobs: EvidenceSpool) -> None:
    scene = Scene(tmp_path / "shelf", blobs, (CAR, parked(2, 0.75, 0.55, 12.0, 36.0)), watched(LEFT, RIGHT))
    opened = scene.until(17)
    assert said(opened) == [(0, "opened")]
    assert len(scene.chain.matters) == 2
    events = scene.chain.withdraw(17.0, UTC + 17, CLOCK)
    assert {event.id for event in events} == {opened[0].id}
    assert said(events) == [(1, "updated"), (2, "closed")]
    assert events[-1].reason["zh"].endswith("；摄像机已移出资源池")
    assert scene.chain.matters == frozenset()
    assert json.loads(scene.state())["book"] == []
    scene.until(17.5)
    assert scene.shelved() <= {"entry.jpg", "entry.mp4", "entry.utc"}


def test_a_rule_whose_state_is_unreadable_begins_anew_and_its_events_are_closed(scene: Scene) -> None:
    (opened,) = scene.until(16)
    state = json.loads(scene.state())
    for broken in (
        state | {"rules": {"illegal_parking": {"scenes": 7}}},
        state | {"rules": {}},
        {"book": state["book"]},
    ):
        scene.restart(json.dumps(broken), lose_ring=False)
        events = scene.chain.close_orphans(16.0, UTC + 16, CLOCK)
        assert closed(events).id == opened.id
        assert closed(events).reason["zh"].endswith("；算法状态无法恢复，不能继续确认")
    scene.restart(json.dumps(broken), lose_ring=False)
    assert closed(scene.until(16.5)).id == opened.id  # the next look does it too
    assert opened.id not in {event.id for event in scene.until(40)}


@pytest.mark.parametrize("state", [{}, {"book": 7}, {"book": [{"key": ["a", "b", "c"]}]}, []])
def test_without_a_readable_book_everything_begins_anew(scene: Scene, state: object) -> None:
    scene.until(16)
    with pytest.raises(ValueError, match="no readable book"):
        scene.chain.load(state)  # type: ignore[arg-type]
    assert scene.chain.matters == frozenset()
    assert scene.shelved() == set()
    assert said(scene.until(29))[0] == (0, "opened")


def test_a_state_of_before_clips_were_in_it_still_loads(scene: Scene) -> None:
    scene.until(16)
    state = json.loads(scene.state())
    del state["evidence"]
    scene.restart(json.dumps(state), lose_ring=False)
    events = scene.until(40)
    assert said(events) == [(1, "updated"), (2, "closed")]
    assert roles(events[-1]) == ["entry", "decision", "closing"]


@pytest.mark.parametrize("lose_ring", [False, True])
@pytest.mark.parametrize("told", [18.5, 32.0])
def test_what_was_said_but_not_recorded_is_said_again(scene: Scene, told: float, lose_ring: bool) -> None:
    """Killed between a look and its record: with the clip (18.5) or at the close."""
    events = scene.until(told - 0.5)
    state = scene.state()
    lost = scene.until(told)
    assert lost
    scene.time = told - 0.5
    scene.restart(state, lose_ring=lose_ring)
    again = scene.until(told)
    assert [(event.id, *pair) for event, pair in zip(again, said(again), strict=True)] == [
        (event.id, *pair) for event, pair in zip(lost, said(lost), strict=True)
    ]
    assert [roles(event) for event in again] == [roles(event) for event in lost]
    assert [event.seq for event in events + again] == list(range(len(events + again)))
