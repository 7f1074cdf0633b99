"""Two-way exchange of cases over real HTTP, with a simulated platform that is away, errs, forgets, doubles and lies."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, func, select

from cases import pictures
from cases.exchange import outbox
from cases.exchange.tables import exchange_outbox
from cases.service import perform
from cases.types import Action, Duty, Facts, Status
from contracts.signing import new_secret, signed
from governance import audit, custody
from simulator.platform import TROUBLED, Faults
from simulator.platform.book import PHOTO
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract.exchange_scene import CITY, Scene, running, wait_until

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def scene(tmp_path: Path, engine: Engine, valkey: EmbeddedValkey, bus: Bus) -> Iterator[Scene]:
    with running(tmp_path, engine, valkey.url, calls=False) as one:
        yield one


def told(scene: Scene) -> dict[int, list[int]]:
    """Revisions of each case that are to be told."""
    found: dict[int, list[int]] = {}
    with scene.engine.begin() as connection:
        c = exchange_outbox.c
        for row in connection.execute(select(c.case_id, c.revision).order_by(c.case_id, c.revision)):
            found.setdefault(row.case_id, []).append(row.revision)
    return found


@pytest.mark.timeout(150)
def test_a_platform_that_is_away_and_then_misbehaves_ends_equal(
    tmp_path: Path, engine: Engine, valkey: EmbeddedValkey, bus: Bus
) -> None:
    with running(tmp_path, engine, valkey.url, TROUBLED, seed=7) as scene:
        scene.start("api")
        scene.start("exchange")
        numbers = scene.happen(15)
        wait_until(lambda: bool(scene.outlook().error))
        away = scene.outlook()
        assert (away.waiting, away.told) == (30, 0)
        scene.platform.start()

        def equal() -> bool:
            wait_until(lambda: scene.outlook().waiting == 0 and scene.platform.idle())
            scene.command("reconcile", "--repair")
            wait_until(lambda: scene.outlook().waiting == 0 and scene.platform.idle())
            return "0 differ" in scene.command("reconcile").stdout

        wait_until(equal, 100)
        tasks = scene.platform.book.tasks
        assert {int(source): task.state for source, task in tasks.items()} == dict.fromkeys(numbers, "4")
        for number in numbers:
            case, lines = scene.case(number)
            theirs = [line.action for line in lines if line.who == CITY]
            assert case.state.status is Status.REPORTED
            assert theirs in ([Action.START, Action.REPORT], [Action.REPORT]), "each of their changes once, in order"
            heard = tasks[str(number)].heard
            assert heard == sorted(heard)
        calls = scene.platform.caller
        assert calls is not None
        # "None" is one that nobody answered in time, on a machine that does much else.
        assert {what for what in calls.answers if what.startswith("forged")} - {"forged None"} == {"forged 401"}
        assert calls.answers["twice 200"] + calls.answers["twice 409"] > 0
        assert scene.platform.answers[500] > 0


def further(scene: Scene, before: int) -> bool:
    found = scene.outlook()
    return found.told > before or found.waiting == 0


def test_killed_in_the_middle_nothing_is_lost_and_the_order_is_kept(scene: Scene) -> None:
    scene.platform.faults = Faults(lost=0.4)
    scene.platform.start()
    scene.happen(40)
    scene.start("exchange")
    cut = 0
    for turn in range(4):
        wait_until(partial(further, scene, scene.outlook().told))
        scene.end("exchange", signal.SIGKILL)
        cut += scene.outlook().waiting > 0
        scene.happen(5, first=100 + 10 * turn)
        scene.start("exchange")
    assert cut >= 2, "it was killed in the middle"
    wait_until(lambda: scene.outlook().waiting == 0)
    heard = {int(source): task.heard for source, task in scene.platform.book.tasks.items()}
    assert heard == told(scene), "each revision once, by its key, in order"


def test_what_waited_long_goes_out_once_the_platform_is_there(
    tmp_path: Path, engine: Engine, valkey: EmbeddedValkey, bus: Bus
) -> None:
    delays = ("50ms", "50ms", "50ms", "1h")
    with running(tmp_path, engine, valkey.url, calls=False, delays=delays) as scene:
        scene.happen(1)
        scene.start("exchange")
        c = exchange_outbox.c

        def put_off() -> bool:
            with scene.engine.begin() as connection:
                return bool(connection.execute(select(func.max(c.attempts))).scalar_one() == 4)

        wait_until(put_off)
        scene.platform.start()
        scene.happen(1, first=1)
        wait_until(lambda: scene.outlook().waiting == 0, 20)


def test_a_case_that_is_refused_holds_nobody_up(scene: Scene) -> None:
    scene.platform.start()
    first, second = scene.happen(2)
    with scene.engine.begin() as connection:
        broken = exchange_outbox.update().where(exchange_outbox.c.case_id == first).values(body={"sourceId": "x"})
        connection.execute(broken)
    scene.start("exchange")
    wait_until(lambda: scene.outlook().waiting == 0)
    assert list(scene.platform.book.tasks) == [str(second)]
    shown = scene.command("status")
    assert "2 told, 0 waiting, 2 refused" in shown.stdout, shown.stdout + shown.stderr
    assert f"refused: case {first}, revision 2: HTTP 422" in shown.stdout
    repaired = scene.command("reconcile", "--repair")
    assert f"case {first:>6}  missing_there" in repaired.stdout
    assert repaired.returncode == 0
    wait_until(lambda: len(scene.platform.book.tasks) == 2)


def test_what_is_written_anew_while_it_is_on_its_way_is_still_told(scene: Scene) -> None:
    (number,) = scene.happen(1)
    with scene.engine.begin() as connection:
        for one in [*outbox.heads(connection, 9)]:
            outbox.told(connection, one, "")
        (sent,) = outbox.heads(connection, 9)
    with scene.engine.begin() as connection:
        outbox.tell_again(connection, number, 5, scene.mapping)
        outbox.told(connection, sent, "CG1")
        (again,) = outbox.heads(connection, 9)
    assert (again.revision, again.key) == (sent.revision, f"{sent.key}-1")


class Caller:
    """Calls back, in whatever way."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._now = int(time.time())  # of all its calls: the very message has the very second

    def __call__(
        self, number: object, state: str, seq: int, id_: str, *, late: int = 0, secret: str = "", **more: Any
    ) -> tuple[int, dict[str, Any]]:
        said = {"sourceId": str(number), "state": state, "version": seq, **more}
        body = json.dumps(said).encode()
        headers = signed(id_, self._now + late, body, [secret or self._scene.callback_secret])
        headers |= {"content-type": "application/json"}
        answer = httpx.post(self._scene.door, content=body, headers=headers, timeout=60)
        return answer.status_code, answer.json()


