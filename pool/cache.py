"""Cameras that were once checked, kept by the digest of their text, in memory and in one file.

The file is a cache and nothing more: another version of the types, or a damaged file, is simply not used.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import inspect
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import orjson
import pydantic
from pydantic import TypeAdapter, ValidationError

from contracts import algorithms, polygons, pool, relations
from contracts.pool import CHECKED_BEFORE, Camera

_FORMAT = 1
_NAME = "pool-cameras.json"
_CAMERAS = TypeAdapter(list[Camera])


@contextlib.contextmanager
def without_collector() -> Iterator[None]:
    """A hundred thousand live objects make each run of the cycle collector slow, and nothing here forms cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class CameraCache:
    """Checked cameras by digest.

    Args:
        folder: where the file lies; None keeps them in memory alone.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._path = folder / _NAME if folder is not None else None
        self._cameras: dict[bytes, Camera] = {}
        self._used: set[bytes] = set()
        self._stale = False
        if self._path is not None and self._path.is_file():
            with without_collector():
                self._cameras = _read(self._path)

    @property
    def loaded(self) -> int:
        """How many cameras it holds."""
        return len(self._cameras)

    def get(self, digest: bytes) -> Camera | None:
        """The camera whose text has this digest, or None."""
        camera = self._cameras.get(digest)
        if camera is not None:
            self._used.add(digest)
        return camera

    def put(self, digest: bytes, camera: Camera) -> None:
        """Remembers a camera that was checked."""
        self._cameras[digest] = camera
        self._used.add(digest)
        self._stale = True

    def prune(self) -> None:
        """Forgets what was not asked for since the last call: cameras that were edited or left."""
        if len(self._used) < len(self._cameras):
            self._cameras = {digest: self._cameras[digest] for digest in self._cameras if digest in self._used}
            self._stale = True
        self._used = set()

    def save(self) -> None:
        """Writes the file when something changed, atomically; a folder that cannot be written only costs time."""
        if self._path is None or not self._stale:
            return
        head = orjson.dumps({"format": _FORMAT, "types": _types_digest(), "keys": [k.hex() for k in self._cameras]})
        body = _CAMERAS.dump_json(list(self._cameras.values()), by_alias=True)
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=_NAME)
            with os.fdopen(descriptor, "wb") as file:
                file.write(head + b"\n" + hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            Path(name).replace(self._path)
            self._stale = False


def _types_digest() -> str:
    """Of everything that decides whether a camera is right: other code, other cache."""
    digest = hashlib.sha256(pydantic.VERSION.encode())
    for module in (algorithms, pool, polygons, relations):
        digest.update(inspect.getsource(module).encode())
    return digest.hexdigest()


def _read(path: Path) -> dict[bytes, Camera]:
    try:
        head, digest, body = path.read_bytes().split(b"\n", 2)
        described = orjson.loads(head)
        if described["format"] != _FORMAT or described["types"] != _types_digest():
            return {}
        if hashlib.sha256(body).hexdigest().encode() != digest:
            return {}
        cameras = _CAMERAS.validate_python(orjson.loads(body), context=CHECKED_BEFORE)
        keys = [bytes.fromhex(key) for key in described["keys"]]
        return dict(zip(keys, cameras, strict=True))
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return {}
