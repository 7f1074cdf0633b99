"""Versions that are kept: frozen, without leakage, under the hash of what they hold; none is changed or removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.postgresql import insert

from algorithm_repo.archive.tables import dataset_versions
from algorithm_repo.datasets.alike import CHECK, Pair
from algorithm_repo.datasets.split import across
from algorithm_repo.datasets.types import Manifest, Sha256, Task
from contracts.errors import ConfigError, StoreError
from contracts.records import Contract
from store.objects import ObjectStore

_d = dataset_versions.c


class DatasetVersion(Contract):
    """One version, without its items. `items`: how many it has."""

    digest: Sha256
    name: str
    task: Task
    parent: Sha256 | None
    items: int
    note: str
    author: str
    created_utc: float


def keep(
    connection: Connection, objects: ObjectStore, manifest: Manifest, alike: Sequence[Pair], author: str
) -> DatasetVersion:
    """Keeps a version; the same one again is that one.

    Args:
        alike: pairs of its items that are nearly the same picture (`alike.pairs`), but for those that are on one side
            of the parent both.
        author: name of the account that froze it.

    Raises:
        ConfigError: it is not frozen, leaks from one side to another, or has a parent that is not kept.
        ObjectsUnavailable: the object store is down; nothing was kept.
    """
    missing = [item.name for item in manifest.items if item.side is None]
    if not manifest.frozen:
        what = f"{len(missing)} items have no side, {missing[0]!r} first" if missing else "it has no items"
        raise ConfigError(f"{manifest.name}: {what}", "split it first")
    leaks = across(manifest, alike)
    if leaks:
        names = {item.content: item.name for item in manifest.items}
        first = f"{names[leaks[0].first]!r} and {names[leaks[0].second]!r}"
        raise ConfigError(f"{manifest.name}: {len(leaks)} pairs are on two sides, {first} first", "split it anew")
    if manifest.parent is not None and find(connection, manifest.parent) is None:
        raise ConfigError(f"parent: there is no version {manifest.parent}", "keep the parent first")
    digest = manifest.digest
    objects.put(_key(digest), b"".join(manifest.lines()), "application/jsonl")
    values = {
        "digest": digest,
        "name": manifest.name,
        "task": manifest.task,
        "parent": manifest.parent,
        "items": len(manifest.items),
        "note": manifest.note,
        "author": author,
        "checked": CHECK,
    }
    connection.execute(insert(dataset_versions).values(values).on_conflict_do_nothing())
    found = find(connection, digest)
    assert found is not None
    return found


def find(connection: Connection, digest: str) -> DatasetVersion | None:
    """One version; None where there is none."""
    row = connection.execute(select(dataset_versions).where(_d.digest == digest)).one_or_none()
    return None if row is None else _version(row)


def is_checked(connection: Connection, digest: str) -> bool:
    """Whether the present check of leakage has found a version well."""
    found = connection.execute(select(_d.checked).where(_d.digest == digest)).scalar_one_or_none()
    return found is not None and found >= CHECK


def listed(connection: Connection, name: str | None = None) -> list[DatasetVersion]:
    """All versions, or those of one name, the newest first."""
    query = select(dataset_versions).order_by(_d.created.desc(), _d.digest)
    if name is not None:
        query = query.where(_d.name == name)
    return [_version(row) for row in connection.execute(query)]


def load(connection: Connection, objects: ObjectStore, digest: str) -> Manifest:
    """What a version holds.

    Raises:
        ConfigError: there is none.
        StoreError: what is kept under its hash is not what it was made of.
        ObjectMissing, ObjectsUnavailable: the object store does not have it, or is down.
    """
    version = find(connection, digest)
    if version is None:
        raise ConfigError(f"there is no dataset version {digest}", "look at the list of versions")
    data = objects.get(_key(digest))
    try:
        manifest = Manifest.of_lines(data, version.name, version.note)
    except ValueError as error:
        raise StoreError(f"{_key(digest)} is no manifest: {error}") from error
    if manifest.digest != digest:
        raise StoreError(f"{_key(digest)} was changed: it hashes to {manifest.digest}")
    return manifest


def _key(digest: str) -> str:
    return f"datasets/{digest[:2]}/{digest}.jsonl"


def _version(row: Row[Any]) -> DatasetVersion:
    values = row._asdict()
    values.pop("checked")
    return DatasetVersion(created_utc=values.pop("created").timestamp(), **values)
