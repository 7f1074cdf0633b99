"""Writing records to the tables. Every function works in its caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import insert

from contracts.records import Event, Unwatched
from events.tables import event_transitions, events, evidence, ingest_mark, rejected_record, unwatched
from store.bus import NOTHING, Mark
from store.database import at

_LOCK = 0x6376_696E  # "cvin"

# Made once: to put a statement together costs more than to send it.
_OPENED = insert(events).on_conflict_do_nothing(index_elements=["id"])
_SAID = (
    insert(event_transitions)
    .on_conflict_do_nothing(index_elements=["event_id", "seq"])
    .returning(event_transitions.c.position)
)
_ADVANCED = events.update().where(events.c.id == bindparam("of"), events.c.seq <= bindparam("newest"))
_EVIDENCE = insert(evidence).on_conflict_do_nothing()


class TransitionConflict(ValueError):
    """A transition came again under the same id and number, but says something else."""


def lock_ingest(connection: Connection) -> None:
    """One ingesting transaction at a time, so that `position` grows in commit order and nobody reads past a hole."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def read_marks(connection: Connection, workers: Collection[str] | None = None) -> dict[str, Mark]:
    """What is committed of each worker; `NOTHING` for those of `workers` never heard of."""
    query = select(ingest_mark.c.worker, ingest_mark.c.epoch, ingest_mark.c.offset)
    if workers is not None:
        query = query.where(ingest_mark.c.worker.in_(workers))
    known = {worker: Mark(epoch, offset) for worker, epoch, offset in connection.execute(query)}
    return dict.fromkeys(workers or (), NOTHING) | known


def write_marks(connection: Connection, marks: Mapping[str, Mark]) -> None:
    if not marks:
        return
    rows = [{"worker": worker, "epoch": mark.epoch, "offset": mark.offset} for worker, mark in marks.items()]
    statement = insert(ingest_mark)
    changed = {"epoch": statement.excluded.epoch, "offset": statement.excluded.offset, "updated": func.now()}
    connection.execute(statement.on_conflict_do_update(index_elements=["worker"], set_=changed), rows)


def write_event(connection: Connection, worker: str, event: Event) -> int | None:
    """Writes one transition.

    Returns:
        Its position; None when this very transition is there already.

    Raises:
        TransitionConflict: another one is there under its id and number.
    """
    body = event.model_dump(mode="json")
    state = _state(event, body)
    _insert_if_new(connection, event, state)
    said = {"event_id": event.id, "seq": event.seq, "transition": event.transition, "at": at(event.utc)}
    position: int | None = connection.execute(_SAID, said | {"worker": worker, "body": body}).scalar_one_or_none()
    if position is None:
        _require_same(connection, event, body)
        return None
    # The event's row shows the transition with the highest number.
    connection.execute(_ADVANCED, state | {"of": event.id, "newest": event.seq, "position": position})
    _write_evidence(connection, event)
    return position


def write_unwatched(connection: Connection, stretch: Unwatched) -> None:
    """Opens, or ends, a stretch of time not watched."""
    statement = insert(unwatched).values(
        id=stretch.id,
        camera=stretch.camera,
        algorithm=stretch.algorithm,
        reason=stretch.reason,
        start=at(stretch.start_utc),
        end=at(stretch.end_utc) if stretch.end_utc is not None else None,
    )
    ended = func.coalesce(statement.excluded.end, unwatched.c.end)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"end": ended}))


def write_rejected(connection: Connection, worker: str, mark: Mark, error: str, raw: bytes) -> None:
    """Keeps a record that could not be applied, as it came, with the reason."""
    connection.execute(
        insert(rejected_record).values(worker=worker, epoch=mark.epoch, offset=mark.offset, error=error, raw=raw)
    )


def mark_stored(connection: Connection, key: str) -> None:
    """The object store has the bytes now, which waited in a worker's spool when the event was written."""
    connection.execute(evidence.update().where(evidence.c.key == key, ~evidence.c.stored).values(stored=True))


def mark_deleted(connection: Connection, key: str, now: float) -> None:
    """The bytes are gone by policy; `now` in s since 1970 UTC."""
    connection.execute(
        evidence.update().where(evidence.c.key == key, evidence.c.deleted.is_(None)).values(deleted=at(now))
    )


def _insert_if_new(connection: Connection, event: Event, state: dict[str, object]) -> None:
    row = {
        "id": event.id,
        "type": event.type,
        "camera": event.camera,
        "department": event.department,
        "zone": event.zone,
        "started": at(event.started_utc),
        "position": 0,
    }
    connection.execute(_OPENED, row | state)


def _state(event: Event, body: dict[str, object]) -> dict[str, object]:
    return {
        "grid": event.grid,
        "severity": event.severity,
        "seq": event.seq,
        "transition": event.transition,
        "updated": at(event.utc),
        "ended": at(event.ended_utc) if event.ended_utc is not None else None,
        "state": body,
    }


def _require_same(connection: Connection, event: Event, body: dict[str, object]) -> None:
    there = connection.execute(
        select(event_transitions.c.body).where(
            event_transitions.c.event_id == event.id, event_transitions.c.seq == event.seq
        )
    ).scalar_one()
    if there != body:
        raise TransitionConflict(f"event {event.id} already has another transition {event.seq}")


def _write_evidence(connection: Connection, event: Event) -> None:
    if not event.evidence:
        return
    rows = [
        {
            "event_id": event.id,
            "key": ref.key,
            "role": ref.role,
            "sha256": ref.sha256,
            "media_type": ref.media_type,
            "size": ref.size,
            "at": at(ref.utc),
            "derived": ref.derived,
            "stored": ref.stored,
            "seq": event.seq,
        }
        for ref in event.evidence
    ]
    connection.execute(_EVIDENCE, rows)
