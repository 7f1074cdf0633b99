"""A part of the object store as a store of its own: everything below one prefix."""

from __future__ import annotations

from collections.abc import Iterator

from store.objects import ObjectStore, check_key


class ObjectsBeneath:
    """`ObjectStore` whose keys all lie below `prefix` in another.

    Args:
        objects: the other.
        prefix: whole parts, e.g. "shadow/lane-7".

    Raises:
        ConfigError: the prefix is no key.
    """

    def __init__(self, objects: ObjectStore, prefix: str) -> None:
        self._objects = objects
        self._prefix = check_key(prefix)

    def put(self, key: str, data: bytes, media_type: str) -> None:
        self._objects.put(self._whole(key), data, media_type)

    def get(self, key: str) -> bytes:
        return self._objects.get(self._whole(key))

    def read_range(self, key: str, start: int, end: int) -> bytes:
        return self._objects.read_range(self._whole(key), start, end)

    def size(self, key: str) -> int:
        return self._objects.size(self._whole(key))

    def delete(self, key: str) -> None:
        self._objects.delete(self._whole(key))

    def keys(self, prefix: str) -> Iterator[str]:
        below = f"{self._prefix}/{prefix}" if prefix else self._prefix
        return (key.removeprefix(f"{self._prefix}/") for key in self._objects.keys(below))

    def clear(self) -> int:
        """Deletes everything below the prefix; how many objects. Raises ObjectsUnavailable."""
        found = list(self.keys(""))
        for key in found:
            self.delete(key)
        return len(found)

    def _whole(self, key: str) -> str:
        return f"{self._prefix}/{check_key(key)}"
