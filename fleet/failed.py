"""A camera of a worker that cannot be set up just now: it is shown, told as not watched, and tried again."""

from __future__ import annotations

import math
import time

import orjson

from contracts.live import CameraState, CameraStatus
from contracts.pool import Camera
from contracts.records import Unwatched
from contracts.redact import redact
from fleet.kept import coverage_of, coverage_state, parse
from pipeline.coverage import Coverage, missed


class FailedCamera:
    """Belongs to the compute thread.

    Args:
        camera: its entry in the pool.
        worker: this worker's id.
        state: what it would have gone on from; None when it never ran.
        error: why it cannot be set up; may hold secrets.
        since_utc: since when, s since 1970 UTC.

    Attributes:
        error: without secrets.
        next_try: when to try again, s of the caller's clock.
    """

    def __init__(self, camera: Camera, worker: str, state: bytes | None, error: str, since_utc: float) -> None:
        self.camera = camera
        self.error = redact(error)
        self.since_utc = since_utc
        self.next_try = 0.0
        self._worker = worker
        try:
            self._state = parse(state) if state else {}
            self._coverage = coverage_of(self._state) if self._state else Coverage(since_utc)
        except (ValueError, KeyError, TypeError):
            self._state, self._coverage = {}, Coverage(since_utc)

    def unseen(self) -> Unwatched | None:
        """The unwatched interval that begins with this; None when it has begun, or nothing watches this camera."""
        if not self.camera.algorithms:
            return None
        # No grace: no look can be under way.
        self._coverage, begun = missed(self._coverage, self.camera.id, math.inf, 0.0, "error")
        return begun

    def dump(self) -> bytes:
        """See `WatchedCamera.load`."""
        return orjson.dumps({"last": None} | self._state | {"coverage": coverage_state(self._coverage)})

    def status(self) -> CameraStatus:
        return CameraStatus(
            camera=self.camera.id,
            worker=self._worker,
            state=CameraState.OFFLINE,
            since_utc=self.since_utc,
            error=self.error,
            updated_utc=time.time(),
        )
