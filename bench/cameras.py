"""What a camera costs: our whole worker beside the floor and the usual ways, over real RTSP.

720p25 H.264, GOP 50, 2 Mbit/s, made of real street footage; parking and crowding, one look per 2 s, gate off. Every
way runs in a process of its own, one after the other, on the same served streams; CPU time of that process is counted
over equal looks a camera after some that are not counted, the RTSP server apart. The floor is libav demux, keyframe
decode and inference alone; `opencv_same_looks` is `cv2.VideoCapture` with the same detector on every 50th picture,
`opencv_every_frame` on every picture. Costs are CPU-ms a camera-second, made equal by the looks really done.

`ultralytics_every_frame` is ultralytics' `.streams` tracking (yolo11n of random weights through OpenVINO, 416 pixels).

1080p H.265, GOP 250, needs decoding on from the keyframe: reported beside OpenCV at the same looks.
`quiet_gain` is gate off over gate on where little happens: the last seconds of a street clip, a parked car in a
no-parking zone and leaves in the wind, and a car park with a car now and then; T = 60 s. Both are replayed with and
without the gate, and `quiet_lost` counts events that the gate lost (`quiet_events`: how many there were).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.clips import H264_720P, H265_1080P, encoded
from bench.own_worker import quiet_camera_at
from bench.result import Figures
from cityvision.ports import free_port
from models.detector import load_detector
from models.zoo import Zoo
from pipeline.evidence import NoEvidence
from pipeline.replay import replay
from pipeline.senses.engine import Sensing
from simulator.rtsp.process import ServerProcess
from store.valkey import EmbeddedValkey

_CAMERAS = 24
_QUIET_WARM = 40  # looks: a gate learns a camera's noise in its first minute or two


def run() -> tuple[Figures, Figures]:
    """Figures of ours, and of the peers; see the module."""
    zoo = Zoo()
    with tempfile.TemporaryDirectory() as scratch:
        valkey = EmbeddedValkey(Path(scratch) / "valkey", free_port(), Path(scratch) / "valkey.log")
        valkey.start()
        try:
            return _measure(zoo, valkey.url)
        finally:
            valkey.stop()


def _measure(zoo: Zoo, redis: str) -> tuple[Figures, Figures]:
    street = encoded(zoo, "residential_street", H264_720P)
    with ServerProcess({f"c{n}": street for n in range(_CAMERAS)}) as server:
        urls = [server.url(f"c{n}") for n in range(_CAMERAS)]
        # There and back again, and the least of each side: what else the machine does can only add.
        costs = [(way, _cost(way, urls, redis)) for way in ("floor", "ours", "ours", "floor")]
        floor = min(cost for way, cost in costs if way == "floor")
        ours = min(cost for way, cost in costs if way == "ours")
        same = _cost("opencv_same_looks", urls, redis)
        every = _cost("opencv_every_frame", urls[:2], redis, warm=100, looks=400, a_second=25.0)
        theirs = _ultralytics(urls[:2])
    long_gop = encoded(zoo, "oxford_street_1080p", H265_1080P)
    with ServerProcess({f"h{n}": long_gop for n in range(4)}) as server:
        hevc = _cost("ours", [server.url(f"h{n}") for n in range(4)], redis)
        hevc_peer = _cost("opencv_same_looks", [server.url(f"h{n}") for n in range(4)], redis)
    quiet, off, events, lost = _quiet(zoo, redis)
    figures = {
        "cpu_ms_per_camera_second": ours,
        "cameras_per_core": 1000 / ours,
        "floor_ratio": ours / floor,
        "vs_same_looks": same / ours,
        "vs_every_frame": every / ours,
        "h265_1080p_cpu_ms_per_camera_second": hevc,
        "h265_1080p_cameras_per_core": 1000 / hevc,
        "h265_1080p_vs_same_looks": hevc_peer / hevc,
        "quiet_gain": off / quiet,
        "quiet_events": float(events),
        "quiet_lost": float(lost),
        "quiet_cpu_ms_per_camera_second": quiet,
    }
    peers = {
        "floor_cpu_ms_per_camera_second": floor,
        "opencv_same_looks_cpu_ms_per_camera_second": same,
        "opencv_every_frame_cpu_ms_per_camera_second": every,
        **theirs,
        "h265_1080p_opencv_same_looks_cpu_ms_per_camera_second": hevc_peer,
        "quiet_gate_off_cpu_ms_per_camera_second": off,
    }
    return figures, peers


def _quiet(zoo: Zoo, redis: str) -> tuple[float, float, int, int]:
    """Cost with the gate and without it; events of the replay without it, and how many of them the gate lost."""
    clips = [
        encoded(zoo, "residential_street", H264_720P, start=31.0, loops=20),
        encoded(zoo, "car-detection", H264_720P, loops=4),
    ]
    with ServerProcess({f"q{n}": clips[n % 2] for n in range(_CAMERAS)}) as server:
        urls = [server.url(f"q{n}") for n in range(_CAMERAS)]
        off = _cost("ours_quiet", urls, redis, warm=_QUIET_WARM, looks=20)
        on = _cost("ours_quiet_gated", urls, redis, warm=_QUIET_WARM, looks=20)
    detector = load_detector("yolox_nano", zoo)
    camera = quiet_camera_at(0, "rtsp://127.0.0.1/c")
    events, lost = 0, 0
    for clip in clips:
        without, gated = (
            {
                (e.type, e.zone)
                for e in replay(clip, camera, detector, Sensing(Zoo()), lambda _: NoEvidence(), gate=gate)
            }
            for gate in (False, True)
        )
        events += len(without)
        lost += len(without - gated)
    return on, off, events, lost


def _ultralytics(urls: list[str]) -> Figures:
    """ultralytics' tracking beside us, where its environment has been made: see docs/benchmarks-peers.md."""
    python = Path(__file__).resolve().parent.parent / ".venv-ultralytics" / "bin" / "python"
    if not python.is_file():
        sys.stderr.write("  ultralytics: left out, .venv-ultralytics is not there (see docs/benchmarks-peers.md)\n")
        return {}
    with tempfile.NamedTemporaryFile("w", suffix=".streams") as streams:
        streams.write("\n".join(urls))
        streams.flush()
        command = [str(python), "bench/peers/ultralytics_track.py", streams.name, "150"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    measured = json.loads(done.stdout.splitlines()[-1])
    sys.stderr.write(f"  ultralytics: {measured}\n")
    cost = measured["cpu_s"] * 1000 / (measured["looks"] / 25.0)
    return {"ultralytics_every_frame_cpu_ms_per_camera_second": cost}


def _cost(way: str, urls: list[str], redis: str, *, warm: int = 7, looks: int = 10, a_second: float = 0.5) -> float:
    """CPU-ms a camera-second of one way, at `a_second` looks a camera and second."""
    command = [sys.executable, "-m", "bench.camera_subject", way, *urls, "--warm", str(warm), "--looks", str(looks)]
    environment = os.environ | {"BENCH_REDIS_URL": redis, "OMP_NUM_THREADS": "1", "OPENCV_LOG_LEVEL": "SILENT"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    measured = json.loads(done.stdout.splitlines()[-1])
    sys.stderr.write(f"  {way}: {measured}\n")
    return float(measured["cpu_s"] * 1000 / (measured["looks"] / a_second))
