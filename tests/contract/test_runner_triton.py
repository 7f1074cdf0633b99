"""The real Triton server: what it does when versions come and go, when it dies, and when we do."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from contracts.errors import ConfigError, PortTaken, RunnerError, ServiceError
from models.detector import version_name
from models.triton_control import TritonControl
from models.triton_install import TritonInstallation, ensure_installed
from models.triton_repository import Serving, config_text, publish
from models.triton_runner import TritonRunner
from models.triton_server import TritonPorts, TritonServer
from models.zoo import Zoo

pytestmark = [pytest.mark.media, pytest.mark.triton]
ROOT = Path(__file__).resolve().parents[2]
SMALL = "person-vehicle-bike-detection-2000"


@pytest.fixture(scope="module")
def zoo(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    return Zoo(cache=tmp_path_factory.mktemp("zoo"), mirror=mirror)


@pytest.fixture(scope="module")
def installation() -> TritonInstallation:
    return ensure_installed(ROOT / ".venv-triton")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("triton") / "models"


@pytest.fixture(scope="module")
def server(installation: TritonInstallation, zoo: Zoo, repository: Path) -> Iterator[TritonServer]:
    """A server that has loaded one small version."""
    name = publish(SMALL, zoo, repository, Serving())
    running = TritonServer(installation, repository, log=repository.with_name("triton.log"), models=[name])
    running.start()
    running.wait_ready()
    yield running
    running.stop()


def _runner(url: str, zoo: Zoo, name: str = SMALL, timeout_s: float = 10.0) -> TritonRunner:
    artefact = zoo.artefact(name)
    return TritonRunner(url, name=version_name(name, artefact), sha256=artefact.digest, timeout_s=timeout_s)


def _picture(runner: TritonRunner, n: int = 1) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    return {spec.name: np.full((n, *spec.shape[1:]), 90, np.float32) for spec in runner.inputs}


def test_versions_come_and_go_while_others_serve(server: TritonServer, zoo: Zoo, repository: Path) -> None:
    serving = _runner(server.url, zoo)
    name = publish("yolox_nano", zoo, repository)
    artefact = zoo.artefact("yolox_nano")
    with TritonControl(server.url) as control:
        with pytest.raises(RunnerError, match="does not serve"):
            _runner(server.url, zoo, "yolox_nano")
        control.load(name)
        assert control.loaded() == tuple(sorted([name, serving.name]))
        assert control.warm(name, artefact.digest, batch=2) > 0
        switched = _runner(server.url, zoo, "yolox_nano")
        assert len(switched.infer(_picture(switched))["output"]) == 1
        control.unload(name)
        assert control.loaded() == (serving.name,)
        with pytest.raises(RunnerError, match=name):
            switched.infer(_picture(switched))
        with pytest.raises(RunnerError, match="no-such"):
            control.load("no-such")
    assert len(serving.infer(_picture(serving))["detection_out"]) == 1
    assert f'nv_inference_count{{model="{serving.name}",version="1"}}' in httpx.get(server.metrics_url).text
    switched.close()
    serving.close()


def test_other_weights_under_the_same_name_are_refused(server: TritonServer, zoo: Zoo) -> None:
    name = version_name(SMALL, zoo.artefact(SMALL))
    with pytest.raises(RunnerError, match="other weights"):
        TritonRunner(server.url, name=name, sha256="f" * 64)


def test_a_server_that_dies_is_an_error_and_then_used_again(server: TritonServer, zoo: Zoo) -> None:
    runner = _runner(server.url, zoo, timeout_s=3.0)
    before = runner.infer(_picture(runner, 2))["detection_out"]
    assert server.pid is not None
    backends = psutil.Process(server.pid).children(recursive=True)
    os.kill(server.pid, signal.SIGKILL)
    with pytest.raises(RunnerError, match="UNAVAILABLE"):
        runner.infer(_picture(runner))
    end = time.monotonic() + 20
    while server.alive():  # its sockets close before the kernel has done with it
        assert time.monotonic() < end
        time.sleep(0.02)
    assert psutil.wait_procs(backends, timeout=20)[1] == []
    server.start()
    server.wait_ready()
    # The new server has never heard of the runner's memory; the channel may still be waiting to reconnect.
    end = time.monotonic() + 60
    while True:
        try:
            after = runner.infer(_picture(runner, 2))["detection_out"]
            break
        except RunnerError:
            assert time.monotonic() < end
            time.sleep(0.1)
    assert np.array_equal(before, after)
    assert runner.shares_memory
    runner.close()


def test_shared_memory_is_given_back(server: TritonServer, zoo: Zoo) -> None:
    before = _shared_memory()
    runner = _runner(server.url, zoo)
    for n in (1, 4, 2, 6):
        runner.infer(_picture(runner, n))
    ours = _shared_memory() - before
    assert len(ours) == 1  # one lane, grown as needed
    runner.close()
    assert not ours.pop().exists()


def _shared_memory() -> set[Path]:
    """What this process has mapped of it: other tests' processes have theirs beside it."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return {Path(line.split()[-1]) for line in lines if "/dev/shm/psm_" in line and not line.endswith("(deleted)")}


