"""From what rules say to events: ids, sequence numbers, and the open intervals of one camera.

The book is part of the state that is spooled with every transition, so a restart goes on with the next sequence
number of the same event and never draws an id twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

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


class Cause(Enum):
    """Why an event is closed that no rule can close any more: what that adds to its reason, (zh, en)."""

    CAMERA_GONE = ("摄像机已移出资源池", "the camera was taken out of the pool")
    ALGORITHM_GONE = ("该摄像机已停用此算法", "the algorithm was taken off this camera")
    STATE_LOST = (
        "算法状态无法恢复，不能继续确认",
        "the rule's state could not be restored, so it cannot be followed on",
    )


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
        confidence: float | None = None,
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
            confidence=confidence,
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

    def close(self, key: MatterKey, time: float, utc: float, clock: Clock, cause: Cause) -> Event | None:
        """Ends a matter without its rule: `closed` with the numbers last told; None where it was a candidate.

        Args:
            key: of one of `matters`.
            time, utc: when, s of stream time and s since 1970 UTC.
            clock: see `Clock`.
            cause: see `Cause`.
        """
        last = self._matters.pop(key).last
        return None if last is None else closed_without_rule(last, time, utc, cause, clock)

    def newest(self) -> float:
        """Stream time of the newest thing known, s; 0 while nothing is."""
        return max((m.started if m.last is None else m.last.stream_time for m in self._matters.values()), default=0.0)

    def matters(self) -> Mapping[MatterKey, Matter]:
        """Every candidate and open event."""
        return dict(self._matters)

    def open_tracks(self) -> frozenset[int]:
        """Track numbers of open events, for the live picture."""
        return frozenset(
            m.last.subject.track
            for m in self._matters.values()
            if m.last is not None and m.last.subject.track is not None
        )

    def open_keys(self) -> tuple[MatterKey, ...]:
        """Of open events, not of candidates."""
        return tuple(sorted(key for key, matter in self._matters.items() if matter.last is not None))

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

    def load(self, data: list[dict[str, Any]]) -> None:
        """Inverse of `dump`. Raises ValueError when the data is of another shape; the book stays as it was."""
        try:
            self._matters = dict(_entry(entry) for entry in data)
        except (KeyError, TypeError) as error:
            raise ValueError(f"event book: not a state ({error})") from error


def closed_without_rule(last: Event, time: float, utc: float, cause: Cause, clock: Clock | None = None) -> Event:
    """The `closed` that follows `last` when no rule can say it: with the numbers and the evidence told so far.

    Args:
        last: the event's newest transition.
        time, utc: when, s of stream time and s since 1970 UTC; never before `last`.
        cause: what the reason says besides.
        clock: None: as it was known at `last`.
    """
    zh, en = cause.value
    ended = round(max(utc, last.utc), 3)
    return last.model_copy(
        update={
            "seq": last.seq + 1,
            "transition": Transition.CLOSED,
            "utc": ended,
            "ended_utc": ended,
            "stream_time": round(max(time, last.stream_time), 3),
            "clock_source": last.clock_source if clock is None else clock.source,
            "clock_error_ms": last.clock_error_ms if clock is None else round(clock.error_ms, 1),
            "reason": {
                "zh": "；".join(filter(None, (last.reason.get("zh"), zh))),
                "en": "; ".join(filter(None, (last.reason.get("en"), en))),
            },
        }
    )


def _entry(entry: dict[str, Any]) -> tuple[MatterKey, Matter]:
    key, last = entry["key"], entry["last"]
    if not (isinstance(key, list) and len(key) == 3):
        raise ValueError(f"event book: {key!r} is not a key")
    matter = Matter(
        id=str(entry["id"]),
        started_utc=float(entry["started_utc"]),
        started=float(entry["started"]),
        last=Event.model_validate(last) if last is not None else None,
    )
    return (str(key[0]), str(key[1]), str(key[2])), matter


def _rounded(subject: Subject) -> Subject:
    """Boxes to a ten-thousandth of the picture: more is noise, and must not reach the bytes."""
    if subject.box is None:
        return subject
    x1, y1, x2, y2 = (round(value, 4) for value in subject.box)
    return subject.model_copy(update={"box": (x1, y1, x2, y2)})
