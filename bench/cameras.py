"""What a camera costs: our whole worker beside the floor and the usual ways, over real RTSP.

720p25 H.264, GOP 50, 2 Mbit/s, made of real street footage; parking and crowding, one look per 2 s, gate off. Every
way runs in a process of its own, one after the other, on the same served streams; CPU time of that process is counted
from when every camera has been looked at twice, the RTSP server apart. The floor is libav demux, keyframe decode and
inference alone; `opencv_same_looks` is `cv2.VideoCapture` with the same detector on every 50th picture,
`opencv_every_frame` on every picture. Costs are CPU-ms a camera-second, made equal by the looks really done.

1080p H.265, GOP 250, needs decoding on from the keyframe: reported, with its own floor of every frame decoded.
`quiet_gain` is gate off over gate on, on a mix of still and busy real footage with parking and crowding events; the
events of both runs are compared in replay, and `quiet_lost` counts those the gate lost.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.own_worker import camera_at
from bench.result import Figures
from models.detector import load_detector
from models.zoo import Zoo
from pipeline.evidence import NoEvidence
from pipeline.replay import replay
from simulator.rtsp.clips import Encoding, encode_clip
from simulator.rtsp.process import ServerProcess
from store.valkey import EmbeddedValkey

H264_720P = Encoding((1280, 720), 25.0, 50, "h264", 2_000_000, preset="veryfast")
H265_1080P = Encoding((1920, 1080), 25.0, 250, "hevc", 4_000_000)
_CAMERAS = 24
_SECONDS = 20.0
_QUIET_MIX = ("residential_street", "car-detection", "one-by-one-person-detection", "oxford_street_1080p")


def run() -> tuple[Figures, Figures]:
    """Figures of ours, and of the peers; see the module."""
    zoo = Zoo()
    with tempfile.TemporaryDirectory() as scratch:
        valkey = EmbeddedValkey(Path(scratch) / "valkey", _free_port(), Path(scratch) / "valkey.log")
        valkey.start()
        try:
            return _measure(zoo, valkey.url)
        finally:
            valkey.stop()


def _measure(zoo: Zoo, redis: str) -> tuple[Figures, Figures]:
    street = encoded(zoo, "residential_street", H264_720P)
    with ServerProcess({f"c{n}": street for n in range(_CAMERAS)}) as server:
        urls = [server.url(f"c{n}") for n in range(_CAMERAS)]
        floor = _cost("floor", urls, redis)
        ours = _cost("ours", urls, redis)
        same = _cost("opencv_same_looks", urls, redis)
        every = _cost("opencv_every_frame", urls[:2], redis, looks_a_second=25.0)
    long_gop = encoded(zoo, "oxford_street_1080p", H265_1080P)
    with ServerProcess({f"h{n}": long_gop for n in range(4)}) as server:
        hevc = _cost("ours", [server.url(f"h{n}") for n in range(4)], redis)
        hevc_peer = _cost("opencv_same_looks", [server.url(f"h{n}") for n in range(4)], redis)
    quiet, off, lost = _quiet(zoo, redis)
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
        "quiet_lost": float(lost),
        "quiet_cpu_ms_per_camera_second": quiet,
    }
    peers = {
        "floor_cpu_ms_per_camera_second": floor,
        "opencv_same_looks_cpu_ms_per_camera_second": same,
        "opencv_every_frame_cpu_ms_per_camera_second": every,
        "h265_1080p_opencv_same_looks_cpu_ms_per_camera_second": hevc_peer,
        "quiet_gate_off_cpu_ms_per_camera_second": off,
    }
    return figures, peers


def _quiet(zoo: Zoo, redis: str) -> tuple[float, float, int]:
    """Cost with the gate, cost without it, and events of the replay without it that are missing with it."""
    clips = {name: encoded(zoo, name, H264_720P) for name in _QUIET_MIX}
    with ServerProcess({f"{name}-{n}": clip for name, clip in clips.items() for n in range(3)}) as server:
        urls = [server.url(f"{name}-{n}") for name in clips for n in range(3)]
        off = _cost("ours", urls, redis)
        on = _cost("ours_gated", urls, redis)
    detector = load_detector("yolox_nano", zoo)
    lost = 0
    for clip in clips.values():
        camera = camera_at(0, "rtsp://127.0.0.1/c", dwell=16.0)
        seen = [
            {(e.type, e.zone) for e in replay(clip, camera, detector, lambda _: NoEvidence(), gate=gate)}
            for gate in (False, True)
        ]
        lost += len(seen[0] - seen[1])
    return on, off, lost


def _cost(way: str, urls: list[str], redis: str, looks_a_second: float = 0.5) -> float:
    """CPU-ms a camera-second of one way at the promised looks."""
    command = [sys.executable, "-m", "bench.camera_subject", way, *urls, "--seconds", str(_SECONDS)]
    done = subprocess.run(
        command,
        env=os.environ | {"BENCH_REDIS_URL": redis, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    measured = json.loads(done.stdout.splitlines()[-1])
    sys.stderr.write(f"  {way}: {measured}\n")
    seconds = measured["looks"] / looks_a_second  # camera-seconds, by looks really done
    return float(measured["cpu_s"] * 1000 / seconds)


def encoded(zoo: Zoo, name: str, encoding: Encoding) -> Path:
    """A clip of the zoo encoded like that; made once."""
    width, height = encoding.size
    folder = zoo.cache / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}-{encoding.codec}-{width}x{height}-gop{encoding.gop}.mp4"
    return target if target.exists() else encode_clip(zoo.fetch(name)[0], target, encoding)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
