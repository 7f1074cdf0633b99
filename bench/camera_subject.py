"""One way of watching cameras, in a process of its own, so that its CPU time is all its own.

`python -m bench.camera_subject WAY --seconds S URL …` prints one JSON line: {"cpu_s", "seconds", "cameras", "looks"},
counted from when every camera has been looked at twice.
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


def watch_ours(urls: list[str], looks: Looks, stop: Stop, *, gate: bool) -> None:
    """The real worker with spool, publisher and reporter, parking and crowding on every camera."""
    from bench.own_worker import own_worker

    detector = load_detector(MODEL, Zoo())
    with tempfile.TemporaryDirectory() as folder, own_worker(Path(folder), urls, detector, gate=gate) as own:
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
    "ours": lambda urls, looks, stop: watch_ours(urls, looks, stop, gate=False),
    "ours_gated": lambda urls, looks, stop: watch_ours(urls, looks, stop, gate=True),
    "floor": watch_floor,
    "opencv_same_looks": lambda urls, looks, stop: watch_opencv(urls, looks, stop, every=50),
    "opencv_every_frame": lambda urls, looks, stop: watch_opencv(urls, looks, stop, every=1),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=list(WAYS))
    parser.add_argument("urls", nargs="+")
    parser.add_argument("--seconds", type=float, default=20.0)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    looks: Looks = [0] * len(arguments.urls)
    stop = Stop()
    measured: dict[str, float] = {}

    def clock() -> None:
        deadline = time.monotonic() + 60
        while min(looks) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        before, began, done = time.process_time(), time.monotonic(), sum(looks)
        time.sleep(arguments.seconds)
        measured.update(
            cpu_s=time.process_time() - before,
            seconds=time.monotonic() - began,
            looks=sum(looks) - done,
            cameras=len(looks),
        )
        stop.set()

    threading.Thread(target=clock, daemon=True).start()
    WAYS[arguments.way](arguments.urls, looks, stop)
    while "looks" not in measured:
        time.sleep(0.05)
    sys.stdout.write(json.dumps(measured) + "\n")
    sys.stdout.flush()
    os._exit(0)  # the peers' threads are inside their libraries, which do not survive the interpreter's end


if __name__ == "__main__":
    main()
