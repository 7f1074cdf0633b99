"""Pictures as bytes and as arrays. Only numpy and OpenCV: machines that train have nothing else."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from algorithm_repo.datasets.heads import head_of

MOST_PIXELS = 8192 * 4320  # of one picture, as of a clip's

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
    """The picture behind `encode`, turned as its EXIF says.

    Raises:
        ValueError: these bytes are no picture, or one of more than `MOST_PIXELS`: of that no memory was taken.
    """
    head = head_of(data)
    if head is not None and head.width * head.height > MOST_PIXELS:
        raise ValueError(f"{head.width}x{head.height} px are more than {MOST_PIXELS // 1_000_000} million")
    try:
        # Of no bytes at all OpenCV raises an error of its own.
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), flag) if data else None
    except cv2.error as error:
        raise ValueError(f"not a picture: {error.err}") from error
    if picture is None:
        raise ValueError("not a picture")
    return picture  # type: ignore[return-value]
