"""Networks from elsewhere by the API's door, as a form of files: taken in, or refused with reasons."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from algorithm_repo.registry.shipped import ensure_shipped
from api import guard
from cityvision.shipped import shipped
from cityvision.turns import one_at_a_time
from governance import audit
from governance.roles import Role
from models.zoo import Zoo
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract import access_world
from tests.contract.access_world import World
from tests.contract.test_algo_versions import CARD

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def world(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[World]:
    with access_world.running(tmp_path, database_url, valkey) as one:
        with one.city.engine.begin() as connection:
            ensure_shipped(connection, shipped("street"), "0.1")
        yield one


@pytest.fixture(scope="module")
def water() -> bytes:
    return Zoo().fetch("water")[0].read_bytes()


def sent(client: httpx.Client, model: bytes, card: str = CARD, version: str = "2.0.0", **fields: str) -> httpx.Response:
    told = {"algorithm": "waterlogging", "version": version} | fields
    files = {"model": ("wetter.onnx", model), "card": ("wetter.yaml", card.encode())}
    return client.post("/api/algorithms/uploads", data=told, files=files, timeout=130)


def test_a_network_becomes_a_version_with_what_its_check_found(world: World, water: bytes) -> None:
    engineer = world.clients[Role.ENGINEER]
    taken = sent(engineer, water, note="of the lake")
    assert taken.status_code == 201, taken.text
    version, trial = taken.json()["version"], taken.json()["trial"]
    assert (version["version"], version["stage"], version["note"]) == ("2.0.0", "trained", "of the lake")
    assert hashlib.sha256(water).hexdigest() in {one["sha256"] for one in version["models"]}
    assert trial["ms_per_picture"] > 0
    (line,) = [
        one
        for one in engineer.get("/api/algorithms/ledger", params={"algorithm": "waterlogging"}).json()
        if one["version_id"] == version["id"] and one["move"] == "receive"
    ]
    kept = world.city.objects.get(f"reports/{line['grounds']['report'][:2]}/{line['grounds']['report']}.json")
    assert json.loads(kept)["trial"] == trial
    again = sent(engineer, water)
    assert (again.status_code, again.json()["detail"]) == (422, "version: waterlogging 2.0.0 is there already")


REFUSED: tuple[tuple[bytes | None, str, str, str], ...] = (
    (b"\x80\x04\x95\x10\x00\x00\x00", CARD, "file", "pickle"),
    (b"", CARD, "file", "empty"),
    (b"no network", CARD, "file", "not_onnx"),
    (None, CARD.replace("192", "224"), "graph.input[images]", "input"),
    (None, CARD.replace("segmenter", "oracle"), "card.family", "card_field"),
    (None, "&a [*a]", "card, line 1", "card_alias"),
    (None, CARD + "#" * (64 << 10), "card", "card_too_big"),
    (None, CARD.replace("Apache-2.0", "CC-BY-NC-4.0"), "card.licence", "licence"),
)


def test_what_is_refused_says_why_and_leaves_a_line_in_the_audit_log_alone(world: World, water: bytes) -> None:
    engineer = world.clients[Role.ENGINEER]
    for model, card, field, code in REFUSED:
        refused = sent(engineer, water if model is None else model, card)
        told: dict[str, Any] = refused.json()
        assert (refused.status_code, told["code"]) == (422, "network_refused"), told
        assert (told["faults"][0]["field"], told["faults"][0]["code"]) == (field, code), told
    assert len(engineer.get("/api/algorithms").json()) == len(shipped("street"))
    assert [*world.city.objects.keys("networks"), *world.city.objects.keys("reports")] == []
    with world.city.engine.begin() as connection:
        lines = audit.listed(connection, action="algorithm.refused", limit=20)
    assert [line.what["reasons"] for line in lines] == [[code] for *_, code in reversed(REFUSED)]


def test_a_form_that_lacks_something_names_it(world: World) -> None:
    whole = {"algorithm": "waterlogging", "version": "2.0.0"}
    both = {"model": b"x", "card": b"x"}
    for data, files, field in (
        (whole, {"card": b"x"}, "model"),
        (whole | {"card": "name: x"}, {"model": b"x"}, "card"),
        (whole | {"version": "two"}, both, "version"),
        (whole | {"note": "a\0b"}, both, "note"),
        ({"version": "2.0.0"}, both, "algorithm"),
    ):
        named = {name: (name, content) for name, content in files.items()}
        refused = world.clients[Role.ENGINEER].post("/api/algorithms/uploads", data=data, files=named)
        assert refused.status_code == 422, refused.text
        assert refused.json()["faults"][0]["field"] == field


def test_only_forms_may_be_large_and_none_is_read_for_a_stranger(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    large = b"\0" * (guard.MAX_BODY + 1)
    engineer = world.clients[Role.ENGINEER]
    assert engineer.post("/api/algorithms/uploads", content=large).status_code == 413
    monkeypatch.setattr("starlette.requests.Request.form", None)
    assert sent(world.clients[Role.OPERATOR], large).status_code == 403
    assert sent(httpx.Client(base_url=world.city.url), large).status_code == 401


def test_others_wait_for_their_turn_but_not_for_ever() -> None:
    def inner(seconds: float) -> None:
        with pytest.raises(TimeoutError):
            alone(seconds)

    alone = one_at_a_time(inner, wait_s=0.01)
    alone(0)
    alone(0)  # and those who come later get theirs
