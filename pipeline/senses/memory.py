"""What one camera's senses remember of its scene from look to look: learnt backgrounds, references, numbers.

It is learnt again where it is lost, so it is kept apart from the state that is spooled with every transition: a file
per camera, written now and then. Each sense has a part of its own (`PARTS`).
"""

from __future__ import annotations

import base64
import zlib
from typing import Any, Final, Protocol

import numpy as np
import orjson

from pipeline.scene.traffic import Traffic
from pipeline.senses.health import HealthMemory
from pipeline.senses.leftovers import LeftoverMemory

_VERSION = 1
_ARRAY = "$array"


class Part(Protocol):
    """What one sense remembers."""

    def dump(self) -> dict[str, Any]:
        """JSON-able values and numpy arrays, as deep as wanted."""
        ...

    @staticmethod
    def load(data: dict[str, Any]) -> Part:
        """Inverse of `dump`. Raises ValueError, KeyError or TypeError when the data is of another shape."""
        ...


# Attribute of `SceneMemory` -> its class.
PARTS: Final[dict[str, type[Part]]] = {"health": HealthMemory, "leftovers": LeftoverMemory, "traffic": Traffic}


class SceneMemory:
    """Of one camera. Mutable; belongs to the compute thread."""

    def __init__(self) -> None:
        self.health = HealthMemory()
        self.leftovers = LeftoverMemory()
        self.traffic = Traffic()

    def dump(self) -> bytes:
        """Everything, with a checksum; the same memory gives the same bytes."""
        parts = {name: _plain(getattr(self, name).dump()) for name in PARTS}
        body = zlib.compress(orjson.dumps({"version": _VERSION, "parts": parts}, option=orjson.OPT_SORT_KEYS), 1)
        return zlib.crc32(body).to_bytes(4, "big") + body

    def load(self, data: bytes) -> list[str]:
        """Inverse of `dump`; a part that cannot be read begins anew.

        Returns:
            the names of those that do.

        Raises:
            ValueError: nothing can be read, because the data is damaged or of another version; all begins anew.
        """
        found = _unpacked(data)
        lost: list[str] = []
        for name, kind in PARTS.items():
            try:
                setattr(self, name, kind.load(_arrays(found[name])))
            except (ValueError, KeyError, TypeError):
                lost.append(name)
        return lost


def _unpacked(data: bytes) -> dict[str, Any]:
    if zlib.crc32(data[4:]).to_bytes(4, "big") != data[:4]:
        raise ValueError("scene memory: damaged")
    found = orjson.loads(zlib.decompress(data[4:]))
    if not isinstance(found, dict) or found.get("version") != _VERSION or not isinstance(found.get("parts"), dict):
        raise ValueError("scene memory: of another version")
    parts: dict[str, Any] = found["parts"]
    return parts


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        packed = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {_ARRAY: [value.dtype.str, list(value.shape), packed]}
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _arrays(value: Any) -> Any:
    if isinstance(value, dict):
        if _ARRAY in value:
            kind, shape, packed = value[_ARRAY]
            return np.frombuffer(base64.b64decode(packed), np.dtype(kind)).reshape(shape).copy()
        return {key: _arrays(inner) for key, inner in value.items()}
    return [_arrays(inner) for inner in value] if isinstance(value, list) else value
