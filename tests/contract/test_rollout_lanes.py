"""The roll-out on a real Postgres: what the ledger wants on cameras, what shadows said, and what people may begin."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from algorithm_repo.registry import ledger
from algorithm_repo.registry import service as registry
from algorithm_repo.registry.types import AlgorithmVersion, Grounds, ModelRef, Move, Office, Stage
from algorithm_repo.rollout import compare, lanes, service
from algorithm_repo.rollout.types import Lane, LaneKind
from contracts.errors import ConfigError, Forbidden
from contracts.pool import Camera
from contracts.records import Event
from events.store import write_event
from tests.contract.test_registry import NEEDS, SHA, entered, led
from tests.e2e.console_city import make_event

pytest_plugins = ["tests.embedded"]

OTHER = "f" * 64
NOW = 1_700_000_000.0


def often(_lane: Lane) -> int:
    return 1_000


WATCHED: dict[str, dict[str, Any]] = {"a": {"waterlogging": {}}, "b": {"waterlogging": {}}, "dry": {}}
POOL: dict[str, Camera] = {
    name: Camera.model_validate(
        {
            "id": name,
            "name": name,
            "department": "city",
            "mounting": "high",
            "main": {"url": f"rtsp://127.0.0.1/{name}"},
            "zones": [{"id": "road", "kind": "road", "polygon": [[0, 0], [1, 0], [1, 1]]}],
            "algorithms": algorithms,
        }
    )
    for name, algorithms in WATCHED.items()
}


def wetter(connection: Connection, version: str, sha256: str = OTHER) -> AlgorithmVersion:
    """A registered candidate with another network."""
    models = (ModelRef(role="water", name="wetter", sha256=sha256),)
    return led(connection, entered(connection, version, models=models, needs=NEEDS), Stage.REGISTERED)


def in_shadow(connection: Connection, cameras: tuple[str, ...] = ("a",)) -> tuple[AlgorithmVersion, Lane]:
    led(connection, entered(connection, "1.0.0"), Stage.PRODUCTION)
    version = service.shadow(connection, wetter(connection, "1.1.0"), cameras, POOL, "lin", NOW)
    (lane,) = lanes.wanted(connection)
    lanes.begin(connection, lane)
    return version, lane


def at(start: float, **more: Any) -> Event:
    return make_event(NOW + start, kind="waterlogging", camera="a", zone="road", **more)


def test_a_shadow_and_a_canary_are_lanes_and_nothing_else_is(engine: Engine) -> None:
    with engine.begin() as connection:
        version, lane = in_shadow(connection, ("a", "b"))
        assert (lane.kind, lane.cameras, lane.version_id, lane.began_utc) == (
            LaneKind.SHADOW,
            ("a", "b"),
            version.id,
            NOW,
        )
        assert {one.role: one.sha256 for one in lane.serving.models} == {"water": OTHER}
        assert {one.role: one.sha256 for one in lanes.serving(connection).models} == {"water": SHA}
        service.canary(connection, version, ("a",), POOL, "chen")
        (canary,) = lanes.wanted(connection)
        assert (canary.kind, canary.cameras, canary.space) == (LaneKind.CANARY, ("a",), "")
        assert canary.number > lane.number
        assert lanes.unburied(connection) == [lane.number]
        lanes.begin(connection, canary)
        service.promote(connection, version, "chen", looks=often, too_soon="a test")
        assert lanes.wanted(connection) == []
        assert {one.role: one.sha256 for one in lanes.serving(connection).models} == {"water": OTHER}
        registry.roll_back(connection, "waterlogging", "chen", Office.PROMOTER, "misses puddles")
        assert {one.role: one.sha256 for one in lanes.serving(connection).models} == {"water": SHA}
        for number in lanes.unburied(connection):
            lanes.bury(connection, number)
        assert lanes.unburied(connection) == []
        comparisons = [line.grounds.comparison for line in ledger.of_version(connection, version.id)]
        kept = [compare.kept(connection, one) for one in comparisons if one is not None]
        assert [one.kind for one in kept if one is not None] == [LaneKind.SHADOW, LaneKind.CANARY]


def test_what_a_shadow_said_is_kept_once_and_nobody_else_reads_it(engine: Engine) -> None:
    with engine.begin() as connection:
        version, lane = in_shadow(connection)
        both, alone, missed = at(10), at(500), at(900)
        lanes.take_in(connection, lane.number, [both, alone], (1, 1))
        lanes.take_in(connection, lane.number, [alone, at(10, seq=1, closed=True), at(500, seq=1, closed=True)], (1, 4))
        assert lanes.mark(connection, lane.number) == (1, 4)
        assert lanes.opened_by(connection, lane) == 2
        for one in (both, missed):
            write_event(connection, "worker-1", one)
        assert lanes.usual(connection, lane, NOW + 1000) == 2.0
        found = service.compared(connection, version, NOW + 1000)
        assert (found.candidate, found.production, found.both, found.disagreeing) == (2, 2, 1, 2)
        assert {(one.seen_by, one.event.id) for one in found.disagreements} == {
            ("candidate", alone.id),
            ("production", missed.id),
        }
        figures = compare.counts(connection, lane.number, "waterlogging", NOW + 1000)
        assert figures == (found.camera_days, 2, 2, 1)
        assert compare.keep(connection, found) == compare.keep(connection, found)


def test_what_a_shadow_said_goes_when_its_version_never_comes_back(engine: Engine) -> None:
    with engine.begin() as connection:
        version, lane = in_shadow(connection)
        lanes.take_in(connection, lane.number, [at(10)], (1, 0))
        service.abort(connection, version, "chen", Office.PROMOTER, "enough")
        lanes.bury(connection, lane.number)
        assert lanes.past_shadows(connection) == []
        registry.carry_out(connection, version.id, Move.RETIRE, "lin", Office.ENGINEER, Grounds(why="worse"))
        assert lanes.past_shadows(connection) == [lane.number]
        lanes.forget(connection, lane.number)
        assert lanes.past_shadows(connection) == []
        assert lanes.opened_by(connection, lane) == 0


def test_a_late_word_of_a_lane_ends_that_lane_and_no_other(engine: Engine) -> None:
    with engine.begin() as connection:
        version, first = in_shadow(connection)
        service.abort(connection, version, "chen", Office.PROMOTER, "again")
        service.shadow(connection, version, ("a",), POOL, "lin")
        service.broke(connection, first, "guardrail", "crashed")
        assert registry.get(connection, version.id).stage is Stage.SHADOW
        (second,) = lanes.wanted(connection)
        service.broke(connection, second, "guardrail", "crashed")
        assert registry.get(connection, version.id).stage is Stage.REGISTERED
        service.broke(connection, second, "guardrail", "crashed")
        assert ledger.of_version(connection, version.id)[-1].move is Move.ABORT


def test_what_breaks_as_it_is_promoted_does_not_stay_in_production(engine: Engine) -> None:
    with engine.begin() as connection:
        version, _ = in_shadow(connection)
        service.canary(connection, version, ("a",), POOL, "chen")
        (canary,) = lanes.wanted(connection)
        lanes.begin(connection, canary)
        service.promote(connection, version, "chen", looks=often, too_soon="a test")
        service.broke(connection, canary, "guardrail", "hangs")
        standing = registry.standing(connection, "waterlogging", Stage.PRODUCTION)
        assert standing is not None
        assert standing.version == "1.0.0"
        assert ledger.of_version(connection, version.id)[-1].grounds.why == "hangs"


def test_a_promotion_is_founded_on_the_present_canary_and_on_enough_of_it(engine: Engine) -> None:
    with engine.begin() as connection:
        version, _ = in_shadow(connection)

        def on_canary() -> Lane:
            service.canary(connection, version, ("a",), POOL, "chen", NOW)
            (lane,) = lanes.wanted(connection)
            return lane

        def promote(after_s: float, looks: int, too_soon: str | None = None) -> AlgorithmVersion:
            return service.promote(
                connection, version, "chen", NOW + after_s, looks=lambda _lane: looks, too_soon=too_soon
            )

        lanes.begin(connection, on_canary())
        service.abort(connection, version, "chen", Office.PROMOTER, "again")
        service.shadow(connection, version, ("a",), POOL, "lin", NOW)
        lanes.begin(connection, lanes.wanted(connection)[0])
        present = on_canary()
        with pytest.raises(ConfigError, match="nothing of it was seen in canary yet"):
            promote(3600, 1_000)
        lanes.begin(connection, present)
        for after_s, looks in ((1_799.0, 1_000), (3_600.0, 49)):
            with pytest.raises(ConfigError, match=r"asked for are 30 and 50"):
                promote(after_s, looks)
        with pytest.raises(ConfigError, match=r"shown 0.0 camera-minutes and 0 looks"):
            promote(1, 0)
        with connection.begin_nested() as undone:
            assert promote(1, 0, "it is the fix of a fault").stage is Stage.PRODUCTION
            assert ledger.of_version(connection, version.id)[-1].grounds.why == "too soon: it is the fix of a fault"
            undone.rollback()
        assert promote(1_800, 50).stage is Stage.PRODUCTION
        line = ledger.of_version(connection, version.id)[-1]
        kept = compare.kept(connection, line.grounds.comparison or "")
        assert kept is not None
        assert (kept.lane, line.grounds.why) == (present.number, None)


def test_a_canary_is_compared_with_what_production_said_before_it(engine: Engine) -> None:
    with engine.begin() as connection:
        version, _ = in_shadow(connection)
        service.canary(connection, version, ("a",), POOL, "chen", NOW)
        (lane,) = lanes.wanted(connection)
        lanes.begin(connection, lane)
        for start, worker in ((-500, "worker-1"), (-300, "worker-1"), (-5_000, "worker-1"), (100, lane.worker)):
            write_event(connection, worker, at(start))
            write_event(connection, worker, at(start, seq=1, closed=True))
        found = service.compared(connection, version, NOW + 1000)
        assert (found.candidate, found.production, found.both, found.disagreeing) == (1, 2, None, 1)
        assert compare.counts(connection, lane.number, "waterlogging", NOW + 1000) == (found.camera_days, 1, 2, None)


def test_a_canary_takes_each_camera_once_and_none_that_the_shadow_did_not_have(engine: Engine) -> None:
    with engine.begin() as connection:
        version, _ = in_shadow(connection, ("a",))
        with pytest.raises(ConfigError, match="cameras: the shadow does not have b"):
            service.canary(connection, version, ("a", "b"), POOL, "chen")
        with pytest.raises(ConfigError, match="cameras: a is named twice"):
            service.canary(connection, version, ("a", "a"), POOL, "chen")
        assert registry.get(connection, version.id).stage is Stage.SHADOW


def test_what_is_sure_of_production_is_what_it_said_at_the_same_hours(engine: Engine) -> None:
    day = 86_400.0
    with engine.begin() as connection:
        version, shadow = in_shadow(connection)
        for back in range(1, 8):
            for minute in (10, 20, 600):
                write_event(connection, "worker-1", at(minute * 60 - back * day, subject=f"{back}-{minute}"))
        assert lanes.usual(connection, shadow, NOW + 3600) == pytest.approx(3 / 24)
        assert lanes.sure(connection, shadow, NOW + 3600) == 0.0, "a shadow stands beside what production says"
        write_event(connection, "worker-1", at(300))
        assert lanes.sure(connection, shadow, NOW + 3600) == 1.0
        service.canary(connection, version, ("a",), POOL, "chen", NOW)
        (canary,) = lanes.wanted(connection)
        assert lanes.sure(connection, canary, NOW + 3600) == pytest.approx(2.0)
        assert lanes.sure(connection, canary, NOW + 2 * day + 3600) == pytest.approx(8.0)
        assert lanes.said(connection, canary, NOW + 3600).events == 0


def test_a_lane_goes_on_with_the_cameras_that_are_left(engine: Engine) -> None:
    with engine.begin() as connection:
        _, lane = in_shadow(connection, ("a", "b"))
    assert lanes.cameras_left(lane, list(POOL.values())) == ("a", "b")
    disabled = POOL["a"].model_copy(update={"enabled": False})
    assert lanes.cameras_left(lane, [disabled, POOL["b"]]) == ("b",)
    assert lanes.cameras_left(lane, [disabled]) == ()


@pytest.mark.parametrize(
    ("cameras", "wrong"),
    [
        ((), "none is named"),
        (("a", "unknown"), "unknown is not in the pool"),
        (("dry",), "dry does not have waterlogging"),
    ],
)
def test_cameras_that_do_not_fit_are_refused_by_name(engine: Engine, cameras: tuple[str, ...], wrong: str) -> None:
    with engine.begin() as connection:
        led(connection, entered(connection, "1.0.0"), Stage.PRODUCTION)
        version = wetter(connection, "1.1.0")
        with pytest.raises(ConfigError, match=wrong):
            service.shadow(connection, version, cameras, POOL, "lin")
        assert lanes.wanted(connection) == []


def test_who_made_it_does_not_decide_on_it_and_nothing_is_compared_that_never_ran(engine: Engine) -> None:
    with engine.begin() as connection:
        led(connection, entered(connection, "1.0.0"), Stage.PRODUCTION)
        version = service.shadow(connection, wetter(connection, "1.1.0"), ("a",), POOL, "lin")
        with pytest.raises(ConfigError, match="nothing of it was seen in shadow yet"):
            service.canary(connection, version, ("a",), POOL, "chen")
        (lane,) = lanes.wanted(connection)
        lanes.begin(connection, lane)
        with pytest.raises(Forbidden, match="somebody else decides"):
            service.canary(connection, version, ("a",), POOL, "lin")
