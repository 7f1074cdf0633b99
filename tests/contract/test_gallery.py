"""The gallery by door: real networks on a picture and a clip, hostile bytes, and requests for cameras."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from algorithm_repo.gallery.types import Trial
from algorithm_repo.rollout.keeping import keep_network
from cityvision.settings import Settings
from cityvision.trying import TrialProcess
from contracts.errors import StreamCorrupt
from contracts.rollout import ServedModel
from governance.roles import Role
from models.zoo import Zoo
from simulator.street import scenario, write_clip
from store.bus import Bus
from store.objects import DiskObjects
from store.valkey import EmbeddedValkey
from tests.contract import access_world
from tests.contract.access_world import CAMERA, World

pytest_plugins = ["tests.embedded"]

BLACK = cv2.imencode(".png", np.zeros((8000, 8000), np.uint8))[1].tobytes()  # 63 kB
SERVED = {"role", "name", "sha256"}
BINARY = {"content-type": "application/octet-stream"}


@pytest.fixture
def world(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[World]:
    with access_world.running(tmp_path, database_url, valkey) as one:
        yield one


STREET = scenario(5, "water_grow", size=(640, 360))
ROAD = [value for corner in STREET.camera["zones"][0]["polygon"] for value in corner]


@pytest.fixture(scope="module")
def flood() -> bytes:
    """A street under water, as JPEG."""
    picture = STREET.picture((STREET.truth[0].start + STREET.truth[0].end) / 2).bgr
    return bytes(cv2.imencode(".jpg", picture)[1].tobytes())


def tried(client: httpx.Client, algorithm: str, data: bytes, **query: Any) -> httpx.Response:
    return client.post(f"/api/gallery/{algorithm}/trials", params=query, content=data, headers=BINARY, timeout=170)


def test_what_can_be_tried_is_listed_for_everybody(world: World) -> None:
    for role in Role:
        shown = {one["algorithm"]: one for one in world.clients[role].get("/api/gallery").json()}
        assert shown["waterlogging"]["on_picture"]
        assert not shown["litter"]["on_picture"]
        assert shown["illegal_parking"]["zone"]
        assert not shown["camera_health"]["zone"]


def test_a_picture_is_answered_by_the_real_network(world: World, flood: bytes) -> None:
    operator = world.clients[Role.OPERATOR]
    road = tried(operator, "waterlogging", flood, kind="picture", polygon=ROAD).json()
    assert road["answer"]["water_share"] > 0.1
    assert road["answer"]["networks"][0].startswith("water-")
    assert len(road["pictures"]) == len(road["answer"]["pictures"]) == 1
    sky = tried(operator, "waterlogging", flood, kind="picture", polygon=[0, 0, 1, 0, 1, 0.1, 0, 0.1]).json()
    assert sky["answer"]["water_share"] < 0.02, "only the zone counts"


def test_a_clip_goes_through_the_whole_chain(world: World, tmp_path: Path) -> None:
    street = scenario(3, "water_grow", size=(640, 360), duration=60)
    clip = write_clip(street, tmp_path / "clip.mp4", fps=1.0).read_bytes()
    flat = [value for corner in street.camera["zones"][0]["polygon"] for value in corner]
    answer = tried(world.clients[Role.INVESTIGATOR], "waterlogging", clip, kind="clip", polygon=flat).json()
    events = answer["answer"]["events"]
    assert [one["type"] for one in events] == ["waterlogging"]
    assert abs(events[0]["started"] - street.truth[0].start) < 10
    assert events[0]["picture"] == 0
    assert answer["answer"]["looks"] > 5


REFUSED: tuple[tuple[str, dict[str, Any], bytes, str], ...] = (
    ("waterlogging", {"kind": "picture"}, b"x", "cannot be decoded"),
    ("waterlogging", {"kind": "picture"}, b"\x89PNG\r\n\x1a\n" + b"\0" * 64, "cannot be decoded"),
    ("waterlogging", {"kind": "picture"}, BLACK, "are more than 35 million"),
    ("crowding", {"kind": "clip"}, b"RIFF....AVI LIST" * 9, ""),
    ("litter", {"kind": "picture"}, b"\xff\xd8\xff", "send a clip"),
    ("waterlogging", {"kind": "picture", "polygon": [0.1, 0.2, 0.3]}, b"x", "polygon"),
    ("waterlogging", {"kind": "picture", "polygon": [0.1, 0.1, 0.1, 0.1, 0.1, 0.1]}, b"x", "zone"),
)


def test_what_cannot_be_tried_is_refused_with_its_reason(world: World) -> None:
    for algorithm, query, data, told in REFUSED:
        refused = tried(world.clients[Role.OPERATOR], algorithm, data, **query)
        assert (refused.status_code, told in str(refused.json())) == (422, True), (algorithm, query, refused.text)


def test_a_clip_longer_than_allowed_is_refused(world: World, tmp_path: Path) -> None:
    street = scenario(3, "water_wet", size=(160, 90), duration=200)
    clip = write_clip(street, tmp_path / "clip.mp4", fps=0.2, gop_s=10).read_bytes()
    refused = tried(world.clients[Role.OPERATOR], "waterlogging", clip, kind="clip")
    assert (refused.status_code, "longer" in refused.json()["detail"]) == (422, True)


def test_it_is_tried_with_the_network_that_production_runs(mirror: Path, tmp_path: Path, flood: bytes) -> None:
    """The shipped one but for its last bias: it sees no water anywhere."""
    zoo, objects = Zoo(), DiskObjects(tmp_path / "objects")
    network = onnx.load_from_string(zoo.fetch("water")[0].read_bytes())
    (bias,) = [one for one in network.graph.initializer if one.name == "out.bias"]
    bias.CopyFrom(numpy_helper.from_array((numpy_helper.to_array(bias) - 40).astype(np.float32), bias.name))
    dry = keep_network(objects, network.SerializeToString(), role="water", name="dry", like=zoo.artefact("water"))
    trials = TrialProcess(Settings(mirror=mirror, cache=tmp_path / "cache"), objects)
    try:
        shipped = Trial(algorithm="waterlogging", kind="picture")
        served = shipped.model_copy(update={"serving": (ServedModel(**dry.model_dump(include=SERVED)),)})
        for trial, name, wet in ((served, "dry-", False), (shipped, "water-", True), (served, "dry-", False)):
            answer, _ = trials.attempt(trial, flood)
            assert answer.networks[0].startswith(name)
            assert ((answer.water_share or 0) > 0.02) == wet
    finally:
        trials.close()


def test_nothing_of_a_clip_is_ever_on_the_disk(mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a trial that is killed leaves nothing behind."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    clip = write_clip(scenario(3, "water_wet", size=(320, 180), duration=30), tmp_path / "clip.mp4", fps=1.0)
    trials = TrialProcess(Settings(mirror=mirror), DiskObjects(tmp_path / "objects"))
    seen: list[Path] = []
    try:
        with ThreadPoolExecutor(1) as pool:
            tried = pool.submit(trials.attempt, Trial(algorithm="waterlogging", kind="clip"), clip.read_bytes())
            while not tried.done():
                seen += scratch.iterdir()
                time.sleep(0.005)
        assert tried.result()[0].looks > 0
        assert seen == []
    finally:
        trials.close()


def test_a_child_that_dies_answers_again(mirror: Path, tmp_path: Path, flood: bytes) -> None:
    trials = TrialProcess(Settings(mirror=mirror), DiskObjects(tmp_path / "objects"))
    try:
        water = Trial(algorithm="waterlogging", kind="picture")
        answer, pictures = trials.attempt(water, flood)
        pid = trials._child.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert trials.attempt(water, flood) == (answer, pictures)
        with pytest.raises(StreamCorrupt):
            trials.attempt(water, b"nothing")
        assert trials.attempt(water, flood)[0] == answer
    finally:
        trials.close()


def test_a_department_asks_for_its_own_cameras_and_the_team_answers(world: World) -> None:
    operator, engineer = world.clients[Role.OPERATOR], world.clients[Role.ENGINEER]
    own = next(one["id"] for one in operator.get("/api/cameras").json()["cameras"] if one["id"] != CAMERA)
    wrong = operator.post("/api/gallery/requests", json={"algorithm": "litter", "cameras": [own, CAMERA]})
    assert wrong.status_code == 422
    assert wrong.json()["faults"][0]["field"] == "cameras[1]", "of another department"
    asked = operator.post("/api/gallery/requests", json={"algorithm": "litter", "cameras": [own], "note": "bins"})
    assert asked.status_code == 201
    number = asked.json()["id"]
    assert [one["id"] for one in engineer.get("/api/gallery/requests").json()] == [number]
    said = {"answer": "accepted", "note": "from Monday"}
    assert operator.post(f"/api/gallery/requests/{number}/answer", json=said).status_code == 403
    assert engineer.post(f"/api/gallery/requests/{number}/answer", json=said).json()["answer"] == "accepted"
    again = engineer.post(f"/api/gallery/requests/{number}/answer", json=said)
    assert again.status_code == 422, "answered once"
    assert operator.get("/api/gallery/requests").json()[0]["answer_note"] == "from Monday"
