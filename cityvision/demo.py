"""The demo's own parts: its cameras, a Triton server on request, and the count of what was seen."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Collection, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path

import click
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from cityvision.demo_media import Cast
from cityvision.demo_street import pool_text
from cityvision.installation import Installation
from cityvision.ports import free_port, is_free
from cityvision.processes.base import ready_file
from cityvision.processes.demo_cameras import NAME, ONLY_SIMULATED
from cityvision.settings import PREFIX, Settings
from cityvision.soak import Soak, SoakReport
from cityvision.supervisor_child import ChildSpec, Managed, ProcessChild
from contracts.algorithms import HEALTH
from contracts.errors import BusUnavailable
from contracts.live import BUILT_IN_DETECTOR, CameraState, CameraStatus
from contracts.records import Event, Transition
from events.queries import transitions_after
from store.bus import Bus
from store.database import make_engine

RTSP_PORT = 18554  # as streams.yaml has it
TRITON_REPOSITORY = Path("triton_models")
_POLL_S = 0.25
_SILENT_S = 5.0  # a camera nobody has spoken of for this long does not count as running
_STORES = tuple(f"{PREFIX}{name}_URL" for name in ("DATABASE", "REDIS", "S3"))


@dataclass(frozen=True, slots=True)
class Goal:
    """When the demo ends by itself; nothing set: at Ctrl-C. `at_work`: so many cameras must be, too."""

    at_work: int
    events: int | None = None
    types: int | None = None
    timeout_s: float | None = None
    soak_min: float | None = None

    @property
    def bounded(self) -> bool:
        return any(limit is not None for limit in (self.events, self.types, self.timeout_s, self.soak_min))

    def reached(self, events: int, types: int, cameras: int) -> bool:
        """Everything that was asked for has been seen, with every camera at work; never without a wish."""
        wishes = [(self.events, events), (self.types, types)]
        asked = any(wish is not None for wish, _ in wishes)
        return asked and cameras >= self.at_work and all(seen >= (wish or 0) for wish, seen in wishes)


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What is printed at the end.

    Attributes:
        cameras: those that ran and were looked at, at the end.
        seconds_to_type: type -> when its first event was there, s after the start.
        detector: of cameras that name none.
    """

    cameras: int
    events: int
    types: list[str]
    seconds_to_first_event: float | None
    reached: bool
    seconds_to_type: dict[str, float]
    detector: str
    soak: SoakReport | None = None

    def to_json(self) -> str:
        found: dict[str, object] = {
            "cameras": self.cameras,
            "events": self.events,
            "types": self.types,
            "seconds_to_first_event": self.seconds_to_first_event,
            "seconds_to_type": self.seconds_to_type,
            "detector": self.detector,
        }
        return json.dumps(found if self.soak is None else found | {"soak": self.soak.to_dict()})


def at_work(statuses: Collection[CameraStatus], now: float) -> int:
    """How many cameras run and were looked at; `now` in UTC."""
    return sum(
        status.state is CameraState.RUNNING and status.looks > 0 and now - status.updated_utc < _SILENT_S
        for status in statuses
    )


@dataclass
class Tally:
    """Counts opened events. A clip is played over and over: what it shows counts once (by clip, type and zone).

    That a camera is ill is shown, but is no news of the city: it does not count.

    Attributes:
        cast: which clip each camera plays.
    """

    cast: Cast
    began: float = field(default_factory=time.monotonic)
    seen: set[tuple[str, str, str]] = field(default_factory=set)
    first_s: dict[str, float] = field(default_factory=dict)
    cameras: int = 0
    _position: int = 0

    def watch(self, installation: Installation, goal: Goal) -> DemoResult:
        """Prints events as they are committed, until the goal, the end of a soak, or a stop request."""
        soak = None
        if goal.soak_min is not None:
            soak = Soak(goal.soak_min, lambda: sum(child.restarts for child in installation.supervisor.reports()))
        if not installation.supervisor.stop_requested.is_set():
            self._follow(installation, goal, soak)
        if soak is None:
            return self._result(self._reached(goal))
        report = soak.report()
        return self._result(report is not None and not report.faults, report)

    def _result(self, reached: bool, soak: SoakReport | None = None) -> DemoResult:
        first = min(self.first_s.values(), default=None)
        return DemoResult(self.cameras, len(self.seen), self.types, first, reached, self.first_s, self.cast.model, soak)

    @property
    def types(self) -> list[str]:
        return sorted({event_type for _, event_type, _ in self.seen})

    def _follow(self, installation: Installation, goal: Goal, soak: Soak | None) -> None:
        engine, bus = make_engine(installation.settings.database, pool_size=1), Bus(installation.settings.redis)
        next_poll = 0.0

        def each_tick() -> None:
            nonlocal next_poll
            installation.watch_disk()
            if time.monotonic() < next_poll:
                return
            next_poll = time.monotonic() + _POLL_S
            try:
                statuses = self._poll(engine, bus)
            except (DBAPIError, BusUnavailable):
                return  # being started again, which the supervisor tells: asked again in a moment
            if soak is not None:
                soak.watch(statuses)
            if soak.over if soak is not None else self._reached(goal):
                installation.supervisor.stop_requested.set()

        try:
            installation.supervisor.run(each_tick)
        finally:
            bus.close()
            engine.dispose()

    def _reached(self, goal: Goal) -> bool:
        return goal.reached(len(self.seen), len(self.types), self.cameras)

    def _poll(self, engine: Engine, bus: Bus) -> Collection[CameraStatus]:
        with engine.connect() as connection:
            rows, _ = transitions_after(connection, self._position)
        for row in rows:
            self._position = row.position
            self._show(row.event)
            if row.event.transition is Transition.OPENED and row.event.type != HEALTH:
                clip = self.cast.clips.get(row.event.camera, row.event.camera)
                self.seen.add((clip, row.event.type, row.event.zone))
                self.first_s.setdefault(row.event.type, round(time.monotonic() - self.began, 1))
        statuses = bus.statuses().values()
        self.cameras = at_work(statuses, time.time())
        return statuses

    def _show(self, event: Event) -> None:
        if event.transition is Transition.UPDATED:
            return
        at = time.strftime("%H:%M:%S", time.localtime(event.utc))
        reason = event.reason.get("en", "")
        click.echo(
            f"  {at}  {event.transition:<7} {event.type:<16} {event.camera}/{event.zone}  {reason}", file=sys.stderr
        )


