"""The pool's revisions in Postgres: after the first import they are the truth, the files a watched import.

Each camera and department is kept as a row a state, valid from one revision to another, so that an edit of one
camera costs one row however large the pool is, and every revision can be read again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Text, bindparam, cast, func, insert, or_, select, update

from contracts.errors import StaleRevision
from contracts.pool import Camera, Pool, Zone
from contracts.snapshot import read_snapshot
from pool.cross import Item, Lines, cross_faults
from pool.faults import PoolFaults
from pool.merge import Merge, conflict_text, merge
from pool.parse import parse_camera
from pool.snapshot import PoolItem, digest_of, item_digest
from pool.tables import items, revisions

_LOCK = 0x63_76_70_6C  # "cvpl": one edit of the pool at a time, whoever makes it

_KINDS = ("department", "camera")
_NOW = items.c.until.is_(None)


@dataclass(frozen=True, slots=True)
class RevisionInfo:
    """One revision: who, when, and ids of what it changed, {"camera": {"added": [...], …}, "department": …}."""

    revision: int
    parent: int | None
    digest: str
    author: str
    note: str
    created_at: datetime
    changes: dict[str, dict[str, list[str]]]


@dataclass(frozen=True, slots=True)
class PoolRevision:
    """A revision with its pool; departments and cameras in the order of their ids."""

    info: RevisionInfo
    pool: Pool

    @property
    def revision(self) -> int:
        return self.info.revision

    @property
    def digest(self) -> str:
        return self.info.digest


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did; `revision` is the current one afterwards, the same as before when nothing changed.

    Attributes:
        kept: ids of cameras whose edits in the console outlive these files.
        conflicts: one sentence for each camera or department that was edited on both sides and therefore refused.
    """

    revision: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    conflicts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _State:
    """The current row of an item, without its document."""

    digest: str
    file_digest: str | None
    since: int
    refers: str | None


def current_revision(connection: Connection) -> int | None:
    """Number of the current revision; None before the first import."""
    revision: int | None = connection.scalar(select(func.max(revisions.c.revision)))
    return revision


def current(connection: Connection) -> PoolRevision | None:
    """The pool as it stands; None before the first import."""
    revision = current_revision(connection)
    return at(connection, revision) if revision is not None else None


def at(connection: Connection, revision: int) -> PoolRevision:
    """The pool as it stood at a revision.

    Raises:
        StaleRevision: there is no such revision.
    """
    infos = history(connection, newest=revision, limit=1)
    if not infos or infos[0].revision != revision:
        raise StaleRevision(f"there is no revision {revision} of the pool", "read the current one")
    holds = (items.c.since <= revision) & or_(_NOW, items.c.until > revision)
    rows = connection.execute(
        select(items.c.kind, cast(items.c.document, Text)).where(holds).order_by(items.c.kind, items.c.id)
    )
    documents: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    for kind, document in rows:
        documents[kind].append(document)
    departments, cameras = (",".join(documents[kind]) for kind in _KINDS)
    text = f'{{"version":1,"departments":[{departments}],"cameras":[{cameras}]}}'
    return PoolRevision(infos[0], read_snapshot(text.encode()))


def history(connection: Connection, *, newest: int | None = None, limit: int = 50) -> list[RevisionInfo]:
    """Revisions from `newest` (default: the current one) backwards."""
    query = select(revisions).order_by(revisions.c.revision.desc()).limit(limit)
    if newest is not None:
        query = query.where(revisions.c.revision <= newest)
    return [
        RevisionInfo(row.revision, row.parent, row.digest, row.author, row.note, row.created_at, row.changes)
        for row in connection.execute(query)
    ]


