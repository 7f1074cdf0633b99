"""A camera that somebody watches, for tests of its live pictures."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from contracts.live import LiveHeader, encode_live
from tests.e2e.console_city import City


@contextmanager
def sending(city: City, camera: str, jpeg: bytes, utc: float) -> Iterator[None]:
    """While the block runs, the camera's worker publishes that picture whenever somebody watches."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.1):
            if city.bus.watched([camera]):
                city.bus.publish_live(
                    camera, encode_live(LiveHeader(camera=camera, utc=utc, width=160, height=90), jpeg)
                )

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
