"""What flows inside a worker: pictures, detections, tracks. In-process, so plain frozen dataclasses.

Coordinates are normalised to the picture the camera sends (x right, y down, both 0..1), so that they do not
change with the resolution; `aspect` (width / height) restores true proportions where lengths matter.
Times are seconds of stream time (see `pipeline.source.clock`): monotonic, unwrapped, never wall time.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from contracts.senses import UNSENSED, Senses

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
ByteArray = NDArray[np.uint8]


class ObjectClass(IntEnum):
    """Classes every detector family maps its own labels onto."""

    PERSON = 0
    BICYCLE = 1
    CAR = 2
    MOTORCYCLE = 3
    BUS = 4
    TRUCK = 5
    VEHICLE = 6  # a detector that does not tell car, bus and truck apart
    OTHER = 7


VEHICLES: frozenset[ObjectClass] = frozenset({ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK, ObjectClass.VEHICLE})


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded picture as planes, before any colour conversion (YUV 4:2:0, BT.601 or BT.709).

    Attributes:
        y: uint8 [H, W].
        u, v: uint8 [H/2, W/2].
        time: stream time, s.
        utc: the same moment, s since 1970-01-01 UTC, as well as the source's clock mapping knows it.
        full_range: luma spans 0..255 (JPEG range) rather than 16..235.
        bt709: colours follow BT.709 (HD) rather than BT.601.
    """

    y: ByteArray
    u: ByteArray
    v: ByteArray
    time: float
    utc: float
    full_range: bool = False
    bt709: bool = False

    @property
    def width(self) -> int:
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        return int(self.y.shape[0])

    @property
    def aspect(self) -> float:
        return self.width / self.height


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What a detector found in one picture, after score filter and NMS.

    Attributes:
        boxes: float32 [N, 4], x1 y1 x2 y2, normalised, x1 < x2, y1 < y2.
        scores: float32 [N], 0..1.
        classes: int64 [N], values of `ObjectClass`.
    """

    boxes: FloatArray
    scores: FloatArray
    classes: IntArray

    def __post_init__(self) -> None:
        n = len(self.scores)
        if self.boxes.shape != (n, 4) or self.classes.shape != (n,):
            raise ValueError(
                f"Detections: boxes {self.boxes.shape}, scores ({n},), classes {self.classes.shape} do not match"
            )

    def __len__(self) -> int:
        return len(self.scores)

    @staticmethod
    def empty() -> Detections:
        return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))

    def select(self, keep: NDArray[np.bool_] | IntArray) -> Detections:
        """The rows that `keep` (a mask or indices) names."""
        return Detections(self.boxes[keep], self.scores[keep], self.classes[keep])


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """One camera's confirmed tracks right after a look, one row a track that was seen in this look.

    Attributes:
        ids: int64 [N]; unique per camera, never reused, surviving a restart.
        boxes: float32 [N, 4], x1 y1 x2 y2, normalised: the detection's box of this look, unsmoothed.
        scores: float32 [N], the detector's.
        classes: int64 [N], values of `ObjectClass`, voted over the track's life.
        first_seen: float64 [N], stream time of the track's first detection, s.
        velocity: float32 [N, 2], of the box centre, normalised units per second.
        appearance: float32 [N, K] or None: a small colour signature (see `pipeline.appearance`), rows of unit length.
    """

    ids: IntArray
    boxes: FloatArray
    scores: FloatArray
    classes: IntArray
    first_seen: NDArray[np.float64]
    velocity: FloatArray
    appearance: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @staticmethod
    def empty() -> Tracks:
        return Tracks(
            np.zeros(0, np.int64),
            np.zeros((0, 4), np.float32),
            np.zeros(0, np.float32),
            np.zeros(0, np.int64),
            np.zeros(0, np.float64),
            np.zeros((0, 2), np.float32),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What a rule sees of one camera at one moment.

    Attributes:
        camera: the camera's id.
        time: stream time, s; strictly increasing from look to look of one camera.
        utc: the same moment, s since 1970 UTC.
        tracks: the tracks seen in this look.
        aspect: width / height of the picture.
        preset: the PTZ preset the camera stands at; "" for a fixed camera; None when it is off every preset.
        gap: s since the previous look during which nothing was watched (offline, shed); 0 normally.
        senses: what else was sensed, as far as a rule asked for it (`Rule.asks`).
    """

    camera: str
    time: float
    utc: float
    tracks: Tracks
    aspect: float
    preset: str | None = ""
    gap: float = 0.0
    senses: Senses = UNSENSED