def import_pool(
    connection: Connection, pool: Pool, author: str, expected_revision: int | None = None, note: str = "import"
) -> ImportResult:
    """Takes the files in, in the caller's transaction, without undoing what was edited in the console meanwhile.

    Args:
        pool: as the files say.
        expected_revision: refuse when the current revision is another; None to merge with whatever it is.

    Raises:
        StaleRevision: see `expected_revision`.
        PoolFaults: what would result does not fit together (a department left that a kept camera belongs to).
    """
    parent = _locked(connection)
    if expected_revision is not None and parent != expected_revision:
        raise _stale(expected_revision, parent)
    states = {kind: _states(connection, kind) for kind in _KINDS}
    new: dict[str, Mapping[str, PoolItem]] = {
        "department": {department.id: department for department in pool.departments},
        "camera": {camera.id: camera for camera in pool.cameras},
    }
    digests = {kind: {key: item_digest(item) for key, item in new[kind].items()} for kind in _KINDS}
    merges = {kind: _merge(digests[kind], states[kind]) for kind in _KINDS}
    _require_consistent(new, states, merges)
    changes = {kind: _changes(merges[kind], states[kind]) for kind in _KINDS}
    revision = parent if parent is not None else 0
    if parent is None or any(any(ids.values()) for ids in changes.values()):
        after = {kind: _digests_after(merges[kind], digests[kind], states[kind]) for kind in _KINDS}
        digest = digest_of(after["department"], after["camera"])
        revision = _new_revision(connection, parent, digest, author, note, changes)
    for kind in _KINDS:
        gone = [*merges[kind].drop, *(key for key in merges[kind].take if key in states[kind])]
        _end(connection, kind, gone, revision)
        _begin(
            connection,
            revision,
            [(new[kind][key], digests[kind][key], digests[kind][key]) for key in merges[kind].take],
        )
        _rebase(
            connection,
            kind,
            {key: digests[kind][key] for key in merges[kind].same if key in digests[kind]},
            states[kind],
        )
    cameras = changes["camera"]
    return ImportResult(
        revision=revision,
        added=tuple(cameras["added"]),
        changed=tuple(cameras["changed"]),
        removed=tuple(cameras["removed"]),
        kept=merges["camera"].keep,
        conflicts=tuple(text for kind in _KINDS for text in conflict_text(kind, merges[kind].refuse)),
    )


def edit_camera(connection: Connection, camera: Camera, expected_revision: int, author: str, note: str = "") -> int:
    """Replaces one camera; the new revision, or the current one when nothing differs.

    Two people editing two cameras do not disturb each other: an edit is stale when this camera changed after
    `expected_revision`.

    Raises:
        StaleRevision: the camera changed or left since then.
        PoolFaults: the camera's department does not exist.
    """
    parent = _locked(connection)
    state = _states(connection, "camera", camera.id).get(camera.id)
    if parent is None or state is None or state.since > expected_revision or expected_revision > parent:
        raise _stale(expected_revision, parent, camera.id)
    digest = item_digest(camera)
    if digest == state.digest:
        return parent
    _require_department(connection, camera)
    digests = {kind: _digests(connection, kind) for kind in _KINDS}
    digests["camera"][camera.id] = digest
    changes = {"camera": {"added": [], "changed": [camera.id], "removed": []}}
    whole = digest_of(digests["department"], digests["camera"])
    revision = _new_revision(connection, parent, whole, author, note or f"edit of {camera.id}", changes)
    _end(connection, "camera", [camera.id], revision)
    _begin(connection, revision, [(camera, digest, state.file_digest)])
    return revision


def edit_camera_zones(
    connection: Connection, camera_id: str, zones: Sequence[Zone], expected_revision: int, author: str, note: str = ""
) -> int:
    """Replaces the zones of one camera; the new revision.

    Raises:
        StaleRevision: the camera changed after `expected_revision`, or is not in the pool.
        PoolFaults: the zones do not fit the camera and its algorithms; all faults at once.
    """
    parent = _locked(connection)
    document = connection.scalar(
        select(items.c.document).where(_NOW, items.c.kind == "camera", items.c.id == camera_id)
    )
    if document is None:
        raise _stale(expected_revision, parent, camera_id)
    edited = document | {"zones": [zone.model_dump(mode="json", by_alias=True) for zone in zones]}
    return edit_camera(connection, parse_camera(edited), expected_revision, author, note or f"zones of {camera_id}")


