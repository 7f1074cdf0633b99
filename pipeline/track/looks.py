"""What the tracker is given, and the same as one table over all cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contracts.vision import Detections, FloatArray, ObjectClass
from pipeline.track.association import BAND
from pipeline.track.table import CLASSES, SIGNATURE

Array = NDArray[np.float64]
Index = NDArray[np.int64]

GROUPS = 4
# People, two-wheelers, vehicles and the rest are never taken for each other; within a group detectors waver.
_GROUP_OF = np.zeros(CLASSES, np.int64)
_GROUP_OF[[ObjectClass.BICYCLE, ObjectClass.MOTORCYCLE]] = 1
_GROUP_OF[[ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK, ObjectClass.VEHICLE]] = 2
_GROUP_OF[ObjectClass.OTHER] = 3


@dataclass(frozen=True, slots=True, eq=False)
class TrackerInput:
    """One camera's detections of one look.

    Attributes:
        camera: the camera's id.
        time: stream time of the look, s; should grow from look to look of one camera. Where it does not, the look
            counts as taken at the moment of the last one.
        detections: what the detector found, boxes normalised.
        appearance: float32 [N, K <= 24], signatures of unit length (`pipeline.appearance`), or None.
        aspect: width / height of the picture.
    """

    camera: str
    time: float
    detections: Detections
    appearance: FloatArray | None = None
    aspect: float = 16 / 9


class Found(NamedTuple):
    """The detections of all looks, D in all, in an order that does not depend on the detector's.

    Attributes:
        look: [D] index of the look.
        band: [D] look * GROUPS + group of classes, ascending; within a band by centre x, ascending.
        place: [4, D] centre x, centre y, width, height; x stretched by the aspect.
        box: float32 [D, 4] as the detector gave it.
        score: [D].
        label: [D] values of `ObjectClass`.
        signature: [SIGNATURE, D] unit columns, zeros where a look brought none; None where no look did.
    """

    look: Index
    band: Index
    place: Array
    box: FloatArray
    score: Array
    label: Index
    signature: Array | None


def gather(looks: Sequence[TrackerInput], low_score: float) -> Found:
    """Detections of at least `low_score` of all looks as one table. Raises ValueError on signatures that do not fit."""
    box = np.concatenate([one.detections.boxes for one in looks])
    score = np.concatenate([one.detections.scores for one in looks]).astype(np.float64)
    label = np.concatenate([one.detections.classes for one in looks])
    counts = [len(one.detections.scores) for one in looks]
    look = np.repeat(np.arange(len(looks)), counts)
    aspect = np.repeat([one.aspect for one in looks], counts)
    x1, y1, x2, y2 = box.T.astype(np.float64)
    place = np.stack([(x1 + x2) * (0.5 * aspect), (y1 + y2) * 0.5, (x2 - x1) * aspect, y2 - y1])
    band = look * GROUPS + _GROUP_OF[label]
    line = band * BAND + place[0]
    order = np.argsort(line)
    if (np.diff(line[order]) == 0).any():
        order = np.lexsort((label, score, y2, y1, x2, x1, line))
    if score.min(initial=1.0) < low_score:
        order = order[score[order] >= low_score]
    signature = _signatures(looks, counts)
    return Found(
        look[order],
        band[order],
        place[:, order],
        box[order],
        score[order],
        label[order],
        None if signature is None else signature[:, order],
    )


def _signatures(looks: Sequence[TrackerInput], counts: list[int]) -> Array | None:
    if all(one.appearance is None for one in looks):
        return None
    table = np.zeros((SIGNATURE, sum(counts)))
    start = 0
    for one, count in zip(looks, counts, strict=True):
        if one.appearance is not None:
            if one.appearance.ndim != 2 or len(one.appearance) != count or one.appearance.shape[1] > SIGNATURE:
                raise ValueError(f"camera {one.camera}: appearance {one.appearance.shape} for {count} detections")
            table[: one.appearance.shape[1], start : start + count] = one.appearance.T
        start += count
    return table
