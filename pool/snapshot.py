"""The pool as workers read it, and the digests by which two pools, or two states of a camera, are told apart."""

from __future__ import annotations

import hashlib
import json
import weakref

from contracts.pool import Camera, Department, Pool

PoolItem = Camera | Department


# Items are frozen and live on from edit to edit, so that of twelve thousand only the edited ones are digested anew.
_digests: dict[int, tuple[weakref.ref[PoolItem], str]] = {}


def item_digest(item: PoolItem) -> str:
    """SHA-256 of a camera or department by value: the same whatever way its file is written."""
    key = id(item)
    known = _digests.get(key)
    if known is not None and known[0]() is item:
        return known[1]
    digest = _digest(item)
    _digests[key] = (weakref.ref(item, lambda _: _digests.pop(key, None)), digest)
    return digest


def _digest(item: PoolItem) -> str:
    plain = item.model_dump(mode="json", by_alias=True)
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of(departments: dict[str, str], cameras: dict[str, str]) -> str:
    """Digest of a pool out of the digests of its items by id; their order does not count."""
    digest = hashlib.sha256()
    for kind, items in (("department", departments), ("camera", cameras)):
        for key in sorted(items):
            digest.update(f"{kind}\x1f{key}\x1f{items[key]}\n".encode())
    return digest.hexdigest()


def pool_digest(pool: Pool) -> str:
    """SHA-256 of the whole pool by value."""
    return digest_of(
        {department.id: item_digest(department) for department in pool.departments},
        {camera.id: item_digest(camera) for camera in pool.cameras},
    )


def snapshot(pool: Pool) -> tuple[bytes, str]:
    """The pool as JSON for workers (read by `contracts.snapshot`), and its digest."""
    return pool.model_dump_json(by_alias=True).encode(), pool_digest(pool)
