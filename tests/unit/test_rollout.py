"""The roll-out's pure parts: guardrails, which networks run, and which events are the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithm_repo.registry.types import AlgorithmVersion, Grounds, LedgerLine, ModelRef, Move, Needs, Office, Stage
from algorithm_repo.rollout import compare, networks
from algorithm_repo.rollout.compare import Seen, pairs
from algorithm_repo.rollout.guardrails import broken
from algorithm_repo.rollout.types import Guardrails, Observed
from contracts.errors import ConfigError

RAILS = Guardrails()
WELL = Observed(
    running_s=60, ready=True, silent_s=0.5, looks=100, failed=0, look_ms=11.0, usual_ms=10.0, events=2, usual_events=2.0
)
A, B, C = ("a" * 64, "b" * 64, "c" * 64)


def why(**seen: Any) -> str | None:
    return broken(RAILS, WELL.model_copy(update=seen), cameras=2, lasted_s=60.0)


def test_what_goes_well_goes_on() -> None:
    assert why() is None
    assert why(ready=False, silent_s=None, running_s=100.0, cpu_s=5.0, looks=0, look_ms=None) is None, (
        "it is still loading"
    )
    assert why(look_ms=None) is None
    assert why(usual_ms=None, look_ms=900.0) is None, "nothing to compare with"


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        ({"ended": "killed by SIGSEGV"}, "crashed: killed by SIGSEGV"),
        ({"ready": False, "cpu_s": RAILS.load_s + 1}, "do not load"),
        ({"ready": False, "running_s": RAILS.load_longest_s + 1}, "do not load"),
        ({"silent_s": RAILS.silent_longest_s + 1}, "hangs: nothing heard of it for 21 s"),
        ({"silent_s": 11.0, "silent_cpu_s": RAILS.silent_s + 1}, "hangs: nothing heard of it for 11 s"),
        ({"looks": 20, "failed": 4}, "looks fail: 4 of 24"),
        ({"looks": 0, "failed": 3}, "looks fail: 3 of 3"),
        ({"look_ms": 100.0}, "too slow: a look takes 100 ms, production's 10"),
        ({"events": 10, "usual_events": 0.0}, "floods events: 10 in 2.0 camera-minutes"),
        ({"events": 41, "usual_events": 10.0}, "floods events"),
    ],
)
def test_each_guardrail_ends_a_candidate_and_says_why(seen: dict[str, Any], reason: str) -> None:
    found = why(**seen)
    assert found is not None
    assert reason in found


@pytest.mark.parametrize(
    "seen",
    [
        {"failed": 2, "looks": 0},
        {"failed": 5, "looks": 95},
        {"look_ms": 45.0},
        {"look_ms": 500.0, "looks": RAILS.least_looks - 1},
        {"events": 9, "usual_events": 0.0},
        {"events": 40, "usual_events": 10.0},
        {"silent_s": RAILS.silent_longest_s, "silent_cpu_s": RAILS.silent_s},
    ],
)
def test_at_its_limit_a_candidate_goes_on(seen: dict[str, Any]) -> None:
    assert why(**seen) is None


def version(number: int, algorithm: str, /, **roles: str) -> AlgorithmVersion:
    return AlgorithmVersion(
        algorithm=algorithm,
        version=f"1.{number}.0",
        models=tuple(ModelRef(role=role, name=role, sha256=sha) for role, sha in roles.items()),
        rule_version="1",
        needs=Needs(look_every_s=2, zone_kinds=("road",)),
        licence="MIT",
        id=number,
        author="lin",
        created_utc=0.0,
        stage=Stage.REGISTERED,
        moves=1,
    )


PARKING = version(1, "illegal_parking", detector=A)
WET = version(2, "waterlogging", detector=A, water=A)
PARKING_B = version(3, "illegal_parking", detector=B)
WET_C = version(4, "waterlogging", detector=A, water=C)
VERSIONS = {one.id: one for one in (PARKING, WET, PARKING_B, WET_C)}


def ledger(*moves: tuple[Move, AlgorithmVersion]) -> list[LedgerLine]:
    target = {Move.REPLACE: Stage.RETIRED, Move.ROLL_BACK: Stage.REGISTERED, Move.ENTER: Stage.DRAFT}
    return [
        LedgerLine(
            number=number,
            version_id=one.id,
            move=move,
            source=None,
            target=target.get(move, Stage.PRODUCTION),
            who="chen",
            office=Office.PROMOTER,
            utc=float(number),
            grounds=Grounds(),
            hash=A,
        )
        for number, (move, one) in enumerate(moves, 1)
    ]


SHIPPED = ((Move.SHIP, PARKING), (Move.SHIP, WET))


def runs(*moves: tuple[Move, AlgorithmVersion]) -> dict[str, str]:
    return {one.role: one.sha256 for one in networks.production(ledger(*SHIPPED, *moves), VERSIONS).models}


def test_production_runs_what_the_ledger_put_there() -> None:
    assert runs() == {"detector": A, "water": A}
    assert runs((Move.ENTER, PARKING_B)) == {"detector": A, "water": A}
    assert runs((Move.REPLACE, PARKING), (Move.PROMOTE, PARKING_B)) == {"detector": B, "water": A}


def test_a_version_made_before_another_network_was_promoted_does_not_take_that_back() -> None:
    promoted = ((Move.REPLACE, PARKING), (Move.PROMOTE, PARKING_B), (Move.REPLACE, WET), (Move.PROMOTE, WET_C))
    assert runs(*promoted) == {"detector": B, "water": C}


def test_a_roll_back_brings_back_what_was_replaced_and_nothing_else() -> None:
    promoted = ((Move.REPLACE, PARKING), (Move.PROMOTE, PARKING_B), (Move.REPLACE, WET), (Move.PROMOTE, WET_C))
    back = ((Move.ROLL_BACK, PARKING_B), (Move.RESTORE, PARKING))
    assert runs(*promoted, *back) == {"detector": A, "water": C}
    assert networks.production(ledger(*SHIPPED, *promoted, *back), VERSIONS).number == 8


def test_a_candidate_runs_its_own_network_and_productions_others() -> None:
    present = networks.production(ledger(*SHIPPED, (Move.REPLACE, PARKING), (Move.PROMOTE, PARKING_B)), VERSIONS)
    lane = networks.candidate(WET_C, WET, present)
    assert {one.role: one.sha256 for one in lane.models} == {"detector": B, "water": C}


def test_a_candidate_may_differ_by_its_parameters_alone() -> None:
    present = networks.production(ledger(*SHIPPED), VERSIONS)
    lane = networks.candidate(WET.model_copy(update={"parameters": {"hold": 3.0}}), WET, present)
    assert lane.models == present.models


def test_what_a_roll_out_cannot_change_is_refused() -> None:
    present = networks.production(ledger(*SHIPPED), VERSIONS)
    with pytest.raises(ConfigError, match="rules come with a release"):
        networks.candidate(WET_C.model_copy(update={"rule_version": "2"}), WET, present)
    with pytest.raises(ConfigError, match="nothing to roll out"):
        networks.candidate(WET, WET, present)


def seen(name: str, start: float, end: float | None, zone: str = "z") -> Seen:
    return Seen(id=name, camera="cam", zone=zone, started_utc=start, ended_utc=end)


def test_the_same_matter_is_found_once_and_the_nearest_one() -> None:
    mine = [seen("m1", 100, 160), seen("m2", 300, None), seen("m3", 100, 160, zone="other")]
    theirs = [seen("p1", 90, 150), seen("p2", 110, 170), seen("p3", 310, 320)]
    assert [(a.id, b.id) for a, b in pairs(mine, theirs)] == [("m1", "p1"), ("m2", "p3")]


def test_what_can_no_longer_fit_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = 0
    same = compare.overlap

    def counted(*which: Any) -> bool:
        nonlocal looked
        looked += 1
        return same(*which)

    monkeypatch.setattr(compare, "overlap", counted)
    mine = [seen(f"m{i}", 100.0 * i, 100.0 * i + 20) for i in range(2_000)]
    theirs = [seen(f"p{i}", 100.0 * i + 5, 100.0 * i + 30) for i in range(2_000)]
    assert len(pairs(mine, theirs)) == 2_000
    assert looked <= 3 * 2_000


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 400), st.integers(0, 200) | st.none()), max_size=20))
def test_the_quick_way_finds_the_same_pairs(events: list[tuple[int, int, int | None]]) -> None:
    sides: tuple[list[Seen], list[Seen]] = ([], [])
    for i, (what, start, lasts) in enumerate(events):
        end = None if lasts is None else float(start + lasts)
        sides[what % 2].append(seen(f"e{i}", float(start), end, zone=f"z{what // 2 % 3}"))
    mine, theirs = sides
    assert pairs(mine, theirs) == slow_pairs(mine, theirs)


def slow_pairs(mine: list[Seen], theirs: list[Seen]) -> list[tuple[Seen, Seen]]:
    """Every event against every other."""
    free, found = sorted(theirs, key=lambda one: one.started_utc), []
    for one in sorted(mine, key=lambda one: one.started_utc):
        fitting = [other for other in free if other.zone == one.zone and compare.overlap(one, other, 30.0)]
        if fitting:
            nearest = min(fitting, key=lambda other: abs(other.started_utc - one.started_utc))
            free.remove(nearest)
            found.append((one, nearest))
    return found


TIMES = st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 100)), max_size=8)


@given(TIMES, TIMES)
def test_no_event_is_in_two_pairs_and_pairs_overlap(
    mine: list[tuple[float, float]], theirs: list[tuple[float, float]]
) -> None:
    one = [seen(f"m{i}", start, start + lasts) for i, (start, lasts) in enumerate(mine)]
    other = [seen(f"p{i}", start, start + lasts) for i, (start, lasts) in enumerate(theirs)]
    found = pairs(one, other)
    assert len({a.id for a, _ in found}) == len({b.id for _, b in found}) == len(found)
    for a, b in found:
        assert a.started_utc <= (b.ended_utc or 0) + 30
        assert b.started_utc <= (a.ended_utc or 0) + 30
