"""The current pool, read again and again: only what changed since the last time is fetched and built."""

from __future__ import annotations

import json
import threading

from sqlalchemy import Connection, Text, cast, or_, select

from contracts.pool import CHECKED_BEFORE, Camera, Department, Pool
from pool.snapshot import PoolItem
from pool.store import PoolRevision, at, current_revision, history
from pool.tables import items


class PoolReader:
    """Holds the newest revision it has seen. Thread-safe; unchanged cameras stay the very same objects."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: PoolRevision | None = None

    def read(self, connection: Connection) -> PoolRevision | None:
        """The pool as it stands; None before the first import.

        Costs one small query while nothing changed, and the edited rows after an edit.
        """
        with self._lock:
            revision = current_revision(connection)
            if revision is None:
                self._seen = None
            elif self._seen is None or revision < self._seen.revision:  # also: another database was restored
                self._seen = at(connection, revision)
            elif revision > self._seen.revision:
                self._seen = self._updated(connection, self._seen, revision)
            return self._seen

    def _updated(self, connection: Connection, seen: PoolRevision, revision: int) -> PoolRevision:
        departments: dict[str, Department] = {item.id: item for item in seen.pool.departments}
        cameras: dict[str, Camera] = {item.id: item for item in seen.pool.cameras}
        columns = (items.c.kind, items.c.id, items.c.until, cast(items.c.document, Text))
        touched = or_(items.c.since > seen.revision, items.c.until > seen.revision) & (items.c.since <= revision)
        for row in connection.execute(select(*columns).where(touched).order_by(items.c.since)):
            gone = row.until is not None and row.until <= revision
            item = None if gone else _item(row.kind, row[3])
            if row.kind == "camera":
                cameras.pop(row.id, None)
            else:
                departments.pop(row.id, None)
            if isinstance(item, Camera):
                cameras[item.id] = item
            elif item is not None:
                departments[item.id] = item
        pool = Pool.model_construct(
            version=1,
            departments=tuple(departments[key] for key in sorted(departments)),
            cameras=tuple(cameras[key] for key in sorted(cameras)),
        )
        return PoolRevision(history(connection, newest=revision, limit=1)[0], pool)


def cameras_of(connection: Connection) -> dict[str, Camera]:
    """The cameras of the pool as it stands, by id; for who asks once."""
    found = PoolReader().read(connection)
    return {} if found is None else {camera.id: camera for camera in found.pool.cameras}


def _item(kind: str, document: str) -> PoolItem:
    model = Camera if kind == "camera" else Department
    return model.model_validate(json.loads(document), context=CHECKED_BEFORE)
