"""The same masking for clips: a viewing copy in which no face and no other vehicle's plate can be recognised."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import cv2
import numpy as np
from av.video.frame import VideoFrame

from contracts.vision import ByteArray
from pipeline.masking import Box, Finders, How, grown, masked, to_mask, until_gone
from pipeline.source.remux import make_proxy

_STEP = 5  # pictures between two looks: a fifth of a second at 25 a second
_MOTION = 0.35  # what is masked around a box besides, in its sides: so far a head gets between two looks
_WIDEST = 1280  # pixels: no more is looked at, and the copy shows no more


def mask_clip(mp4: bytes, finders: Finders, own_vehicle: Box | None = None) -> tuple[bytes, How]:
    """A masked viewing copy in H.264; arguments as of `pipeline.masking.mask`.

    Raises:
        StreamCorrupt: no picture can be decoded from it.
        RunnerError: inference failed.
    """
    copy = make_proxy(mp4, change=lambda frames: _masked(frames, finders, own_vehicle))
    return copy, "fine" if finders.complete else "coarse"


def _masked(frames: Iterator[VideoFrame], finders: Finders, own: Box | None) -> Iterator[VideoFrame]:
    """What is seen at the last look before a picture and at the first one after it is masked in it; then each picture
    is looked through for faces that are left."""
    before: list[Box] = []
    while step := list(islice(frames, _STEP)):
        pictures = [_bgr(frame) for frame in step]
        after = [grown(box, _MOTION) for box in to_mask(pictures[-1], finders, own, tiles=False)]
        if not before:  # the clip's beginning has no look before it
            before = [grown(box, _MOTION) for box in to_mask(pictures[0], finders, own, tiles=False)]
        for frame, picture in zip(step, pictures, strict=True):
            copy, _ = until_gone(masked(picture, before + after), finders)
            changed = VideoFrame.from_ndarray(copy, format="bgr24")
            changed.pts, changed.time_base = frame.pts, frame.time_base
            yield changed
        before = after


def _bgr(frame: VideoFrame) -> ByteArray:
    picture = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
    height, width = picture.shape[:2]
    if width <= _WIDEST:
        return picture
    size = (_WIDEST, round(height * _WIDEST / width) // 2 * 2)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
