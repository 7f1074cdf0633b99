"""Finding faces, so that they can be made unrecognisable. Nothing here tells one face from another.

YuNet by OpenCV's own reader, on the picture at its own size: on 1080p street footage faces of 9 pixels and more are
found in about 70 ms of one core.
"""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np

from contracts.errors import RunnerError
from contracts.vision import ByteArray
from models.zoo import Zoo

FACES = "yunet_n"

Box = tuple[float, float, float, float]

_LEAST = 0.3
_LARGE, _LEAST_LARGE = 0.15, 0.6  # shares of the picture's width: what is so large and no clear face is none
_NMS_IOU = 0.3
_MOST = 5000
_LEAST_SIDE = 16  # pixels; smaller pictures cannot be read


class FaceFinder:
    """Finds faces. Thread-safe: one picture at a time.

    Args:
        path: of the weights.

    Raises:
        RunnerError: they cannot be read.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._finder = cv2.FaceDetectorYN.create(str(path), "", (640, 640), _LEAST, _NMS_IOU, _MOST)
        except cv2.error as error:
            raise RunnerError(f"{path.name} cannot be loaded: {error.err}") from error
        self._one = threading.Lock()

    def find(self, bgr: ByteArray) -> list[Box]:
        """Boxes x1 y1 x2 y2, normalised to the picture (uint8 [H, W, 3] BGR); they may reach over its edge.

        Raises:
            RunnerError: inference failed.
        """
        height, width = bgr.shape[:2]
        if min(height, width) < _LEAST_SIDE:
            return []
        try:
            with self._one:
                self._finder.setInputSize((width, height))
                found = self._finder.detect(np.ascontiguousarray(bgr))[1]
        except cv2.error as error:
            raise RunnerError(f"{FACES}: {error.err}") from error
        rows = np.reshape(found, (-1, 15)).tolist() if np.size(found) > 1 else []  # None where there is none
        return [
            (x / width, y / height, (x + w) / width, (y + h) / height)
            for x, y, w, h, *_, score in rows
            if w < _LARGE * width or score >= _LEAST_LARGE
        ]


def load_faces(zoo: Zoo) -> FaceFinder:
    """The finder of the zoo.

    Raises:
        ModelMissing, HashMismatch: the weights cannot be had.
        RunnerError: they cannot be read.
    """
    return FaceFinder(zoo.fetch(FACES)[0])
