"""From an event's commit to its subscribers' receipt, at the load of a city.

Postgres, Valkey and mosquitto; the real deliverer as a process; receivers in another. `SUBSCRIBERS` subscriptions, a
third each by webhook, MQTT and stream, three of them (one of each kind) for each camera, so that one event is three
deliveries. Events are written through `write_event` and the outbox in transactions of what is due in 50 ms, as the
consumer writes them.

`p50_ms`, `p99_ms`: from the return of the commit to the receipt, at half the load. `behind_s`: at the whole load, how
long after the last commit the last message arrived; `per_s`: messages a second meanwhile. `rss_growth`: of the
deliverer, over the whole load, after a third of its time at that load to warm up. `burst_s`: until 10,000 events
(30,000 deliveries) that came as fast as they can be written were all received, `burst_write_s` of it writing.
`catch_up_per_s`: how fast one webhook that was held gets what has gathered, one after the other, while tens of
thousands of others stand in the table. `lost`, `out_of_order`: by the receivers' ledgers, 0 expected.

The limits beside it: `plain_p99_ms`, POSTs to the same endpoint in a bare loop with no database, at the rate of the
webhooks at half load; `plain_per_s`, the same as fast as they go (`catch_up_ratio`: `catch_up_per_s` as its share).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import psutil

from bench.broker import ANYBODY, mosquitto
from bench.result import Figures
from bench.services import servers
from cityvision.ports import free_port
from cityvision.sealing import sealer
from cityvision.settings import Settings, load_settings
from contracts.errors import ServiceError
from contracts.records import ClockSource, Event, Provenance, Severity, Subject, Transition, event_id
from contracts.signing import new_secret
from events.store import lock_ingest, write_event
from store.database import make_engine
from store.guard import Guard, networks
from store.migrate import upgrade
from store.service import wait_ready
from subscriptions import service
from subscriptions.access import sees
from subscriptions.message import test_message
from subscriptions.outbox import DeliveryHook
from subscriptions.types import NewSubscription, Wanted
from subscriptions.webhook import WebhookChannel

SUBSCRIBERS = 200
DELIVERIES_S = 600.0
SECONDS = 60.0
BURST = 10_000
CAUGHT_UP = 5_000
_TICK_S = 0.05
_BATCH = 250  # of the burst, as the consumer's largest
_WAIT_S = 120.0


class Receipt(NamedTuple):
    """One line of the receivers' ledger."""

    subscription: str
    id: str
    number: int
    at: float


@dataclass
class Rig:
    """Everything that runs.

    Attributes:
        audience: subscriptions of each camera.
        committed: when each delivery's transaction had been committed, by id.
    """

    settings: Settings
    ledger: Path
    deliverer: subprocess.Popen[bytes]
    audience: dict[str, list[int]]
    http_port: int
    committed: dict[str, float] = field(default_factory=dict)
    events: int = 0

    def write(self, count: int, camera: str | None = None) -> None:
        """`count` new events of all cameras in turn, or of one, in one transaction."""
        cameras = list(self.audience) if camera is None else [camera]
        told = [_event(self.events + n, cameras[(self.events + n) % len(cameras)]) for n in range(count)]
        self.events += count
        with self._engine.begin() as connection:
            lock_ingest(connection)
            for event in told:
                write_event(connection, "bench", event)
                self._hook(connection, event)
        now = time.monotonic()
        for event in told:
            for subscription in self.audience[event.camera]:
                self.committed[_delivery(subscription, event)] = now

    def hold(self, subscription: int, why: str | None) -> None:
        """Holds a subscription back, or lets it go on (None)."""
        with self._engine.begin() as connection:
            service.pause(connection, subscription, why)

    def __post_init__(self) -> None:
        self._engine = make_engine(self.settings.database, pool_size=1, generic_plans=True)
        self._hook = DeliveryHook(sees)

    def receipts(self) -> list[Receipt]:
        """What arrived, less the bare loop's."""
        lines = [line.split(" ") for line in self.ledger.read_text().splitlines()[1:]]
        found = [Receipt(parts[0], parts[1], int(parts[2]), float(parts[3])) for parts in lines if len(parts) == 4]
        return [one for one in found if one.subscription != "plain"]

    def await_all(self, held: int = 0) -> float:
        """When the last message arrived; `held` of them are held back."""
        end = time.monotonic() + _WAIT_S
        while True:
            found = self.receipts()
            if len({one.id for one in found}) >= len(self.committed) - held:
                return max(one.at for one in found)
            if time.monotonic() > end:
                raise ServiceError(f"{len(self.committed)} messages were to arrive, {len(found)} did", "see its log")
            time.sleep(0.2)

    def rss(self) -> float:
        """Memory of the deliverer, bytes."""
        return float(psutil.Process(self.deliverer.pid).memory_info().rss)


