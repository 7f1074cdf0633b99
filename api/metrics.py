"""What Prometheus reads: requests of this process, and cameras and events as the stores know them at the scrape."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.live import CameraStatus

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_LOOKS = (
    ("looks", "Looks the detector made"),
    ("looks_superseded", "Looks replaced by a newer one while they waited"),
    ("looks_shed", "Looks dropped for want of capacity"),
    ("looks_gated", "Looks saved because nothing had changed"),
    ("decode_errors", "Pictures that could not be decoded"),
    ("reconnects", "Times a camera had to be opened again"),
)


class RequestMetrics:
    """Request counts and latencies by route template (never by path: ids would make endless series)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.latency = Histogram(
            "cityvision_http_request_seconds",
            "Time to the first byte of the answer",
            ("method", "route", "status"),
            registry=self.registry,
            buckets=_BUCKETS,
        )


class RequestTimer:
    """ASGI middleware that feeds `RequestMetrics`."""

    def __init__(self, app: ASGIApp, metrics: RequestMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()

        async def timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                labels = (scope["method"], route, str(message["status"]))
                self._metrics.latency.labels(*labels).observe(time.perf_counter() - started)
            await send(message)

        await self._app(scope, receive, timed)


class _Snapshot(Collector):
    """Families that are computed for one scrape."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def camera_families(states: Mapping[str, str], statuses: Iterable[CameraStatus]) -> list[Metric]:
    """Cameras by state, and looks summed by worker (12,000 cameras would be too many series).

    Args:
        states: camera → running, stalled, …, or unknown.
        statuses: what the workers last said.
    """
    cameras = GaugeMetricFamily("cityvision_cameras", "Cameras of the pool by live state", labels=("state",))
    for state, count in sorted(Counter(states.values()).items()):
        cameras.add_metric((state,), count)
    by_worker: dict[str, Counter[str]] = {}
    for status in statuses:
        sums = by_worker.setdefault(status.worker, Counter())
        sums.update({name: getattr(status, name) for name, _ in _LOOKS})
    families: list[Metric] = [cameras]
    for name, text in _LOOKS:
        family = CounterMetricFamily(f"cityvision_{name}", text, labels=("worker",))
        for worker, sums in sorted(by_worker.items()):
            family.add_metric((worker,), sums[name])
        families.append(family)
    return families


def gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"cityvision_{name}", text, value=value)


def labelled_gauge(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"cityvision_{name}", text, labels=(label,))
    for key, value in sorted(values.items()):
        family.add_metric((key,), value)
    return family


def render(metrics: RequestMetrics, families: Iterable[Metric]) -> bytes:
    """The text format."""
    registry = CollectorRegistry()
    registry.register(_Snapshot(families))
    return generate_latest(metrics.registry) + generate_latest(registry)
