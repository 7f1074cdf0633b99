"""`cityvision up` for real: everything started, killed, restarted, stopped, refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from cityvision.ports import listen_on

POOL = """
version: 1
departments:
  - {id: city, name: City}
cameras: []
"""


class Up:
    """A running `cityvision up --json`; its lines are read as they come."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.data = folder / "data"
        streams = folder / "streams.yaml"
        if not streams.exists():
            streams.write_text(POOL)
        command = [sys.executable, "-m", "cityvision", "up", "--json", "--data", str(self.data), "--port", "0"]
        command += ["--workers", "1", "--streams", str(streams), *arguments]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CITYVISION_")}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean | environment
        )
        self.lines: list[dict[str, object]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def said(self, key: str) -> object:
        """The newest value said under `key`; waits for it."""
        until(lambda: any(key in line for line in self.lines) or self.process.poll() is not None, 90)
        found = [line[key] for line in self.lines if key in line]
        assert found, f"{self.lines} {self.process.communicate()[1]}"
        return found[-1]

    def ready_pid(self, child: str) -> int | None:
        """Process id of a child whose newest state is ready; None otherwise."""
        states = [line for line in self.lines if line.get("child") == child]
        pid = states[-1]["pid"] if states and states[-1]["state"] == "ready" else None
        return pid if isinstance(pid, int) else None

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: signal.Signals = signal.SIGINT) -> None:
        """Ends it by itself, in a few seconds where nothing else runs."""
        self.process.send_signal(number)
        self.process.wait(15)
        self._reader.join(5)

    def refusal(self) -> str:
        """What it says on stderr when it does not start."""
        assert self.process.stderr is not None
        text = self.process.stderr.read()
        assert self.process.wait(30) == 2, text
        assert text.count("\n") == 1, text
        return text


def until(condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "not reached in time"
        time.sleep(0.02)


def running(processes: list[psutil.Process]) -> list[psutil.Process]:
    _, alive = psutil.wait_procs(processes, timeout=5)
    return [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    started = Up(tmp_path)
    yield started
    if started.process.poll() is None:
        started.end()


@pytest.mark.media
def test_everything_starts_survives_kills_and_ends_with_nothing_left(up: Up, mirror: Path) -> None:
    url = str(up.said("url"))
    password = str(up.said("first_password"))
    assert httpx.get(f"{url}/api/health/ready", trust_env=False).json()["ready"]
    login = {"name": "admin", "password": password}
    assert httpx.post(f"{url}/api/login", json=login, trust_env=False).status_code < 300

    for victims in (("postgres", "valkey"), ("api", "consumer", "deliverer", "pool-sync", "collector", "worker-1")):
        before = {child: up.ready_pid(child) for child in victims}
        for pid in before.values():
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
        until(lambda: all(up.ready_pid(c) not in (None, pid) for c, pid in before.items()), 90)  # noqa: B023 used at once
    until(lambda: httpx.get(f"{url}/api/health/ready", trust_env=False).status_code == 200)
    assert httpx.post(f"{url}/api/login", json=login, trust_env=False).status_code < 300, "accounts survive"

    second = Up(up.data.parent)
    assert f"CityVision runs on {up.data} already (process {up.process.pid})" in second.refusal()

    audit = subprocess.run(
        [sys.executable, "-m", "cityvision", "audit", "--data", str(up.data), "verify", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(audit.stdout)["lines"] == 3
    algorithms = subprocess.run(
        [sys.executable, "-m", "cityvision", "algo", "--data", str(up.data), "list", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"waterlogging", "litter"} <= {
        one["algorithm"] for one in json.loads(algorithms.stdout) if one["stage"] == "production"
    }

    family = up.family()
    up.end()
    assert up.process.returncode == 0
    assert not running(family)
    logs = "".join(path.read_text(errors="replace") for path in (up.data / "logs").iterdir())
    assert password not in logs
    assert (up.data / "postgres.password").read_text() not in logs
    assert (up.data / "valkey.password").read_text() not in logs


@pytest.mark.thorough
@pytest.mark.media
def test_nothing_is_left_when_it_is_killed_and_it_starts_again(tmp_path: Path, mirror: Path) -> None:
    first = Up(tmp_path)
    first.said("url")
    family = first.family()
    assert len(family) >= 6
    first.process.kill()
    first.process.wait()
    assert not running(family), "orphans"
    again = Up(tmp_path)
    again.said("url")
    assert not any("first_password" in line for line in again.lines), "the account is made once"
    again.end(signal.SIGTERM)


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with listen_on("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        text = Up(tmp_path, "--port", port).refusal()
    assert f"cannot listen on 127.0.0.1 port {port} (Address already in use)" in text
    assert "CITYVISION_API_PORT" in text


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    text = Up(tmp_path, CITYVISION_DISK_LOW_MB="999999999").refusal()
    assert "MiB left" in text
    assert "CITYVISION_DISK_LOW_MB" in text


def test_a_service_elsewhere_is_not_started_and_told_when_away(tmp_path: Path) -> None:
    text = Up(tmp_path, CITYVISION_REDIS_URL="redis://127.0.0.1:1/0").refusal()
    assert "Valkey/Redis" in text
    text = Up(tmp_path, CITYVISION_DATABASE_URL="postgresql://u:Secr3t-word@127.0.0.1:1/none").refusal()
    assert "CITYVISION_DATABASE_URL" in text
    assert "Secr3t-word" not in text
    assert not (tmp_path / "data" / "postgres").exists()


@pytest.mark.thorough
def test_a_broken_pool_file_is_told_at_the_first_start(tmp_path: Path) -> None:
    (tmp_path / "streams.yaml").write_text("version: 1\ncamras: []\n")
    text = Up(tmp_path).refusal()
    assert "streams.yaml:2: camras" in text
