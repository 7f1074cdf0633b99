"""Watches over children: starts them in the order of their dependencies, restarts what ends, stops all in order.

One thread, the main one. No signals are handled here: the caller's handler calls `request_stop`, and `run` returns.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from threading import Event

from cityvision.supervisor_child import ChildSpec, Managed, ProcessChild
from contracts.errors import CityVisionError, ConfigError, ServiceError

log = logging.getLogger(__name__)

_TICK = 0.05  # s between two looks at the children
_START_MARGIN_S = 30.0  # for a child that fails at first and is started again


class State(StrEnum):
    WAITING = "waiting"  # for a child it depends on
    STARTING = "starting"  # runs, not ready yet
    READY = "ready"
    BACKOFF = "backoff"  # ended; started again soon
    CRASH_LOOP = "crash_loop"  # the same, many times in a row
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ChildReport:
    """One child as the supervisor sees it."""

    name: str
    state: State
    pid: int | None
    restarts: int
    why: str


class _Child:
    """A spec, its child, and where in its life it stands."""

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self.managed: Managed | None = None
        self.state = State.WAITING
        self.since = time.monotonic()
        self.next_start = 0.0
        self.failures = 0
        self.restarts = 0
        self.was_ready = False
        self.why = ""

    def enter(self, state: State) -> None:
        self.state = state
        self.since = time.monotonic()

    def report(self) -> ChildReport:
        running = self.state in (State.STARTING, State.READY)
        pid = getattr(self.managed, "pid", None) if running else None
        return ChildReport(self.spec.name, self.state, pid, self.restarts, self.why)


class Supervisor:
    """Children, started, watched and stopped together.

    Args:
        specs: the children; the order does not matter, their `depends_on` does.
        on_change: called with a child's report whenever its state changes.
        draw: uniform random numbers in 0..1 for the jitter of restarts.

    Raises:
        ConfigError: a dependency is unknown, or the dependencies form a circle.
    """

    def __init__(
        self,
        specs: Iterable[ChildSpec],
        *,
        on_change: Callable[[ChildReport], None] | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        ordered = in_order(list(specs))
        self._children = {spec.name: _Child(spec) for spec in ordered}
        self._on_change = on_change
        self._draw = draw
        self._blocked = False
        self.stop_requested = Event()

    def reports(self) -> list[ChildReport]:
        return [child.report() for child in self._children.values()]

    def request_stop(self) -> None:
        """For signal handlers: ends `start` and `run`, also out of a start that blocks (a database's recovery).

        Raises:
            KeyboardInterrupt: in the latter case, in the thread that starts.
        """
        self.stop_requested.set()
        if self._blocked:
            self._blocked = False
            raise KeyboardInterrupt

    def all_ready(self) -> bool:
        return all(child.state is State.READY for child in self._children.values())

    def start(self, timeout_s: float | None = None) -> None:
        """Starts everything and returns when all are ready, or when a stop is requested.

        Args:
            timeout_s: by default as long as the children may take that wait for each other, and a margin.

        Raises:
            ServiceError: something could not start within `timeout_s`, or it ended again and again. Everything is
                stopped again by then.
        """
        if timeout_s is None:
            timeout_s = start_limit([child.spec for child in self._children.values()])
        deadline = time.monotonic() + timeout_s
        try:
            while not self.all_ready() and not self.stop_requested.is_set():
                self.tick()
                stuck = next((c for c in self._children.values() if c.state is State.CRASH_LOOP), None)
                if stuck is not None:
                    raise ServiceError(f"{stuck.spec.name} does not start: {stuck.why}", "see its log below data/logs")
                if time.monotonic() > deadline:
                    late = ", ".join(c.spec.name for c in self._children.values() if c.state is not State.READY)
                    raise ServiceError(f"not ready after {timeout_s:.0f} s: {late}", "see their logs below data/logs")
                self.stop_requested.wait(_TICK)
        except BaseException as error:
            self.stop()
            if not (isinstance(error, KeyboardInterrupt) and self.stop_requested.is_set()):
                raise

    def run(self, each_tick: Callable[[], None] | None = None) -> None:
        """Watches until a stop is requested, calling `each_tick` some 20 times a second.

        Whatever happens, everything is stopped at the end.
        """
        try:
            while not self.stop_requested.is_set():
                self.tick()
                if each_tick is not None:
                    each_tick()
                self.stop_requested.wait(_TICK)
        except KeyboardInterrupt:
            if not self.stop_requested.is_set():
                raise
        finally:
            self.stop()

    def tick(self) -> None:
        """One look at every child: starts, restarts and reports what is due. Takes as long as the slowest start."""
        for child in self._children.values():
            if self.stop_requested.is_set():
                return
            self._step(child)

    def stop(self) -> None:
        """Stops everything, what others depend on last; safe to call twice.

        All processes that stand on others are asked at once, so that their time limits run together.
        """
        first, *others = layers([c.spec for c in self._children.values()]) or [[]]
        upper = [self._children[spec.name] for layer in reversed(others) for spec in layer]
        for group in (upper, [self._children[spec.name] for spec in first]):
            for child in group:
                if isinstance(child.managed, ProcessChild):
                    child.managed.ask_to_stop()
            for child in group:
                if child.state is not State.STOPPED:
                    self._stop_one(child)

    def _stop_one(self, child: _Child) -> None:
        if child.managed is not None:
            try:
                child.managed.stop()
            except CityVisionError as error:
                log.error("%s does not stop: %s", child.spec.name, error)
        self._change(child, State.STOPPED)

    def _step(self, child: _Child) -> None:
        now = time.monotonic()
        if child.managed is None:
            if all(self._children[name].state is State.READY for name in child.spec.depends_on):
                self._launch(child, child.spec.factory())
        elif child.state in (State.BACKOFF, State.CRASH_LOOP):
            if now >= child.next_start:
                child.restarts += 1
                self._launch(child, child.managed)
        elif not child.managed.alive():
            if not child.was_ready and _told_why(child.managed):
                raise ServiceError(f"{child.spec.name} does not start: {_why_it_ended(child.managed)}")
            self._failed(child, _why_it_ended(child.managed))
        elif child.state is State.STARTING:
            self._await_ready(child, child.managed)
        elif child.failures and now - child.since > child.spec.policy.stable_s:
            child.failures = 0

    def _await_ready(self, child: _Child, managed: Managed) -> None:
        if self._guarded(child, lambda: child.spec.ready(managed)):
            child.was_ready = True
            self._change(child, State.READY)
        elif child.state is State.STARTING and time.monotonic() - child.since > child.spec.ready_timeout_s:
            managed.stop()
            self._failed(child, f"not ready after {child.spec.ready_timeout_s:.0f} s")

    def _launch(self, child: _Child, managed: Managed) -> None:
        child.managed = managed

        def start() -> bool:
            managed.start()
            return True

        if self._guarded(child, start):
            self._change(child, State.STARTING)

    def _guarded(self, child: _Child, call: Callable[[], bool]) -> bool:
        """`call`, which may block, so that a stop request gets through. False where it failed, or said so."""
        self._blocked = True
        try:
            return call()
        except CityVisionError as error:
            if not child.was_ready:
                raise  # at the first start there is somebody to tell, and nothing to keep alive
            if child.managed is not None:
                child.managed.stop()
            self._failed(child, str(error))
            return False
        finally:
            self._blocked = False

    def _failed(self, child: _Child, why: str) -> None:
        child.failures += 1
        child.why = why
        wait = child.spec.policy.wait(child.failures, self._draw())
        child.next_start = time.monotonic() + wait
        looping = child.failures >= child.spec.policy.attempts_alarm
        log.log(
            logging.ERROR if looping else logging.WARNING,
            "%s ended (%s), failure %d in a row; started again in %.1f s",
            child.spec.name,
            why,
            child.failures,
            wait,
        )
        self._change(child, State.CRASH_LOOP if looping else State.BACKOFF)

    def _change(self, child: _Child, state: State) -> None:
        child.enter(state)
        if self._on_change is not None:
            self._on_change(child.report())


def _told_why(managed: Managed) -> bool:
    """Exit status 2 is our processes' word for a fault they could name: trying again would change nothing."""
    return isinstance(managed, ProcessChild) and managed.returncode == 2


def _why_it_ended(managed: Managed) -> str:
    if not isinstance(managed, ProcessChild):
        return "it ended by itself"
    last = " ".join(managed.last_lines(1)).strip()[:500]
    if last and _told_why(managed):
        return last
    return managed.ending() + (f": {last}" if last else "")


def layers(specs: list[ChildSpec]) -> list[list[ChildSpec]]:
    """The children in layers: each depends on earlier layers alone.

    Raises:
        ConfigError: a dependency is unknown, or the dependencies form a circle.
    """
    names = [spec.name for spec in specs]
    if len(set(names)) != len(names):
        raise ConfigError(f"two children have one name: {', '.join(names)}")
    for spec in specs:
        if unknown := [name for name in spec.depends_on if name not in names]:
            raise ConfigError(f"{spec.name} depends on {unknown[0]!r}, which is not among the children")
    left = list(specs)
    placed: set[str] = set()
    out: list[list[ChildSpec]] = []
    while left:
        layer = [spec for spec in left if placed.issuperset(spec.depends_on)]
        if not layer:
            raise ConfigError(f"these depend on each other in a circle: {', '.join(spec.name for spec in left)}")
        out.append(layer)
        placed |= {spec.name for spec in layer}
        left = [spec for spec in left if spec.name not in placed]
    return out


def start_limit(specs: list[ChildSpec]) -> float:
    """Seconds after which a start cannot succeed any more: each layer's slowest child, one layer after the other."""
    return _START_MARGIN_S + sum(max(spec.ready_timeout_s for spec in layer) for layer in layers(specs))


def in_order(specs: list[ChildSpec]) -> list[ChildSpec]:
    """The children so that each comes after those it depends on."""
    return [spec for layer in layers(specs) for spec in layer]
