"""Evidence, pictures and model files by content hash: one protocol, a folder or any S3 behind it."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from contracts.errors import ConfigError, ObjectMissing, ObjectsUnavailable, StoreError

_KEY: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_HASHED: Final = re.compile(r"(?:.*/)?([0-9a-f]{64})(?:\.[A-Za-z0-9.]+)?")
_MAX_KEY: Final = 512


class ObjectStore(Protocol):
    """Write-once blobs under keys such as `evidence/ab/abcd….jpg`. Thread-safe.

    A key is made of parts of letters, digits, `.`, `_` and `-` between slashes, no part beginning with a dot;
    anything else raises ConfigError. A key whose last part is a SHA-256 takes only bytes of that hash.
    """

    def put(self, key: str, data: bytes, media_type: str) -> None:
        """Keeps `data` durably; the same key again with the same bytes is a no-op.

        Raises:
            ObjectsUnavailable: the store is down; the caller keeps the bytes.
            StoreError: the key names another hash than that of `data`, or holds other bytes already.
        """
        ...

    def get(self, key: str) -> bytes:
        """The whole object. Raises ObjectMissing, ObjectsUnavailable."""
        ...

    def read_range(self, key: str, start: int, end: int) -> bytes:
        """Bytes start..end (end exclusive, cut at the object's end). Raises ObjectMissing, ObjectsUnavailable."""
        ...

    def size(self, key: str) -> int:
        """Bytes of the object. Raises ObjectMissing, ObjectsUnavailable."""
        ...

    def delete(self, key: str) -> None:
        """Removes the object; absent already is fine. Raises ObjectsUnavailable."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key below `prefix` (whole parts: "evidence" or "evidence/ab", "" for all), sorted."""
        ...


def check_key(key: str) -> str:
    """Raises ConfigError for a key that could leave its folder or is spelled ambiguously."""
    if len(key) > _MAX_KEY or _KEY.fullmatch(key) is None:
        raise ConfigError(
            f"{key[:80]!r} is not an object key", "use letters, digits, . _ - in parts that begin with none of the dots"
        )
    return key


def check_content(key: str, data: bytes) -> None:
    """Raises StoreError when the key's last part is a SHA-256, but not that of `data`."""
    named = _HASHED.fullmatch(key)
    if named is not None and hashlib.sha256(data).hexdigest() != named[1]:
        raise StoreError(f"{key}: the bytes have another hash")


def is_there(objects: ObjectStore, key: str) -> bool:
    """Whether there is such an object. Raises ObjectsUnavailable: that cannot be known now."""
    try:
        objects.size(key)
    except ObjectMissing:
        return False
    return True


def derived_key(sha256: str, form: str) -> str:
    """Where something made from an object is kept: `form` says what, e.g. "h264.mp4". It is no evidence itself."""
    return f"derived/{sha256[:2]}/{sha256}-{form}"


def derived_of(objects: ObjectStore, sha256: str) -> list[str]:
    """Keys of all that was made from the object with this SHA-256. Raises ObjectsUnavailable."""
    folder = f"derived/{sha256[:2]}"
    return [key for key in objects.keys(folder) if key.startswith(f"{folder}/{sha256}-")]


class DiskObjects:
    """`ObjectStore` on a local folder. An object appears whole, and stays after a power cut.

    Args:
        root: made when missing.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    def put(self, key: str, data: bytes, media_type: str) -> None:
        path = self._path(key)
        check_content(key, data)
        try:
            if path.exists():
                if path.read_bytes() != data:
                    raise StoreError(f"{key} holds other bytes already")
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            # The name begins with a dot, which no key does: `keys` and readers never see half an object.
            fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
            with fresh.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
            self._sync_folders(path.parent)
        except OSError as error:
            fix = "free some space" if error.errno == errno.ENOSPC else "see the disk and the folder's owner"
            raise ObjectsUnavailable(f"{key}: {error.strerror}", fix) from error

    def get(self, key: str) -> bytes:
        path = self._path(key)
        try:
            return path.read_bytes()
        except OSError as error:
            raise _unreadable(key, error) from error

    def read_range(self, key: str, start: int, end: int) -> bytes:
        path = self._path(key)
        try:
            with path.open("rb") as file:
                file.seek(start)
                return file.read(max(0, end - start))
        except OSError as error:
            raise _unreadable(key, error) from error

    def size(self, key: str) -> int:
        path = self._path(key)
        try:
            return path.stat().st_size
        except OSError as error:
            raise _unreadable(key, error) from error

    def delete(self, key: str) -> None:
        path = self._path(key)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise _unreadable(key, error) from error

    def keys(self, prefix: str) -> Iterator[str]:
        start = self._path(prefix) if prefix else self._root
        found = (path for path in start.rglob("*") if path.is_file() and not path.name.startswith("."))
        yield from sorted(path.relative_to(self._root).as_posix() for path in found)

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)

    def _sync_folders(self, folder: Path) -> None:
        """The new name, and the folders made for it, are on disk."""
        while True:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if folder == self._root:
                return
            folder = folder.parent


def _unreadable(key: str, error: OSError) -> StoreError:
    if isinstance(error, FileNotFoundError | IsADirectoryError | NotADirectoryError):
        return ObjectMissing(f"no object {key}")
    return ObjectsUnavailable(f"{key}: {error.strerror}", "see the disk and the folder's owner")


def open_objects(folder: Path, s3_url: str | None = None) -> ObjectStore:
    """The object store that the settings name: S3 where there is a URL, else the folder."""
    if s3_url is None:
        return DiskObjects(folder)
    from store.s3 import S3Objects

    return S3Objects(s3_url)
