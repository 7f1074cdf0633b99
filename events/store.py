"""Writing records to the tables. Every function works in its caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import insert

from contracts.records import Event, Unwatched
from events.tables import event_transitions, events, evidence, ingest_mark, rejected_record, unwatched
from store.bus import NOTHING, Mark
from store.database import at

_LOCK = 0x6376_696E  # "cvin"

_LATEST = ("grid", "severity", "seq", "transition", "updated", "ended", "state", "position")


def _said() -> Any:
    """A transition and its event's row, which shows the one with the highest number; returns the position.

    One statement: asked one after the other, the way to the server and back is most of the time.
    """
    t, e = event_transitions.c, events.c
    transition = {
        t.event_id: bindparam("id", type_=t.event_id.type),
        t.seq: bindparam("seq", type_=t.seq.type),
        t.transition: bindparam("transition", type_=t.transition.type),
        t.at: bindparam("updated", type_=t.at.type),
        t.worker: bindparam("worker", type_=t.worker.type),
        t.body: bindparam("state", type_=t.body.type),
    }
    said = (
        insert(event_transitions)
        .values(transition)
        .on_conflict_do_nothing(index_elements=["event_id", "seq"])
        .returning(t.position)
        .cte("said")
    )
    told = [column for column in e if column.name not in ("is_open", "position")]
    row = select(*(bindparam(column.name, type_=column.type) for column in told), said.c.position)
    shown = insert(events).from_select([*(column.name for column in told), "position"], row)
    shown = shown.on_conflict_do_update(
        index_elements=["id"],
        set_={name: shown.excluded[name] for name in _LATEST},
        where=e.seq <= shown.excluded.seq,
    )
    return select(said.c.position).add_cte(shown.cte("shown"))


# Made once: to put a statement together costs more than to send it.
_SAID = _said()
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
    row = _row(event, body)
    position: int | None = connection.execute(_SAID, row | {"worker": worker}).scalar_one_or_none()
    if position is None:
        _require_same(connection, event, body)
        return None
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


def _row(event: Event, body: dict[str, object]) -> dict[str, object]:
    return {
        "id": event.id,
        "type": event.type,
        "camera": event.camera,
        "department": event.department,
        "zone": event.zone,
        "grid": event.grid,
        "severity": event.severity,
        "seq": event.seq,
        "transition": event.transition,
        "started": at(event.started_utc),
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
