"""What a picture's file says before it is decoded: its size as it is stored, and how it is turned when it is shown.

JPEG as ITU T.81 annex B has its segments, PNG as its third edition has its chunks, EXIF as CIPA DC-008 4.6.5 has the
orientation. Only the bytes before the pixels are looked at.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15; the others hold tables
_SCAN, _EXIF = 0xDA, 0xE1
_ORIENTATION = 0x0112
_MOST_PARTS = 10_000
_SHORT = 3


@dataclass(frozen=True, slots=True)
class Head:
    """A picture as it is stored.

    Attributes:
        width, height: px.
        orientation: of EXIF, 1 (upright) to 8; 5 to 8 change width and height for each other.
    """

    width: int
    height: int
    orientation: int = 1


def head_of(data: bytes) -> Head | None:
    """What the file says; None: it is neither JPEG nor PNG, or ends before it says its size."""
    parts = _segments(data) if data.startswith(JPEG) else _chunks(data) if data.startswith(PNG) else iter(())
    size: tuple[int, int] | None = None
    orientation = 1
    for kind, body in parts:
        if kind == b"IHDR" and len(body) >= 8:
            size = struct.unpack(">II", body[:8])
        elif kind == b"SOF" and len(body) >= 5:
            height, width = struct.unpack(">HH", body[1:5])
            size = (width, height)
        elif kind == b"eXIf":
            orientation = _orientation(body)
    return None if size is None else Head(*size, orientation)


def _segments(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Of a JPEG, until its pixels begin: its frame as `SOF`, its EXIF as `eXIf`."""
    at = 2
    for _ in range(_MOST_PARTS):
        while data[at : at + 2] == b"\xff\xff":  # bytes that only fill
            at += 1
        if len(data) < at + 4 or data[at] != 0xFF or data[at + 1] == _SCAN:
            return
        mark, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : at + 2 + length]
        if mark in _FRAMES:
            yield b"SOF", body
        elif mark == _EXIF and body.startswith(b"Exif\0\0"):
            yield b"eXIf", body[6:]
        at += 2 + max(2, length)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Of a PNG, until its pixels begin."""
    at = len(PNG)
    for _ in range(_MOST_PARTS):
        kind, length = data[at + 4 : at + 8], int.from_bytes(data[at : at + 4], "big")
        if len(kind) < 4 or kind == b"IDAT":
            return
        yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


def _orientation(tiff: bytes) -> int:
    """Of the first folder of tags; 1 where it does not say."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return 1
    (start,) = struct.unpack(f"{order}I", tiff[4:8])
    if len(tiff) < start + 2:
        return 1
    (count,) = struct.unpack(f"{order}H", tiff[start : start + 2])
    for number in range(count):
        entry = tiff[start + 2 + 12 * number :][:10]
        if len(entry) < 10:
            return 1
        tag, kind, _, value = struct.unpack(f"{order}HHIH", entry)
        if tag == _ORIENTATION:
            return int(value) if kind == _SHORT and 1 <= value <= 8 else 1
    return 1
