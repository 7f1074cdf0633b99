"""Keeping what is made of evidence, beside it: viewing copies, masked copies. They go when it goes."""

from __future__ import annotations

from contracts.errors import ObjectMissing, ObjectsUnavailable, StoreError
from store.objects import ObjectStore, is_there


def kept(objects: ObjectStore, key: str) -> bool:
    """Whether the copy is there already. Raises ObjectsUnavailable."""
    try:
        return objects.size(key) > 0
    except ObjectMissing:
        return False


def keep(objects: ObjectStore, original: str, key: str, data: bytes, media_type: str) -> None:
    """Keeps a copy of the object under the key `original`.

    Raises:
        ObjectMissing: the original was deleted by policy meanwhile: what was made of it must not outlive it.
        ObjectsUnavailable: it cannot be kept now.
    """
    try:
        objects.put(key, data, media_type)
    except ObjectsUnavailable:
        raise
    except StoreError:
        if not kept(objects, key):  # another API process was quicker, and an encoder need not repeat itself
            raise
    if not is_there(objects, original):
        objects.delete(key)
        raise ObjectMissing(f"no object {original}")