def own_stores(environment: MutableMapping[str, str]) -> list[str]:
    """Takes the addresses of other databases and stores out of `environment`; returns their variables.

    The demo's cameras and zones would be imported there, beside whatever a city keeps in them.
    """
    named = [name for name in _STORES if environment.get(name)]
    for name in named:
        del environment[name]
    return named


def camera_child(settings: Settings, port: int, cast: Cast) -> ChildSpec:
    """The RTSP server of the demo's cameras."""
    which = [ONLY_SIMULATED] if cast.only_simulated else []

    def make() -> Managed:
        return ProcessChild(
            [sys.executable, "-m", "cityvision.processes.demo_cameras", "--port", str(port), *which],
            log=settings.data.absolute() / "logs" / f"{NAME}.out",
            environment=settings.child_environment(),
        )

    def ready(child: Managed) -> bool:
        path = ready_file(settings.data.absolute(), NAME)
        return isinstance(child, ProcessChild) and path.exists() and path.read_text() == str(child.pid)

    # They are in the cache by then (`demo_media`), but are read and checked on a machine that starts all the rest.
    return ChildSpec(NAME, make, ready, ready_timeout_s=180)


def place_cameras(streams: Path, data: Path, cast: Cast) -> tuple[Path, int]:
    """The pool file to use and the port of its cameras: another port, in a copy of the file, where theirs is taken.

    Cameras that are all simulated have a pool file of their own, in the data folder.
    """
    if cast.only_simulated:
        port = RTSP_PORT if is_free(RTSP_PORT) else free_port()
        own = data / "streams.yaml"
        own.write_text(pool_text(port), encoding="utf-8")
        click.echo(f"the cameras and zones of this demo are in {own}, and edits are taken from there", err=True)
        return own, port
    if is_free(RTSP_PORT):
        return streams, RTSP_PORT
    port = free_port()
    copy = data / "streams.yaml"
    copy.write_text(streams.read_text().replace(f":{RTSP_PORT}/", f":{port}/"))
    click.echo(f"port {RTSP_PORT} is taken: the cameras use {port}, and edits are taken from {copy}", err=True)
    return copy, port


def triton_child(settings: Settings) -> tuple[ChildSpec, str]:
    """A Triton server with every network that the demo's workers ask for, and its address."""
    from models.plates import FINDER, READER
    from models.served import LITTER, WATER
    from models.triton_repository import Serving
    from models.triton_server import embedded_server
    from models.zoo import Zoo

    zoo = Zoo(mirror=settings.mirror)
    plates = {name for name in (FINDER, READER) if zoo.at_hand(name)}
    server = embedded_server(
        sorted({settings.model, BUILT_IN_DETECTOR, LITTER, WATER} | plates),
        zoo,
        venv=Path(".venv-triton"),
        repository=TRITON_REPOSITORY,
        log=settings.data.absolute() / "logs" / "triton.log",
        serving=Serving(threads=os.cpu_count() or 1),
        say=lambda text: click.echo(text, err=True),
    )
    return ChildSpec("triton", lambda: server, lambda _: server.ready(), ready_timeout_s=90), server.url