def run() -> tuple[Figures, Figures]:
    """Figures of ours, and the bare loop's; see the module."""
    return measure_delivery()


def measure_delivery(
    seconds: float = SECONDS,
    burst: int = BURST,
    subscribers: int = SUBSCRIBERS,
    per_s: float = DELIVERIES_S,
    caught_up: int = CAUGHT_UP,
) -> tuple[Figures, Figures]:
    """The measurement; shorter and lighter for tests."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o711)  # the embedded Postgres runs under an account of its own
        rig = stack.enter_context(running(folder, subscribers))
        figures: Figures = {"subscribers": float(subscribers), "deliveries_per_s": per_s}
        _load(rig, seconds / 2, per_s / 2)
        rig.await_all()
        half = _latencies(rig)
        figures |= {"p50_ms": _percentile(half, 0.5), "p99_ms": _percentile(half, 0.99)}
        plain = asyncio.run(_plain(rig.http_port, int(per_s / 6 * min(seconds, 10)), per_s / 6))
        peers = {"plain_p99_ms": _percentile(plain, 0.99)}
        figures |= _whole(rig, seconds, per_s)
        figures |= _burst(rig, burst)
        figures |= _catch_up(rig, caught_up)
        peers["plain_per_s"] = caught_up / sum(asyncio.run(_plain(rig.http_port, caught_up, None)))
        figures["catch_up_ratio"] = figures["catch_up_per_s"] / peers["plain_per_s"]
        figures |= _faults(rig)
    return figures, peers


def _load(rig: Rig, seconds: float, per_s: float) -> None:
    """Events at a steady rate, written every tick."""
    events_s = per_s / 3
    began, done = time.monotonic(), 0
    while (now := time.monotonic() - began) < seconds:
        due = int(now * events_s) - done
        if due > 0:
            rig.write(due)
            done += due
        time.sleep(max(0.0, _TICK_S - (time.monotonic() - began - now)))


def _whole(rig: Rig, seconds: float, per_s: float) -> Figures:
    _load(rig, seconds / 3, per_s)
    before, first, began = rig.rss(), len(rig.committed), time.monotonic()
    _load(rig, seconds, per_s)
    last = max(rig.committed.values())
    arrived = rig.await_all()
    rate = (len(rig.committed) - first) / (arrived - began)
    return {"per_s": rate, "behind_s": arrived - last, "rss_growth": rig.rss() / before - 1}


def _burst(rig: Rig, events: int) -> Figures:
    began = time.monotonic()
    for start in range(0, events, _BATCH):
        rig.write(min(_BATCH, events - start))
    written = time.monotonic() - began
    return {"burst_events": float(events), "burst_write_s": written, "burst_s": rig.await_all() - began}


def _catch_up(rig: Rig, events: int) -> Figures:
    camera, (webhook, *_) = next(iter(rig.audience.items()))
    rig.hold(webhook, "bench")
    for start in range(0, events, _BATCH):
        rig.write(min(_BATCH, events - start), camera)
    rig.await_all(held=events)
    began = time.monotonic()
    rig.hold(webhook, None)
    return {"catch_up_per_s": events / (rig.await_all() - began)}


def _faults(rig: Rig) -> Figures:
    newest: dict[str, int] = {}
    wrong, seen = 0, set()
    for one in rig.receipts():
        if one.id in seen:
            continue
        seen.add(one.id)
        wrong += one.number <= newest.get(one.subscription, 0)
        newest[one.subscription] = max(one.number, newest.get(one.subscription, 0))
    return {"lost": float(len(set(rig.committed) - seen)), "out_of_order": float(wrong)}


def _latencies(rig: Rig) -> list[float]:
    """Seconds from commit to the first receipt of each delivery, sorted."""
    first: dict[str, float] = {}
    for one in rig.receipts():
        first.setdefault(one.id, one.at)
    return sorted(max(0.0, first[id_] - at) for id_, at in rig.committed.items())


def _percentile(sorted_s: list[float], share: float) -> float:
    return sorted_s[min(len(sorted_s) - 1, int(share * len(sorted_s)))] * 1000


async def _plain(port: int, count: int, per_s: float | None) -> list[float]:
    """Seconds that POSTs take at a steady rate (None: one after the other), with nothing behind them, sorted."""
    channel = WebhookChannel(f"http://127.0.0.1:{port}/plain", [new_secret()], Guard(networks("127.0.0.0/8")))
    took = []
    began = time.monotonic()
    for number in range(count):
        if per_s is not None:
            await asyncio.sleep(max(0.0, began + number / per_s - time.monotonic()))
        start = time.monotonic()
        body = test_message(0, f"msg_plain{number}", time.time())
        await channel.send(body._replace(body=body.body.replace(b'"data"', b'"sequence":"0000000000000000000","data"')))
        took.append(time.monotonic() - start)
    await channel.close()
    return sorted(took)


@contextmanager
def running(folder: Path, subscribers: int) -> Iterator[Rig]:
    """Services, subscriptions, receivers and the deliverer."""
    with ExitStack() as stack:
        postgres, valkey = stack.enter_context(servers(folder))
        mqtt_port, http_port = free_port(), free_port()
        stack.enter_context(mosquitto(folder, mqtt_port, f"{ANYBODY}max_inflight_messages 0\n"))
        settings = load_settings(
            data=folder / "data",
            database_url=postgres.url,
            redis_url=valkey.url,
            delivery_networks="127.0.0.0/8",
            log_level="warning",
        )
        (folder / "data" / "logs").mkdir(parents=True)
        audience, streams = _subscribe(settings, subscribers, http_port, mqtt_port)
        ledger = folder / "ledger"
        chosen = ",".join(str(number) for number in streams)
        arguments = [str(http_port), str(mqtt_port), str(ledger), chosen]
        environment = {"REDIS_URL": valkey.url}
        receivers = stack.enter_context(_process("bench.delivery_receivers", arguments, environment, folder))
        wait_ready(
            receivers,
            lambda: ledger.exists() and ledger.read_text().startswith("ready"),
            name="receivers",
            log=folder / "bench.delivery_receivers.out",
            timeout=30,
        )
        module = "cityvision.processes.deliverer"
        deliverer = stack.enter_context(_process(module, [], settings.child_environment(), folder))
        ready = folder / "data" / "run" / "deliverer.ready"
        wait_ready(deliverer, ready.exists, name="deliverer", log=folder / f"{module}.out", timeout=30)
        yield Rig(settings, ledger, deliverer, audience, http_port)


def _subscribe(
    settings: Settings, subscribers: int, http_port: int, mqtt_port: int
) -> tuple[dict[str, list[int]], list[int]]:
    """Subscriptions of each camera, and which of them are streams."""
    engine = make_engine(settings.database, pool_size=1)
    upgrade(engine)
    audience: dict[str, list[int]] = {}
    streams = []
    with engine.begin() as connection:
        for number in range(subscribers):
            camera = f"cam-{number // 3:03d}"
            kind = ("webhook", "mqtt", "stream")[number % 3]
            channel = {
                # Known only once it is there, so each gets its own below.
                "webhook": {"kind": kind, "url": f"http://127.0.0.1:{http_port}/{number + 1}"},
                "mqtt": {"kind": kind, "url": f"mqtt://127.0.0.1:{mqtt_port}", "topic": f"bench/{number}"},
                "stream": {"kind": kind, "length": 100_000},
            }[kind]
            new = NewSubscription.model_validate(
                {"department": "bench", "name": f"s{number}", "wanted": Wanted(cameras=(camera,)), "channel": channel}
            )
            made, _ = service.create(connection, new, "bench", sealer(settings))
            assert made.id == number + 1, "the endpoint's path says who is told"
            audience.setdefault(camera, []).append(made.id)
            if kind == "stream":
                streams.append(made.id)
    engine.dispose()
    return audience, streams


@contextmanager
def _process(
    module: str, arguments: list[str], environment: dict[str, str], folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{module}.out").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], stdout=log, stderr=log, env=os.environ | environment
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _delivery(subscription: int, event: Event) -> str:
    told = f"{subscription}/{event.id}/{event.seq}"
    return f"msg_{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def _event(number: int, camera: str) -> Event:
    now = time.time()
    return Event(
        id=event_id(camera, "illegal_parking", "kerb", f"track:{number}", number),
        seq=0,
        transition=Transition.OPENED,
        type="illegal_parking",
        severity=Severity.MINOR,
        camera=camera,
        department="bench",
        zone="kerb",
        grid="G1",
        started_utc=now - 180,
        utc=now,
        stream_time=0.0,
        clock_source=ClockSource.ARRIVAL,
        clock_error_ms=40.0,
        subject=Subject(track=number, object_class="car", box=(0.1, 0.2, 0.3, 0.4)),
        numbers={"still_s": 180.0},
        reason={"zh": "车辆静止 180 秒", "en": "still for 180 s"},
        provenance=Provenance(
            algorithm="illegal_parking", algorithm_version="1", model="none", model_sha256="0" * 64, config_digest="0"
        ),
    )
