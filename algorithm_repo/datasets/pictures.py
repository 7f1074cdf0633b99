"""Pictures as bytes and as arrays. Only numpy and OpenCV: machines that train have nothing else."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

ByteArray = NDArray[np.uint8]
Read = Callable[[str], bytes]
"""Gives the bytes of a picture or mask by their SHA-256."""


def encode(picture: ByteArray, suffix: str = ".jpg", quality: int = 92) -> bytes:
    """A picture as JPEG or PNG bytes."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if suffix == ".jpg" else []
    done, data = cv2.imencode(suffix, picture, options)
    if not done:
        raise ValueError(f"OpenCV cannot write {suffix}")
    return data.tobytes()


def decode(data: bytes, flag: int = cv2.IMREAD_COLOR) -> ByteArray:
    """The picture behind `encode`.

    Raises:
        ValueError: these bytes are no picture.
    """
    # Of no bytes at all OpenCV raises an error of its own.
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), flag) if data else None
    if picture is None:
        raise ValueError("not a picture")
    return picture  # type: ignore[return-value]
