"""Where the bytes of a version's pictures and masks lie: in one of several rooms of the store, under their hash."""

from __future__ import annotations

import hashlib

from contracts.errors import ConfigError, ObjectMissing
from store.objects import ObjectStore

_ROOMS = ("evidence", "labelling", "media", "missed")


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


def read(objects: ObjectStore, content: str) -> bytes:
    """A picture or mask of a version.

    Raises:
        ConfigError: it is in no room.
        ObjectsUnavailable: the object store is down.
    """
    key = key_of(objects, content)
    if key is None:
        raise ConfigError(f"picture {content} of the version is not in the store", "import it again")
    return objects.get(key)


def keep(objects: ObjectStore, data: bytes, suffix: str, media_type: str, room: str = "media") -> str:
    """Keeps bytes under their SHA-256, which is returned.

    Args:
        suffix: of the key, with its dot.

    Raises:
        ObjectsUnavailable: the object store is down.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    key = place(room, sha256, suffix)
    try:
        objects.size(key)
    except ObjectMissing:
        objects.put(key, data, media_type)
    return sha256


def place(room: str, sha256: str, suffix: str) -> str:
    """The key of what `keep` kept."""
    return f"{room}/{sha256[:2]}/{sha256}{suffix}"
