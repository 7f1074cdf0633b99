"""The demo's own parts: its cameras, a Triton server on request, and the count of what was seen."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import click
import psutil
from sqlalchemy import Engine

from cityvision.installation import Installation
from cityvision.ports import free_port, is_free
from cityvision.processes.base import ready_file
from cityvision.processes.demo_cameras import CLIPS, NAME
from cityvision.settings import Settings
from cityvision.supervisor_child import ChildSpec, Managed, ProcessChild
from contracts.records import Event, Transition
from events.queries import transitions_after
from store.database import make_engine

RTSP_PORT = 18554  # as streams.yaml has it
_POLL_S = 0.25


@dataclass(frozen=True, slots=True)
class Goal:
    """When the demo ends by itself; nothing set: at Ctrl-C."""

    events: int | None = None
    types: int | None = None
    timeout_s: float | None = None
    soak_min: float | None = None

    @property
    def bounded(self) -> bool:
        return any(limit is not None for limit in (self.events, self.types, self.timeout_s, self.soak_min))

    def reached(self, events: int, types: int) -> bool:
        """Everything that was asked for has been seen; never without a wish."""
        wishes = [(self.events, events), (self.types, types)]
        return any(wish is not None for wish, _ in wishes) and all(seen >= (wish or 0) for wish, seen in wishes)


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What is printed at the end."""

    cameras: int
    events: int
    types: list[str]
    seconds_to_first_event: float | None
    reached: bool

    def to_json(self) -> str:
        return json.dumps(
            {
                "cameras": self.cameras,
                "events": self.events,
                "types": self.types,
                "seconds_to_first_event": self.seconds_to_first_event,
            }
        )


@dataclass
class Tally:
    """Counts opened events. A clip is played over and over: what it shows counts once (by clip, type and zone)."""

    began: float = field(default_factory=time.monotonic)
    seen: set[tuple[str, str, str]] = field(default_factory=set)
    first_s: float | None = None
    _position: int = 0

    def watch(self, installation: Installation, goal: Goal) -> DemoResult:
        """Prints events as they are committed, until the goal, its timeout, or a stop request."""
        engine = make_engine(installation.settings.database, pool_size=1)
        next_poll = 0.0
        soak = Soak() if goal.soak_min is not None else None

        def each_tick() -> None:
            nonlocal next_poll
            installation.watch_disk()
            if time.monotonic() < next_poll:
                return
            next_poll = time.monotonic() + _POLL_S
            self._poll(engine)
            if soak is not None:
                soak.watch()
            if goal.reached(len(self.seen), len(self.types)) or self._over(goal):
                installation.supervisor.stop_requested.set()

        try:
            installation.supervisor.run(each_tick)
        finally:
            engine.dispose()
        reached = goal.soak_min is not None or goal.reached(len(self.seen), len(self.types))
        return DemoResult(len(CLIPS), len(self.seen), self.types, self.first_s, reached)

    @property
    def types(self) -> list[str]:
        return sorted({event_type for _, event_type, _ in self.seen})

    def _over(self, goal: Goal) -> bool:
        limits = [limit for limit in (goal.timeout_s, goal.soak_min and goal.soak_min * 60) if limit]
        return bool(limits) and time.monotonic() - self.began > min(limits)

    def _poll(self, engine: Engine) -> None:
        with engine.connect() as connection:
            rows = transitions_after(connection, self._position)
        for row in rows:
            self._position = row.position
            self._show(row.event)
            if row.event.transition is Transition.OPENED:
                self.seen.add((CLIPS.get(row.event.camera, row.event.camera), row.event.type, row.event.zone))
                if self.first_s is None:
                    self.first_s = round(time.monotonic() - self.began, 1)

    def _show(self, event: Event) -> None:
        if event.transition is Transition.UPDATED:
            return
        at = time.strftime("%H:%M:%S", time.localtime(event.utc))
        reason = event.reason.get("en", "")
        click.echo(
            f"  {at}  {event.transition:<7} {event.type:<16} {event.camera}/{event.zone}  {reason}", file=sys.stderr
        )


@dataclass
class Soak:
    """Watches for what grows: memory and open files of this process and everything it started."""

    every_s: float = 30.0
    _next: float = 0.0

    def watch(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self.every_s
        family = [psutil.Process(), *psutil.Process().children(recursive=True)]
        memory, files = 0, 0
        for process in family:
            try:
                memory += process.memory_info().rss
                files += process.num_fds()
            except psutil.NoSuchProcess:
                continue
        click.echo(f"  soak: {len(family)} processes, {memory >> 20} MB, {files} open files", err=True)


def camera_child(settings: Settings, port: int) -> ChildSpec:
    """The RTSP server of the demo's cameras."""

    def make() -> Managed:
        return ProcessChild(
            [sys.executable, "-m", "cityvision.processes.demo_cameras", "--port", str(port)],
            log=settings.data.absolute() / "logs" / f"{NAME}.out",
            environment=settings.child_environment(),
        )

    def ready(child: Managed) -> bool:
        path = ready_file(settings.data.absolute(), NAME)
        return isinstance(child, ProcessChild) and path.exists() and path.read_text() == str(child.pid)

    # The first start fetches and converts clips.
    return ChildSpec(NAME, make, ready, ready_timeout_s=180)


def place_cameras(streams: Path, data: Path) -> tuple[Path, int]:
    """The pool file to use and the port of its cameras: another port, in a copy of the file, where theirs is taken."""
    if is_free(RTSP_PORT):
        return streams, RTSP_PORT
    port = free_port()
    copy = data / "streams.yaml"
    copy.write_text(streams.read_text().replace(f":{RTSP_PORT}/", f":{port}/"))
    return copy, port


def triton_child(settings: Settings) -> tuple[ChildSpec, str]:
    """A Triton server with the demo's model, and its address."""
    from cityvision.processes.worker import MODEL
    from models.triton_repository import Serving
    from models.triton_server import embedded_server
    from models.zoo import Zoo

    server = embedded_server(
        [MODEL],
        Zoo(mirror=settings.mirror),
        venv=Path(".venv-triton"),
        repository=Path("triton_models"),
        log=settings.data.absolute() / "logs" / "triton.log",
        serving=Serving(threads=os.cpu_count() or 1),
        say=lambda text: click.echo(text, err=True),
    )
    return ChildSpec("triton", lambda: server, lambda _: server.ready(), ready_timeout_s=90), server.url
