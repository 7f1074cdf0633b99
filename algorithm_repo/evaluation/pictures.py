"""Pictures of misses and false alarms: the moment itself, with zones and boxes drawn, small enough for a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from contracts.errors import SourceError
from contracts.pool import Camera
from contracts.records import EvidenceRef
from contracts.vision import ByteArray, Detections, Frame, ObjectClass
from models.picture import small_bgr
from pipeline.eventbook import Matter
from pipeline.evidence import NoEvidence
from pipeline.perceive import decode
from pipeline.pictures import Spots
from pipeline.plan import LookAt
from pipeline.rules.base import Step
from pipeline.source.decode import DecoderPool
from pipeline.source.files import read_file
from pipeline.source.ring import PacketRing

Box = tuple[float, float, float, float]
Colour = tuple[int, int, int]

_WIDTH = 720
_QUALITY = 80
_MOST = 40  # pictures kept of one clip: a clip with more false alarms shows the first ones
_ZONE: Colour = (0, 200, 255)
_OTHER_ZONE: Colour = (150, 150, 150)
_SUBJECT: Colour = (40, 40, 230)
_SEEN: Colour = (90, 220, 90)


@dataclass(frozen=True, slots=True)
class Marked:
    """A box to draw: normalised x1 y1 x2 y2, what to write on it, and whether it is what the event is about."""

    box: Box
    text: str = ""
    subject: bool = False


class OpeningPictures(NoEvidence):
    """`EvidenceKeeper` that keeps, of each event, the picture it was opened on, and no clips."""

    def __init__(self) -> None:
        self.by_event: dict[str, ByteArray] = {}

    def picture(self, matter: Matter, step: Step, frame: Frame, spots: Spots = ()) -> tuple[EvidenceRef, ...]:
        """Keeps the picture of an OPENED; refers to nothing."""
        if step is Step.OPENED and len(self.by_event) < _MOST:
            self.by_event[matter.id] = reduced(frame)
        return ()

    def load(self, data: dict[str, Any], keep: frozenset[str]) -> None:
        """Pictures of another process are not looked for."""


def reduced(frame: Frame) -> ByteArray:
    """The frame as BGR, `_WIDTH` pixels wide at most."""
    width = min(_WIDTH, frame.width) // 2 * 2
    return small_bgr(frame, (width, max(2, round(width / frame.aspect) // 2 * 2)))


def frame_at(path: Path, time: float) -> Frame | None:
    """The picture of a file at stream time `time`, or the last one before it; None where it has none.

    What cannot be read is no picture: the clip's trouble has been told where it was replayed.
    """
    ring, newest = PacketRing(), 0.0
    try:
        for packet, parameters in read_file(path):
            ring.append(packet, parameters)
            newest = packet.time
            if newest >= time:
                break
    except SourceError:
        pass
    gop = ring.gop_at(min(time, newest)) or ring.latest_keyframe()
    return None if gop is None else decode(DecoderPool(), gop, LookAt(min(time, newest), keyframe=False))


def marks_of(found: Detections) -> tuple[Marked, ...]:
    """What a detector saw, as boxes to draw."""
    return tuple(
        Marked(_box(box), f"{ObjectClass(int(kind)).name.lower()} {score:.2f}")
        for box, score, kind in zip(found.boxes, found.scores, found.classes, strict=True)
    )


def drawn(bgr: ByteArray, camera: Camera, zone: str, marks: Sequence[Marked]) -> bytes:
    """JPEG of a picture with the camera's zones (the one in question in colour) and boxes on it."""
    canvas = np.ascontiguousarray(bgr)
    height, width = canvas.shape[:2]
    scale = np.array([width, height], np.float64)
    for one in sorted(camera.zones, key=lambda z: z.id == zone):
        corners = np.round(np.array(one.polygon) * scale).astype(np.int32)
        mine = one.id == zone
        cv2.polylines(canvas, [corners], True, _ZONE if mine else _OTHER_ZONE, 2 if mine else 1, cv2.LINE_AA)
        if mine:
            _write(canvas, one.id, corners[int(corners[:, 1].argmin())], _ZONE)
    for mark in marks:
        (x1, y1), (x2, y2) = (np.array(mark.box).reshape(2, 2) * scale).round().astype(int)
        colour = _SUBJECT if mark.subject else _SEEN
        cv2.rectangle(canvas, (int(x1), int(y1)), (int(x2), int(y2)), colour, 2 if mark.subject else 1, cv2.LINE_AA)
        if mark.text:
            _write(canvas, mark.text, (x1, y1), colour)
    _, encoded = cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return encoded.tobytes()


def _write(canvas: ByteArray, text: str, at: Iterable[int], colour: Colour) -> None:
    x, y = (int(value) for value in at)
    place = (min(max(x + 3, 2), canvas.shape[1] - 10 * len(text)), max(y - 4, 12))
    for ink, thickness in (((0, 0, 0), 3), (colour, 1)):
        cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, ink, thickness, cv2.LINE_AA)


def _box(values: Iterable[float]) -> Box:
    x1, y1, x2, y2 = (float(value) for value in values)
    return x1, y1, x2, y2
