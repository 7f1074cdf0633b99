"""What a load worker is going to say, known in advance: a pure function of (worker, step)."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.records import (
    ClockSource,
    Event,
    Provenance,
    Severity,
    Subject,
    Transition,
    event_id,
)

CAMERAS = 4
PER_EVENT = 4  # opened, two updates, closed
_BEGIN = 1_700_000_000.0


def event_at(worker: str, camera: int, step: int) -> Event:
    """Transition number `step` of one camera: its events follow one another, `PER_EVENT` transitions each."""
    number, seq = divmod(step, PER_EVENT)
    name = f"{worker}-cam{camera}"
    started = _BEGIN + 60.0 * number
    transition = Transition.OPENED if seq == 0 else Transition.CLOSED if seq == PER_EVENT - 1 else Transition.UPDATED
    utc = started + 10.0 * seq
    return Event(
        id=event_id(name, "illegal_parking", "zone", f"track:{number}", round(started * 1000)),
        seq=seq,
        transition=transition,
        type="illegal_parking",
        severity=Severity.MINOR,
        camera=name,
        department="traffic",
        zone="zone",
        started_utc=started,
        utc=utc,
        ended_utc=utc if transition is Transition.CLOSED else None,
        stream_time=60.0 * number + 10.0 * seq,
        clock_source=ClockSource.ARRIVAL,
        clock_error_ms=40.0,
        subject=Subject(track=number, object_class="car", box=(0.1, 0.2, 0.3, 0.4)),
        numbers={"still_s": 10.0 * seq},
        reason={"zh": "停留", "en": "standing"},
        provenance=Provenance(
            algorithm="illegal_parking", algorithm_version="1", model="none", model_sha256="0" * 64, config_digest="0"
        ),
    )


def expected(worker: str, steps: int) -> Iterator[tuple[str, int]]:
    """(event id, seq) of everything a worker says in `steps` steps of each of its cameras."""
    for camera in range(CAMERAS):
        for step in range(steps):
            event = event_at(worker, camera, step)
            yield event.id, event.seq