_CHILD = """
import sys, time
from pathlib import Path
from models.triton_install import ensure_installed
from models.triton_server import TritonServer
venv, repository, log = map(Path, sys.argv[1:4])
server = TritonServer(ensure_installed(venv), repository, log=log, models=sys.argv[4:])
server.start()
server.wait_ready()
print(server.pid, flush=True)
time.sleep(60)
"""


def test_no_orphans_when_we_are_killed(installation: TritonInstallation, zoo: Zoo, tmp_path: Path) -> None:
    name = publish(SMALL, zoo, tmp_path / "models")
    arguments = [str(ROOT / ".venv-triton"), str(tmp_path / "models"), str(tmp_path / "log"), name]
    parent = subprocess.Popen([sys.executable, "-c", _CHILD, *arguments], stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert parent.stdout is not None
    server = psutil.Process(int(parent.stdout.readline()))
    family = [server, *server.children(recursive=True)]
    assert len(family) >= 2
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert psutil.wait_procs(family, timeout=10)[1] == []


def test_a_taken_port_is_named(installation: TritonInstallation, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        ports = TritonPorts(grpc=int(other.getsockname()[1]), metrics=TritonPorts.free().metrics)
        with pytest.raises(PortTaken, match=str(ports.grpc)):
            TritonServer(installation, tmp_path, log=tmp_path / "log", ports=ports).start()


def test_a_version_that_cannot_be_loaded_says_why(installation: TritonInstallation, zoo: Zoo, tmp_path: Path) -> None:
    name = publish(SMALL, zoo, tmp_path / "models")
    (tmp_path / "models" / name / "1" / "weights.bin").write_bytes(b"cut off")
    server = TritonServer(installation, tmp_path / "models", log=tmp_path / "log", models=[name])
    server.start()
    with pytest.raises(ServiceError, match="Triton ended at its start"):
        server.wait_ready()
    assert not server.alive()


def test_publishing_again_replaces_and_other_backends_are_checked(zoo: Zoo, tmp_path: Path) -> None:
    name = publish("yolox_nano", zoo, tmp_path, Serving(max_batch=4))
    assert publish("yolox_nano", zoo, tmp_path, Serving(max_batch=16)) == name
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]
    text = (tmp_path / name / "config.pbtxt").read_text()
    assert "max_batch_size: 16" in text
    with pytest.raises(ConfigError, match="ONNX"):
        publish(SMALL, zoo, tmp_path, Serving(backend="onnxruntime"))
    publish("yolox_nano", zoo, tmp_path, Serving(backend="onnxruntime", gpu=True))
    assert (tmp_path / name / "1" / "model.onnx").is_file()
    text = (tmp_path / name / "config.pbtxt").read_text()
    # The file's batch axis is fixed to one picture.
    assert "max_batch_size: 0" in text
    assert "dims: [ 1, 3, 416, 416 ]" in text
    assert "KIND_GPU" in text


def test_an_installation_that_fails_says_what_to_do(tmp_path: Path) -> None:
    lock = tmp_path / "triton.txt"
    lock.write_text("./no-such-wheel-1.0-py3-none-any.whl\n")
    with pytest.raises(ServiceError, match="CITYVISION_TRITON_URL"):
        ensure_installed(tmp_path / "venv", lock_file=lock)
    assert not (tmp_path / "venv" / "cityvision-stamp").exists()


def test_config_text_of_two_outputs(zoo: Zoo) -> None:
    from models.openvino_runner import describe

    inputs, outputs = describe(zoo.fetch("person-vehicle-bike-detection-2003")[0])
    text = config_text("v", "0" * 64, inputs, outputs, Serving())
    assert '{ name: "boxes", data_type: TYPE_FP32, dims: [ 100, 5 ] }' in text
    assert '{ name: "labels", data_type: TYPE_INT64, dims: [ 100 ] }' in text
