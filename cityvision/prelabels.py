"""What a detector would say of pictures and clips that are to be labelled: boxes, and tracks with few key frames."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from algorithm_repo.datasets.pictures import decode
from algorithm_repo.datasets.trackfit import Sighting, fitted
from algorithm_repo.datasets.tracks import Corners
from algorithm_repo.datasets.types import Box
from algorithm_repo.labelling.types import Project, Suggestion
from contracts.errors import SourceError
from contracts.vision import Detections, Frame, ObjectClass, Tracks
from models.detector import Detector
from models.picture import frame_from_bgr
from pipeline.track import FleetTracker, TrackerInput
from store.memory_files import in_memory

_LEAST_SIGHTINGS = 3  # what a tracker saw less often is more often a mistake than a thing


@dataclass(frozen=True, slots=True)
class Prelabeller:
    """A detector, asked for the classes of one project.

    Attributes:
        by: what its suggestions are signed with.
        least: detections below this score are left out, 0..1.
        rate: looks a second at clips.
    """

    project: Project
    detector: Detector
    by: str
    least: float
    rate: float

    def of_picture(self, data: bytes) -> tuple[Suggestion, ...]:
        """Boxes of a JPEG or PNG.

        Raises:
            ValueError: these bytes are no picture.
            RunnerError: inference failed.
        """
        (found,) = self.detector.detect_frames([frame_from_bgr(decode(data))], self.least)
        return tuple(
            Suggestion(by=self.by, confidence=one.score, label=Box(label=one.name, box=one.box))
            for one in _rows(found)
            if one.name in self.project.classes
        )

    def of_clip(self, data: bytes) -> tuple[Suggestion, ...]:
        """Tracks of an MP4.

        Raises:
            SourceError: it cannot be read.
            RunnerError: inference failed.
        """
        tracker, seen = FleetTracker(), defaultdict[int, list[tuple[float, _Row]]](list)
        for at, frame in _looks(data, self.rate):
            (found,) = self.detector.detect_frames([frame], self.least)
            (tracks,) = tracker.step([TrackerInput("clip", at, found, aspect=frame.aspect)])
            for number, row in zip(tracks.ids.tolist(), _rows(tracks), strict=True):
                seen[number].append((at, row))
        return tuple(one for rows in seen.values() if (one := self._track(rows)) is not None)

    def _track(self, seen: Sequence[tuple[float, _Row]]) -> Suggestion | None:
        name = seen[-1][1].name  # voted over its whole life by then
        if len(seen) < _LEAST_SIGHTINGS or name not in self.project.classes:
            return None
        sure = float(np.mean([row.score for _, row in seen]))
        return Suggestion(by=self.by, confidence=sure, label=fitted(name, [Sighting(at, row.box) for at, row in seen]))


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    score: float
    box: Corners


def _rows(found: Detections | Tracks) -> list[_Row]:
    boxes = np.clip(found.boxes.astype(np.float64), 0, 1).round(6).tolist()
    return [
        _Row(ObjectClass(kind).name.lower(), min(1.0, max(0.0, score)), (x1, y1, x2, y2))
        for kind, score, (x1, y1, x2, y2) in zip(found.classes.tolist(), found.scores.tolist(), boxes, strict=True)
    ]


def _looks(data: bytes, rate: float) -> Iterator[tuple[float, Frame]]:
    """Pictures of a clip, at most `rate` a second: s from its first picture, and what it shows."""
    with in_memory(data) as path:
        reader = cv2.VideoCapture(str(path))
        first, last, due = None, -1.0, 0.0
        while reader.grab():
            seconds = reader.get(cv2.CAP_PROP_POS_MSEC) / 1e3
            first = seconds if first is None else first
            at = round(seconds - first, 6)
            if at < due - 1e-6 or at <= last:
                continue
            last, due = at, max(due + 1 / rate, at)
            there, picture = reader.retrieve()
            if there:
                yield at, frame_from_bgr(np.asarray(picture, np.uint8), at)
        reader.release()
    if first is None:
        raise SourceError("it cannot be decoded", "give a clip in H.264")
