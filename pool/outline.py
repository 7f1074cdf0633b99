"""The outline of a camera that does not validate, so that its parts can still be checked against each other."""

from __future__ import annotations

from typing import Any

from contracts.algorithms import ALGORITHMS
from contracts.pool import ZoneKind
from contracts.relations import CameraOutline, WatchOutline, ZoneOutline

_KINDS = {kind.value for kind in ZoneKind}


def outline(data: dict[str, Any]) -> CameraOutline:
    """What of `data` (a camera as it stands in the file) can be relied on; the rest is left out, never guessed."""
    kind = data.get("kind", "fixed")
    raw_zones = _list(data.get("zones"))
    zones = [zone for index, raw in enumerate(raw_zones) if (zone := _zone(index, raw)) is not None]
    presets = [
        (index, raw["id"])
        for index, raw in enumerate(_list(data.get("presets")))
        if isinstance(raw, dict) and isinstance(raw.get("id"), str)
    ]
    return CameraOutline(
        kind=kind if kind in ("fixed", "ptz") and isinstance(data.get("presets", []), list) else None,
        presets=presets,
        zones=zones,
        zones_complete=len(zones) == len(raw_zones) and isinstance(data.get("zones", []), list),
        watches=_watches(data.get("algorithms")),
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _zone(index: int, raw: object) -> ZoneOutline | None:
    if not isinstance(raw, dict) or not isinstance(raw.get("id"), str) or raw.get("kind") not in _KINDS:
        return None
    preset = raw.get("preset")
    return ZoneOutline(
        index=index,
        id=raw["id"],
        kind=raw["kind"],
        preset=preset if isinstance(preset, str) else None,
        calibrated=raw.get("calibration") is not None,
        capacity=1 if raw.get("capacity") is not None else None,
    )


def _watches(raw: object) -> list[WatchOutline]:
    watches = []
    for name, parameters in (raw if isinstance(raw, dict) else {}).items():
        given = {} if parameters is None else parameters
        if name not in ALGORITHMS or not isinstance(given, dict):
            continue
        zones = given.get("zones")
        if zones is None or (isinstance(zones, list) and all(isinstance(zone, str) for zone in zones)):
            watches.append(WatchOutline(name, zones, 1 if given.get("max_people") is not None else None))
    return watches
