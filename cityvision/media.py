"""Pictures and masks in the object store, by the SHA-256 of their bytes."""

from __future__ import annotations

import hashlib

from contracts.errors import ConfigError, ObjectMissing
from store.objects import ObjectStore

_ROOMS = ("evidence", "labelling", "media")


def media(objects: ObjectStore, content: str) -> bytes:
    """A picture or mask, in whichever room of the store it lies under its hash.

    Raises:
        ConfigError: it is in none.
    """
    for room in _ROOMS:
        for key in objects.keys(f"{room}/{content[:2]}"):
            if key.rpartition("/")[2].partition(".")[0] == content:
                return objects.get(key)
    raise ConfigError(f"picture {content} of the version is not in the store", "import it again")


def keep_media(objects: ObjectStore, data: bytes, suffix: str, media_type: str, room: str = "media") -> str:
    """Keeps bytes under their SHA-256, which is returned.

    Args:
        suffix: of the key, with its dot.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    key = f"{room}/{sha256[:2]}/{sha256}{suffix}"
    try:
        objects.size(key)
    except ObjectMissing:
        objects.put(key, data, media_type)
    return sha256
