"""The masking process: `python -m cityvision.masking_child` answers requests on stdin until it ends.

Its models are loaded at the first and kept; what can be had neither here nor from its address is done without, and the
copy says so.
"""

from __future__ import annotations

import json
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cityvision.asking import serve
from contracts.errors import CityVisionError, ModelError, ModelMissing, StreamCorrupt
from contracts.live import BUILT_IN_DETECTOR
from contracts.vision import ByteArray
from models.detector import load_detector
from models.faces import FACES, load_faces
from models.plates import FINDER, load_plate_finder
from models.reach import within_reach
from models.zoo import Zoo
from pipeline.masking import Box, Finders, How, mask
from pipeline.masking_clip import mask_clip

_QUALITY = 88


class Masker:
    """Masks with what is on this machine.

    Args:
        model: detector of the zoo; the built-in one where it is not at hand.
        cache, mirror: see `models.zoo.Zoo`.
    """

    def __init__(self, model: str, cache: Path | None, mirror: Path | None) -> None:
        self._model = model
        self._zoo = Zoo(cache=cache, mirror=mirror)

    def mask(self, kind: str, data: bytes, own_vehicle: Box | None) -> tuple[bytes, How]:
        """A masked JPEG of a picture, or a masked MP4 of a clip.

        Raises:
            StreamCorrupt: it cannot be decoded.
            RunnerError: inference failed.
        """
        own = None if own_vehicle is None else (own_vehicle[0], own_vehicle[1], own_vehicle[2], own_vehicle[3])
        if kind == "clip":
            return mask_clip(data, self._finders, own)
        copy, how = mask(_decoded(data), self._finders, own, lambda picture: _decoded(_jpeg(picture)))
        return _jpeg(copy), how

    @cached_property
    def _finders(self) -> Finders:
        model = self._model if self._zoo.at_hand(self._model) else BUILT_IN_DETECTOR
        detector = load_detector(model, self._zoo)
        try:
            if not within_reach(self._zoo, [FACES, FINDER]):
                raise ModelMissing(f"{FACES} or {FINDER} is neither here nor within reach", "see docs/models.md")
            return Finders(detector, load_faces(self._zoo), load_plate_finder(self._zoo))
        except ModelError as error:
            sys.stderr.write(f"persons and vehicles are masked whole: {error}\n")
            return Finders(detector, None, None)


def _decoded(data: bytes) -> ByteArray:
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if bgr is None:
        raise StreamCorrupt("the picture cannot be decoded")
    return np.asarray(bgr, np.uint8)


def _jpeg(bgr: ByteArray) -> bytes:
    done, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise StreamCorrupt("the picture cannot be encoded")
    return jpeg.tobytes()


def main() -> int:
    """Answers until stdin ends; the models' places are the first argument, as JSON."""
    given = json.loads(sys.argv[1])
    cache, mirror = (None if given[name] is None else Path(given[name]) for name in ("cache", "mirror"))
    masker = Masker(given["model"], cache, mirror)

    def answer(told: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        try:
            copy, how = masker.mask(told["kind"], data, told["own"])
        except CityVisionError as error:
            return {"error": error.message}, b""
        return {"how": how}, copy

    return serve(answer)


if __name__ == "__main__":
    sys.exit(main())
