"""The registry on a real Postgres: one version in production, a ledger that cannot be edited, a way back."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

from algorithm_repo.registry import ledger, service
from algorithm_repo.registry.shipped import ensure_shipped
from algorithm_repo.registry.types import AlgorithmVersion, Grounds, ModelRef, Move, Needs, NewVersion, Office, Stage
from algorithm_repo.registry.why import why
from cityvision.cli import cli
from contracts.errors import ConfigError, Forbidden, StoreError
from events.store import write_event
from tests.e2e.console_city import make_event, opened

pytest_plugins = ["tests.embedded"]

SHA = "0123456789abcdef" * 4
NEEDS = Needs(look_every_s=5, zone_kinds=("road",))
M, S = Move, Stage
WAY: tuple[tuple[Move, Office, Grounds], ...] = (
    (M.TRAIN, Office.SYSTEM, Grounds(run="r-1")),
    (M.EVALUATE, Office.SYSTEM, Grounds(evaluation=SHA, passed=True)),
    (M.REGISTER, Office.ENGINEER, Grounds(card=SHA)),
    (M.SHADOW, Office.ENGINEER, Grounds(cameras=("a", "b"))),
    (M.CANARY, Office.PROMOTER, Grounds(cameras=("a",), comparison=SHA)),
    (M.PROMOTE, Office.PROMOTER, Grounds(comparison=SHA)),
)


def entered(connection: Connection, version: str, now: float | None = None, **more: Any) -> AlgorithmVersion:
    model = ModelRef(role="water", name="water", sha256=SHA, dataset=SHA, run="r-1")
    fields: dict[str, Any] = {"algorithm": "waterlogging", "models": (model,), "rule_version": "1", "needs": NEEDS}
    new = NewVersion(version=version, licence="AGPL-3.0-or-later", **(fields | more))
    return service.enter(connection, new, "lin", now)


def by(office: Office, promoter: str = "chen") -> str:
    """Who made a version does not decide on it."""
    return promoter if office is Office.PROMOTER else "lin"


def led(connection: Connection, version: AlgorithmVersion, until: Stage) -> AlgorithmVersion:
    """Along the usual way, as far as `until`."""
    for move, office, grounds in WAY:
        if version.stage is until:
            break
        version = service.carry_out(connection, version.id, move, by(office), office, grounds)
    assert version.stage is until
    return version


def test_from_a_draft_to_production_and_replaced_by_the_next(engine: Engine) -> None:
    with engine.begin() as connection:
        first = led(connection, entered(connection, "1.0.0"), S.PRODUCTION)
        second = led(connection, entered(connection, "1.1.0"), S.PRODUCTION)
        assert service.get(connection, first.id).stage is S.RETIRED
        assert service.standing(connection, "waterlogging", S.PRODUCTION) == second
        assert [one.version for one in service.listed(connection, "waterlogging")] == ["1.1.0", "1.0.0"]
        story = ledger.of_version(connection, first.id)
        assert [line.move for line in story] == [M.ENTER, *(move for move, _, _ in WAY), M.REPLACE]
        assert story[-1].grounds.other == second.id
        assert story[-2].who == "chen"
        assert ledger.verify(connection) == 15
        assert first.models[0].dataset == SHA


def test_who_answers_for_an_event(engine: Engine) -> None:
    """1.0.0 from 60 s on, 1.1.0 as a canary on camera a from 105 s on, everywhere from 106 s on, until 200 s."""
    with engine.begin() as connection:
        for version, start in (("1.0.0", 55.0), ("1.1.0", 101.0)):
            one = entered(connection, version, start - 1)
            for second, (move, office, grounds) in enumerate(WAY):
                who = by(office, f"chen {version}")
                service.carry_out(connection, one.id, move, who, office, grounds, start + second)
        service.roll_back(connection, "waterlogging", "guardrail", Office.SYSTEM, "floods events", 200.0)

        def raised(camera: str, utc: float) -> tuple[str, str] | None:
            found = why(connection, "waterlogging", camera, {"water": SHA}, utc)
            return None if found is None else (found.version.version, found.let.who)

        assert raised("a", 58.9) is None
        assert raised("a", 59.5) == ("1.0.0", "chen 1.0.0")  # a canary there
        assert raised("b", 59.5) is None
        assert raised("b", 105.5) == ("1.0.0", "chen 1.0.0")
        assert raised("a", 105.5) == ("1.1.0", "chen 1.1.0")
        assert raised("b", 107) == ("1.1.0", "chen 1.1.0")
        assert raised("b", 201) == ("1.0.0", "guardrail")
        assert why(connection, "litter", "a", {"water": SHA}, 107) is None
        found = why(connection, "waterlogging", "a", {"water": "f" * 64}, 107)
        assert found is not None
        assert not found.agrees
        assert found.version.models[0].dataset == SHA


def test_while_workers_switch_the_networks_tell_who_raised_it(engine: Engine) -> None:
    """1.1.0, with another network for water, replaces 1.0.0 at 106 s; both have one detector."""
    detector = ModelRef(role="detector", name="street", sha256="d" * 64)
    with engine.begin() as connection:
        for version, sha256, start in (("1.0.0", "1" * 64, 55.0), ("1.1.0", "2" * 64, 101.0)):
            models = (detector, ModelRef(role="water", name="water", sha256=sha256))
            one = entered(connection, version, start - 1, models=models)
            for second, (move, office, grounds) in enumerate(WAY):
                service.carry_out(connection, one.id, move, by(office), office, grounds, start + second)

        def raised(utc: float, **networks: str) -> tuple[str, bool]:
            found = why(connection, "waterlogging", "a", networks, utc)
            assert found is not None
            return found.version.version, found.agrees

        for utc in (105.1, 106.1):  # a canary on a, then in production
            assert raised(utc, detector="d" * 64, water="2" * 64) == ("1.1.0", True)
            assert raised(utc, detector="d" * 64, water="1" * 64) == ("1.0.0", True)
        assert raised(107, detector="d" * 64, water="3" * 64) == ("1.1.0", False)
        assert raised(107, detector="e" * 64, water="2" * 64) == ("1.1.0", False)
        assert raised(107) == ("1.1.0", False)
        service.roll_back(connection, "waterlogging", "chen", Office.PROMOTER, "floods", 99.0)  # a clock set back
        assert raised(107, water="1" * 64) == ("1.0.0", True)


def test_a_clock_that_is_set_back_does_not_hide_later_lines(engine: Engine) -> None:
    ahead = time.time() + 3600
    with engine.begin() as connection:
        version = entered(connection, "1.0.0", ahead)
        led(connection, version, S.PRODUCTION)
        story = ledger.of_version(connection, version.id)
        assert [line.utc for line in story] == sorted(line.utc for line in story)
        found = why(connection, "waterlogging", "b", {"water": SHA}, ahead + 1)
        assert found is not None
        assert found.let.move is M.PROMOTE


def test_rolled_back_in_one_move(engine: Engine) -> None:
    with engine.begin() as connection:
        first = led(connection, entered(connection, "1.0.0"), S.PRODUCTION)
        second = led(connection, entered(connection, "1.1.0"), S.PRODUCTION)
        why = "floods events"
        taken, back = service.roll_back(connection, "waterlogging", "guardrail", Office.SYSTEM, why)
        assert (taken.id, taken.stage) == (second.id, S.REGISTERED)
        assert back is not None
        assert (back.id, back.stage) == (first.id, S.PRODUCTION)
        assert ledger.of_version(connection, first.id)[-1].grounds.why == why
        # The first replaced nothing: there is nothing to go back to, and production is not left empty.
        with pytest.raises(ConfigError, match=r"1.0.0 has replaced none") as refused:
            service.roll_back(connection, "waterlogging", "chen", Office.PROMOTER, why, present=first.id)
        assert "promote another" in (refused.value.fix or "")
        assert service.standing(connection, "waterlogging", S.PRODUCTION) is not None
        # What cannot run at all is taken out all the same.
        gone = service.roll_back(connection, "waterlogging", "guardrail", Office.SYSTEM, why, present=first.id)
        assert gone[1] is None
        with pytest.raises(ConfigError, match="no version is in production"):
            service.roll_back(connection, "waterlogging", "chen", Office.PROMOTER, why)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ("body = jsonb_set(body, '{models,0,sha256}', to_jsonb(repeat('f', 64)))", "is not what was entered"),
        ("author = 'chen'", "is not what was entered"),
        ("stage = 'retired'", "is retired after 2 moves"),
        ("moves = 3", "is trained after 3 moves, the ledger has 2"),
    ],
)
def test_a_version_that_was_edited_is_told(engine: Engine, changed: str, said: str) -> None:
    with engine.begin() as connection:
        led(connection, entered(connection, "1.0.0"), S.TRAINED)
        assert ledger.verify(connection) == 2
        connection.execute(text(f"UPDATE algorithm_versions SET {changed}"))
        with pytest.raises(StoreError, match=said):
            ledger.verify(connection)


def test_who_registered_it_does_not_decide_on_it_either(engine: Engine) -> None:
    with engine.begin() as connection:
        version = led(connection, entered(connection, "1.0.0"), S.EVALUATED)
        version = service.carry_out(connection, version.id, M.REGISTER, "wu", Office.ENGINEER, Grounds(card=SHA))
        shadow = Grounds(cameras=("a", "b"))
        version = service.carry_out(connection, version.id, M.SHADOW, "lin", Office.ENGINEER, shadow)
        grounds = Grounds(cameras=("a",), comparison=SHA)
        with pytest.raises(Forbidden, match="wu made waterlogging"):
            service.carry_out(connection, version.id, M.CANARY, "wu", Office.PROMOTER, grounds)
        assert service.carry_out(connection, version.id, M.CANARY, "chen", Office.PROMOTER, grounds).stage is S.CANARY


def test_two_who_roll_back_at_once_go_back_once(engine: Engine) -> None:
    with engine.begin() as connection:
        versions = [led(connection, entered(connection, f"{number}.0.0"), S.PRODUCTION) for number in (1, 2, 3)]

        def back(present: int | None) -> AlgorithmVersion | None:
            return service.roll_back(connection, "waterlogging", "chen", Office.PROMOTER, "floods", present=present)[1]

        restored = back(versions[2].id)
        assert restored is not None
        assert restored.version == "2.0.0"
        with pytest.raises(ConfigError, match=r"version: 3.0.0 is no longer in production, 2.0.0 is"):
            back(versions[2].id)
        with pytest.raises(ConfigError, match=r"version: 2.0.0 was put back by a roll back itself"):
            back(None)
        standing = service.standing(connection, "waterlogging", S.PRODUCTION)
        assert standing is not None
        assert standing.version == "2.0.0"
        further = back(versions[1].id)
        assert further is not None
        assert further.version == "1.0.0", "who names it may go further"


def test_what_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        canary = led(connection, entered(connection, "1.0.0"), S.CANARY)
        with pytest.raises(Forbidden, match=r"lin made waterlogging 1.0.0"):
            service.carry_out(connection, canary.id, M.PROMOTE, "lin", Office.PROMOTER, Grounds(comparison=SHA))
        shadow = led(connection, entered(connection, "1.1.0"), S.SHADOW)
        with pytest.raises(ConfigError, match=r"waterlogging 1.0.0 is canary; end that first"):
            service.carry_out(
                connection, shadow.id, M.CANARY, "chen", Office.PROMOTER, Grounds(cameras=(), comparison=SHA)
            )
        bad = led(connection, entered(connection, "1.2.0"), S.TRAINED)
        failed = Grounds(evaluation=SHA, passed=False, why="night fell from .71 to .52")
        service.carry_out(connection, bad.id, M.EVALUATE, "gate", Office.SYSTEM, failed)
        with pytest.raises(ConfigError, match=r"the gate refused waterlogging 1.2.0: night fell"):
            service.carry_out(connection, bad.id, M.REGISTER, "lin", Office.ENGINEER, Grounds(card=SHA))
        with pytest.raises(ConfigError, match=r"waterlogging 1.0.0 is there already"):
            entered(connection, "1.0.0")
        with pytest.raises(ConfigError, match="version 99: there is none"):
            service.get(connection, 99)
        # Another algorithm has places of its own.
        led(connection, entered(connection, "1.0.0", algorithm="litter"), S.CANARY)
        assert ledger.verify(connection) == sum(one.moves for one in service.listed(connection))


@pytest.mark.parametrize("statement", ["UPDATE algorithm_ledger SET who = 'x'", "DELETE FROM algorithm_ledger"])
def test_the_ledger_only_grows(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        led(connection, entered(connection, "1.0.0"), S.REGISTERED)
    with pytest.raises(ProgrammingError, match="can only grow"), engine.begin() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE algorithm_ledger SET who = 'x' WHERE number = 2",
        'UPDATE algorithm_ledger SET grounds = \'{"run": "r-2"}\' WHERE number = 2',
        "UPDATE algorithm_ledger SET version_id = version_id, target = 'production' WHERE number = 3",
        "DELETE FROM algorithm_ledger WHERE number = 1",
    ],
)
def test_an_edit_past_the_guard_is_found(engine: Engine, edit: str) -> None:
    with engine.begin() as connection:
        led(connection, entered(connection, "1.0.0"), S.REGISTERED)
        connection.execute(text("ALTER TABLE algorithm_ledger DISABLE TRIGGER ALL"))
        connection.execute(text(edit))
        with pytest.raises(StoreError, match="ledger line"):
            ledger.verify(connection)


def test_two_who_promote_at_once_leave_one_in_production(engine: Engine) -> None:
    with engine.begin() as connection:
        one = led(connection, entered(connection, "1.0.0"), S.CANARY)
    faults: list[Exception] = []

    def promote() -> None:
        try:
            with engine.begin() as connection:
                service.carry_out(connection, one.id, M.PROMOTE, "chen", Office.PROMOTER, Grounds(comparison=SHA))
        except ConfigError as error:
            faults.append(error)

    threads = [threading.Thread(target=promote) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(faults) == 3
    with engine.connect() as connection:
        assert service.get(connection, one.id).moves == 7
        assert ledger.verify(connection) == 7


def release(sha: str, *algorithms: str) -> list[NewVersion]:
    model = ModelRef(role="water", name="water", sha256=sha)
    return [
        NewVersion(
            algorithm=name, version="0.0.0", models=(model,), rule_version="1", needs=NEEDS, licence="AGPL-3.0-or-later"
        )
        for name in algorithms
    ]


def test_what_comes_with_a_release_stands_in_production_until_people_bring_another(engine: Engine) -> None:
    first, second, third = (release(digit * 64, "litter", "waterlogging") for digit in "abc")
    with engine.begin() as connection:

        def production() -> dict[str, tuple[str, str]]:
            found = [service.standing(connection, name, S.PRODUCTION) for name in ("litter", "waterlogging")]
            return {one.algorithm: (one.version, one.models[0].sha256[0]) for one in found if one is not None}

        assert len(ensure_shipped(connection, first, "0.1")) == 2
        assert ensure_shipped(connection, first, "0.2") == []
        assert production() == {"litter": ("1.0.0", "a"), "waterlogging": ("1.0.0", "a")}
        assert ledger.lines(connection)[1].grounds.why == "came with CityVision 0.1"
        ensure_shipped(connection, second, "0.2")
        assert production() == {"litter": ("1.1.0", "b"), "waterlogging": ("1.1.0", "b")}
        led(connection, entered(connection, "2.0.0"), S.PRODUCTION)
        (draft,) = [one for one in ensure_shipped(connection, third, "0.3") if one.algorithm == "waterlogging"]
        assert (draft.version, draft.stage) == ("2.1.0", S.DRAFT)
        assert production() == {"litter": ("1.2.0", "c"), "waterlogging": ("2.0.0", "0")}
        with pytest.raises(ConfigError, match=r"waterlogging 2.0.0 by lin is production; leave it there"):
            service.carry_out(connection, draft.id, M.SHIP, "release", Office.SYSTEM, Grounds(why="x"))
        assert ledger.verify(connection) == sum(one.moves for one in service.listed(connection))


def test_by_command(engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYVISION_DATABASE_URL", database_url)
    monkeypatch.setenv("CITYVISION_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("CITYVISION_DATA", str(tmp_path))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, arguments)

    event = make_event(time.time(), kind="waterlogging")
    with engine.begin() as connection:
        ensure_shipped(connection, release("a" * 64, "litter"), "0.1")
        led(connection, entered(connection, "1.0.0"), S.PRODUCTION)
        write_event(connection, "worker-1", opened(event).event)
    listed = run("algo", "list")
    assert listed.exit_code == 0, listed.output
    assert [line.split()[:3] for line in listed.output.splitlines()] == [
        ["production", "litter", "1.0.0"],
        ["production", "waterlogging", "1.0.0"],
    ]
    history = run("algo", "history", "waterlogging").output.splitlines()
    assert len(history) == 7
    assert "canary → production" in history[-1]
    assert "chen (promoter): comparison 0123456789ab" in history[-1]
    assert json.loads(run("algo", "verify", "--json").output) == {"holds": True, "lines": 9}
    told = run("event", "why", event.id)
    assert told.exit_code == 0, told.output
    assert "waterlogging 1.0.0, entered by lin" in told.output
    assert "trained on dataset 0123456789ab, run r-1" in told.output
    assert "let by chen (promoter)" in told.output
    assert "the event's networks are not these" in told.output
    for wrong in (("algo", "history", "flying"), ("event", "why", "0" * 32)):
        refused = run(*wrong)
        assert (refused.exit_code, "there is no" in refused.output) == (2, True), refused.output
    for version, answer in (("9.9.9", "waterlogging 9.9.9 is none"), ("1.0.0", "1.0.0 has replaced none")):
        refused = run("algo", "rollback", "waterlogging", "--version", version, "--why", "misses puddles")
        assert (refused.exit_code, answer in refused.output) == (2, True), refused.output
