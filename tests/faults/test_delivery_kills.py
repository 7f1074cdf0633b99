"""Deliverer, API, Postgres and Valkey killed under load while a subscriber is down, slow, answers 500 or hangs.

By the receivers' ledgers: every event at least once, in order for each subscriber, none to who may not see it. For a
long run: `--delivery-kills 60 --delivery-minutes 10 --soak DIR`; `--kill-seed` chooses the moments.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import time
from pathlib import Path

import pytest

from tests.contract.delivery_servers import mosquitto
from tests.faults.delivery_city import VICTIMS, DeliveryCity
from tests.faults.delivery_receivers import MOODS
from tests.faults.script import expected
from tests.soak import Soak

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

PER_SECOND = 40.0


def test_every_event_at_least_once_and_in_order(
    tmp_path: Path, pytestconfig: pytest.Config, kill_seed: int, capsys: pytest.CaptureFixture[str], soak: Soak
) -> None:
    kills = int(pytestconfig.getoption("--delivery-kills", default=4))
    seconds = float(pytestconfig.getoption("--delivery-minutes", default=0.0)) * 60
    chance = random.Random(kill_seed)
    plan = [VICTIMS[n % len(VICTIMS)] for n in range(kills)]
    chance.shuffle(plan)
    with contextlib.ExitStack() as stack:
        city = DeliveryCity(tmp_path, PER_SECOND, stack.enter_context(mosquitto(tmp_path)))
        stack.callback(city.stop)
        city.start()
        began = time.monotonic()
        for number, victim in enumerate(plan):
            city.await_progress()
            city.receivers.feel(chance.choice(MOODS))
            time.sleep(chance.uniform(0.0, 0.5))
            city.kill(victim, 0, pause_s=chance.choice((0.0, 0.0, 0.4)))
            time.sleep(max(0.0, began + seconds * (number + 1) / kills - time.monotonic()))
        city.receivers.feel("well")
        city.finish(120)
        took = _compare(city, began)
    figures = took | {"seed": kill_seed, "kills": kills}
    with capsys.disabled():
        print(f"\n{json.dumps(figures)}")  # noqa: T201 - what a long run leaves behind
    soak.keep("delivery-faults", figures)


def _compare(city: DeliveryCity, began: float) -> dict[str, float]:
    """Waits until everybody has everything; the ledgers must agree with what was said."""
    said = [pair for worker in city.workers for pair in expected(worker, city.steps)]
    ledgers = {name: city.receivers.ledger[name] for name in city.told if name != "outsider"}
    wanted = {name: _ids(city.told[name], said) for name in ledgers}
    _await_all(city, ledgers, wanted)
    seconds = time.monotonic() - began
    assert city.receivers.ledger["outsider"] == []
    doubled = 0
    for name, taken in ledgers.items():
        first = _firsts(taken)
        order = [number for number, _ in first]
        assert order == sorted(order), f"{name} is out of order"
        assert {id_ for _, id_ in first} == wanted[name], f"{name} got something nobody said"
        doubled += len(taken) - len(first)
    return {"seconds": seconds, "events": len(said), "deliveries": len(said) * len(ledgers), "doubled": doubled}


def _await_all(city: DeliveryCity, ledgers: dict[str, list[tuple[int, str]]], wanted: dict[str, set[str]]) -> None:
    """Until everybody has everything. Only what is new is looked at: the receivers share this process with us."""
    missing = {name: set(ids) for name, ids in wanted.items()}
    looked = dict.fromkeys(ledgers, 0)
    deadline = time.monotonic() + 120
    while True:
        city.read_stream()
        for name, taken in ledgers.items():
            new = taken[looked[name] :]
            looked[name] += len(new)
            missing[name].difference_update(id_ for _, id_ in new)
        if not any(missing.values()):
            return
        left = {name: len(ids) for name, ids in missing.items()}
        assert time.monotonic() < deadline, f"never came: {left}"
        time.sleep(0.2)


def _firsts(taken: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Each id where it came first."""
    first: dict[str, int] = {}
    for number, id_ in taken:
        first.setdefault(id_, number)
    return [(number, id_) for id_, number in first.items()]


def _ids(subscription: int, said: list[tuple[str, int]]) -> set[str]:
    told = (f"{subscription}/{event}/{seq}" for event, seq in said)
    return {f"msg_{hashlib.sha256(one.encode()).hexdigest()[:32]}" for one in told}
