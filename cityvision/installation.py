"""Everything that runs on this machine, as the children of one supervisor, on one data folder."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Protocol

import httpx
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError, ProgrammingError

from algorithm_repo.registry.shipped import ensure_shipped
from cityvision.logs import set_up
from cityvision.ports import free_port, listen_on
from cityvision.processes.base import ready_file, worker_name
from cityvision.sealing import seal_key
from cityvision.settings import Settings
from cityvision.shipped import shipped
from cityvision.supervisor import ChildReport, Supervisor
from cityvision.supervisor_child import ChildSpec, Managed, ProcessChild
from contracts.errors import AlreadyRunning, DatabaseUnavailable, DiskFull, ServiceError
from contracts.redact import register_secret
from governance.service import ensure_admin
from store.bus import Bus
from store.database import make_engine
from store.lock import FolderLock
from store.migrate import upgrade
from store.postgres import EmbeddedPostgres
from store.service import require_space
from store.valkey import EmbeddedValkey

log = logging.getLogger(__name__)

_SERVICE_STOP_S = 1.2  # the processes before them have had their 2 s, and all of it must fit in 5
_DISK_EVERY_S = 10.0


class _Service(Protocol):
    @property
    def pid(self) -> int | None: ...
    @property
    def url(self) -> str: ...
    def start(self, timeout: float = ...) -> None: ...
    def stop(self, timeout: float = ...) -> None: ...
    def alive(self) -> bool: ...


class _Embedded:
    """An embedded service as the supervisor's child: stopped within our time, its address told once it is known."""

    def __init__(self, service: _Service, on_started: Callable[[str], None]) -> None:
        self._service = service
        self._on_started = on_started

    @property
    def pid(self) -> int | None:
        return self._service.pid

    def start(self) -> None:
        self._service.start()
        self._on_started(self._service.url)

    def stop(self) -> None:
        self._service.stop(_SERVICE_STOP_S)

    def alive(self) -> bool:
        return self._service.alive()


