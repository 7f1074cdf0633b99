"""A camera inside a worker whose picture ails, or that is gone: what is told as not watched, and what is remembered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from contracts.live import CameraState
from contracts.pool import Camera
from contracts.records import Event, Unwatched
from contracts.senses import PictureHealth, Senses
from contracts.vision import Frame, Tracks
from fleet.kept import parse, withdrawn
from fleet.scenes import SceneFiles
from fleet.watched import WatchedCamera
from pipeline.perceive import Perceived
from pipeline.senses.memory import SceneMemory
from tests.unit.fleet_scene import camera
from tests.unit.test_fleet_states import URL, watched_camera
from tests.unit.test_rule_camera_health import BLACK, BLURRED, WELL
from tests.unit.test_senses_health import frame_of, street

_PLANE = np.zeros((4, 4), np.uint8)
Said = list[Event | Unwatched]


def entry() -> Camera:
    given = camera("cam", URL).model_dump(by_alias=True)
    road = {"id": "road", "kind": "road", "polygon": given["zones"][0]["polygon"]}
    algorithms = {"illegal_parking": {"dwell": 60, "look_every": 1}, "waterlogging": {"look_every": 1}}
    return Camera.model_validate(given | {"zones": [*given["zones"], road], "algorithms": algorithms})


def looks(watched: WatchedCamera, start: int, end: int, health: PictureHealth) -> Said:
    """A look a second, at stream time = UTC."""
    said: Said = []
    for time in range(start, end):
        picture = watched.picture(Frame(_PLANE, _PLANE, _PLANE, float(time), float(time)))
        found = Perceived(Tracks.empty(), Senses(health=health if picture.ask.health else None))
        look, ended = watched.seen(picture.frame, found)
        said += [] if ended is None else [ended]
        said += watched.chain.look(look, picture.frame, watched.clock())
        said += watched.blind(look)
    return said


def intervals(said: Said) -> list[tuple[str, str, float, float | None]]:
    return [(one.algorithm, one.reason, one.start_utc, one.end_utc) for one in said if isinstance(one, Unwatched)]


def running(now_utc: float = 1000.0) -> WatchedCamera:
    watched = watched_camera(entry(), now_utc)
    watched.source._become(CameraState.RUNNING, "")
    return watched


def test_time_not_watched_is_told_by_rule() -> None:
    watched = running()
    looks(watched, 1000, 1010, WELL)
    (begun,) = intervals(looks(watched, 1010, 1040, BLURRED))
    assert begun[:2] == ("illegal_parking", "blurred")
    assert abs(begun[2] - 1010) <= 2
    assert begun[3] is None
    (ended,) = intervals(looks(watched, 1040, 1060, WELL))
    assert ended[:3] == begun[:3]
    assert ended[3] is not None
    assert 1040 <= ended[3] <= 1050


def test_an_outage_ends_what_single_rules_missed_and_a_restart_goes_on_with_it() -> None:
    watched = running()
    looks(watched, 1000, 1010, WELL)
    begun = intervals(looks(watched, 1010, 1030, BLACK))
    assert {one[:2] for one in begun} == {("illegal_parking", "black"), ("waterlogging", "black")}
    kept = parse(watched.dump({}))
    left = [one for one in withdrawn(kept, 1100.0) if isinstance(one, Unwatched)]
    assert {(one.algorithm, one.end_utc) for one in left} == {("illegal_parking", 1100.0), ("waterlogging", 1100.0)}
    again = running(1029.0)
    again.load(kept)
    again.source._become(CameraState.OFFLINE, "")
    said = again.unseen(1100.0)
    assert {(rule, reason) for rule, reason, _, end in intervals(said) if end is None} == {("*", "offline")}
    assert {rule for rule, _, _, end in intervals(said) if end is not None} == {"illegal_parking", "waterlogging"}
    again.source._become(CameraState.RUNNING, "")
    later = intervals(looks(again, 1200, 1203, BLACK))
    assert later[0][:2] == ("*", "offline")
    assert later[0][3] == 1200.0
    assert [(rule, start, end) for rule, _, start, end in later[1:]] == [
        ("illegal_parking", 1200.0, None),
        ("waterlogging", 1200.0, None),
    ]


def test_a_camera_that_is_gone_is_an_event_until_its_next_look() -> None:
    watched = running()
    looks(watched, 1000, 1010, WELL)
    watched.source._become(CameraState.OFFLINE, "")
    assert [one for one in watched.unseen(1030.0) if isinstance(one, Event)] == []
    (opened,) = (one for one in watched.unseen(1045.0) if isinstance(one, Event))
    assert (opened.type, opened.subject.object_class, opened.started_utc) == ("camera_health", "offline", 1009.0)
    assert watched.unseen(1100.0) == []
    watched.source._become(CameraState.RUNNING, "")
    closed = [one for one in looks(watched, 1120, 1121, WELL) if isinstance(one, Event)]
    assert [(one.id, one.transition.value, one.ended_utc) for one in closed] == [(opened.id, "closed", 1120.0)]


def test_the_time_before_a_worker_began_is_not_the_cameras_fault() -> None:
    first = running()
    looks(first, 1000, 1010, WELL)
    later = watched_camera(entry(), 5000.0)
    later.load(parse(first.dump({})))
    assert [one for one in later.unseen(5001.0, "stopped") if isinstance(one, Event)] == []
    (opened,) = (one for one in later.unseen(5040.0) if isinstance(one, Event))
    assert opened.started_utc == 5000.0


def test_a_worker_with_too_much_to_do_does_not_make_cameras_offline() -> None:
    watched = running()
    looks(watched, 1000, 1010, WELL)
    assert intervals(watched.unseen(1100.0)) == [("*", "error", 1009.0, None)]


@dataclass
class Remembers:
    name: str
    memory: SceneMemory


def test_memories_are_kept_in_turn_and_damage_is_learnt_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = SceneFiles(tmp_path / "scenes", every=10.0)
    cameras = [Remembers(name, files.load(name)) for name in ("a", "b")]
    for one in cameras:
        for i in range(8):
            one.memory.health.sense(frame_of(street(2.0 * i, width=320), 2.0 * i))
    files.keep_due(cameras, 100.0)
    assert not (tmp_path / "scenes").exists()
    files.keep_due(cameras, 110.0)
    files.keep_due(cameras, 111.0)
    files.keep_due(cameras, 112.0)
    assert sorted(path.name for path in (tmp_path / "scenes").iterdir()) == ["a.scene", "b.scene"]
    assert SceneFiles(tmp_path / "scenes").load("a").dump() == cameras[0].memory.dump()
    assert not caplog.records
    (tmp_path / "scenes" / "a.scene").write_bytes(b"\0" * 99)
    assert files.load("a").dump() == SceneMemory().dump()
    assert "learnt anew" in caplog.text
    files.forget("b")
    assert [path.name for path in (tmp_path / "scenes").iterdir()] == ["a.scene"]


def test_a_full_disk_costs_nothing_but_the_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "scenes").write_text("a file where the folder should be")
    files = SceneFiles(tmp_path / "scenes")
    for _ in range(3):
        files.keep(Remembers("a", SceneMemory()))
    assert len(caplog.records) == 1
