"""Where the bytes of a version's pictures and masks lie: in one of several rooms of the object store."""

from __future__ import annotations

from store.objects import ObjectStore

_ROOMS = ("evidence", "labelling", "media")


def key_of(objects: ObjectStore, content: str) -> str | None:
    """The key, in whichever room the bytes lie under their hash; None: in none.

    Raises:
        ObjectsUnavailable: the object store is down.
    """
    for room in _ROOMS:
        for key in objects.keys(f"{room}/{content[:2]}"):
            if key.rpartition("/")[2].partition(".")[0] == content:
                return key
    return None
