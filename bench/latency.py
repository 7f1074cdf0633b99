"""From the arrival of the deciding frame to the API's event stream, through everything.

A whole installation (Postgres, Valkey, consumer, API, one worker) watches real footage by RTSP from as many cameras as
make about half a core of work; a logged-in client listens to `/api/events/stream`. An event's `utc` is that of the
frame that decided it, which on one machine is when it was sent; the latency of a transition is when its message was
read from the stream less that. Cameras are out of step with each other, as in a city, so that neither their keyframes
nor their events come all at once (T is 4, 6, 8, … s). The physical limit beside it: `fsync_p50_ms`, what one durable
write costs here.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import yaml

from bench.clips import H264_720P, encoded
from bench.own_worker import camera_at
from bench.result import Figures
from cityvision.installation import Installation
from cityvision.settings import load_settings
from models.zoo import Zoo
from pipeline.source.demux import open_rtsp
from simulator.rtsp.process import ServerProcess

_CAMERAS = 24
_SECONDS = 90.0
_GOP_S = 2.0
_PASSWORD = "bench-Latency-7431"


def run() -> tuple[Figures, Figures]:
    """Figures of ours, and the disk's; see the module."""
    zoo = Zoo()
    street = encoded(zoo, "residential_street", H264_720P)
    with tempfile.TemporaryDirectory() as name, ServerProcess({f"c{n}": street for n in range(_CAMERAS)}) as server:
        _out_of_step([server.url(f"c{n}") for n in range(_CAMERAS)])
        folder = Path(name)
        folder.chmod(0o711)  # the embedded Postgres runs under an account of its own
        streams = folder / "streams.yaml"
        streams.write_text(_streams([server.url(f"c{n}") for n in range(_CAMERAS)]))
        settings = load_settings(data=folder / "data", streams=streams, api_port=0, workers=1, gate=False)
        with Installation(settings) as installation:
            assert installation.admin_password is not None
            latencies, load = _listen(installation, installation.admin_password)
        fsync = _fsync_ms(folder / "fsync")
    latencies.sort()

    def percentile(share: float) -> float:
        return latencies[min(len(latencies) - 1, int(share * len(latencies)))] * 1000

    figures = {
        "p50_ms": percentile(0.5),
        "p95_ms": percentile(0.95),
        "p99_ms": percentile(0.99),
        "max_ms": latencies[-1] * 1000,
        "transitions": float(len(latencies)),
        "cameras": float(_CAMERAS),
        "worker_core_share": load,
    }
    return figures, {"fsync_p50_ms": fsync}


def _out_of_step(urls: list[str]) -> None:
    """A served camera's time begins with its first viewer: one after the other they get one for a moment."""
    began = time.monotonic()
    for number, url in enumerate(urls):
        with open_rtsp(url, "tcp", None, open_timeout=10, read_timeout=10):
            pass
        due = began + (number + 1) * (_GOP_S + _GOP_S / len(urls))
        time.sleep(max(0.0, due - time.monotonic()))


def _streams(urls: list[str]) -> str:
    cameras = [
        camera_at(number, url, dwell=4.0 + 2.0 * number).model_dump(mode="json", by_alias=True, exclude_none=True)
        for number, url in enumerate(urls)
    ]
    document = {"version": 1, "departments": [{"id": "bench", "name": "Bench"}], "cameras": cameras}
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def _listen(installation: Installation, first_password: str) -> tuple[list[float], float]:
    """Latencies, s, and the worker's share of a core meanwhile."""
    with httpx.Client(base_url=installation.url, trust_env=False, timeout=10) as client:
        client.headers["origin"] = installation.url
        client.post("/api/login", json={"name": "admin", "password": first_password}).raise_for_status()
        client.post("/api/password", json={"old": first_password, "new": _PASSWORD}).raise_for_status()
        worker = psutil.Process(next(r.pid for r in installation.supervisor.reports() if r.name == "worker-1"))
        before, began = sum(worker.cpu_times()[:2]), time.monotonic()
        latencies: list[float] = []
        with client.stream("GET", "/api/events/stream", timeout=None) as response:
            timer = threading.Timer(_SECONDS, response.close)
            timer.start()
            with contextlib.suppress(httpx.HTTPError):
                latencies.extend(time.time() - utc for utc in _utcs(response))
        load = (sum(worker.cpu_times()[:2]) - before) / (time.monotonic() - began)
    sys.stderr.write(f"  {len(latencies)} transitions, worker {load:.2f} of a core\n")
    return latencies, load


def _utcs(response: httpx.Response) -> Iterator[float]:
    for line in response.iter_lines():
        if line.startswith("data:"):
            yield float(json.loads(line[5:])["event"]["utc"])


def _fsync_ms(path: Path) -> float:
    times = []
    with path.open("wb") as file:
        for _ in range(50):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return sorted(times)[25] * 1000
