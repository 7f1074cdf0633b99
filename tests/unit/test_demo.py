"""The demo's pure parts: its goal, its count of cameras, where it keeps things, a soak's verdict."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityvision import demo_street
from cityvision.demo import RTSP_PORT, DemoResult, Goal, at_work, own_stores, place_cameras
from cityvision.demo_media import Cast, real_cast, simulated_cast
from cityvision.demo_street import BESIDE_REAL, SIMULATED, SimulatedCamera
from cityvision.ports import is_free, listen_on
from cityvision.soak import Sample, judge
from contracts.errors import PortTaken
from contracts.live import BUILT_IN_DETECTOR, CameraState, CameraStatus
from contracts.pool import Camera
from pool.load import load_pool
from simulator.rtsp.media import load_clip
from tests.conftest import ROOT

ALL = 8
REAL = Cast({"car-park": "car-detection"}, BESIDE_REAL, "yolox_nano")


@given(st.integers(1, 9), st.integers(0, 9), st.integers(0, ALL))
def test_the_goal_is_reached_with_every_camera_at_work(wish: int, seen: int, cameras: int) -> None:
    assert Goal(ALL, events=wish).reached(seen, 0, cameras) is (seen >= wish and cameras == ALL)
    assert Goal(ALL, types=wish).reached(99, seen, cameras) is (seen >= wish and cameras == ALL)
    assert not Goal(ALL, timeout_s=9).reached(seen, seen, cameras), "there was no wish"


def _status(state: CameraState = CameraState.RUNNING, looks: int = 1, updated_utc: float = 100.0) -> CameraStatus:
    return CameraStatus(camera="a", worker="worker-1", state=state, since_utc=0, looks=looks, updated_utc=updated_utc)


def test_a_camera_is_at_work_when_it_runs_and_was_looked_at_and_somebody_still_says_so() -> None:
    silent = [_status(updated_utc=80), _status(looks=0), _status(CameraState.STALLED), _status(CameraState.OFFLINE)]
    assert at_work(silent, 100.0) == 0
    assert at_work([*silent, _status(), _status(looks=7)], 100.0) == 2


def test_the_result_has_the_keys_that_programs_read() -> None:
    result = DemoResult(6, 3, ["crowding"], 12.5, reached=True, seconds_to_type={"crowding": 12.5}, detector="street")
    assert json.loads(result.to_json()) == {
        "cameras": 6,
        "events": 3,
        "types": ["crowding"],
        "seconds_to_first_event": 12.5,
        "seconds_to_type": {"crowding": 12.5},
        "detector": "street",
    }


def test_the_environments_databases_are_not_the_demos() -> None:
    environment = {
        "CITYVISION_DATABASE_URL": "postgresql://u:p@db/city",
        "CITYVISION_S3_URL": "s3://k:s@h/b",
        "CITYVISION_REDIS_URL": "",
        "CITYVISION_TRITON_URL": "gpu:8001",
        "HOME": "/",
    }
    assert own_stores(environment) == ["CITYVISION_DATABASE_URL", "CITYVISION_S3_URL"]
    assert environment == {"CITYVISION_REDIS_URL": "", "CITYVISION_TRITON_URL": "gpu:8001", "HOME": "/"}


def test_the_cameras_go_elsewhere_where_their_port_is_taken(tmp_path: Path) -> None:
    streams = tmp_path / "streams.yaml"
    streams.write_text(f"rtsp://127.0.0.1:{RTSP_PORT}/a rtsp://127.0.0.1:{RTSP_PORT}/b")
    data = tmp_path / "data"
    data.mkdir()
    try:
        with listen_on("127.0.0.1", RTSP_PORT):
            used, port = place_cameras(streams, data, REAL)
    except PortTaken:  # by somebody else on this machine, which is as good
        used, port = place_cameras(streams, data, REAL)
    assert used == data / "streams.yaml"
    assert port != RTSP_PORT
    assert used.read_text() == f"rtsp://127.0.0.1:{port}/a rtsp://127.0.0.1:{port}/b"
    if is_free(RTSP_PORT):
        assert place_cameras(streams, data, REAL) == (streams, RTSP_PORT)


MINUTE = 60.0


def _samples(memories: list[float], restarts: int = 0) -> list[Sample]:
    """Evenly over ten minutes, in MB."""
    step = 10 * MINUTE / (len(memories) - 1)
    return [Sample(i * step, int(m * 2**20), 100, restarts, 50 * i, i) for i, m in enumerate(memories)]


def test_a_soak_forgives_the_warm_up_and_not_what_grows_after_it() -> None:
    steady = judge(_samples([300.0, 600, 900, *[1000.0] * 17]), 10 * MINUTE)
    assert steady.faults == ()
    assert steady.memory_growth == 0
    assert (steady.minutes, steady.memory_mb, steady.looks, steady.lost_looks) == (10.0, 1000, 950, 19)
    growing = judge(_samples([1000.0 * 1.03**i for i in range(20)]), 10 * MINUTE)
    assert len(growing.faults) == 1
    assert "memory grew by" in growing.faults[0]


@pytest.mark.parametrize(
    ("samples", "fault"),
    [
        (_samples([1000.0] * 20, restarts=2), "2 restarts"),
        (_samples([1000.0] * 20)[:15], "it ended after 7.4 of 10 minutes"),
        (_samples([1000.0] * 3), "too short"),
    ],
)
def test_a_soak_fails_with_what_was_wrong(samples: list[Sample], fault: str) -> None:
    assert any(fault in text for text in judge(samples, 10 * MINUTE).faults)


def test_simulated_cameras_show_all_four_types_in_the_first_minute() -> None:
    shown = {event.type for one in SIMULATED for event in one.scene.truth if _opens_early(one, event.start)}
    assert shown == {"illegal_parking", "crowding", "waterlogging", "litter"}
    assert sum(not one.scene.truth for one in SIMULATED) == 2, "two that show nothing to report"


def _opens_early(one: SimulatedCamera, began: float) -> bool:
    """What it shows begins when the background is known, and early enough to be reported in the first minute."""
    longest_t = 15.0
    return 5.0 <= began - one.start <= 40.0 - longest_t


def test_the_pool_files_describe_what_is_served(tmp_path: Path) -> None:
    (tmp_path / "streams.yaml").write_text(demo_street.pool_text(RTSP_PORT), encoding="utf-8")
    own = load_pool(tmp_path / "streams.yaml")
    assert {camera.id for camera in own.cameras} == {one.id for one in simulated_cast().simulated}
    assert {camera.model for camera in own.cameras} == {BUILT_IN_DETECTOR}
    ours = {camera.id: camera for camera in load_pool(ROOT / "streams.yaml").cameras}
    entries = {one.id: Camera.model_validate(one.entry(RTSP_PORT)) for one in BESIDE_REAL}
    assert {camera for camera in ours if camera not in entries} == set(real_cast("yolox_nano").clips)
    for name, drawn in entries.items():
        assert ours[name] == drawn, f"streams.yaml shows {name} as it once was; write it as `entry` has it"


def test_clips_are_rendered_once_and_again_when_the_scene_changes(tmp_path: Path) -> None:
    one = replace(SIMULATED[0], seconds=1.0)
    reports: list[tuple[int, int]] = []
    assert demo_street.missing([one], tmp_path) == [one]
    demo_street.render([one], tmp_path, lambda done, total: reports.append((done, total)))
    assert reports[-1] == (5, 5)
    assert demo_street.missing([one], tmp_path) == []
    assert load_clip(demo_street.clip_path(one, tmp_path)).duration == pytest.approx(1.0)
    assert demo_street.missing([replace(one, start=9.0)], tmp_path) != []
