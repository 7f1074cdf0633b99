"""Pictures and clips of one camera: put aside with the candidate, sent with the event, never in the event's way."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from contracts.errors import ObjectsUnavailable
from contracts.records import Event, EvidenceRef
from pipeline.evidence import ClipWindow, NoEvidence
from pipeline.spool_evidence import EvidenceSpool
from store.objects import DiskObjects
from tests.unit.chain_scene import CAR, CLOCK, UTC, Scene, roles, said
from tests.unit.scenes import parked


@pytest.fixture
def objects(tmp_path: Path) -> DiskObjects:
    return DiskObjects(tmp_path / "objects")


@pytest.fixture
def blobs(tmp_path: Path, objects: DiskObjects) -> Iterator[EvidenceSpool]:
    spool = EvidenceSpool(tmp_path / "waiting", objects, min_free_bytes=0)
    yield spool
    spool.close()


@pytest.fixture
def scene(tmp_path: Path, blobs: EvidenceSpool) -> Scene:
    return Scene(tmp_path / "shelf", blobs)


def seconds(clip: bytes) -> float:
    """Length of what can be decoded of an MP4."""
    with av.open(io.BytesIO(clip), "r") as container:
        times = [float(frame.time) for frame in container.decode(video=0)]
    return times[-1] - times[0]


def clips(event: Event) -> list[EvidenceRef]:
    return [ref for ref in event.evidence if ref.role == "clip"]


def test_pictures_and_clips_show_what_they_say(scene: Scene, objects: DiskObjects) -> None:
    end = scene.until(40)[-1]
    entry, decision, arrival, whole, closing = end.evidence
    assert [ref.role for ref in end.evidence] == ["entry", "decision", "clip", "clip", "closing"]
    assert all(ref.stored for ref in end.evidence)
    assert entry.utc == arrival.utc == pytest.approx(UTC + 6, abs=1.5)
    assert decision.utc == UTC + 15.5
    assert whole.utc == decision.utc - 4.0
    assert closing.utc == UTC + 32.0
    assert len({ref.sha256 for ref in (entry, decision, closing)}) == 3
    assert objects.get(entry.key).startswith(b"\xff\xd8\xff")
    assert 6.5 < seconds(objects.get(whole.key)) < 10  # 4 s before and 3 s after, from a keyframe on
    assert 0.5 < seconds(objects.get(arrival.key)) < 4


def test_a_candidate_that_dissolves_leaves_nothing(scene: Scene) -> None:
    scene.actors = (parked(1, 0.35, 0.55, 5.0, 11.0),)
    assert scene.until(10) == []
    assert scene.shelved() == {"entry.jpg", "entry.mp4", "entry.utc"}
    assert scene.until(20) == []
    assert scene.shelved() == set()


def test_an_event_that_closes_early_takes_its_clip_along(tmp_path: Path, blobs: EvidenceSpool) -> None:
    scene = Scene(tmp_path / "shelf", blobs, (parked(1, 0.35, 0.55, 5.0, 16.0),), window=ClipWindow(4.0, 20.0))
    events = scene.until(25)
    assert said(events) == [(0, "opened"), (1, "updated"), (2, "closed")]
    assert events[1].utc == events[2].utc
    assert roles(events[2]) == ["entry", "decision", "clip", "clip", "closing"]
    assert scene.until(43) == []


def test_after_a_restart_the_clip_of_the_decision_is_what_was_put_aside(scene: Scene, objects: DiskObjects) -> None:
    (opened,) = scene.until(16)
    scene.time = 16.0
    scene.restart(scene.state(), lose_ring=True)
    (late,) = scene.until(19)
    assert late.id == opened.id
    _, whole = clips(late)
    assert 3.5 < seconds(objects.get(whole.key)) < 7  # up to the decision


def test_killed_between_close_and_record_the_clip_is_still_there(tmp_path: Path, blobs: EvidenceSpool) -> None:
    scene = Scene(tmp_path / "shelf", blobs, (parked(1, 0.35, 0.55, 5.0, 16.0),), window=ClipWindow(4.0, 20.0))
    before, lost = "", scene.until(15.5)
    while len(lost) < 3:
        before = scene.state()
        lost += scene.until(scene.time + 0.5)
    scene.time -= 0.5
    scene.restart(before, lose_ring=True)
    again = scene.until(scene.time + 0.5)
    assert said(again) == [(1, "updated"), (2, "closed")]
    assert roles(again[1]) == roles(lost[2])


def test_a_restart_drops_what_belongs_to_nothing_open(scene: Scene) -> None:
    scene.until(16)
    state = scene.state()
    (scene.shelf / "due.json").write_text('{"half a fi')  # of a version before this one, and torn
    (scene.shelf / f"{'0' * 32}.entry.jpg").write_bytes(b"of a candidate that is gone")
    scene.restart(state, lose_ring=False)
    assert scene.shelved() == {"entry.jpg", "entry.mp4", "entry.utc", "decision.mp4"}
    assert len(clips(scene.until(19)[0])) == 2


@pytest.mark.parametrize("due", [7, {"x": [1.0]}, {"x": ["a", "b", "c"]}, None])
def test_clips_of_another_shape_do_not_come_and_nothing_else_is_lost(scene: Scene, due: object) -> None:
    (opened,) = scene.until(16)
    state = json.loads(scene.state())
    state["evidence"] = {"due": due}
    scene.restart(json.dumps(state), lose_ring=False)
    events = scene.until(40)
    assert said(events) == [(1, "updated"), (2, "closed")]
    assert events[-1].id == opened.id


@pytest.mark.parametrize("damage", ["missing", "torn", "empty"])
def test_an_entry_time_that_cannot_be_read_is_the_beginning_of_the_matter(scene: Scene, damage: str) -> None:
    scene.until(10)
    (path,) = scene.shelf.glob("*.entry.utc")
    path.write_text({"torn": "17000x", "empty": "", "missing": ""}[damage])
    if damage == "missing":
        path.unlink()
    (opened,) = scene.until(16)
    assert opened.evidence[0].utc == opened.started_utc


def test_an_entry_picture_that_a_power_cut_emptied_is_not_sent(scene: Scene) -> None:
    scene.until(10)
    (path,) = scene.shelf.glob("*.entry.jpg")
    path.write_bytes(b"")
    (opened,) = scene.until(16)
    entry, decision = opened.evidence
    assert (entry.sha256, entry.utc) == (decision.sha256, decision.utc)


def test_without_a_shelf_events_go_on(tmp_path: Path, blobs: EvidenceSpool, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "shelf").write_text("a file where the folder should be: everything there fails")
    scene = Scene(tmp_path / "shelf", blobs)
    with caplog.at_level(logging.ERROR):
        events = scene.until(10)
        assert len(caplog.records) == 1
        events += scene.until(40)
    assert said(events) == [(0, "opened"), (1, "updated"), (2, "updated"), (3, "closed")]
    assert roles(events[-1]) == ["entry", "decision", "clip", "closing"]
    scene.restart(scene.state(), lose_ring=False)


class Unplugged(DiskObjects):
    """A store that cannot be reached."""

    def put(self, key: str, data: bytes, media_type: str) -> None:
        raise ObjectsUnavailable("unplugged")


def test_without_room_for_evidence_events_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blobs = EvidenceSpool(tmp_path / "waiting", Unplugged(tmp_path / "objects"), min_free_bytes=1 << 60)
    scene = Scene(tmp_path / "shelf", blobs, (CAR,))
    with caplog.at_level(logging.ERROR):
        events = scene.until(40)
    assert said(events) == [(0, "opened"), (1, "updated"), (2, "closed")]
    assert events[-1].evidence == ()
    assert [record.getMessage() for record in caplog.records if "no room for evidence" in record.getMessage()]
    assert len(caplog.records) == 1
    blobs.close()


def test_a_replay_for_transitions_alone_keeps_nothing(scene: Scene) -> None:
    scene.chain._evidence = NoEvidence()
    events = scene.until(40)
    assert said(events) == [(0, "opened"), (1, "updated"), (2, "closed")]
    assert events[-1].evidence == ()
    assert scene.chain.withdraw(40.0, UTC + 40, CLOCK) == []
    scene.chain.load(json.loads(scene.state()))