class Installation:
    """A context manager: on entering, everything is started and ready; on leaving, everything is stopped.

    This process' log messages go into the data folder from then on.

    Args:
        settings: what is not named there is started embedded.
        on_change: told of every change of a child's state.
        extra: further children, e.g. simulated cameras; they may depend on ours (`postgres`, `valkey`, `api`,
            `consumer`, `deliverer`, `pool-sync`, `worker-1`, …) where those are embedded.
        workers_after: names of further children that workers wait for at the start, e.g. a Triton server.

    Attributes:
        supervisor: call its `run` to watch, its `request_stop` from signal handlers.
        admin_password: the first password of `admin` when this start created it, else None. Shown once.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        on_change: Callable[[ChildReport], None] | None = None,
        extra: Sequence[ChildSpec] = (),
        workers_after: tuple[str, ...] = (),
    ) -> None:
        self.settings = settings.model_copy(
            update={
                "data": settings.data.absolute(),
                "api_port": settings.api_port or free_port(settings.api_host),
                "postgres_port": settings.postgres_port or free_port(),
                "valkey_port": settings.valkey_port or free_port(),
            }
        )
        self._data = self.settings.data
        self._lock = FolderLock(self._data / "cityvision")
        self._workers_after = workers_after
        self._embedded = {
            "postgres": self.settings.database_url is None,
            "valkey": self.settings.redis_url is None,
        }
        self._disk_checked = 0.0
        self._disk_low = False
        self.admin_password: str | None = None
        self.supervisor = Supervisor([*self._specs(), *extra], on_change=on_change)

    @property
    def url(self) -> str:
        """Where the web page is, for this machine."""
        host = self.settings.api_host
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
        return f"http://{shown}:{self.settings.api_port}"

    def __enter__(self) -> Installation:
        self._prepare_folder()
        try:
            set_up("supervisor", self._data / "logs", self.settings.log_level, terminal=False)
            for path in (self._data / "run").glob("*.ready"):
                path.unlink()
            if not self._embedded["postgres"]:
                self._prepare_database()
            if not self._embedded["valkey"]:
                _ping(self.settings.redis)
            self.supervisor.start()
            if self.supervisor.all_ready():  # else a stop was requested meanwhile
                self._write_running()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.supervisor.stop()
        finally:
            running_file(self._data).unlink(missing_ok=True)
            self._lock.release()

    def watch_disk(self) -> None:
        """To be called now and then while running: a nearly full disk is reported, once each time it happens."""
        now = time.monotonic()
        if now - self._disk_checked < _DISK_EVERY_S:
            return
        self._disk_checked = now
        free_mb = shutil.disk_usage(self._data).free >> 20
        low = free_mb < self.settings.disk_low_mb
        if low and not self._disk_low:
            log.error(
                "%s has %d MB left: free some space, or evidence and records can soon not be kept", self._data, free_mb
            )
        self._disk_low = low

    def _prepare_folder(self) -> None:
        self._data.mkdir(mode=0o711, parents=True, exist_ok=True)  # Postgres' account must pass, nobody need look
        for name in ("run", "logs", "objects", "spool", "cache", "valkey"):
            (self._data / name).mkdir(mode=0o700, exist_ok=True)
        if self.settings.seal_key is None:
            seal_key(self.settings)  # drawn before there are two processes that would
        try:
            self._lock.acquire()
        except AlreadyRunning as error:
            holder = self._lock.path.read_text().strip() or "unknown"
            raise AlreadyRunning(
                f"CityVision runs on {self._data} already (process {holder})",
                "stop that one, or set CITYVISION_DATA to another folder",
            ) from error
        try:
            try:
                require_space(self._data, self.settings.disk_low_mb << 20)
            except DiskFull as error:
                raise DiskFull(error.message, f"{error.fix}; the limit is CITYVISION_DISK_LOW_MB") from error
            listen_on(self.settings.api_host, self.settings.api_port).close()
        except BaseException:
            self._lock.release()
            raise

    def _prepare_database(self) -> None:
        """Brings the schema up to date and makes the first account."""
        engine = make_engine(self.settings.database, pool_size=1)
        try:
            upgrade(engine)
            with engine.begin() as connection:
                self.admin_password = ensure_admin(connection) or self.admin_password
                ensure_shipped(connection, shipped(self.settings.model), version("cityvision"))
        except (OperationalError, ProgrammingError) as error:
            reason = str(error.orig or error).strip().splitlines()[0]
            fix = "see CITYVISION_DATABASE_URL, and its account's rights"
            raise DatabaseUnavailable(f"Postgres: {reason}", fix) from error
        finally:
            engine.dispose()

    def _specs(self) -> list[ChildSpec]:
        stores = tuple(name for name, embedded in self._embedded.items() if embedded)
        specs = []
        if "postgres" in stores:
            specs.append(ChildSpec("postgres", self._postgres, ready=self._database_ready))
        if "valkey" in stores:
            specs.append(ChildSpec("valkey", self._valkey))
        names = ["consumer", "deliverer", "pool-sync", "rollout", "collector"]
        names += [] if self.settings.exchange_url is None else ["exchange"]
        names += [] if self.settings.retention is None else ["retention"]
        specs += [self._process(name, depends_on=stores) for name in names]
        specs.append(self._process("api", depends_on=stores, ready=self._api_ready))
        for number in range(1, self.settings.worker_count + 1):
            specs.append(
                self._process(
                    worker_name(number),
                    "worker",
                    ["--id", str(number)],
                    depends_on=("pool-sync", *self._workers_after),
                    ready_timeout_s=120,
                )
            )
        return specs

    def _process(
        self,
        name: str,
        module: str | None = None,
        arguments: Sequence[str] = (),
        *,
        depends_on: tuple[str, ...],
        ready: Callable[[Managed], bool] | None = None,
        ready_timeout_s: float = 30.0,
    ) -> ChildSpec:
        module = f"cityvision.processes.{module or name.replace('-', '_')}"

        def make() -> Managed:
            command = [sys.executable, "-m", module, *arguments]
            log_file = self._data / "logs" / f"{name}.out"
            return ProcessChild(command, log=log_file, environment=self.settings.child_environment())

        def says_ready(child: Managed) -> bool:
            path = ready_file(self._data, name)
            return isinstance(child, ProcessChild) and path.exists() and path.read_text() == str(child.pid)

        return ChildSpec(name, make, ready or says_ready, depends_on, ready_timeout_s)

    def _postgres(self) -> Managed:
        server = EmbeddedPostgres(
            self._data / "postgres", self.settings.postgres_port, self._data / "logs" / "postgres.log"
        )
        return _Embedded(server, lambda url: self._learn("database_url", url))

    def _valkey(self) -> Managed:
        server = EmbeddedValkey(self._data / "valkey", self.settings.valkey_port, self._data / "logs" / "valkey.log")
        return _Embedded(server, lambda url: self._learn("redis_url", url))

    def _learn(self, name: str, url: str) -> None:
        self.settings = self.settings.model_copy(update={name: SecretStr(url)})
        register_secret(url.split("://", 1)[1].rsplit("@", 1)[0].rpartition(":")[2])

    def _database_ready(self, _child: Managed) -> bool:
        self._prepare_database()
        return True

    def _api_ready(self, _child: Managed) -> bool:
        try:
            return httpx.get(f"{self.url}/api/health/ready", timeout=0.5, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def _write_running(self) -> None:
        """For commands beside us (`cityvision admin`, …): where everything is; readable by our account alone."""
        descriptor = os.open(running_file(self._data), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(
                {
                    "pid": os.getpid(),
                    "url": self.url,
                    "database_url": self.settings.database,
                    "redis_url": self.settings.redis,
                },
                file,
            )


def running_file(data: Path) -> Path:
    """Where a running installation says how to reach it."""
    return data / "run" / "up.json"


def is_running(data: Path) -> bool:
    """Whether an installation holds this data folder."""
    if not data.is_dir():
        return False
    lock = FolderLock(data / "cityvision")
    try:
        lock.acquire()
    except AlreadyRunning:
        return True
    lock.release()
    return False


def reach(settings: Settings) -> Settings:
    """Settings with the addresses of what runs on this data folder now, where they are not set anyway.

    Raises:
        ServiceError: nothing runs there.
    """
    if settings.database_url is not None and settings.redis_url is not None:
        return settings
    if not is_running(settings.data):
        raise ServiceError(f"CityVision does not run on {settings.data.absolute()}", "start it with `cityvision up`")
    try:
        found = json.loads(running_file(settings.data).read_text())
    except FileNotFoundError as error:
        raise ServiceError("CityVision is starting or stopping", "try again in a moment") from error
    except PermissionError as error:
        raise ServiceError("CityVision runs under another account", "use that one") from error
    update = {name: SecretStr(found[name]) for name in ("database_url", "redis_url") if getattr(settings, name) is None}
    return settings.model_copy(update=update)


def _ping(url: str) -> None:
    bus = Bus(url)
    try:
        bus.ping()
    finally:
        bus.close()
