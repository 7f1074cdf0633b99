"""Events as the doors show them: the record, with names from the pool and addresses of the evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from api.pool_view import PoolView
from api.schemas import CaseEvent, EventDetail, EventSummary, EvidenceOut, StreamedEvent, TransitionOut
from contracts.records import Event, EvidenceRef, Transition
from events import types

# Which picture shows an event best in a list.
_BEST_FIRST = ("decision", "density", "latest", "closing", "entry")


@dataclass(frozen=True, slots=True)
class EvidenceDoor:
    """The door at which an event's evidence is shown: its own, or that of a case."""

    event: str
    case: int | None = None

    def url(self, ref: EvidenceRef) -> str:
        room = "/api" if self.case is None else f"/api/cases/{self.case}"
        return f"{room}/events/{self.event}/evidence/{ref.sha256}"


def picture_of(door: EvidenceDoor, refs: Iterable[EvidenceRef]) -> str | None:
    """Address of the picture that shows the event best, among those whose bytes are there."""
    pictures = [ref for ref in refs if ref.media_type.startswith("image/") and ref.stored]
    best = min(pictures, key=lambda ref: _BEST_FIRST.index(ref.role), default=None)
    return door.url(best) if best else None


def waiting_keys(events: Iterable[Event]) -> frozenset[str]:
    """Evidence that had not reached the object store when these transitions were told."""
    return frozenset(ref.key for event in events for ref in event.evidence if not ref.stored)


def with_stored(event: Event, arrived: Collection[str]) -> Event:
    """The event, its evidence under the keys in `arrived` marked as stored."""
    if not any(ref.key in arrived for ref in event.evidence):
        return event
    refs = tuple(ref.model_copy(update={"stored": True}) if ref.key in arrived else ref for ref in event.evidence)
    return event.model_copy(update={"evidence": refs})


def with_evidence(found: types.EventDetail, refs: Sequence[EvidenceRef]) -> types.EventDetail:
    """The same event with its evidence as it stands now; `refs` in the order of `found.evidence`."""
    rows = (row.model_copy(update={"ref": ref}) for row, ref in zip(found.evidence, refs, strict=True))
    return found.model_copy(update={"evidence": tuple(rows)})


def without(event: Event, gone: Collection[str]) -> Event:
    """The event without its evidence under the keys in `gone`, of which the bytes were deleted."""
    if not any(ref.key in gone for ref in event.evidence):
        return event
    return event.model_copy(update={"evidence": tuple(ref for ref in event.evidence if ref.key not in gone)})


def evidence_out(url: str, row: types.EvidenceRow) -> EvidenceOut:
    """A piece of evidence with its address."""
    return EvidenceOut(**row.ref.model_dump(), url=url, deleted_utc=row.deleted_utc)


def _kept(found: types.EventDetail) -> list[EvidenceRef]:
    """The evidence of which the bytes are not gone by policy."""
    return [row.ref for row in found.evidence if row.deleted_utc is None]


def summary(event: Event, pool: PoolView, refs: Iterable[EvidenceRef] | None = None) -> EventSummary:
    """One event for a list.

    Args:
        refs: evidence of the whole interval where it is known; else that of the newest transition.
    """
    evidence = tuple(event.evidence if refs is None else refs)
    return EventSummary(
        id=event.id,
        type=event.type,
        severity=event.severity,
        state="closed" if event.transition == Transition.CLOSED else "open",
        camera=event.camera,
        camera_name=pool.camera_name(event.camera),
        department=event.department,
        department_name=pool.department_name(event.department),
        zone=event.zone,
        zone_name=pool.zone_name(event.camera, event.zone),
        grid=event.grid,
        started_utc=event.started_utc,
        updated_utc=event.utc,
        ended_utc=event.ended_utc,
        numbers=event.numbers,
        reason=event.reason,
        confidence=event.confidence,
        object_class=event.subject.object_class,
        picture=picture_of(EvidenceDoor(event.id), evidence),
        has_clip=any(ref.role == "clip" for ref in evidence),
    )


def detail(found: types.EventDetail, pool: PoolView) -> EventDetail:
    """Everything about one event."""
    event, door = found.event, EvidenceDoor(found.event.id)
    return EventDetail(
        **summary(event, pool, _kept(found)).model_dump(),
        stream_time=event.stream_time,
        clock_source=event.clock_source,
        clock_error_ms=event.clock_error_ms,
        subject=event.subject,
        provenance=event.provenance,
        evidence=tuple(evidence_out(door.url(row.ref), row) for row in found.evidence),
        transitions=tuple(
            TransitionOut(
                position=row.position,
                seq=row.event.seq,
                transition=row.event.transition,
                severity=row.event.severity,
                utc=row.event.utc,
                numbers=row.event.numbers,
                reason=row.event.reason,
                subject=row.event.subject,
                evidence=tuple(
                    evidence_out(door.url(one.ref), one) for one in found.evidence if one.seq == row.event.seq
                ),
            )
            for row in found.transitions
        ),
        zone_now=pool.zone(event.camera, event.zone),
    )


def of_case(found: types.EventDetail, door: EvidenceDoor) -> CaseEvent:
    """What those who work on a case are told of an event behind it."""
    event = found.event
    return CaseEvent(
        id=event.id,
        type=event.type,
        severity=event.severity,
        started_utc=event.started_utc,
        ended_utc=event.ended_utc,
        reason=event.reason,
        picture=picture_of(door, _kept(found)),
        evidence=tuple(evidence_out(door.url(row.ref), row) for row in found.evidence),
    )


def streamed(note: types.Note, pool: PoolView) -> StreamedEvent:
    """One message of the event stream."""
    return StreamedEvent(position=note.position, event=note.event, summary=summary(note.event, pool))
