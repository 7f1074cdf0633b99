"""One way of watching cameras, in a process of its own, so that its CPU time is all its own.

`python -m bench.camera_subject WAY --seconds S URL …` prints one JSON line: {"cpu_s", "seconds", "cameras", "looks"},
counted over equal looks of every camera, after some that are not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from contracts.errors import SourceError
from contracts.vision import ByteArray
from models.detector import Detector, Prepared, load_detector
from models.zoo import Zoo
from pipeline.source.decode import to_frame

Looks = list[int]
Stop = threading.Event
MODEL = "yolox_nano"
LOOK_EVERY_S = 2.0
MIN_SCORE = 0.35


def watch_ours(urls: list[str], looks: Looks, stop: Stop, *, gate: bool, quiet: bool) -> None:
    """The real worker with spool, publisher and reporter; parking and crowding, or (`quiet`) parking alone."""
    from bench.own_worker import camera_at, own_worker, quiet_camera_at

    make = quiet_camera_at if quiet else camera_at
    cameras = [make(number, url) for number, url in enumerate(urls)]
    detector = load_detector(MODEL, Zoo())
    with tempfile.TemporaryDirectory() as folder, own_worker(Path(folder), cameras, detector, gate=gate) as own:
        while not stop.is_set():
            wait = own.worker.tick(time.monotonic())
            # Looks that the gate sent away were promised and kept too.
            for index, counts in enumerate(own.worker.counts()):
                looks[index] = counts.done + counts.gated
            stop.wait(wait)
        own.worker.close()


def watch_floor(urls: list[str], looks: Looks, stop: Stop) -> None:
    """What nobody can do without: libav demux of every camera, keyframes decoded, the detector on them."""
    detector = load_detector(MODEL, Zoo())
    slots = detector.slots(1)
    lock = threading.Lock()

    def one(index: int) -> None:
        with av.open(urls[index], options={"rtsp_transport": "tcp"}) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            last = float("-inf")
            for packet in container.demux(stream):
                if stop.is_set():
                    return
                if not packet.is_keyframe or packet.pts is None:
                    continue
                assert packet.time_base is not None
                seen = float(packet.pts * packet.time_base)
                if seen - last < LOOK_EVERY_S * 0.9:
                    continue
                last = seen
                frames = packet.decode() + stream.codec_context.decode(None)
                stream.codec_context.flush_buffers()
                with lock:
                    frame = to_frame(frames[-1], 0.0, 0.0)
                    detector.detect(slots, [detector.prepare(frame, slots[0])], MIN_SCORE)
                looks[index] += 1

    _each(urls, one, stop)


def watch_opencv(urls: list[str], looks: Looks, stop: Stop, *, every: int) -> None:
    """`cv2.VideoCapture` a camera; every `every`-th picture is retrieved and goes through the same detector."""
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp|threads;1")
    detector = load_detector(MODEL, Zoo())
    slots = detector.slots(1)
    lock = threading.Lock()

    def one(index: int) -> None:
        capture = cv2.VideoCapture(urls[index], cv2.CAP_FFMPEG)
        pictures = 0
        while not stop.is_set() and capture.grab():
            pictures += 1
            if pictures % every:
                continue
            bgr = np.asarray(capture.retrieve()[1], np.uint8)
            with lock:
                _detect_bgr(detector, slots, bgr)
            looks[index] += 1

    _each(urls, one, stop)


def _detect_bgr(detector: Detector, slots: np.ndarray[Any, np.dtype[np.float32]], bgr: ByteArray) -> None:
    """The usual preparation of a BGR picture: letterbox by one resize, planes by transpose."""
    height, width = slots.shape[2:]
    ratio = min(width / bgr.shape[1], height / bgr.shape[0])
    size = (int(bgr.shape[1] * ratio), int(bgr.shape[0] * ratio))
    small = np.asarray(cv2.resize(bgr, size), np.uint8)
    slots[0] = 114.0
    slots[0, :, : size[1], : size[0]] = small.transpose(2, 0, 1)
    detector.detect(slots, [Prepared(slots[0], small, (float(size[0]), float(size[1])), (0.0, 0.0))], MIN_SCORE)


def _each(urls: list[str], one: Callable[[int], None], stop: Stop) -> None:
    threads = [threading.Thread(target=one, args=(index,), daemon=True) for index in range(len(urls))]
    for thread in threads:
        thread.start()
    while not stop.wait(0.2):
        if not any(thread.is_alive() for thread in threads):
            raise SourceError("every stream ended")


WAYS: dict[str, Callable[[list[str], Looks, Stop], None]] = {
    "ours": lambda urls, looks, stop: watch_ours(urls, looks, stop, gate=False, quiet=False),
    "ours_quiet": lambda urls, looks, stop: watch_ours(urls, looks, stop, gate=False, quiet=True),
    "ours_quiet_gated": lambda urls, looks, stop: watch_ours(urls, looks, stop, gate=True, quiet=True),
    "floor": watch_floor,
    "opencv_same_looks": lambda urls, looks, stop: watch_opencv(urls, looks, stop, every=50),
    "opencv_every_frame": lambda urls, looks, stop: watch_opencv(urls, looks, stop, every=1),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=list(WAYS))
    parser.add_argument("urls", nargs="+")
    parser.add_argument("--warm", type=int, default=6, help="looks a camera before counting begins")
    parser.add_argument("--looks", type=int, default=10, help="looks a camera to count")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    looks: Looks = [0] * len(arguments.urls)
    stop, counted = Stop(), threading.Event()

    def count() -> None:
        """From one look of the slowest camera to another: every way is measured over equal looks a camera."""
        _reach(looks, [arguments.warm] * len(looks))
        before, began, done = time.process_time(), time.monotonic(), list(looks)
        _reach(looks, [n + arguments.looks for n in done])
        measured = {
            "cpu_s": time.process_time() - before,
            "seconds": time.monotonic() - began,
            "looks": sum(looks) - sum(done),
            "cameras": len(looks),
        }
        sys.stdout.write(json.dumps(measured) + "\n")
        sys.stdout.flush()
        counted.set()
        stop.set()

    threading.Thread(target=count, daemon=True).start()
    WAYS[arguments.way](arguments.urls, looks, stop)
    counted.wait()
    os._exit(0)  # the peers' threads are inside their libraries, which do not survive the interpreter's end


def _reach(looks: Looks, wanted: list[int], limit_s: float = 240.0) -> None:
    deadline = time.monotonic() + limit_s
    while any(n < w for n, w in zip(looks, wanted, strict=True)) and time.monotonic() < deadline:
        time.sleep(0.02)


if __name__ == "__main__":
    main()
