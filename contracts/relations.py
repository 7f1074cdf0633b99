"""What must hold between the parts of one camera: zones, presets and algorithms that fit each other.

The checks run on an outline of the camera rather than on the camera, so that a file whose camera has other faults
still hears all of these at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from contracts.algorithms import ALGORITHMS
from contracts.problems import Problem


@dataclass(frozen=True, slots=True)
class ZoneOutline:
    """The part of a zone that others refer to; `index` is its place in `zones`."""

    index: int
    id: str
    kind: str
    preset: str | None
    calibrated: bool
    capacity: int | None


@dataclass(frozen=True, slots=True)
class WatchOutline:
    """One algorithm of the camera: the zones it names (None: all fitting ones) and its own limit of people."""

    name: str
    zones: Sequence[str] | None
    max_people: int | None


@dataclass(frozen=True, slots=True)
class CameraOutline:
    """What of a camera could be read; `zones_complete` False while a zone's own faults hide its id or kind."""

    kind: str | None
    presets: Sequence[tuple[int, str]]
    zones: Sequence[ZoneOutline]
    zones_complete: bool
    watches: Sequence[WatchOutline]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean x?)` for the closest known word, or nothing."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]}?)" if close else ""


def listed(words: Iterable[str], limit: int = 8) -> str:
    """`a, b, c` in order, the rest only counted."""
    ordered = sorted(words)
    more = f" and {len(ordered) - limit} more" if len(ordered) > limit else ""
    return ", ".join(ordered[:limit]) + more


def relation_problems(camera: CameraOutline) -> list[Problem]:
    """Everything between the camera's parts that does not fit, in the file's order."""
    return [*_twice(camera), *_presets(camera), *_watches(camera)]


def _twice(camera: CameraOutline) -> Iterator[Problem]:
    ids: dict[str, Iterable[tuple[int, str]]] = {
        "presets": camera.presets,
        "zones": [(zone.index, zone.id) for zone in camera.zones],
    }
    for what, entries in ids.items():
        first: dict[str, int] = {}
        for index, name in entries:
            if name in first:
                fix = f"give it an id of its own ({what}[{first[name]}] has this one)"
                yield Problem((what, index, "id"), f"the id {name!r} stands twice in this camera", fix)
            first.setdefault(name, index)


def _presets(camera: CameraOutline) -> Iterator[Problem]:
    if camera.kind == "fixed" and camera.presets:
        yield Problem(("presets",), "a fixed camera has no presets", "write kind: ptz, or leave the presets out")
    if camera.kind == "ptz" and not camera.presets:
        fix = "write presets: [{id: home, name: Home}], or kind: fixed"
        yield Problem(("presets",), "a PTZ camera without presets cannot have zones that hold", fix)
    known = {name for _, name in camera.presets}
    for zone in camera.zones:
        if zone.preset is None:
            if camera.kind == "ptz" and known:
                fix = f"write preset: with one of {listed(known)}"
                yield Problem(("zones", zone.index), "a zone of a PTZ camera belongs to a preset", fix)
        elif camera.kind == "fixed":
            yield Problem(("zones", zone.index, "preset"), "a fixed camera has no presets", "leave preset out")
        elif known and zone.preset not in known:
            what = f"the camera has no preset {zone.preset!r}{did_you_mean(zone.preset, known)}"
            yield Problem(("zones", zone.index, "preset"), what, f"write one of {listed(known)}, or add the preset")


def _watches(camera: CameraOutline) -> Iterator[Problem]:
    zones = {zone.id: zone for zone in camera.zones}
    for watch in camera.watches:
        kinds = ALGORITHMS[watch.name].zone_kinds
        if not kinds:
            if watch.zones is not None:
                place = ("algorithms", watch.name, "zones")
                yield Problem(place, f"{watch.name} watches the whole picture, no zone", "leave zones out")
            continue
        if watch.zones is None:
            watched = [zone for zone in camera.zones if zone.kind in kinds]
            if not watched and camera.zones_complete:
                fix = f"add a zone of kind {listed(kinds)}, or leave {watch.name} out"
                yield Problem(("algorithms", watch.name), "the camera has no zone it could watch", fix)
        else:
            yield from _named_zones(watch.name, watch.zones, kinds, zones, camera.zones_complete)
            watched = [zones[name] for name in watch.zones if name in zones and zones[name].kind in kinds]
        if watch.name == "crowding" and watch.max_people is None:
            # Left to itself it watches the zones that have a limit; one that is named must have one.
            limited = [zone for zone in watched if zone.calibrated or zone.capacity is not None]
            if watch.zones is not None or not limited:
                yield from _uncounted(watched)


def _named_zones(
    name: str,
    named: Sequence[str],
    kinds: frozenset[str],
    zones: Mapping[str, ZoneOutline],
    complete: bool,
) -> Iterator[Problem]:
    for index, zone in enumerate(named):
        place = ("algorithms", name, "zones", index)
        if zone in named[:index]:
            yield Problem(place, f"the zone {zone!r} stands twice", "leave one of them out")
        elif zone not in zones:
            if complete:
                what = f"the camera has no zone {zone!r}{did_you_mean(zone, zones)}"
                fix = f"write one of {listed(zones)}" if zones else "add the zone"
                yield Problem(place, what, fix)
        elif zones[zone].kind not in kinds:
            fix = f"name a zone of kind {listed(kinds)}"
            yield Problem(place, f"{name} cannot watch {zone!r}, a zone of kind {zones[zone].kind}", fix)


def _uncounted(watched: Iterable[ZoneOutline]) -> Iterator[Problem]:
    for zone in watched:
        if not zone.calibrated and zone.capacity is None:
            what = f"crowding has no limit for the zone {zone.id!r}, which is not calibrated"
            yield Problem(
                ("zones", zone.index), what, "add calibration: or capacity: to it, or max_people: to the algorithm"
            )
