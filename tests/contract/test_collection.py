"""Pictures of running streams become a project's, on real Postgres, Valkey and objects: taken once, whole or not at
all, seen masked, kept for their days."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, insert, select

from algorithm_repo.collection import report, service
from algorithm_repo.collection.tables import collected_frames
from algorithm_repo.collection.types import CollectionPolicy, Reason, RecallEstimate
from algorithm_repo.datasets.types import Box, Tag
from algorithm_repo.labelling import projects
from algorithm_repo.labelling.types import Item, NewProject
from cityvision.collecting import Collector, Turn
from cityvision.retention import Sweeper
from contracts.errors import BusUnavailable, ConfigError, ObjectsUnavailable
from contracts.live import CameraState
from events.review import Kind
from governance import audit, custody, deletions
from governance.proofs import check
from governance.retention import KEPT_FOR_GOOD
from governance.roles import Role
from governance.tables import camera_places, department_paths
from store.bus import Bus
from store.objects import DiskObjects, is_there
from store.valkey import EmbeddedValkey
from tests.contract import access_world
from tests.contract.access_world import World
from tests.contract.collection_scene import CAR, RANDOM, collecting, moment_of, runs, showing
from tests.contract.evidence_scene import picture as small_picture
from tests.contract.labelling_scene import ALL, accepted, labelled, picture
from tests.contract.live_scene import sending
from tests.contract.retention_scene import DAY, SIGNER, judged, over
from tests.contract.retention_scene import keep as keep_evidence

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def objects(tmp_path: Path) -> DiskObjects:
    return DiskObjects(tmp_path / "objects")


@pytest.fixture
def cameras(engine: Engine) -> None:
    """Two departments, one below the other, and a camera of each."""
    with engine.begin() as connection:
        paths = [("traffic", ["city", "traffic"]), ("city", ["city"]), ("grid", ["grid"])]
        rows = [{"id": name, "name": name, "path": path} for name, path in paths]
        connection.execute(insert(department_paths), rows)
        places = [("north-gate", "traffic"), ("square", "grid")]
        connection.execute(
            insert(camera_places), [{"camera": one, "department": whose, "grid": "G-1"} for one, whose in places]
        )


def turned(engine: Engine, bus: Bus, objects: DiskObjects, utc: float) -> Turn:
    """The turn in which that moment comes."""
    return Collector(engine, bus, objects, lambda: False, utc - 1).turn(utc + 1)


def items_of(engine: Engine, project: int) -> list[Item]:
    with engine.connect() as connection:
        return projects.items(connection, project, ALL)


def rows_of(engine: Engine) -> int:
    with engine.connect() as connection:
        count: int = connection.execute(select(func.count()).select_from(collected_frames)).scalar_one()
    return count


@pytest.mark.usefixtures("cameras")
def test_a_random_moment_becomes_a_picture_to_be_labelled(
    engine: Engine, bus: Bus, valkey: EmbeddedValkey, objects: DiskObjects
) -> None:
    project = collecting(engine, RANDOM)
    utc = moment_of(RANDOM, project, "north-gate")
    runs(bus, "north-gate")
    with showing(valkey.url, "north-gate", utc, [CAR]) as jpeg:
        done = turned(engine, bus, objects, utc)
        again = turned(engine, bus, objects, utc)
    assert (done.asked, len(done.kept), done.silent) == (1, 1, [])
    assert again.kept == [], "the same bytes are in a project once"
    (item,) = items_of(engine, project)
    name = hashlib.sha256(jpeg).hexdigest()
    assert (item.content, item.key, item.width, item.height) == (name, f"collected/{name[:2]}/{name}.jpg", 640, 360)
    assert objects.get(item.key) == jpeg
    assert (item.taken.camera, item.taken.department, item.taken.grid) == ("north-gate", "traffic", "G-1")
    assert item.taken.utc == pytest.approx(utc)
    assert item.slices[0] == "collected random"
    assert item.slices[1].startswith("hour ")
    (suggested,) = item.suggested
    assert (suggested.by, suggested.confidence, suggested.label) == (
        "detector yolox_nano",
        0.4,
        Box(label="car", box=(0.1, 0.2, 0.4, 0.6)),
    )
    with engine.connect() as connection:
        (line,) = custody.of_item(connection, item.id)
        told = report.collected(connection, project, RANDOM, None)
        nothing = report.collected(connection, project, RANDOM, ["square"])
    assert (line.act, line.who, line.why) == ("captured", "north-gate", "random")
    assert (told.total, told.reasons, told.cameras) == (1, {Reason.RANDOM: 1}, {"north-gate": 1})
    assert sum(told.hours) == 1
    assert nothing.total == 0


@pytest.mark.usefixtures("cameras")
def test_a_dead_camera_a_full_store_and_a_bus_that_is_away_cost_their_moment_alone(
    engine: Engine, bus: Bus, valkey: EmbeddedValkey, objects: DiskObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = collecting(engine, RANDOM)
    first, second, third, fourth = (moment_of(RANDOM, project, "north-gate", n) for n in range(4))
    monkeypatch.setattr("cityvision.collecting._WAIT_S", 0.3)
    assert turned(engine, bus, objects, first).asked == 0, "no worker knows it"
    runs(bus, "north-gate", CameraState.OFFLINE)
    assert turned(engine, bus, objects, first).asked == 0
    runs(bus, "north-gate")
    assert turned(engine, bus, objects, second).silent == ["north-gate"]
    monkeypatch.setattr("cityvision.collecting._WAIT_S", 8.0)

    class Full(DiskObjects):
        def put(self, key: str, data: bytes, media_type: str) -> None:
            raise ObjectsUnavailable(f"{key}: no space left")

    with showing(valkey.url, "north-gate", third, look=3):
        assert turned(engine, bus, Full(objects._root), third).kept == []
    assert rows_of(engine) == 0
    away = Bus("redis://127.0.0.1:1", timeout_s=0.2)
    with pytest.raises(BusUnavailable):
        turned(engine, away, objects, fourth)
    with showing(valkey.url, "north-gate", fourth, look=4):
        assert len(turned(engine, bus, objects, fourth).kept) == 1, "and on it goes"


@pytest.mark.usefixtures("cameras")
@pytest.mark.parametrize("where", ["before", "behind"])
def test_a_collector_that_is_killed_leaves_nothing_half(
    engine: Engine,
    bus: Bus,
    valkey: EmbeddedValkey,
    database_url: str,
    objects: DiskObjects,
    tmp_path: Path,
    where: str,
) -> None:
    project = collecting(engine, RANDOM)
    utc = moment_of(RANDOM, project, "north-gate")
    runs(bus, "north-gate")
    with showing(valkey.url, "north-gate", utc):
        command = [sys.executable, "-m", "tests.contract.collector_killed", where, str(tmp_path), database_url]
        ended = subprocess.run([*command, valkey.url, str(utc)], check=False, timeout=120)
        assert ended.returncode == -signal.SIGKILL
        assert rows_of(engine) == 1
        assert len(list(objects.keys("collected"))) == (where == "behind")
        next_one = Collector(engine, bus, objects, lambda: False, utc - 1)
        assert next_one.tidy() == 1
        assert (rows_of(engine), list(objects.keys("collected"))) == (0, [])
        assert len(next_one.turn(utc + 1).kept) == 1
        assert next_one.tidy() == 0
    assert len(items_of(engine, project)) == 1


@pytest.mark.usefixtures("cameras")
def test_what_is_taken_back_stays_where_another_project_has_it(
    engine: Engine, objects: DiskObjects, bus: Bus, valkey: EmbeddedValkey
) -> None:
    project = collecting(engine, RANDOM)
    utc = moment_of(RANDOM, project, "north-gate")
    runs(bus, "north-gate")
    with showing(valkey.url, "north-gate", utc) as jpeg:
        turned(engine, bus, objects, utc)
    with engine.begin() as connection:
        other = projects.create(connection, NewProject(name="another", classes=("car",)), "lin").id
        row = {"project": other, "camera": "north-gate", "reason": "random", "at": func.now(), "size": 1}
        name = hashlib.sha256(jpeg).hexdigest()
        key = f"collected/{name[:2]}/{name}.jpg"
        connection.execute(insert(collected_frames).values(row | {"key": key, "sha256": name}))
    assert service.tidy(engine, objects) == 1
    assert is_there(objects, key)


@pytest.mark.usefixtures("cameras")
def test_pictures_are_of_the_cameras_that_the_setter_may_see(engine: Engine) -> None:
    project = collecting(engine, RANDOM)

    def chosen(policy: CollectionPolicy, eyes: str | None) -> list[str]:
        with engine.begin() as connection:
            standing = service.set_policy(connection, project, policy, "lin", 1e9, eyes)
            assert service.policy_of(connection, project) == standing
            return [place.camera for place in service.cameras_of(connection, standing)]

    everywhere = RANDOM.model_copy(update={"cameras": ()})
    assert chosen(everywhere, None) == ["north-gate", "square"]
    assert chosen(everywhere, "traffic") == ["north-gate"]
    assert chosen(everywhere.model_copy(update={"departments": ("city",)}), None) == ["north-gate"], "and below it"
    assert chosen(everywhere.model_copy(update={"departments": ("grid",)}), "traffic") == []
    with pytest.raises(ConfigError, match=r"cameras\[0\]: there is no camera 'square'"):
        chosen(RANDOM.model_copy(update={"cameras": ("square",)}), "traffic")
    with pytest.raises(ConfigError, match=r"departments\[0\]: there is no department 'police'"):
        chosen(RANDOM.model_copy(update={"departments": ("police",)}), None)


@pytest.mark.usefixtures("cameras")
def test_its_days_over_a_picture_goes_and_says_so(
    engine: Engine, bus: Bus, valkey: EmbeddedValkey, objects: DiskObjects
) -> None:
    project = collecting(engine, RANDOM)
    utc = moment_of(RANDOM, project, "north-gate")
    runs(bus, "north-gate")
    with showing(valkey.url, "north-gate", utc):
        turned(engine, bus, objects, utc)
    sweeper = Sweeper(engine, objects, SIGNER, KEPT_FOR_GOOD, lambda: False)
    (item,) = items_of(engine, project)
    assert sweeper.sweep(utc + 9.9 * DAY).deleted == 0
    with engine.begin() as connection:
        service.set_policy(connection, project, RANDOM.model_copy(update={"days": 20, "active": False}), "lin", utc)
    assert sweeper.sweep(utc + 10.1 * DAY).deleted == 0, "the policy as it stands now counts"
    assert sweeper.sweep(utc + 20.1 * DAY).deleted == 1
    assert not is_there(objects, item.key)
    (item,) = items_of(engine, project)
    assert item.deleted_utc is not None
    with engine.connect() as connection:
        assert projects.queue(connection, project, "lin", ALL, False) == [], "nothing is to do with what is gone"
        lines = custody.of_item(connection, item.id)
        audit.verify(connection)
        custody.verify(connection)
        assert deletions.verify(connection) == 1
        (proof,) = deletions.proofs_of(connection, [item.key]).values()
        told = report.collected(connection, project, RANDOM, None)
    assert [(line.act, line.who) for line in lines] == [("captured", "north-gate"), ("deleted", "retention")]
    assert "collected: pictures of streams for labelling: 20 days" in proof.proof
    assert check(proof).items == (item.id,)
    assert (told.total, told.gone) == (1, 1)


@pytest.mark.usefixtures("cameras")
def test_recall_follows_from_random_moments_that_two_people_agree_on(
    engine: Engine, bus: Bus, valkey: EmbeddedValkey, objects: DiskObjects
) -> None:
    project = collecting(engine, RANDOM)
    runs(bus, "north-gate")

    def told() -> RecallEstimate:
        with engine.connect() as connection:
            (one,) = report.recall(connection, projects.get(connection, project), None)
        return one

    for number in range(4):
        utc = moment_of(RANDOM, project, "north-gate", number)
        with showing(valkey.url, "north-gate", utc, look=number):
            assert len(turned(engine, bus, objects, utc).kept) == 1
    first, last = (moment_of(RANDOM, project, "north-gate", number) for number in (0, 3))
    assert (told().why, told().moments) == ("no_moments", 0)
    for item, labels in zip(items_of(engine, project), ((), (Tag(label="litter"),), (), ()), strict=True):
        with engine.begin() as connection:
            accepted(connection, item.id, labelled(connection, item.id, "lin", *labels), "chen")
    missed = told()
    assert (missed.moments, missed.missed, missed.recall) == (4, 1, 0.0), "no event told of anything"
    assert missed.watched_h == pytest.approx((last - first) / 3600, abs=1e-3)

    second = moment_of(RANDOM, project, "north-gate", 1)
    ref = keep_evidence(objects, picture(99), second)
    event = over(engine, ref, (time.time() - second - 10) / DAY, "litter:1")  # 34 s long, and it is within
    assert told().why == "none_judged"
    judged(engine, event, Kind.REAL, 0.0)
    found = told()
    assert (found.moments, found.missed, found.events, found.judged, found.real) == (3, 0, 1, 1, 1)
    assert found.recall == 1.0, "what was there at that moment was told after all"
    assert found.low is not None
    assert found.low < 0.05, "and three moments say little"


@pytest.fixture
def world(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[World]:
    with access_world.running(tmp_path, database_url, valkey) as one:
        yield one


def test_people_see_collected_pictures_masked_and_of_their_own_cameras_alone(world: World) -> None:
    city, engineer, admin = world.city, world.clients[Role.ENGINEER], world.clients[Role.ADMIN]
    made = engineer.post(
        "/api/labelling/projects", json={"name": "streams", "classes": ["car"], "kinds": ["box"]}
    ).json()
    door = f"/api/labelling/projects/{made['id']}/collection"
    assert engineer.get(door).json()["policy"] is None
    wrong = engineer.put(door, json={"cameras": ["square"]})
    assert (wrong.status_code, "cameras[0]" in wrong.text) == (422, True), wrong.text
    wrong = engineer.put(door, json={"shares": {"random": 0.4}})
    assert (wrong.status_code, "shares" in wrong.text) == (422, True), wrong.text
    policy = RANDOM.model_copy(update={"cameras": ()})
    told = engineer.put(door, json=policy.model_dump(mode="json"))
    assert told.status_code == 200, told.text
    assert (told.json()["set_by"], told.json()["policy"]["days"]) == ("one-algorithm-engineer", 10)
    with city.engine.connect() as connection:
        standing = service.policy_of(connection, made["id"])
        assert standing is not None
        assert "square" not in [place.camera for place in service.cameras_of(connection, standing)]
        (line,) = audit.listed(connection, action="labels.collection")
    assert line.what["project"] == made["id"]

    utc, jpeg = moment_of(policy, made["id"], "north-gate"), small_picture("a face")
    city.report("north-gate")
    frame = service.Frame("north-gate", utc, Reason.RANDOM, jpeg)
    with sending(city, "north-gate", jpeg, utc):
        done = turned(city.engine, city.bus, city.objects, utc)
    (number,) = done.kept
    shown = engineer.get(f"/api/labelling/items/{number}/picture")
    assert shown.status_code == 200, shown.text
    assert shown.headers["x-masking"] == "fine"
    assert shown.content != jpeg, "masked"
    assert city.objects.get(frame.key) == jpeg
    for shown in (engineer.get(door).json(), admin.get(door).json()):
        assert (shown["collected"]["total"], shown["collected"]["cameras"]) == (1, {"north-gate": 1})
        assert (shown["quotas"]["random"], shown["recall"]) == (4, [])
    theirs = admin.put(door, json={"cameras": ["square", "north-gate"]}).json()
    assert theirs["policy"]["cameras"] == ["square", "north-gate"]
    assert engineer.get(door).json()["policy"]["cameras"] == ["north-gate"], "the other does not exist for them"

    Sweeper(city.engine, city.objects, SIGNER, KEPT_FOR_GOOD, lambda: False).sweep(utc + 91 * DAY)
    gone = engineer.get(f"/api/labelling/items/{number}/picture")
    assert (gone.status_code, "deleted by policy" in gone.text) == (410, True), gone.text
    assert not [one for one in city.objects.keys("derived") if frame.sha256 in one], "nor what was made of it"
    detail = engineer.get(f"/api/labelling/items/{number}").json()
    assert detail["item"]["deleted_utc"]
    assert [line["act"] for line in detail["custody"]] == ["captured", "deleted"]
