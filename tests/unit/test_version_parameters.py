"""Parameters that a version brings stand beneath a camera's own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from algorithm_repo.registry.parameters import applied, checked, told
from algorithm_repo.rollout.in_force import InForce, PoolInForce
from contracts.algorithms import ALGORITHMS, CameraHealth
from contracts.errors import ConfigError
from contracts.pool import Camera, Pool
from tests.effort import examples

HOLDS = some.sampled_from([None, 10.0, 60.0, 90.0])  # 60 s is as released


def camera(name: str = "a", **parameters: Any) -> Camera:
    zone = {"id": "road", "kind": "road", "polygon": [[0, 0], [1, 0], [1, 1]]}
    told = {"waterlogging": {name: value for name, value in parameters.items() if value is not None}}
    plain = {"id": name, "name": name, "department": "city", "main": {"url": "rtsp://127.0.0.1/a"}}
    return Camera.model_validate(plain | {"zones": [zone], "algorithms": told})


def of(one: Camera) -> Any:
    return one.algorithms["waterlogging"]


@given(own=HOLDS, theirs=HOLDS)
@settings(max_examples=examples(40))
def test_a_cameras_own_stays_and_all_else_is_the_versions(own: float | None, theirs: float | None) -> None:
    before = camera(hold=own)
    after = applied(before, "waterlogging", checked("waterlogging", {"hold": theirs}))
    assert of(after).hold == (own if own not in (None, 60.0) else theirs or 60.0)
    assert after.model_copy(update={"algorithms": before.algorithms}) == before
    assert (after is before) == (of(after).hold == of(before).hold)


def test_what_an_algorithm_does_not_have_changes_nothing() -> None:
    one = camera()
    assert applied(one, "crowding", {"hold": 90.0}) is one
    assert applied(one, "waterlogging", {}) is one


def test_health_that_every_camera_has_unsaid_is_told_where_a_version_changes_it() -> None:
    watched = applied(camera(), "camera_health", {"hold": 20.0})
    assert watched.algorithms["camera_health"].model_dump()["hold"] == 20
    off = watched.model_copy(
        update={"algorithms": {**watched.algorithms, "camera_health": CameraHealth(enabled=False)}}
    )
    assert applied(off, "camera_health", {"hold": 30.0}) is off
    pool = Pool.model_construct(version=1, departments=(), cameras=(camera(),))
    made = PoolInForce().pool(pool, InForce(2, {"camera_health": {"hold": 20.0}}), {})
    assert made.cameras[0].algorithms == watched.algorithms


def test_every_algorithms_released_parameters_are_no_change() -> None:
    for name, kind in ALGORITHMS.items():
        fields = {key: one for key, one in kind.model_fields.items() if not one.is_required()}
        released = {key: one.get_default() for key, one in fields.items() if key not in ("zones", "view", "enabled")}
        assert checked(name, released) == {}
        assert "look_every" in released
    with pytest.raises(ConfigError, match="direction: it is of a single camera"):
        checked("wrong_way", {"direction": 90.0})


def test_a_change_is_told_in_words() -> None:
    assert told({"hold": 90.0}, {"min_share": 0.1, "ignore_queues": False}) == (
        "hold: 90 → as released, ignore_queues: as released → False, min_share: as released → 0.1"
    )


def test_a_pool_is_made_once_and_only_what_changes_is_new() -> None:
    pool = Pool.model_validate({"departments": [{"id": "city", "name": "City"}]})
    pool = pool.model_copy(update={"cameras": (camera("a"), camera("b", hold=10), camera("c"))})
    making = PoolInForce()
    assert making.pool(pool, InForce(1), {}) is pool
    ours = InForce(2, {"waterlogging": {"hold": 90.0}}, {"lane-1": ("waterlogging", {"hold": 30.0})})
    first = making.pool(pool, ours, {"lane-1": ["c"], "lane-2": ["b"]})
    assert [of(one).hold for one in first.cameras] == [90, 10, 30]
    assert first.cameras[1] is pool.cameras[1]
    assert making.pool(pool, ours, {"lane-1": ["c"]}) is first
    assert making.pool(pool, InForce(3, ours.production, ours.canaries), {"lane-1": ["c"]}) is first
    edited = pool.model_copy(update={"cameras": (*pool.cameras[:2], camera("c", hold=15))})
    second = making.pool(edited, ours, {"lane-1": ["c"]})
    assert second.cameras[0] is first.cameras[0]
    assert of(second.cameras[2]).hold == 15
    assert making.pool(edited, InForce(4), {}) is edited
