"""What a real Triton serves follows what workers are to run: loaded before, unloaded after, others left alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from algorithm_repo.rollout.keeping import NetworkShelf, keep_network
from bench.triton_switch import DETECTING, SEGMENTING, Subject, switched
from cityvision.demo import TRITON_REPOSITORY, triton_child
from cityvision.settings import load_settings
from cityvision.triton_desk import TritonDesk
from contracts.rollout import DETECTOR, ServedModel, Serving
from models.plates import FINDER, READER
from models.served import LITTER, WATER
from models.triton_control import TritonControl
from models.triton_install import ensure_installed
from models.triton_repository import publish
from models.triton_server import TritonServer
from models.zoo import Zoo
from store.objects import DiskObjects
from tests.candidates import WELL, candidate

pytestmark = [pytest.mark.media, pytest.mark.triton]
ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120.0


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


class City:
    """A server with the installation's own network, and a candidate that is kept."""

    def __init__(self, folder: Path, zoo: Zoo) -> None:
        self.repository = folder / "models"
        self.own = publish("street", zoo, self.repository)
        log = folder / "triton.log"
        self.server = TritonServer(ensure_installed(ROOT / ".venv-triton"), self.repository, log=log, models=[self.own])
        self.objects = DiskObjects(folder / "objects")
        self.shelf = NetworkShelf(zoo, self.objects)
        self.builtin = ServedModel(role=DETECTOR, name="street", sha256=zoo.artefact("street").digest)
        self.well = self.kept("street-well", candidate(WELL, zoo), zoo)

    def kept(self, name: str, data: bytes, zoo: Zoo) -> ServedModel:
        ref = keep_network(self.objects, data, role=DETECTOR, name=name, like=zoo.artefact("street"))
        return ServedModel(role=ref.role, name=ref.name, sha256=ref.sha256)

    def desk(self, free: Callable[[], int | None] | None = None) -> TritonDesk:
        return TritonDesk(self.server.url, self.repository, self.shelf.zoo_with, free=free)

    def loaded(self) -> list[str]:
        with TritonControl(self.server.url) as control:
            return list(control.loaded())


@pytest.fixture(scope="module")
def zoo(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    return Zoo(cache=tmp_path_factory.mktemp("zoo"), mirror=mirror)


@pytest.fixture(scope="module")
def city(zoo: Zoo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    made = City(tmp_path_factory.mktemp("triton-desk"), zoo)
    with made.server:
        yield made


def version(model: ServedModel) -> str:
    return f"{model.name}-{model.sha256[:8]}"


def test_a_version_is_loaded_before_and_unloaded_when_nobody_runs_it(city: City) -> None:
    desk, new, back = city.desk(), Serving(number=2, models=(city.well,)), Serving(number=3, models=(city.builtin,))
    desk.want(new, frozenset({city.own}))
    assert not desk.serves(new), "nothing waits for it"
    until(lambda: desk.serves(new))
    assert city.loaded() == sorted([city.own, version(city.well)])
    desk.want(back, frozenset({version(city.well)}))
    until(lambda: desk.serves(back))
    assert version(city.well) in city.loaded(), "a worker runs it still"
    desk.want(back, frozenset({city.own}))
    until(lambda: city.loaded() == [city.own])
    until(lambda: sorted(path.name for path in city.repository.iterdir() if path.name[0] != ".") == [city.own])
    desk.want(new, frozenset())
    until(lambda: desk.serves(new))
    desk.want(back, frozenset())
    until(lambda: city.loaded() == [city.own])
    desk.close()


def test_what_cannot_be_served_is_refused_with_its_reason_and_the_rest_goes_on(city: City, zoo: Zoo) -> None:
    desk = city.desk()
    broken = Serving(number=4, models=(city.kept("street-cut", candidate(WELL, zoo)[:-1000], zoo),))
    desk.want(broken, frozenset({city.own}))
    until(lambda: desk.refused(broken) is not None)
    assert "street-cut" in (desk.refused(broken) or "")
    assert not desk.serves(broken)
    assert city.loaded() == [city.own]
    desk.close()
    crowded, wanted = city.desk(lambda: 50 * 2**20), Serving(number=5, models=(city.well,))
    crowded.want(wanted, frozenset({city.own}))
    until(lambda: crowded.refused(wanted) is not None)
    assert "MB needed, 50 MB free" in (crowded.refused(wanted) or "")
    assert city.loaded() == [city.own]
    crowded.close()


@pytest.mark.thorough
def test_a_server_that_begins_anew_is_given_its_versions_again(city: City) -> None:
    desk, wanted = city.desk(), Serving(number=6, models=(city.well,))
    desk.want(wanted, frozenset())
    until(lambda: desk.serves(wanted))
    city.server.stop()
    time.sleep(1)
    assert desk.refused(wanted) is None, "that it is away is nobody's fault"
    city.server.start()
    city.server.wait_ready()
    until(lambda: version(city.well) in city.loaded())
    desk.close()
    other = city.desk()  # as after a restart of the roll-out: what the one before has published is known
    back = Serving(number=7, models=(city.builtin,))
    other.want(back, frozenset({city.own}))
    until(lambda: city.loaded() == [city.own])
    other.close()


def test_the_demos_server_has_every_network_that_its_workers_ask_for(
    tmp_path: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".venv-triton").symlink_to(ROOT / ".venv-triton")
    monkeypatch.chdir(tmp_path)
    settings = load_settings(data=tmp_path, mirror=mirror, model="street")
    triton_child(settings)
    published = {path.name.rpartition("-")[0] for path in TRITON_REPOSITORY.iterdir() if path.name[0] != "."}
    assert {"street", LITTER, WATER, FINDER, READER} <= published


@pytest.mark.parametrize("subject", [DETECTING, pytest.param(SEGMENTING, marks=pytest.mark.thorough)])
def test_no_look_fails_while_versions_are_switched(zoo: Zoo, tmp_path: Path, subject: Subject) -> None:
    """The short form of `cityvision bench triton_switch`, which measures latencies at 60 looks/s."""
    seen = switched(zoo, tmp_path, subject, rate=10.0, switches=2, between_s=0.5)
    assert (seen.failed, seen.switches) == (0, 2)
    assert len(seen.usual) > 5
    assert len(seen.during) > 5
    left = {name.rpartition("-")[0] for name in seen.left}
    assert left == {"street", subject.model, f"{subject.model}-0"}, "what the installation has stays"
