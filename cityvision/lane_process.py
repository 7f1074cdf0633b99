"""The worker process of one lane, and what is seen of it."""

from __future__ import annotations

import json
import logging
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from algorithm_repo.registry.parameters import applied
from algorithm_repo.rollout.types import SPACE_PREFIX, Guardrails, Lane, LaneKind, Observed, Said
from algorithm_repo.rollout.watching import Heard, Past, Tally, Working
from cityvision.processes.base import ready_file
from cityvision.remembered import remember
from cityvision.settings import Settings
from cityvision.supervisor_child import ProcessChild
from contracts.errors import BusUnavailable
from contracts.live import CameraStatus
from contracts.pool import Camera, Pool
from pool.snapshot import snapshot
from store.bus import Bus
from store.state import PoolSnapshot

_log = logging.getLogger(__name__)

_GIVE_BACK_S = 5.0  # at most, for a lane that ends well to hand its cameras over


class LaneProcess:
    """Belongs to the thread that starts it: the process ends with that thread.

    Args:
        lane: see there.
        settings: of the installation.
        bus: of the city's space.
        rails: over which stretches the candidate is judged.
    """

    def __init__(self, lane: Lane, settings: Settings, bus: Bus, rails: Guardrails) -> None:
        self.lane = lane
        self._settings = settings
        self._bus = bus
        self._own = Bus(settings.redis, space=lane.space) if lane.space else bus
        arguments = ["--lane", lane.worker, *(["--space", lane.space] if lane.space else [])]
        self._child = ProcessChild(
            [sys.executable, "-m", "cityvision.processes.worker", *arguments],
            log=settings.data / "logs" / f"{lane.worker}.out",
        )
        self._started = 0.0
        self._ready = False
        self._leaving_until: float | None = None
        self._shown: int | None = None
        self._usual_ms: float | None = None
        self._heard, self._working = Heard(), Working()
        self._tally, self._past = Tally(), Past(rails.recent_s)
        self._said: Said | None = None
        self._made = time.time() - time.monotonic()

    @property
    def bus(self) -> Bus:
        """Of the lane's space."""
        return self._own

    @property
    def now(self) -> float:
        """The present, s since 1970, by a clock that nobody has set since: an hour that did not pass has no events."""
        return self._made + time.monotonic()

    @property
    def leaving(self) -> bool:
        """It gives its cameras back."""
        return self._leaving_until is not None

    def start(self) -> None:
        """Raises OSError."""
        remember(self._settings.data / "spool" / self.lane.worker, self.lane.serving)
        self._child.start()
        self._begun()
        _log.info("%s of %s %s begins", self.lane.worker, self.lane.algorithm, self.lane.version)

    def show(self, pool: Pool, revision: int) -> None:
        """Gives a shadow its cameras, with nothing on them but the candidate's algorithm, as the candidate has it."""
        if self.lane.kind is not LaneKind.SHADOW or self._shown == revision:
            return
        wanted = set(self.lane.cameras)
        cameras = tuple(_alone(one, self.lane) for one in pool.cameras if one.id in wanted)
        data, digest = snapshot(pool.model_copy(update={"cameras": cameras}))
        self._own.set_assignment(self.lane.worker, json.dumps([camera.id for camera in cameras]))
        self._own.set_pool(PoolSnapshot(revision, digest, data))
        self._shown = revision

    def hold(self) -> None:
        """Says again that the canary's cameras are its own, once it is ready. Raises BusUnavailable."""
        if self.lane.kind is LaneKind.CANARY and self._is_ready(_cpu_s(self._child.pid)) and not self.leaving:
            self._bus.hold_lane(self.lane.worker, self.lane.cameras)

    def observed(self, said: Said | None) -> Observed:
        """What is seen of it now; while the bus is away, whether it runs.

        Args:
            said: events since it began; None: not known now.
        """
        now, alive = time.monotonic(), self._child.alive()
        cpu_s = _cpu_s(self._child.pid) if alive else 0.0
        ready = self._is_ready(cpu_s)
        mine = self._listen(now, cpu_s)
        self._said = said or self._said
        if self._said is not None:
            self._past.note(now, looks=self._tally.looks, failed=self._tally.failed, **self._said.model_dump())
        silent_s, silent_cpu_s = self._heard.silent(now, cpu_s)
        return Observed(
            running_s=now - self._started,
            cpu_s=cpu_s,
            idle_s=self._working.idle(now, cpu_s),
            silent_cpu_s=silent_cpu_s,
            ready=ready,
            ended=None if alive or self._again() else self._ending(),
            silent_s=silent_s,
            looks=self._tally.looks,
            failed=self._tally.failed,
            look_ms=_middle(mine),
            usual_ms=self._usual_ms,
            recent=self._past.spans(now),
            **(self._said or Said()).model_dump(),
        )

    def _listen(self, now: float, cpu_s: float) -> list[CameraStatus]:
        """What it says of its cameras."""
        try:
            mine = self._statuses()
            self._usual_ms = self._usual() or self._usual_ms
        except BusUnavailable:
            self._heard.deaf(now, cpu_s)
            return []
        self._heard.note(now, cpu_s, {one.camera: one.updated_utc for one in mine})
        self._tally.note({one.camera: (one.looks, one.looks_failed) for one in mine})
        return mine

    def leave(self) -> bool:
        """Gives the cameras back, then ends; to be called again until it says that this is done.

        Raises:
            BusUnavailable: the bus is away.
        """
        if self._leaving_until is None:
            self._leaving_until = time.monotonic() + _GIVE_BACK_S
            if self.lane.kind is LaneKind.CANARY:
                self._bus.drop_lane(self.lane.worker)
            else:
                self._leaving_until = 0.0
        if self._child.alive() and self._statuses() and time.monotonic() < self._leaving_until:
            return False
        self.stop()
        return True

    def stop(self) -> None:
        """Ends the process, at once where it does not do so by itself within two seconds."""
        self._child.stop()
        if self._own is not self._bus:
            self._own.close()

    def ask_to_stop(self) -> None:
        """Returns at once."""
        self._child.ask_to_stop()

    def _is_ready(self, cpu_s: float) -> bool:
        """Its networks are loaded and warm; from then on it is expected to say something."""
        if not self._ready:
            path = ready_file(self._settings.data, self.lane.worker)
            if self._child.alive() and path.exists() and path.read_text() == str(self._child.pid):
                self._ready = True
                self._heard.begin(time.monotonic(), cpu_s)
        return self._ready

    def _again(self) -> bool:
        """A worker that ends well by itself has asked to be started anew."""
        if self._child.returncode != 0:
            return False
        self._child.start()
        self._begun()
        return True

    def _begun(self) -> None:
        self._started, self._ready = time.monotonic(), False
        self._heard, self._working = Heard(), Working()

    def _ending(self) -> str:
        last = " ".join(self._child.last_lines(1)).strip()[:300]
        return self._child.ending() + (f": {last}" if last else "")

    def _statuses(self) -> list[CameraStatus]:
        """Of its own cameras, as it says."""
        found = self._own.statuses(self.lane.cameras)
        return [one for one in found.values() if one.worker == self.lane.worker]

    def _usual(self) -> float | None:
        """What a look takes in production: on the lane's cameras while production has them too, else on others."""
        same = _middle([one for one in self._bus.statuses(self.lane.cameras).values() if self._others(one)])
        if same is not None or self._usual_ms is not None:
            return same
        return _middle([one for one in self._bus.statuses().values() if self._others(one)])

    def _others(self, status: CameraStatus) -> bool:
        return not status.worker.startswith(SPACE_PREFIX)


def _cpu_s(pid: int | None) -> float:
    """Processor time that a process has had (proc(5): utime and stime), s; 0 where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _middle(statuses: Sequence[CameraStatus]) -> float | None:
    known = [one.look_ms for one in statuses if one.look_ms is not None]
    return statistics.median(known) if known else None


def _alone(camera: Camera, lane: Lane) -> Camera:
    kept = {name: parameters for name, parameters in camera.algorithms.items() if name == lane.algorithm}
    return applied(camera.model_copy(update={"algorithms": kept}), lane.algorithm, lane.parameters)
