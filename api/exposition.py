"""`/metrics` for Prometheus."""

from __future__ import annotations

import ipaddress
import secrets
import time

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST

from api import metrics
from api.camera_view import live_status
from api.deps import ConnectionDep, DoorsDep, PoolDep
from api.doors import Doors
from contracts.errors import BusUnavailable, Forbidden
from events import queries
from events.types import EventFilter

router = APIRouter(tags=["metrics"])


def _require_scraper(request: Request, doors: Doors) -> None:
    """A scraper shows the token; without one configured it has to run on this machine."""
    token = doors.settings.metrics_token
    if token is not None:
        shown = request.headers.get("authorization", "").removeprefix("Bearer ")
        if secrets.compare_digest(shown.encode(), token.get_secret_value().encode()):
            return
    elif request.client is not None and _is_loopback(request.client.host):
        return
    raise Forbidden("metrics are not open to everybody", "send the metrics token as a bearer token")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@router.get("/metrics", response_class=Response, include_in_schema=False)
def exposition(request: Request, doors: DoorsDep, connection: ConnectionDep, pool: PoolDep) -> Response:
    """Requests of this process; cameras, looks and events of the whole system."""
    _require_scraper(request, doors)
    try:
        statuses = doors.bus.statuses()
    except BusUnavailable:
        statuses = {}
    now, stale_s = time.time(), doors.settings.status_stale_s
    states = {
        camera.id: str(live_status(camera, statuses.get(camera.id), now, stale_s).state) for camera in pool.pool.cameras
    }
    by_type = {count.value: float(count.events) for count in queries.count_by(connection, "type", EventFilter())}
    still_open = queries.count_by(connection, "type", EventFilter(state="open"))
    families = [
        *metrics.camera_families(states, statuses.values()),
        metrics.labelled_gauge("events", "Events kept", "type", by_type),
        metrics.labelled_gauge("events_open", "Events going on", "type", {c.value: c.events for c in still_open}),
        metrics.gauge("live_viewers", "Live pictures being watched through this process", doors.relay.viewers),
        metrics.gauge("event_streams", "Open event streams of this process", doors.feed.listeners),
        metrics.gauge("pool_revision", "Revision of the pool", pool.revision),
    ]
    return Response(metrics.render(doors.metrics, families), media_type=CONTENT_TYPE_LATEST)
