"""Pictures that are to be turned before they are shown."""

from __future__ import annotations

import struct

import numpy as np

from algorithm_repo.datasets.pictures import encode


def exif(orientation: int, order: str = "<") -> bytes:
    """A TIFF head with one tag, the orientation (1 to 8)."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    return mark + struct.pack(f"{order}IH", 8, 1) + entry + b"\0\0\0\0"


def turned_jpeg(width: int, height: int, orientation: int, order: str = "<") -> bytes:
    """A JPEG stored as width x height px, with what its EXIF says of how it is shown."""
    plain = encode(np.zeros((height, width, 3), np.uint8))
    body = b"Exif\0\0" + exif(orientation, order)
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + plain[2:]
