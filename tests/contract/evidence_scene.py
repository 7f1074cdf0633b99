"""What the tests of evidence share: events that have been consumed."""

from __future__ import annotations

import time

from contracts.records import Event
from events import queries
from tests.e2e.console_city import City, opened


def consumed(city: City, *events: Event) -> None:
    """Publishes the events as a worker does and waits until the consumer has committed the last one."""
    city.publish(*(opened(event) for event in events))
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with city.engine.connect() as connection:
            found = queries.get_event(connection, events[-1].id)
        if found is not None and found.event.seq == events[-1].seq:
            return
        time.sleep(0.05)
    raise AssertionError("the consumer did not take the events")
