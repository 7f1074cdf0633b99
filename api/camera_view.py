"""Cameras as the doors show them: the pool's entry with what its worker last said."""

from __future__ import annotations

from typing import Any

from api.pool_view import PoolView
from api.schemas import CameraDetail, CameraSummary, LiveStatus, StreamOut
from contracts.live import CameraStatus
from contracts.pool import Camera, StreamRef


def state_of(camera: Camera, status: CameraStatus | None, now: float, stale_s: float) -> str:
    """running, connecting, stalled, offline, unknown (nobody said anything within `stale_s`) or disabled."""
    if not camera.enabled:
        return "disabled"
    if status is None or now - status.updated_utc > stale_s:
        return "unknown"
    return status.state.value


def live_status(camera: Camera, status: CameraStatus | None, now: float, stale_s: float) -> LiveStatus:
    """What may be said of a camera at `now`: nothing that is older than `stale_s` counts as its state."""
    if not camera.enabled:
        return LiveStatus(state="disabled")
    if status is None:
        return LiveStatus(state="unknown")
    known = status.model_dump(exclude={"camera", "ring_bytes"})
    if now - status.updated_utc > stale_s:
        known |= {"state": "unknown", "since_utc": status.updated_utc, "fps": 0.0, "kbit_s": 0.0}
    return LiveStatus.model_validate(known)


def summary_fields(camera: Camera, pool: PoolView, status: LiveStatus) -> dict[str, Any]:
    """What list and detail have in common."""
    return {
        "id": camera.id,
        "name": camera.name,
        "department": camera.department,
        "department_name": pool.department_name(camera.department),
        "camera_class": camera.camera_class,
        "kind": camera.kind,
        "grid": camera.grid,
        "enabled": camera.enabled,
        "position": camera.position,
        "zones": camera.zones,
        "algorithms": tuple(camera.algorithms),
        "status": status,
    }


def summary(camera: Camera, pool: PoolView, status: LiveStatus) -> CameraSummary:
    return CameraSummary(**summary_fields(camera, pool, status))


def _stream(stream: StreamRef) -> StreamOut:
    address = stream.url.partition("?")[0]
    return StreamOut(address=address, transport=stream.transport, has_credentials=stream.credentials is not None)


def detail(camera: Camera, pool: PoolView, status: LiveStatus) -> CameraDetail:
    return CameraDetail(
        **summary_fields(camera, pool, status),
        revision=pool.revision,
        mounting=camera.mounting,
        presets=camera.presets,
        main=_stream(camera.main),
        sub=_stream(camera.sub) if camera.sub else None,
        parameters={name: parameters.model_dump(mode="json") for name, parameters in camera.algorithms.items()},
    )