def test_what_comes_by_the_door(scene: Scene) -> None:
    (number,) = scene.happen(1)
    scene.start("api")
    call = Caller(scene)
    assert call(number, "3", 1, "m1") == (200, {"outcome": "done"})
    assert call(number, "3", 1, "m1", late=1) == (200, {"outcome": "known"}), "told again"
    assert call(number, "3", 1, "m1", late=1)[0] == 409, "the very message"
    assert call(number, "4", 1, "m1", late=2)[0] == 409, "another one under its id"
    status, lacking = call(number, "4", 3, "m3")
    assert (status, lacking["code"]) == (422, "cannot_act")
    assert "pictures" in lacking["fix"]
    assert call(number, "4", 3, "m3", late=1, photos=[PHOTO]) == (200, {"outcome": "done"}), "it was not taken before"
    assert call(number, "3", 2, "m2") == (200, {"outcome": "older"}), "out of order"
    assert call(number, "4", 4, "m4") == (200, {"outcome": "nothing"})
    case, lines = scene.case(number)
    assert case.state.status is Status.REPORTED
    assert [(line.action, line.duty) for line in lines if line.who == CITY] == [
        (Action.START, Duty.HANDLER),
        (Action.REPORT, Duty.HANDLER),
    ]
    assert told(scene) == {number: [1, 2]}, "what they said is not told back"
    assert call(number, "7", 5, "m7")[0] == 200
    assert told(scene)[number][-1] == case.revision, "they hear that it cannot be given back now"
    with scene.engine.begin() as connection:
        said = [entry for entry in audit.listed(connection, limit=20) if entry.action == "exchange.callback"]
        (photo,) = custody.of_case(connection, number)
    assert {entry.who for entry in said} == {CITY}
    assert len(said) == 6
    assert (photo.act, photo.role, photo.who) == (custody.Act.CAPTURED, pictures.PHOTO, CITY)


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"secret": new_secret()}, 401, "webhook-signature"),
    ({"late": -400}, 401, "webhook-timestamp"),
    ({"late": 400}, 401, "webhook-timestamp"),
    ({"state": "77"}, 422, "state"),
    ({"number": 10**9}, 422, "sourceId"),
    ({"number": "x"}, 422, "sourceId"),
    ({"seq": -1}, 422, "version"),
    ({"photos": ["?"]}, 422, "photos[0]"),
    ({"photos": ["AAAA"]}, 422, "photos[0]"),
    ({"until": "soon"}, 422, "until"),
]


