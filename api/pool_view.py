"""The pool as the doors read it: the current revision, parsed once, with names at hand."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from api.problems import NotFound
from contracts.pool import Camera, Pool, Zone
from pool.reader import PoolReader


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

    def place_name(self, address: str, camera_id: str, zone_id: str) -> str:
        """What people call a place: its address, else camera and zone; "" where neither is known."""
        if address or not camera_id:
            return address
        return f"{self.camera_name(camera_id)} · {self.zone_name(camera_id, zone_id)}"

    def department_name(self, department: str) -> str:
        return self.departments.get(department, department)


class PoolCache:
    """The newest revision with its names, built once a process. Thread-safe."""

    def __init__(self) -> None:
        self._reader = PoolReader()
        self._view = PoolView.of(0, Pool())

    def view(self, connection: Connection) -> PoolView:
        """The revision that is current in the caller's transaction; revision 0 before the first import."""
        found = self._reader.read(connection)
        if found is None:
            return PoolView.of(0, Pool())
        known = self._view
        if known.pool is not found.pool:
            known = self._view = PoolView.of(found.revision, found.pool)
        return known
