"""From GOPs to what rules see: decode, detect, track and sense one batch of looks of different cameras."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import av
import numpy as np

from contracts.errors import StreamCorrupt
from contracts.pool import Zone
from contracts.senses import NOTHING, Ask, Senses
from contracts.vision import Detections, Frame, Tracks
from models.detector import Detector, Prepared
from pipeline.appearance import signatures
from pipeline.plan import LookAt
from pipeline.senses.engine import Sensing, Wish
from pipeline.senses.memory import SceneMemory
from pipeline.source.decode import DecoderPool
from pipeline.source.ring import Gop
from pipeline.track import FleetTracker, TrackerInput

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded look that is to be inferred.

    Attributes:
        camera: its id.
        frame: the picture.
        min_score: detections below it are of no use.
        ask: what else its rules want sensed.
        zones: the zones they watch.
        memory: what its senses remember.
    """

    camera: str
    frame: Frame
    min_score: float
    ask: Ask = NOTHING
    zones: tuple[Zone, ...] = ()
    memory: SceneMemory = field(default_factory=SceneMemory)


@dataclass(frozen=True, slots=True, eq=False)
class Perceived:
    """What was found in one picture."""

    tracks: Tracks
    senses: Senses


def decode(decoders: DecoderPool, gop: Gop, at: LookAt) -> Frame | None:
    """The picture of a look; None when nothing can be made of what arrived.

    A GOP on a disk that failed, or of a codec for which there is no decoder, is one lost look too: it must not cost
    other cameras theirs.
    """
    try:
        decoded = decoders.keyframe(gop) if at.keyframe else decoders.frame_at(gop, at.time)
    except (StreamCorrupt, OSError, ValueError, av.FFmpegError) as error:
        _log.debug("a look was lost: %s", error)
        return None
    return decoded.frame


class Perception:
    """Detector, tracker and senses of one worker (or of one replay).

    Args:
        detector: shared by all cameras.
        tracker: holds every camera's tracks.
        sensing: what else can be sensed.
        max_batch: pictures inferred together at most.

    Attributes:
        detector: see there.
    """

    def __init__(self, detector: Detector, tracker: FleetTracker, sensing: Sensing, max_batch: int = 8) -> None:
        self.detector = detector
        self._tracker = tracker
        self._sensing = sensing
        self._slots = detector.slots(max_batch)
        self._max_batch = max_batch

    def switch(self, detector: Detector) -> Detector:
        """Another detector looks from the next batch on; tracks and senses go on.

        Returns:
            The one before, which nothing uses any more and the caller closes.
        """
        self._slots = detector.slots(self._max_batch)
        before, self.detector = self.detector, detector
        return before

    def perceive(self, pictures: Sequence[Picture]) -> list[Perceived]:
        """Detects, tracks and senses; at most `max_batch` pictures, of different cameras.

        Raises:
            RunnerError: the detector's inference failed; no track was touched. A sense that fails is told in `Senses`.
        """
        tracks = self._track(pictures)
        wishes = [
            Wish(picture.camera, picture.frame, found, picture.ask, picture.zones, picture.memory)
            for picture, found in zip(pictures, tracks, strict=True)
        ]
        senses = self._sensing.sense(wishes)
        return [Perceived(found, sensed) for found, sensed in zip(tracks, senses, strict=True)]

    def _track(self, pictures: Sequence[Picture]) -> list[Tracks]:
        batch = self._slots[: len(pictures)]
        prepared = [self.detector.prepare(picture.frame, slot) for picture, slot in zip(pictures, batch, strict=True)]
        found = self.detector.detect(batch, prepared, [picture.min_score for picture in pictures])
        return self._tracker.step(
            [
                TrackerInput(
                    camera=picture.camera,
                    time=picture.frame.time,
                    detections=detections,
                    appearance=_signatures(ready, detections),
                    aspect=picture.frame.aspect,
                )
                for picture, ready, detections in zip(pictures, prepared, found, strict=True)
            ]
        )


def _signatures(prepared: Prepared, detections: Detections) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    height, width = prepared.bgr_small.shape[:2]
    boxes = detections.boxes * np.array([width, height, width, height], np.float32)
    return signatures(prepared.bgr_small, boxes)
