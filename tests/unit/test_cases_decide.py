"""What an event is to dispatchers; merging does not depend on the order in which events come."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.book import Mass, read_book
from cases.decide import Decision, KnownCase, Silence, decide, incidents
from cases.types import Status
from contracts.records import ClockSource, Event, Provenance, Severity, Subject, Transition

BOOK = read_book().model_copy(update={"overlaps": (("a/kerb", "b/kerb"), ("b/kerb", "c/kerb"))})
NOW = 1_795_000_000.0


def event(
    camera: str = "a", kind: str = "illegal_parking", *, at: float = NOW, severity: Severity = Severity.MINOR
) -> Event:
    return Event(
        id=hashlib.md5(f"{camera}{kind}{at}".encode(), usedforsecurity=False).hexdigest(),
        seq=0,
        transition=Transition.OPENED,
        type=kind,
        severity=severity,
        camera=camera,
        department="traffic",
        zone="kerb",
        grid="G1",
        started_utc=at,
        utc=at + 60,
        stream_time=0.0,
        clock_source=ClockSource.FILE,
        clock_error_ms=0.0,
        subject=Subject(),
        numbers={},
        reason={},
        provenance=Provenance(algorithm=kind, algorithm_version="1", model="m", model_sha256="0", config_digest="0"),
    )


def known(
    number: int, status: Status, *, place: str = "a/kerb", at: float = NOW, closed: float | None = None
) -> KnownCase:
    return KnownCase(number, "0304", place, status, at, closed)


def outcome(decision: Decision) -> tuple[str, int | None]:
    assert set(decision.reason) == {"zh", "en"}
    assert all(decision.reason.values())
    return decision.kind, decision.case


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        ([], ("new", None)),
        ([known(1, Status.HANDLING)], ("join", 1)),
        ([known(1, Status.SUSPENDED)], ("join", 1)),
        ([known(2, Status.FILED), known(1, Status.FILED)], ("join", 1)),
        ([known(1, Status.FILED, place="d/kerb")], ("new", None)),
        ([known(1, Status.VOID)], ("new", None)),
        ([known(1, Status.CLOSED, closed=NOW - 1800)], ("reopen", 1)),
        ([known(1, Status.RATED, closed=NOW - 1800)], ("reopen", 1)),
        ([known(1, Status.CLOSED, closed=NOW - 3700)], ("new", None)),
        ([known(1, Status.CLOSED, closed=NOW - 1800), known(2, Status.FILED)], ("join", 2)),
    ],
)
def test_cases_that_are_there(cases: list[KnownCase], expected: tuple[str, int | None]) -> None:
    assert outcome(decide(event(), cases, [], BOOK)) == expected


def test_cameras_that_show_one_place_share_its_case() -> None:
    for camera in "abc":
        assert outcome(decide(event(camera), [known(1, Status.FILED)], [], BOOK)) == ("join", 1)


def test_what_makes_no_case() -> None:
    assert decide(event(kind="wrong_way"), [], [], BOOK).kind == "none"
    assert decide(event(severity=Severity.INFO), [], [], BOOK).kind == "none"


def test_a_silence_hides_and_ends() -> None:
    silence = Silence(7, "wang", "道路施工", NOW - 10, NOW + 10, cameras=frozenset({"a"}))
    hidden = decide(event(), [known(1, Status.FILED)], [silence], BOOK)
    assert (hidden.kind, hidden.silence, hidden.category) == ("silenced", 7, "0304")
    assert "道路施工" in hidden.reason["zh"]
    assert decide(event("b"), [], [silence], BOOK).kind == "new"
    assert decide(event(at=NOW + 10), [], [silence], BOOK).kind == "new"


ARRIVAL = st.tuples(st.sampled_from("abcde"), st.sampled_from(["illegal_parking", "litter"]), st.integers(0, 600))


@given(burst=st.lists(ARRIVAL, max_size=12, unique=True), data=st.data())
def test_merging_does_not_depend_on_the_order(burst: list[tuple[str, str, int]], data: st.DataObject) -> None:
    """While no case is closed meanwhile, the same events share a case in whatever order they come."""

    def grouped(order: list[tuple[str, str, int]]) -> set[frozenset[str]]:
        cases: dict[int, tuple[KnownCase, set[str]]] = {}
        for camera, kind, delay in order:
            came = event(camera, kind, at=NOW + delay)
            decision = decide(came, [case for case, _ in cases.values()], [], BOOK)
            if decision.kind == "new":
                number = len(cases) + 1
                place = BOOK.place(came.camera, came.zone)
                cases[number] = (KnownCase(number, decision.category, place, Status.FILED, came.started_utc), {came.id})
            else:
                assert decision.kind == "join"
                assert decision.case is not None
                cases[decision.case][1].add(came.id)
        return {frozenset(events) for _, events in cases.values()}

    assert grouped(burst) == grouped(data.draw(st.permutations(burst)))


def test_a_rainstorm_is_one_incident() -> None:
    mass = Mass(count=20, within=3600)
    storm = [KnownCase(n, "0207", f"{n}", Status.FILED, NOW + 60.0 * n) for n in range(500)]
    before = [KnownCase(900 + n, "0207", f"b{n}", Status.FILED, NOW - 90_000 + 600.0 * n) for n in range(15)]
    (found,) = incidents([*storm, *before], mass)
    assert found == frozenset(range(500))


@given(starts=st.lists(st.integers(0, 1000), max_size=30), data=st.data())
def test_incidents_are_a_function_of_the_set(starts: list[int], data: st.DataObject) -> None:
    mass = Mass(count=3, within=50)
    cases = [KnownCase(n, "0207", f"{n}", Status.FILED, NOW + start) for n, start in enumerate(starts)]
    found = incidents(cases, mass)
    assert incidents(data.draw(st.permutations(cases)), mass) == found
    assert sum(len(members) for members in found) == len(frozenset().union(*found))
    for case in cases:
        at = case.started_utc
        near = sorted(other.started_utc for other in cases if abs(other.started_utc - at) <= 50)
        dense = any(b - a <= 50 for a, b in zip(near, near[2:], strict=False) if a <= at <= b)
        assert dense == any(case.id in members for members in found)