def _locked(connection: Connection) -> int | None:
    """Waits for other edits to end; the current revision."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    return current_revision(connection)


def _stale(expected: int, current_one: int | None, camera: str | None = None) -> StaleRevision:
    what = f"camera {camera!r} changed or left" if camera else "the pool changed"
    return StaleRevision(
        f"{what} since revision {expected} (now {current_one or 0})", "read it again and repeat the edit"
    )


def _states(connection: Connection, kind: str, only: str | None = None) -> dict[str, _State]:
    key = "department" if kind == "camera" else "parent"
    query = select(items.c.id, items.c.digest, items.c.file_digest, items.c.since, items.c.document[key].astext).where(
        _NOW, items.c.kind == kind
    )
    if only is not None:
        query = query.where(items.c.id == only)
    return {row[0]: _State(*row[1:]) for row in connection.execute(query)}


def _digests(connection: Connection, kind: str) -> dict[str, str]:
    rows = connection.execute(select(items.c.id, items.c.digest).where(_NOW, items.c.kind == kind))
    return {key: digest for key, digest in rows}  # noqa: C416 - rows are no pairs to mypy


def _merge(digests: Mapping[str, str], states: Mapping[str, _State]) -> Merge:
    base = {key: state.file_digest for key, state in states.items() if state.file_digest is not None}
    return merge(digests, {key: state.digest for key, state in states.items()}, base)


def _changes(merged: Merge, states: Mapping[str, _State]) -> dict[str, list[str]]:
    return {
        "added": [key for key in merged.take if key not in states],
        "changed": [key for key in merged.take if key in states],
        "removed": list(merged.drop),
    }


def _digests_after(merged: Merge, digests: Mapping[str, str], states: Mapping[str, _State]) -> dict[str, str]:
    stay = {key: states[key].digest for key in (*merged.same, *merged.keep, *merged.refuse) if key in states}
    return stay | {key: digests[key] for key in merged.take}


def _require_consistent(
    new: Mapping[str, Mapping[str, PoolItem]],
    states: Mapping[str, Mapping[str, _State]],
    merges: Mapping[str, Merge],
) -> None:
    nowhere = Lines(lambda: None)
    after: dict[str, list[Item]] = {}
    for kind in _KINDS:
        merged = merges[kind]
        stay = [key for key in (*merged.same, *merged.keep, *merged.refuse) if key in states[kind]]
        refers = {key: states[kind][key].refers for key in stay}
        refers |= {key: _refers(new[kind][key]) for key in merged.take}
        after[kind] = [Item("", (f"{kind}s", key), None, key, refers[key], nowhere) for key in sorted(refers)]
    faults = cross_faults(after["department"], after["camera"], complete=True)
    if faults:
        raise PoolFaults(faults)


def _refers(item: PoolItem) -> str | None:
    return item.department if isinstance(item, Camera) else item.parent


def _require_department(connection: Connection, camera: Camera) -> None:
    departments = [
        Item("", ("departments", key), None, key, None, Lines(lambda: None))
        for key in _digests(connection, "department")
    ]
    edited = Item.of_camera("", 0, camera, None, Lines(lambda: None))
    faults = cross_faults(departments, [edited], complete=True)
    if faults:
        raise PoolFaults(faults)


def _new_revision(
    connection: Connection,
    parent: int | None,
    digest: str,
    author: str,
    note: str,
    changes: Mapping[str, Mapping[str, list[str]]],
) -> int:
    revision = (parent or 0) + 1
    connection.execute(
        insert(revisions).values(
            revision=revision, parent=parent, digest=digest, author=author, note=note, changes=changes
        )
    )
    return revision


def _end(connection: Connection, kind: str, ids: Sequence[str], revision: int) -> None:
    if ids:
        connection.execute(update(items).where(_NOW, items.c.kind == kind, items.c.id.in_(ids)).values(until=revision))


def _begin(connection: Connection, revision: int, states: Sequence[tuple[PoolItem, str, str | None]]) -> None:
    """New states: (item, its digest, its digest in the files)."""
    rows = [
        {
            "kind": "camera" if isinstance(item, Camera) else "department",
            "id": item.id,
            "since": revision,
            "digest": digest,
            "file_digest": file_digest,
            "document": item.model_dump(mode="json", by_alias=True),
        }
        for item, digest, file_digest in states
    ]
    if rows:
        connection.execute(insert(items), rows)


def _rebase(connection: Connection, kind: str, digests: Mapping[str, str], states: Mapping[str, _State]) -> None:
    """Notes that the files say what the pool says already: the base of the next merge."""
    rows = [{"of": key, "now": digest} for key, digest in digests.items() if states[key].file_digest != digest]
    if rows:
        connection.execute(
            update(items)
            .where(_NOW, items.c.kind == kind, items.c.id == bindparam("of"))
            .values(file_digest=bindparam("now")),
            rows,
        )
