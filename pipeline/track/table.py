"""All tracks of all cameras as one table of columns (a structure of arrays), with cheap adding and removing."""

from __future__ import annotations

import base64
import binascii
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]

CLASSES = 8
SIGNATURE = 24  # widest appearance signature that is kept


class Column(IntEnum):
    """Rows of the table's matrix. Whole numbers stay exact in float64 up to 2^53."""

    CAMERA = 0  # index of the camera
    SERIAL = 1  # order of birth within the camera
    ID = 2  # -1 until confirmed
    GROUP = 3  # of classes that may be matched with each other
    HITS = 4  # sightings
    FIRST = 5  # stream time of the first sighting, s
    LAST = 6  # stream time of the last sighting, s
    MISSED = 7  # looks since the last sighting
    STILL_SINCE = 8  # stream time since which the centre has stayed near the anchor, s
    ANCHOR_X = 9
    ANCHOR_Y = 10
    SIGNED = 11  # 1 where a signature is known
    PLACE = 12  # 4 rows: centre x, centre y, width, height (x stretched by the aspect)
    SPEED = 16  # 4 rows: the same per s
    SPREAD = 20  # 6 rows: see motion.Motion
    VOTES = 26  # one row a class: sum of scores
    LOOK = 34  # SIGNATURE rows: colour signature


ROWS = Column.LOOK + SIGNATURE
PLACE = slice(Column.PLACE, Column.PLACE + 4)
SPEED = slice(Column.SPEED, Column.SPEED + 4)
SPREAD = slice(Column.SPREAD, Column.SPREAD + 6)
VOTES = slice(Column.VOTES, Column.VOTES + CLASSES)
LOOK = slice(Column.LOOK, Column.LOOK + SIGNATURE)


class TrackTable:
    """A growing float64 matrix [ROWS, capacity]; the first `count` columns are live, in no order."""

    def __init__(self) -> None:
        self._data: Array = np.zeros((ROWS, 64))
        self.count = 0

    @property
    def live(self) -> Array:
        """[ROWS, count] view of the live tracks."""
        return self._data[:, : self.count]

    def add(self, columns: Array) -> None:
        """Appends tracks, [ROWS, K]."""
        needed = self.count + columns.shape[1]
        if needed > self._data.shape[1]:
            grown = np.zeros((ROWS, max(needed, 2 * self._data.shape[1])))
            grown[:, : self.count] = self.live
            self._data = grown
        self._data[:, self.count : needed] = columns
        self.count = needed

    def take(self, indices: Index, signed: bool) -> Array:
        """Copies of tracks, [ROWS, K]; without the signature rows, [Column.LOOK, K], unless `signed`."""
        rows = self.live if signed else self._data[: Column.LOOK, : self.count]
        return rows.take(indices, axis=1, mode="clip")

    def remove(self, indices: Index) -> None:
        """Drops tracks, filling their places with the last ones: the cost is that of the dropped, not of all."""
        if not len(indices):
            return
        new_count = self.count - len(indices)
        gone = np.zeros(self.count, np.bool_)
        gone[indices] = True
        holes = indices[indices < new_count]
        movers = new_count + np.flatnonzero(~gone[new_count:])
        self._data[:, holes] = self._data[:, movers]
        self.count = new_count


def pack(columns: Array) -> str:
    """Tracks [ROWS, K] as text that is exact to the last bit."""
    return base64.b64encode(np.ascontiguousarray(columns, dtype="<f8").tobytes()).decode("ascii")


def unpack(text: object) -> Array:
    """Inverse of `pack`. Raises ValueError when the text is of another shape or holds no finite numbers."""
    if not isinstance(text, str):
        raise ValueError("tracker state: 'tracks' must be text")
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("tracker state: 'tracks' is not base64") from error
    flat = np.frombuffer(data, "<f8", len(data) // 8)
    if len(data) % (8 * ROWS) or not np.isfinite(flat).all():
        raise ValueError(f"tracker state: 'tracks' does not hold finite columns of {ROWS} numbers")
    return flat.reshape(ROWS, -1).astype(np.float64)
