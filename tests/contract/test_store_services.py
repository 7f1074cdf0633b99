"""The embedded Postgres and Valkey: started, killed, started again, and refusing clearly."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from contracts.errors import AlreadyRunning, DiskFull, PortTaken, ServiceError
from store.postgres import EmbeddedPostgres
from store.valkey import EmbeddedValkey
from tests.conftest import ROOT
from tests.ports import unused_port

Service = EmbeddedPostgres | EmbeddedValkey
Kind = type[EmbeddedPostgres] | type[EmbeddedValkey]
BOTH = pytest.mark.parametrize("kind", [EmbeddedPostgres, EmbeddedValkey])


def make(kind: Kind, folder: Path, port: int | None = None, min_free_bytes: int = 0) -> Service:
    return kind(folder / "data", port or unused_port(), folder / "log", min_free_bytes=min_free_bytes)


@pytest.fixture
def started() -> Iterator[list[Service]]:
    services: list[Service] = []
    yield services
    for service in services:
        service.stop()


def write(service: Service, value: int) -> None:
    if isinstance(service, EmbeddedPostgres):
        with psycopg.connect(service.url.replace("+psycopg", "")) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (value int)")
            connection.execute("INSERT INTO kept VALUES (%s)", (value,))
    else:
        with redis.Redis.from_url(service.url) as client:
            client.rpush("kept", value)
            client.execute_command("WAITAOF", 1, 0, 2000)


def read(service: Service) -> list[int]:
    if isinstance(service, EmbeddedPostgres):
        with psycopg.connect(service.url.replace("+psycopg", "")) as connection:
            return [value for (value,) in connection.execute("SELECT value FROM kept ORDER BY value")]
    with redis.Redis.from_url(service.url) as client:
        return [int(value) for value in client.lrange("kept", 0, -1)]


def kill(service: Service) -> None:
    assert service.pid is not None
    os.kill(service.pid, signal.SIGKILL)
    while service.alive():
        time.sleep(0.01)


def _busy(url: str) -> None:
    """A backend that is at work for some seconds, and looks up from it for nothing."""
    with contextlib.suppress(psycopg.Error), psycopg.connect(url) as connection:
        connection.execute("SET max_parallel_workers_per_gather = 0")
        connection.execute("SELECT count(*) FROM generate_series(1, 30000000) a, generate_series(1, 2) b")


def test_comes_back_while_old_backends_still_end_and_log(tmp_path: Path, started: list[Service]) -> None:
    """After kill -9 the last words of the old backends stand behind those of the new server that found them there."""
    service = make(EmbeddedPostgres, tmp_path)
    assert isinstance(service, EmbeddedPostgres)
    started.append(service)
    service.start()
    at_work = threading.Thread(target=_busy, args=(service.url.replace("+psycopg", ""),))
    at_work.start()
    time.sleep(0.5)
    kill(service)
    over = threading.Event()

    def last_words() -> None:
        while not over.wait(0.002):
            with (tmp_path / "log").open("a") as log:
                log.write("FATAL:  terminating connection due to unexpected postmaster exit\n")

    talking = threading.Thread(target=last_words)
    talking.start()
    try:
        service.start()
    finally:
        over.set()
        talking.join()
    assert service.is_ready()
    assert "pre-existing shared memory block" in (tmp_path / "log").read_text(errors="replace"), "there was a wait"
    at_work.join()


@BOTH
def test_keeps_what_was_written_through_stop_and_kill(kind: Kind, tmp_path: Path, started: list[Service]) -> None:
    service = make(kind, tmp_path)
    started.append(service)
    assert not service.is_ready()
    service.start()
    assert service.is_ready()
    write(service, 1)
    kill(service)
    assert not service.alive()
    service.start()
    write(service, 2)
    service.stop()
    assert not service.alive()
    again = make(kind, tmp_path)
    started.append(again)
    again.start()
    assert read(again) == [1, 2]


@BOTH
def test_a_taken_port_is_named_with_the_fix(kind: Kind, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        service = make(kind, tmp_path, other.getsockname()[1])
        with pytest.raises(PortTaken, match=r"port \d+ is taken.*set CITYVISION_\w+_PORT"):
            service.start()
    service.start()  # the failed attempt holds nothing
    service.stop()


@BOTH
def test_a_second_instance_is_refused(kind: Kind, tmp_path: Path, started: list[Service]) -> None:
    first = make(kind, tmp_path)
    started.append(first)
    first.start()
    with pytest.raises(AlreadyRunning, match=f"in use by process {os.getpid()}"):
        make(kind, tmp_path).start()
    assert first.is_ready()


@BOTH
def test_a_nearly_full_disk_is_refused(kind: Kind, tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="MiB left"):
        make(kind, tmp_path, min_free_bytes=1 << 60).start()


@BOTH
def test_the_password_is_needed_and_shown_nowhere(kind: Kind, tmp_path: Path, started: list[Service]) -> None:
    service = make(kind, tmp_path)
    started.append(service)
    service.start()
    assert service.pid is not None
    password = service.url.split(":")[2].split("@")[0]
    assert len(password) >= 24
    assert all(password not in part for part in psutil.Process(service.pid).cmdline())
    assert password not in (tmp_path / "log").read_text()
    assert (tmp_path / "data.password").stat().st_mode & 0o077 == 0
    stranger = service.url.replace("+psycopg", "").replace(password, "wrong")
    if isinstance(service, EmbeddedPostgres):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(stranger)
    else:
        with redis.Redis.from_url(stranger) as client, pytest.raises(redis.AuthenticationError):
            client.ping()
    for connection in psutil.Process(service.pid).net_connections():
        if connection.status == psutil.CONN_LISTEN:
            assert connection.laddr.ip == "127.0.0.1"


@BOTH
def test_no_orphan_when_the_supervisor_is_killed(kind: Kind, tmp_path: Path, started: list[Service]) -> None:
    port = unused_port()
    code = (
        f"import time; from pathlib import Path; from {kind.__module__} import {kind.__name__} as S\n"
        f"s = S(Path({str(tmp_path / 'data')!r}), {port}, Path({str(tmp_path / 'log')!r}), min_free_bytes=0)\n"
        "s.start(); print(s.pid, flush=True); time.sleep(60)"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    pid = int(supervisor.stdout.readline())
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    successor = make(kind, tmp_path, port)  # at once, while the old one is still leaving
    started.append(successor)
    successor.start()
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_postgres_with_a_stale_pid_file_of_a_stranger(tmp_path: Path, started: list[Service]) -> None:
    service = make(EmbeddedPostgres, tmp_path)
    started.append(service)
    service.start()
    kill(service)
    pid_file = tmp_path / "data" / "postmaster.pid"
    lines = pid_file.read_text().split("\n")
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    service.start()
    assert service.is_ready()


def test_postgres_after_a_crash_in_initdb(tmp_path: Path, started: list[Service]) -> None:
    half = tmp_path / "data.init"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    service = make(EmbeddedPostgres, tmp_path)
    started.append(service)
    service.start()
    assert service.is_ready()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_postgres_started_by_root_in_an_open_and_in_a_closed_folder(started: list[Service]) -> None:
    import tempfile

    for mode in (0o755, 0o700):
        with tempfile.TemporaryDirectory(dir="/tmp", prefix="cv") as name:
            folder = Path(name)
            folder.chmod(mode)
            service = make(EmbeddedPostgres, folder)
            service.start()
            write(service, 1)
            kill(service)
            service.start()
            assert read(service) == [1]
            service.stop()


def test_valkey_refuses_records_instead_of_forgetting_some(tmp_path: Path, started: list[Service]) -> None:
    service = EmbeddedValkey(tmp_path / "data", unused_port(), tmp_path / "log", max_memory_mb=8, min_free_bytes=0)
    started.append(service)
    service.start()
    with redis.Redis.from_url(service.url) as client:
        config = client.config_get("maxmemory*")
        assert config["maxmemory-policy"] == "noeviction"
        said = ""
        written = 0
        while not said:
            try:
                client.xadd("s", {"r": b"x" * 500_000})
                written += 1
            except redis.ResponseError as error:
                said = str(error)
        assert "maxmemory" in said
        assert client.xlen("s") == written > 3


def test_a_service_that_cannot_start_says_why(tmp_path: Path) -> None:
    service = make(EmbeddedPostgres, tmp_path)
    service.start()
    service.stop()
    (tmp_path / "data" / "postgresql.conf").write_text("shared_buffers = nonsense\n")
    with pytest.raises(ServiceError, match="shared_buffers"):
        service.start()