def test_what_is_refused_names_its_field(scene: Scene) -> None:
    (number,) = scene.happen(1)
    scene.start("api")
    call = Caller(scene)
    for change, status, field in REFUSED:
        given: dict[str, Any] = {"number": number, "state": "3", "seq": 1, "id_": "m1"} | change
        answered, said = call(**given)
        assert answered == status, said
        named = {fault["field"] for fault in said["faults"]} if status == 422 else {said["detail"].split(":")[0]}
        assert named == {field}
    case, lines = scene.case(number)
    assert (case.state.status, len(lines)) == (Status.DISPATCHED, 3)
    assert call(number, "3", 1, "m1")[0] == 200


@pytest.mark.thorough
def test_each_kind_of_difference_is_found_and_repaired(scene: Scene) -> None:
    scene.platform.start()
    forgotten, theirs_only, changed, newer, ended, same = scene.happen(6)
    scene.start("exchange")
    wait_until(lambda: scene.outlook().waiting == 0)
    tasks = scene.platform.book.tasks
    scene.platform.book.forget(str(forgotten))
    tasks["999999"] = tasks.pop(str(theirs_only))
    tasks["999999"].source = "999999"
    tasks[str(changed)].state = "9"
    tasks[str(newer)].state, tasks[str(newer)].seq = "4", 2
    tasks[str(ended)].state, tasks[str(ended)].seq = "3", 5
    with scene.engine.begin() as connection:
        facts = Facts(note="重复")
        perform(connection, ended, Action.VOID, Duty.CENTRE, "zhao", facts, time.time(), scene.book)
    wait_until(lambda: scene.outlook().waiting == 0)

    found = json.loads(scene.command("reconcile", "--json").stdout)["differences"]
    assert {one["case"]: one["kind"] for one in found} == {
        forgotten: "missing_there",
        theirs_only: "missing_there",
        changed: "status_differs",
        newer: "newer_there",
        ended: "newer_there",
        999999: "missing_here",
    }
    assert scene.case(newer)[0].state.status is Status.DISPATCHED, "looking changes nothing"

    repaired = scene.command("reconcile", "--repair")
    assert repaired.returncode == 1, "one is left to people"
    assert "taken: done" in repaired.stdout
    wait_until(lambda: scene.outlook().waiting == 0)
    left = json.loads(scene.command("reconcile", "--json").stdout)["differences"]
    assert [(one["case"], one["kind"]) for one in left] == [(999999, "missing_here")]
    assert scene.case(newer)[0].state.status is Status.REPORTED
    assert scene.case(ended)[0].state.status is Status.VOID
    states = {number: tasks[str(number)].state for number in (forgotten, theirs_only, changed, newer, ended, same)}
    assert states == {forgotten: "2", theirs_only: "2", changed: "2", newer: "4", ended: "9", same: "2"}
