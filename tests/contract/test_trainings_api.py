"""The queue of trainings by door, over the real server: asked for, followed, cancelled, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from algorithm_repo.archive import service as archive
from algorithm_repo.jobs import service
from algorithm_repo.jobs.service import CurvePoint
from governance import audit
from governance.roles import Role
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract.access_world import logged_in
from tests.e2e import console_city
from tests.e2e.console_city import City
from tests.unit.datasets_scene import item, manifest

pytest_plugins = ["tests.embedded"]
MADE_WITH = service.MadeWith(code="c" * 64, environment={"python": "3.12.3", "torch": "2.9"}, starts=2)


@pytest.fixture
def city(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[City]:
    with console_city.running(tmp_path, database_url, valkey.url) as one:
        yield one


@pytest.fixture
def engineer(city: City) -> Iterator[httpx.Client]:
    with city.engine.begin() as connection:
        client = logged_in(city, connection, Role.ENGINEER)
    with client:
        yield client


@pytest.fixture
def dataset(city: City) -> str:
    version = manifest(item(1, side="train"), item(2, side="val"))
    with city.engine.begin() as connection:
        return archive.keep(connection, city.objects, version, [], "lin").digest


def submitted(client: httpx.Client, dataset: str, **more: object) -> int:
    answer = client.post("/api/trainings", json={"name": "cars", "dataset": dataset, **more})
    assert answer.status_code == 201, answer.text
    number: int = answer.json()["id"]
    return number


def test_a_training_is_asked_for_followed_and_shows_what_it_made(
    city: City, engineer: httpx.Client, dataset: str
) -> None:
    number = submitted(engineer, dataset, settings={"epochs": 3, "size": 64})
    shown = engineer.get(f"/api/trainings/{number}").json()
    assert (shown["state"], shown["author"], shown["dataset"], shown["curve"]) == (
        "waiting",
        "one-algorithm-engineer",
        dataset,
        [],
    )
    assert (shown["settings"]["epochs"], shown["settings"]["size"], shown["settings"]["batch"]) == (3, 64, 16)
    with city.engine.begin() as connection:
        assert service.claim(connection, "worker", 60) is not None
        service.started(connection, number, "worker", MADE_WITH)
        for step in (1, 2):
            service.tell(connection, number, "worker", CurvePoint(step=step, of=3, figures={"map50": step / 4}))
    (listed,) = engineer.get("/api/trainings").json()["trainings"]
    assert (listed["state"], listed["step"], listed["of"], listed["attempts"]) == ("running", 2, 3, 1)
    with city.engine.begin() as connection:
        service.end(connection, number, "worker", "done", result={"detector.onnx": "e" * 64})
    done = engineer.get(f"/api/trainings/{number}").json()
    assert done["made_with"] == MADE_WITH.model_dump()
    assert (done["state"], done["result"]) == ("done", {"detector.onnx": "e" * 64})
    assert done["curve"] == [{"step": step, "of": 3, "figures": {"map50": step / 4}} for step in (1, 2)]


def test_a_version_of_tags_trains_a_classifier(city: City, engineer: httpx.Client) -> None:
    version = manifest(item(1, side="train"), item(2, side="val"), task="classify")
    with city.engine.begin() as connection:
        tags = archive.keep(connection, city.objects, version, [], "lin").digest
    number = submitted(engineer, tags, classifier={"epochs": 3, "network": "yolo11s-cls"})
    asked = engineer.get(f"/api/trainings/{number}").json()["settings"]
    assert (asked["network"], asked["epochs"], asked["size"]) == ("yolo11s-cls", 3, 224)
    assert "mosaic" not in asked


def test_a_version_of_a_mask_trains_a_decoder_or_a_whole_network(city: City, engineer: httpx.Client) -> None:
    version = manifest(item(1, side="train"), item(2, side="val"), task="segment", classes=("water",))
    with city.engine.begin() as connection:
        mask = archive.keep(connection, city.objects, version, [], "lin").digest
    usual, whole = submitted(engineer, mask), submitted(engineer, mask, segmenter={"epochs": 3})
    asked = [engineer.get(f"/api/trainings/{number}").json()["settings"] for number in (usual, whole)]
    assert (asked[0]["steps"], asked[1]["network"], asked[1]["epochs"]) == (400, "yolo11n-seg", 3)
    both = engineer.post("/api/trainings", json={"name": "n", "dataset": mask, "head": {}, "segmenter": {}})
    assert (both.status_code, "are for the same versions" in both.json()["detail"]) == (422, True)


def test_pages_lead_to_the_oldest(engineer: httpx.Client, dataset: str) -> None:
    numbers = [submitted(engineer, dataset) for _ in range(3)]
    first = engineer.get("/api/trainings", params={"limit": 2}).json()
    assert [one["id"] for one in first["trainings"]] == [numbers[2], numbers[1]]
    rest = engineer.get("/api/trainings", params={"limit": 2, "before": first["next_before"]}).json()
    assert ([one["id"] for one in rest["trainings"]], rest["next_before"]) == ([numbers[0]], None)


def test_cancelled_once_and_both_moves_are_in_the_audit_chain(city: City, engineer: httpx.Client, dataset: str) -> None:
    number = submitted(engineer, dataset)
    assert engineer.post(f"/api/trainings/{number}/cancel").json()["state"] == "cancelled"
    again = engineer.post(f"/api/trainings/{number}/cancel")
    assert (again.status_code, again.json()["detail"]) == (422, f"training {number}: it is cancelled")
    with city.engine.connect() as connection:
        lines = audit.listed(connection, action="training.")
    assert [(one.action, one.who, one.what["training"]) for one in lines] == [
        ("training.cancelled", "one-algorithm-engineer", number),
        ("training.submitted", "one-algorithm-engineer", number),
    ]


def test_what_is_refused(city: City, engineer: httpx.Client, dataset: str) -> None:
    for body, told in (
        ({"name": "cars", "dataset": "f" * 64}, "there is no version"),
        ({"name": "", "dataset": dataset}, "name"),
        ({"name": "cars", "dataset": dataset, "settings": {"size": 321}}, "size: 321"),
        ({"name": "cars", "dataset": dataset, "settings": {"batch": 100_000}}, "batch: 100000"),
        ({"name": "cars", "dataset": dataset, "settings": {"device": "/dev/sda"}}, "settings.device"),
        ({"name": "cars", "dataset": dataset, "settings": {"bogus": 1}}, "settings.bogus"),
        ({"name": "cars", "dataset": dataset, "head": {"steps": 0}}, "steps: 0"),
        ({"name": "cars", "dataset": dataset, "head": {"steps": 5}}, "is of task detect"),
        ({"name": "cars", "dataset": dataset, "classifier": {"epochs": 5}}, "is of task detect"),
        ({"name": "cars", "dataset": dataset, "classifier": {"network": "yolo11n"}}, "classifier.network"),
    ):
        answer = engineer.post("/api/trainings", json=body)
        assert answer.status_code == 422, answer.text
        assert told in answer.json()["detail"]
    potholes = manifest(item(1, side="train"), item(2, side="val"), classes=("pothole", "crack"))
    with city.engine.begin() as connection:
        unknown = archive.keep(connection, city.objects, potholes, [], "lin").digest
    answer = engineer.post("/api/trainings", json={"name": "potholes", "dataset": unknown})
    assert (answer.status_code, "classes: none of pothole, crack is known" in answer.text) == (422, True)
    assert engineer.get("/api/trainings").json()["trainings"] == []
    for answer in (engineer.get("/api/trainings/7"), engineer.post("/api/trainings/7/cancel")):
        assert answer.status_code == 404
    with city.engine.begin() as connection:
        operator = logged_in(city, connection, Role.OPERATOR)
    with operator:
        assert operator.get("/api/trainings").status_code == 403
        assert operator.post("/api/trainings", json={"name": "n", "dataset": dataset}).status_code == 403
