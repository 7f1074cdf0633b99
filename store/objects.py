"""Evidence, pictures and model files by content hash: one protocol, a folder or any S3 behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class ObjectStore(Protocol):
    """Write-once blobs under keys such as `evidence/ab/abcd….jpg`. Thread-safe."""

    def put(self, key: str, data: bytes, media_type: str) -> None:
        """Keeps `data` durably; the same key again with the same bytes is a no-op.

        Raises:
            ObjectsUnavailable: the store is down; the caller keeps the bytes.
        """
        ...

    def get(self, key: str) -> bytes:
        """The whole object. Raises ObjectMissing, ObjectsUnavailable."""
        ...

    def read_range(self, key: str, start: int, end: int) -> bytes:
        """Bytes start..end (end exclusive). Raises ObjectMissing, ObjectsUnavailable."""
        ...

    def size(self, key: str) -> int:
        """Bytes of the object. Raises ObjectMissing, ObjectsUnavailable."""
        ...

    def delete(self, key: str) -> None:
        """Removes the object; absent already is fine. Raises ObjectsUnavailable."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key below `prefix`, sorted."""
        ...
