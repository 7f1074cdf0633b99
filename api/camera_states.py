"""The state of every camera, kept for a moment: many pages and many viewers ask, and twelve thousand are many."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass

from api.camera_view import state_of
from api.pool_view import PoolView
from contracts.errors import BusUnavailable
from store.bus import Bus

KEPT_S = 5.0


@dataclass(frozen=True, slots=True)
class _Kept:
    view: PoolView
    until: float
    states: dict[str, str]
    detectors: dict[str, int]


class CameraStates:
    """Thread-safe; one reading of the bus serves everybody for `kept_s`."""

    def __init__(self, bus: Bus, stale_s: float, kept_s: float = KEPT_S) -> None:
        self._bus, self._stale_s, self._kept_s = bus, stale_s, kept_s
        self._lock = threading.Lock()
        self._kept: _Kept | None = None

    def of(self, view: PoolView) -> dict[str, str]:
        """Camera → state, for every camera of this revision; while the bus is away each is unknown or disabled."""
        return self._now(view).states

    def detectors(self, view: PoolView) -> dict[str, int]:
        """Detector → how many cameras it looks at just now, as workers said of late."""
        return self._now(view).detectors

    def _now(self, view: PoolView) -> _Kept:
        with self._lock:
            kept, now = self._kept, time.monotonic()
            if kept is None or kept.view is not view or now >= kept.until:
                kept = self._kept = self._read(view, now + self._kept_s)
            return kept

    def _read(self, view: PoolView, until: float) -> _Kept:
        try:
            statuses = self._bus.statuses()
        except BusUnavailable:
            statuses = {}
        now = time.time()
        states = {
            camera.id: state_of(camera, statuses.get(camera.id), now, self._stale_s) for camera in view.pool.cameras
        }
        known = (statuses[one] for one, state in states.items() if state not in ("unknown", "disabled"))
        return _Kept(view, until, states, dict(Counter(status.model for status in known if status.model)))
