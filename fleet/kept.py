"""A camera's kept state as bytes: what a worker goes on from after a restart, a fault, or a camera's move.

Written by `WatchedCamera.dump`; read here where there is no camera to load it into.
"""

from __future__ import annotations

from typing import Any

import orjson

from contracts.records import Event, Unwatched
from pipeline.coverage import Coverage, closed
from pipeline.eventbook import Cause, closed_without_rule


def parse(state: bytes) -> dict[str, Any]:
    """Raises ValueError when it is not a JSON object."""
    found = orjson.loads(state)
    if not isinstance(found, dict):
        raise ValueError("the kept state is not an object")
    return found


def coverage_state(coverage: Coverage) -> list[object]:
    """JSON-able."""
    blind = [one.model_dump(mode="json") for one in coverage.blind]
    return [coverage.last_utc, coverage.open.model_dump(mode="json") if coverage.open else None, blind]


def coverage_of(state: dict[str, Any]) -> Coverage:
    """Inverse of `coverage_state`. Raises KeyError, TypeError or ValueError on another shape."""
    last_utc, interval, *rest = state["coverage"]
    whole = Unwatched.model_validate(interval) if interval is not None else None
    # Before rules could be blind one by one there was no third entry.
    blind = tuple(Unwatched.model_validate(one) for one in (rest[0] if rest else ()))
    return Coverage(float(last_utc), whole, blind)


def newer(one: bytes | None, other: bytes | None) -> bytes | None:
    """The state that knows of the later look; what cannot be read counts for nothing."""
    return max((state for state in (one, other) if state), key=_last_utc, default=None)


def _last_utc(state: bytes) -> float:
    try:
        return coverage_of(parse(state)).last_utc
    except (ValueError, KeyError, TypeError):
        return float("-inf")


def has_open_events(state: bytes) -> bool:
    """Raises ValueError, KeyError or TypeError when it is of another shape."""
    return any(isinstance(end, Event) for end in withdrawn(parse(state), 0.0))


def withdrawn(state: dict[str, Any], now_utc: float) -> list[Event | Unwatched]:
    """What ends with a camera that left the pool while nobody watched it: open events and the unwatched interval.

    As `WatchedCamera.withdraw`, where there is no chain any more: events end with the last look.

    Args:
        state: of the camera; may lack a chain.
        now_utc: s since 1970 UTC.

    Raises:
        ValueError, KeyError, TypeError: it is of another shape.
    """
    coverage = coverage_of(state)
    book = state["chain"]["book"] if "chain" in state else []
    told = [Event.model_validate(entry["last"]) for entry in book if entry["last"] is not None]
    ends: list[Event | Unwatched] = [_closed(last, coverage.last_utc) for last in told]
    return [*ends, *closed(coverage, now_utc)]


def _closed(last: Event, ended_utc: float) -> Event:
    """What ends an event whose camera is gone; nothing is left here but its newest transition."""
    time = last.stream_time + ended_utc - last.utc
    return closed_without_rule(last, time, ended_utc, Cause.CAMERA_GONE)
