"""A worker that is killed goes on: the same parked car is the same event with the same clock."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cityvision.processes.base import ready_file
from contracts.pool import Pool
from contracts.records import Event, EventRecord, Record
from pipeline.spool import Spool
from pool.snapshot import snapshot
from simulator.rtsp import ServedCamera, ServerThread
from simulator.rtsp.media import load_clip
from store.bus import Bus, Entry
from store.state import PoolSnapshot
from store.valkey import EmbeddedValkey

pytest_plugins = ["tests.embedded"]
pytestmark = pytest.mark.media

DWELL_S = 10.0
LIVES_S = (9.0, 9.0, 9.0)  # each from when it was ready; none is as long as the dwell


def pool_of(url: str) -> Pool:
    return Pool.model_validate(
        {
            "departments": [{"id": "city", "name": "City"}],
            "cameras": [
                {
                    "id": "junction",
                    "name": "Junction",
                    "department": "city",
                    "mounting": "low",
                    "main": {"url": url},
                    "zones": [
                        {
                            "id": "driveway",
                            "kind": "no_parking",
                            "polygon": [[0.9, 0.4], [1, 0.4], [1, 0.58], [0.9, 0.58]],
                        }
                    ],
                    "algorithms": {"illegal_parking": {"dwell": DWELL_S, "look_every": 1}},
                }
            ],
        }
    )


class WorkerProcess:
    """The real worker process on a folder of its own."""

    def __init__(self, data: Path, redis_url: str, mirror: Path) -> None:
        self.data = data
        self._environment = os.environ | {
            "CITYVISION_DATA": str(data),
            "CITYVISION_REDIS_URL": redis_url,
            "CITYVISION_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
            "CITYVISION_MIRROR": str(mirror),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once it is ready."""
        command = [sys.executable, "-m", "cityvision.processes.worker", "--id", "1"]
        ready = ready_file(self.data, "worker-1")
        ready.unlink(missing_ok=True)
        self._process = subprocess.Popen(command, env=self._environment)
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert self._process.poll() is None, "the worker ended"
            assert time.monotonic() < deadline, "the worker does not start"
            time.sleep(0.05)

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def events(self) -> list[Event]:
        """What stands in the spool; the worker must be dead."""
        spool = Spool(self.data / "spool" / "worker-1" / "records", "worker-1")
        try:
            entries: list[Entry] = []
            # One call reads within one segment, and each life of the worker begins one.
            while more := spool.read(spool.first + len(entries)):
                entries += more
        finally:
            spool.close()
        bodies = [Record.model_validate_json(entry.raw).body for entry in entries]
        return [body.event for body in bodies if isinstance(body, EventRecord)]


def test_a_killed_worker_goes_on_with_the_same_clock(mirror: Path, tmp_path: Path, valkey: EmbeddedValkey) -> None:
    clip = load_clip(mirror / "footage" / "residential_street.mp4")
    bus = Bus(valkey.url)
    with ServerThread([ServedCamera("junction", clip)]) as server:
        data, digest = snapshot(pool_of(server.url("junction")))
        bus.set_pool(PoolSnapshot(1, digest, data))
        bus.set_assignment("worker-1", json.dumps(["junction"]))
        worker = WorkerProcess(tmp_path, valkey.url, mirror)
        killed = []
        for alive_s in LIVES_S:
            worker.start()
            time.sleep(alive_s)
            worker.kill()
            killed.append(time.time())
        events = worker.events()
    bus.close()

    opened = [event for event in events if event.transition == "opened"]
    assert len(opened) == 1, "one car, one event, however often the worker dies"
    assert {event.id for event in events} == {opened[0].id}
    assert [event.seq for event in events] == list(range(len(events)))
    # No life is long enough for a clock that begins anew in it.
    assert opened[0].started_utc < killed[0], "it stands since the first life"
    assert opened[0].utc - opened[0].started_utc >= DWELL_S - 2
    assert opened[0].utc < killed[1], "it is told in the second, as soon as it is due"
    assert events[-1].utc < killed[2]
    assert any(ref.role == "clip" for event in events for ref in event.evidence)
