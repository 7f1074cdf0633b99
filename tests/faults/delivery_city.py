"""The small city with the real consumer, deliverer and API, and a subscriber of every kind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import redis

from cityvision.sealing import sealer
from cityvision.settings import Settings, load_settings
from governance.service import ensure_admin
from store.keys import Keys
from subscriptions import service
from subscriptions.types import NewSubscription, RetryPolicy
from tests.conftest import ROOT
from tests.faults.city import City
from tests.faults.delivery_receivers import Receivers
from tests.ports import unused_port

VICTIMS = ("deliverer", "api", "postgres", "valkey")
_PROCESSES = ("consumer", "deliverer", "api")
_PASSWORD = "faults-Delivery-2291"


class DeliveryCity(City):
    """Events come from load workers through the spool and the consumer; `receivers` keep ledgers of what they got.

    Attributes:
        told: subscription of each subscriber; "outsider" belongs to a department that may see none of it.
    """

    def __init__(self, folder: Path, per_second: float, mqtt_port: int) -> None:
        super().__init__(folder, 1, per_second)
        self.receivers = Receivers()
        self.told: dict[str, int] = {}
        self._mqtt_port = mqtt_port
        self._api_port = unused_port()
        self._settings: Settings | None = None
        self._stream_from = "-"

    def start(self) -> None:
        self.receivers.start()
        super().start()

    def kill(self, kind: str, which: int, pause_s: float) -> None:
        if kind in _PROCESSES:
            self._kill_process(kind)
            time.sleep(pause_s)
            self._start_process(kind)
        else:
            super().kill(kind, which, pause_s)

    def stop(self) -> None:
        self.receivers.stop()
        super().stop()

    def read_stream(self) -> None:
        """Takes what the stream's server holds for its subscriber, and was not taken yet, into the ledger."""
        with redis.Redis.from_url(self.valkey.url) as client:
            entries = client.xrange(Keys().subscription(self.told["stream"]), min=self._stream_from)
        for at, fields in entries:
            self.receivers.ledger["stream"].append((int(fields[b"sequence"]), fields[b"id"].decode()))
            self._stream_from = f"({at.decode()}"

    def _start_consumer(self) -> None:
        """Called once everything else is there: the subscribers first, so that they are told everything."""
        self._settings = load_settings(
            data=self.folder / "data",
            database_url=self.postgres.url,
            redis_url=self.valkey.url,
            api_port=self._api_port,
            delivery_networks="127.0.0.0/8",
            log_level="warning",
        )
        (self.folder / "data" / "logs").mkdir(parents=True)
        password = self._subscribe(self._settings)
        for name in _PROCESSES:
            self._start_process(name)
        self.receivers.subscribe(self._mqtt_port, "faults/events")
        self._fetch(password)

    def _subscribe(self, settings: Settings) -> str:
        at = f"http://127.0.0.1:{self.receivers.port}"
        broker = f"mqtt://127.0.0.1:{self._mqtt_port}"
        wishes: dict[str, tuple[str, dict[str, object]]] = {
            "well": ("traffic", {"kind": "webhook", "url": f"{at}/well"}),
            "moody": ("traffic", {"kind": "webhook", "url": f"{at}/moody"}),
            "outsider": ("police", {"kind": "webhook", "url": f"{at}/outsider"}),
            "stream": ("traffic", {"kind": "stream", "length": 1_000_000}),
            "sse": ("traffic", {"kind": "sse"}),
            "mqtt": ("traffic", {"kind": "mqtt", "url": broker, "topic": "faults/events"}),
        }
        retry = RetryPolicy(delays_s=(0.2, 0.4, 0.8), jitter=0.5)
        engine = self.engine()
        with engine.begin() as connection:
            for name, (department, channel) in wishes.items():
                new = NewSubscription.model_validate(
                    {"department": department, "name": name, "channel": channel, "retry": retry}
                )
                self.told[name] = service.create(connection, new, "faults", sealer(settings))[0].id
            password = ensure_admin(connection)
        engine.dispose()
        assert password is not None
        return password

    def _fetch(self, password: str) -> None:
        """Logs in and fetches, once the API is there."""
        url = f"http://127.0.0.1:{self._api_port}/api"
        with httpx.Client(timeout=10) as client:
            deadline = time.monotonic() + 60
            while True:
                try:
                    answer = client.post(f"{url}/login", json={"name": "admin", "password": password})
                    break
                except httpx.ConnectError:
                    assert time.monotonic() < deadline, "the API does not start"
                    time.sleep(0.05)
            assert answer.status_code == 200, answer.text
            assert client.post(f"{url}/password", json={"old": password, "new": _PASSWORD}).status_code == 200
            self.receivers.fetch(f"{url}/subscriptions/{self.told['sse']}/stream", client.cookies)

    def _start_process(self, name: str) -> None:
        assert self._settings is not None
        with self._log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", f"cityvision.processes.{name}"],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                env=os.environ | self._settings.child_environment(),
            )
