"""From what rules say to events: ids, sequence numbers, and the open intervals of one camera.

The book is part of the state that is spooled with every transition, so a restart goes on with the next sequence
number of the same event and never draws an id twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from contracts.algorithms import AlgorithmParameters
from contracts.pool import Camera
from contracts.records import ClockSource, Event, EvidenceRef, Provenance, Subject, Transition, event_id
from contracts.vision import Look
from pipeline.rules.base import Output, Step


@dataclass(frozen=True, slots=True)
class Clock:
    """How well stream time is tied to UTC just now."""

    source: ClockSource
    error_ms: float


@dataclass(frozen=True, slots=True)
class Matter:
    """A candidate (`last` is None) or an open event.

    Attributes:
        id: the event's id, drawn when the matter was first heard of.
        started_utc: s since 1970 UTC, fixed from then on.
        started: the same in stream time, s.
        last: the newest transition.
    """

    id: str
    started_utc: float
    started: float
    last: Event | None = None


MatterKey = tuple[str, str, str]  # event type, zone, Output.key

_TRANSITIONS = {
    Step.OPENED: Transition.OPENED,
    Step.UPDATED: Transition.UPDATED,
    Step.CLOSED: Transition.CLOSED,
}


class EventBook:
    """One camera's candidates and open events. Not thread-safe: it belongs to the compute thread."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._matters: dict[MatterKey, Matter] = {}

    def recamera(self, camera: Camera) -> None:
        """The camera's entry was edited (zones, names); what is open stays open."""
        self._camera = camera

    def matter(self, event_type: str, output: Output, look: Look) -> Matter:
        """The matter this output is about, begun when it is heard of for the first time."""
        key = (event_type, output.zone, output.key)
        known = self._matters.get(key)
        if known is not None:
            return known
        started_utc = round(look.utc - (look.time - output.started), 3)
        begun = Matter(
            id=event_id(self._camera.id, event_type, output.zone, output.key, round(started_utc * 1000)),
            started_utc=started_utc,
            started=output.started,
        )
        self._matters[key] = begun
        return begun

    def dissolve(self, event_type: str, output: Output) -> None:
        """The candidate came to nothing."""
        self._matters.pop((event_type, output.zone, output.key), None)

    def transition(
        self,
        output: Output,
        look: Look,
        clock: Clock,
        parameters: AlgorithmParameters,
        provenance: Provenance,
        evidence: tuple[EvidenceRef, ...],
    ) -> Event:
        """The event that an OPENED, UPDATED or CLOSED output makes; earlier evidence is carried along."""
        key = (provenance.algorithm, output.zone, output.key)
        matter = self.matter(provenance.algorithm, output, look)
        closed = output.step is Step.CLOSED
        event = Event(
            id=matter.id,
            seq=0 if matter.last is None else matter.last.seq + 1,
            transition=_TRANSITIONS[output.step],
            type=provenance.algorithm,
            severity=parameters.severity,
            camera=self._camera.id,
            department=self._camera.department,
            zone=output.zone,
            grid=self._camera.grid,
            started_utc=matter.started_utc,
            utc=round(look.utc, 3),
            ended_utc=round(look.utc - (look.time - output.time), 3) if closed else None,
            stream_time=round(output.time, 3),
            clock_source=clock.source,
            clock_error_ms=round(clock.error_ms, 1),
            subject=_rounded(output.subject),
            numbers=output.numbers,
            reason=output.reason,
            evidence=(matter.last.evidence if matter.last else ()) + evidence,
            provenance=provenance,
        )
        if closed:
            del self._matters[key]
        else:
            self._matters[key] = replace(matter, last=event)
        return event

    def attach(self, event: str, utc: float, stream_time: float, evidence: tuple[EvidenceRef, ...]) -> Event | None:
        """`updated` with evidence that was not ready before; None when the event is no longer open."""
        for key, matter in self._matters.items():
            if matter.id == event and matter.last is not None:
                updated = matter.last.model_copy(
                    update={
                        "seq": matter.last.seq + 1,
                        "transition": Transition.UPDATED,
                        "utc": round(utc, 3),
                        "stream_time": round(stream_time, 3),
                        "evidence": matter.last.evidence + evidence,
                    }
                )
                self._matters[key] = replace(matter, last=updated)
                return updated
        return None

    def open_tracks(self) -> frozenset[int]:
        """Track numbers of open events, for the live picture."""
        return frozenset(
            m.last.subject.track
            for m in self._matters.values()
            if m.last is not None and m.last.subject.track is not None
        )

    def open_ids(self) -> frozenset[str]:
        return frozenset(m.id for m in self._matters.values())

    def dump(self) -> list[dict[str, object]]:
        """JSON-able state."""
        return [
            {
                "key": list(key),
                "id": m.id,
                "started_utc": m.started_utc,
                "started": m.started,
                "last": m.last.model_dump(mode="json") if m.last else None,
            }
            for key, m in self._matters.items()
        ]

    def load(self, data: list[dict[str, object]]) -> None:
        """Inverse of `dump`. Raises ValueError when the data is of another shape."""
        matters: dict[MatterKey, Matter] = {}
        for entry in data:
            key, last = entry["key"], entry["last"]
            if not (isinstance(key, list) and len(key) == 3):
                raise ValueError(f"event book: {key!r} is not a key")
            matters[(str(key[0]), str(key[1]), str(key[2]))] = Matter(
                id=str(entry["id"]),
                started_utc=float(str(entry["started_utc"])),
                started=float(str(entry["started"])),
                last=Event.model_validate(last) if last is not None else None,
            )
        self._matters = matters


def _rounded(subject: Subject) -> Subject:
    """Boxes to a ten-thousandth of the picture: more is noise, and must not reach the bytes."""
    if subject.box is None:
        return subject
    x1, y1, x2, y2 = (round(value, 4) for value in subject.box)
    return subject.model_copy(update={"box": (x1, y1, x2, y2)})
