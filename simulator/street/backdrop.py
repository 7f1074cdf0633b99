"""A real street to draw upon: a photo, or what stands still in a clip."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np

from contracts.errors import SourceError
from contracts.vision import ByteArray

_PICTURES = 25  # of a clip, evenly through it: what moves is somewhere else in most of them
_MOST_S = 600.0  # of a longer clip its beginning is enough
_PHOTOS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


def read_backdrop(path: Path, size: tuple[int, int]) -> ByteArray:
    """The picture for `scenario(backdrop=…)`: uint8 [H, W, 3] BGR, its middle cut to the proportions of `size`.

    Args:
        path: a photo, or a clip of a camera that stands still; of a clip the median of its pictures, so that what
            moves through them is gone.
        size: width, height in pixels.

    Raises:
        SourceError: it cannot be read, or holds no picture.
        ValueError: the size is empty.
    """
    if min(size) < 1:
        raise ValueError(f"the size {size[0]}x{size[1]} is empty")
    if not path.is_file():
        raise SourceError(f"{path.name}: there is no such file", "name a photo or a clip")
    found = _photo(path) if path.suffix.lower() in _PHOTOS else _still(path)
    return np.asarray(cv2.resize(_cut(found, size), size, interpolation=cv2.INTER_AREA), np.uint8)


def _photo(path: Path) -> ByteArray:
    found = cv2.imdecode(np.frombuffer(path.read_bytes() or b"\0", np.uint8), cv2.IMREAD_COLOR)
    if found is None:
        raise SourceError(f"{path.name}: it is no picture that can be read", "name a JPEG or PNG")
    return np.asarray(found, np.uint8)


def _still(path: Path) -> ByteArray:
    pictures: list[ByteArray] = []
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise SourceError(f"{path.name}: no video in it", "name a video file")
            length = min(_MOST_S, container.duration / av.time_base if container.duration else _MOST_S)
            first = due = None
            for frame in container.decode(video=0):
                time = frame.time or 0.0
                first = time if first is None else first
                if due is None or time >= due:
                    pictures.append(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
                    due = time + length / _PICTURES
                if time - first > length:
                    break
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        if not pictures:
            raise SourceError(f"{path.name}: {reason}", "name a readable photo or clip") from None
    if not pictures:
        raise SourceError(f"{path.name}: no picture in it", "name a readable photo or clip")
    same = [one for one in pictures if one.shape == pictures[0].shape]
    return np.asarray(np.median(np.stack(same), axis=0), np.uint8)


def _cut(picture: ByteArray, size: tuple[int, int]) -> ByteArray:
    height, width = picture.shape[:2]
    wide, high = min(width, round(height * size[0] / size[1])), min(height, round(width * size[1] / size[0]))
    left, top = (width - wide) // 2, (height - high) // 2
    return picture[top : top + high, left : left + wide]
