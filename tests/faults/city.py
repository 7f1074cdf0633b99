"""A small city of real processes: Postgres, Valkey, one consumer, load workers; each can be killed and started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import Engine, text

from contracts.errors import ServiceError
from pipeline.spoollog import replace_file
from store.database import make_engine
from store.migrate import upgrade
from store.postgres import EmbeddedPostgres
from store.valkey import EmbeddedValkey
from tests.conftest import ROOT
from tests.faults.script import CAMERAS
from tests.ports import unused_port

KINDS = ("worker", "consumer", "valkey", "postgres")


class City:
    """Starts everything; `kill` takes one process down with SIGKILL and starts it again.

    Args:
        folder: all data.
        workers: how many load workers.
        per_second: transitions a worker says in a second.
    """

    def __init__(self, folder: Path, workers: int, per_second: float) -> None:
        self.folder = folder
        self.workers = [f"w{n}" for n in range(workers)]
        self.steps = 0
        self._per_second = per_second
        self._started = 0.0
        self.postgres = EmbeddedPostgres(folder / "postgres", unused_port(), folder / "postgres.log")
        self.valkey = EmbeddedValkey(folder / "valkey", unused_port(), folder / "valkey.log")
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        self.postgres.start()
        self.valkey.start()
        engine = self.engine()
        upgrade(engine)
        with engine.begin() as connection:
            # No unique constraint: a transition handled twice would be seen.
            connection.execute(text("CREATE TABLE outbox (id text, seq int)"))
        engine.dispose()
        self._start_consumer()
        self._started = time.monotonic()
        for worker in self.workers:
            self._start_worker(worker)

    def engine(self) -> Engine:
        return make_engine(self.postgres.url)

    def kill(self, kind: str, which: int, pause_s: float) -> None:
        """SIGKILL; `pause_s` later it is started again. `which` chooses among the workers."""
        if kind == "worker":
            name = self.workers[which % len(self.workers)]
            self._kill_process(name)
            time.sleep(pause_s)
            self._start_worker(name)
        elif kind == "consumer":
            self._kill_process("consumer")
            time.sleep(pause_s)
            self._start_consumer()
        else:
            self._kill_service(self.postgres if kind == "postgres" else self.valkey, pause_s)

    def await_progress(self, timeout: float = 60.0) -> None:
        """Blocks until records of every worker have been committed from now on: whatever is killed next is at work."""
        engine = self.engine()
        deadline = time.monotonic() + timeout
        before: dict[str, object] | None = None
        while True:
            with engine.connect() as connection:
                rows = connection.execute(text('SELECT worker, epoch, "offset" FROM ingest_mark'))
                now: dict[str, object] = {row.worker: (row.epoch, row.offset) for row in rows}
            before = now if before is None else before
            if all(worker in now and now[worker] != before.get(worker) for worker in self.workers):
                break
            assert time.monotonic() < deadline, f"stands still at {now}"
            time.sleep(0.02)
        engine.dispose()

    def wipe_valkey(self) -> None:
        """Valkey comes back with nothing, while records wait in it that nobody has consumed."""
        self._kill_process("consumer")
        time.sleep(0.3)
        self._kill_service(self.valkey, 0.0, wipe=self.folder / "valkey")
        self._start_consumer()

    def finish(self, timeout: float) -> None:
        """Names the last step, then blocks until every worker has said everything and all of it is consumed."""
        # No worker can be further than its pace allows, so the step is ahead of all of them.
        self.steps = int((time.monotonic() - self._started) * self._per_second / CAMERAS) + 20
        replace_file(self._target, str(self.steps).encode())
        deadline = time.monotonic() + timeout
        for worker in self.workers:
            status = self._running[worker].wait(max(0.1, deadline - time.monotonic()))
            assert status == 0, f"{worker} ended with {status}: {self._log(worker).read_text()[-2000:]}"

    def stop(self) -> None:
        for process in self._running.values():
            process.kill()
            process.wait()
        self.valkey.stop()
        self.postgres.stop()

    def _kill_process(self, name: str) -> None:
        self._running[name].kill()
        self._running[name].wait()

    def _kill_service(
        self, service: EmbeddedPostgres | EmbeddedValkey, pause_s: float, wipe: Path | None = None
    ) -> None:
        assert service.pid is not None
        os.kill(service.pid, 9)
        while service.alive():
            time.sleep(0.005)
        time.sleep(pause_s)
        if wipe is not None:
            shutil.rmtree(wipe)
        try:
            service.start()
        except ServiceError as error:
            raise AssertionError(f"not back after kill -9: {error}") from error

    def _start_worker(self, name: str) -> None:
        spool = self.folder / "spools" / name
        self._spawn(name, "load_worker", str(spool), name, self.valkey.url, str(self._target), str(self._per_second))

    def _start_consumer(self) -> None:
        self._spawn("consumer", "consume", self.postgres.url, self.valkey.url)

    def _spawn(self, name: str, module: str, *arguments: str) -> None:
        with self._log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", f"tests.faults.{module}", *arguments], cwd=ROOT, stdout=log, stderr=log
            )

    @property
    def _target(self) -> Path:
        return self.folder / "target"

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"
