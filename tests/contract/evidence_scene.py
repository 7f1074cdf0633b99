"""What the tests of evidence share: events that have been consumed."""

from __future__ import annotations

import time

import cv2
import numpy as np

from contracts.records import Event
from events import queries
from tests.e2e.console_city import City, opened

CLEAR = "?unmasked=1&purpose=tests"
"""Behind the address of evidence: as it was hashed."""


def picture(text: str = "") -> bytes:
    """A small JPEG; other texts are other bytes."""
    bgr = np.full((90, 160, 3), 127, np.uint8)
    cv2.putText(bgr, text, (5, 50), cv2.FONT_HERSHEY_PLAIN, 1.0, (255, 255, 255))
    return cv2.imencode(".jpg", bgr)[1].tobytes()


def consumed(city: City, *events: Event) -> None:
    """Publishes the events as a worker does and waits until the consumer has committed the last one."""
    city.publish(*(opened(event) for event in events))
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with city.engine.connect() as connection:
            found = queries.get_event(connection, events[-1].id)
        if found is not None and found.event.seq == events[-1].seq:
            return
        time.sleep(0.05)
    raise AssertionError("the consumer did not take the events")
