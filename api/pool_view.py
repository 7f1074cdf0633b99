"""The pool as the doors read it: the current revision, parsed once, with names at hand."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from sqlalchemy import Connection

from api.problems import NotFound
from contracts.pool import Camera, Pool, Zone
from pool import store


@dataclass(frozen=True)
class PoolView:
    """One revision of the pool."""

    revision: int
    pool: Pool
    cameras: dict[str, Camera] = field(repr=False)
    departments: dict[str, str] = field(repr=False)

    @staticmethod
    def of(revision: int, pool: Pool) -> PoolView:
        cameras = {camera.id: camera for camera in pool.cameras}
        return PoolView(revision, pool, cameras, {one.id: one.name for one in pool.departments})

    def camera(self, camera_id: str) -> Camera:
        """Raises NotFound."""
        try:
            return self.cameras[camera_id]
        except KeyError:
            raise NotFound(f"no camera {camera_id}", "it may have left the pool") from None

    def camera_name(self, camera_id: str) -> str:
        """Its id where the pool no longer has it."""
        camera = self.cameras.get(camera_id)
        return camera.name if camera else camera_id

    def zone(self, camera_id: str, zone_id: str) -> Zone | None:
        camera = self.cameras.get(camera_id)
        return next((zone for zone in camera.zones if zone.id == zone_id), None) if camera else None

    def zone_name(self, camera_id: str, zone_id: str) -> str:
        zone = self.zone(camera_id, zone_id)
        return zone.name or zone.id if zone else zone_id

    def department_name(self, department: str) -> str:
        return self.departments.get(department, department)


class PoolCache:
    """The newest revision, parsed once a process: 12,000 cameras are not read for every request. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._view: PoolView | None = None

    def view(self, connection: Connection) -> PoolView:
        """The revision that is current in the caller's transaction."""
        revision = store.current_revision(connection) or 0
        known = self._view
        if known is not None and known.revision == revision:
            return known
        with self._lock:
            if self._view is None or self._view.revision != revision:
                self._view = PoolView.of(revision, store.at(connection, revision).pool if revision else Pool())
            return self._view
