"""Real processes of ours beside a simulated platform that misbehaves, for tests of the exchange."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from sqlalchemy import Engine, select

from cases import store
from cases.book import Book, read_book
from cases.exchange import outbox
from cases.exchange.mapping import DEFAULT, Mapping
from cases.service import CaseHook
from cases.tables import cases
from cases.types import Case, Line
from cityvision.settings import Settings, load_settings
from contracts.signing import new_secret
from simulator.platform import CALM, Faults, SimulatedPlatform
from tests.conftest import ROOT
from tests.ports import unused_port
from tests.unit.test_cases_decide import NOW, event

CITY = "城管平台"


@dataclass
class Scene:
    """Made by `running`; processes are started by name."""

    engine: Engine
    settings: Settings
    platform: SimulatedPlatform
    callback_secret: str
    book: Book
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def mapping(self) -> Mapping:
        assert self.book.exchange is not None
        return self.book.exchange

    @property
    def door(self) -> str:
        return f"http://127.0.0.1:{self.settings.api_port}/api/exchange/callbacks"

    def happen(self, count: int, first: int = 0) -> list[int]:
        """So many cases, each of an event at a place of its own; the numbers of all there are."""
        hook = CaseHook(self.book)
        for n in range(first, first + count):
            with self.engine.begin() as connection:
                hook(connection, event(f"camera-{n}", at=NOW + n * 100_000))
        with self.engine.begin() as connection:
            return list(connection.execute(select(cases.c.id).order_by(cases.c.id)).scalars())

    def case(self, number: int) -> tuple[Case, list[Line]]:
        with self.engine.begin() as connection:
            found = store.read(connection, number)
            assert found is not None
            return found, store.lines(connection, number)

    def outlook(self) -> outbox.Outlook:
        with self.engine.begin() as connection:
            return outbox.outlook(connection)

    def start(self, name: str) -> None:
        """A process of ours, and waits until it says that it is ready."""
        ready = self.settings.data / "run" / f"{name}.ready"
        ready.unlink(missing_ok=True)
        with (self.settings.data / f"{name}.out").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", f"cityvision.processes.{name}"],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                env=os.environ | self.settings.child_environment(),
            )
        wait_until(ready.exists)

    def end(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        process = self._running.pop(name)
        process.send_signal(how)
        process.wait(timeout=60)

    def end_all(self) -> None:
        for name in list(self._running):
            self.end(name)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`cityvision exchange …`."""
        return subprocess.run(
            [sys.executable, "-m", "cityvision", "exchange", *words],
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=os.environ | self.settings.child_environment(),
            timeout=60,
        )


def wait_until(ready: Callable[[], bool], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.05)


@contextmanager
def running(
    folder: Path,
    engine: Engine,
    bus_url: str,
    faults: Faults = CALM,
    *,
    seed: int = 1,
    calls: bool = True,
    delays: Sequence[str] = ("50ms", "100ms", "200ms"),
) -> Iterator[Scene]:
    """A scene in which nothing runs yet."""
    words = yaml.safe_load(DEFAULT.read_text(encoding="utf-8"))
    words |= {"timeout": "600ms", "retry": words["retry"] | {"delays": list(delays)}}
    mapping = folder / "mapping.yaml"
    mapping.write_text(yaml.safe_dump(words, allow_unicode=True), encoding="utf-8")
    secret, callback_secret = new_secret(), new_secret()
    api_port, port = unused_port(), unused_port()
    (folder / "data" / "logs").mkdir(parents=True)
    settings = load_settings(
        data=folder / "data",
        database_url=engine.url.render_as_string(hide_password=False).replace("+psycopg", ""),
        redis_url=bus_url,
        api_port=api_port,
        exchange_url=f"http://127.0.0.1:{port}",
        exchange_mapping=mapping,
        exchange_secret=secret,
        exchange_callback_secret=callback_secret,
        delivery_networks="127.0.0.0/8",
    )
    door = f"http://127.0.0.1:{api_port}/api/exchange/callbacks"
    platform = SimulatedPlatform(
        secret, (door, callback_secret) if calls else None, faults=faults, seed=seed, port=port, pace_s=0.01
    )
    scene = Scene(engine, settings, platform, callback_secret, read_book(exchange=mapping))
    try:
        yield scene
    finally:
        platform.stop()
        scene.end_all()
