"""What all scripts share: chance, light and weather by slice, the place, zones, truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts.vision import ByteArray
from simulator.street.actors import Actor
from simulator.street.hashing import generator, mix
from simulator.street.light import Light, daylight
from simulator.street.place import Area, Place, make_place
from simulator.street.types import TruthEvent, TruthMeasure
from simulator.street.weather import Effects
from simulator.street.world import World, always

LIGHTS = ("day", "overcast", "dusk", "night")
PARAMETERS: dict[str, dict[str, Any]] = {
    "illegal_parking": {"dwell": "30s", "look_every": "1s"},
    "waterlogging": {"hold": "20s"},
    "crowding": {"hold": "15s"},
    "litter": {"dwell": "20s"},
    "camera_health": {},
}


class Plot:
    """A scenario while it is being written."""

    def __init__(
        self,
        seed: int,
        kind: str,
        size: tuple[int, int],
        wanted: Sequence[str] | None,
        duration: float | None,
        backdrop: ByteArray | None,
    ) -> None:
        self.seed, self.kind, self.size = seed, kind, size
        self.key = mix(seed, kind)
        self.rng = generator(self.key)
        self.wanted, self.asked_duration, self.backdrop = wanted, duration, backdrop
        self.duration = duration or 100.0
        self.slices: tuple[str, ...] = ()
        self.algorithms: dict[str, dict[str, Any]] = {}
        self.truth: list[TruthEvent] = []
        self.measures: list[TruthMeasure] = []
        self.used: list[Area] = []
        self.actors: list[Actor] = []
        self.place: Place
        self.effects = Effects()
        self.light: Callable[[float], Light] = lambda _time: daylight(0.8, 0.5, 0.3)
        self.capacity: dict[str, int] = {}
        self.calibrated: set[str] = set()
        self.limit = 0

    def number(self) -> int:
        """The next actor's id."""
        return len(self.actors) + 1

    def seed_of(self, *keys: int | str) -> int:
        """A seed for one detail."""
        return mix(self.key, *keys) & 0x7FFFFFFF

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def lasts(self, low: float, high: float) -> None:
        """The duration, unless the caller asked for one."""
        length = round(self.between(low, high))
        self.duration = self.asked_duration or float(length)

    def stage(self, layouts: Sequence[str], focus: str) -> Place:
        """Chooses the place."""
        layout = layouts[int(self.rng.integers(len(layouts)))]
        self.place = make_place(self.seed_of("place"), layout, self.size, focus)
        return self.place

    def watch(self, algorithm: str, area: str) -> Area:
        """Has the algorithm watch an area."""
        found = self.place.areas[area]
        if found not in self.used:
            self.used.append(found)
        self.algorithms[algorithm] = dict(PARAMETERS[algorithm])
        return found

    def tell(self, type: str, zone: str, start: float, end: float) -> None:
        """Notes what should be reported."""
        if start < self.duration:
            self.truth.append(TruthEvent(type, zone, round(start, 3), round(min(end, self.duration), 3)))

    def measure(self, type: str, zone: str, times: NDArray[np.floating], values: NDArray[np.floating]) -> None:
        """Notes what the rule compares with its limit."""
        self.measures.append(TruthMeasure(type, zone, np.asarray(times, np.float64), np.asarray(values, np.float64)))

    def weather(self, lights: Sequence[str], *, always_: Sequence[str] = (), never: Sequence[str] = ()) -> None:
        """Chooses light and conditions, or takes those asked for.

        Args:
            lights: lights that fit the kind.
            always_: conditions that the kind needs.
            never: conditions that would spoil it.
        """
        rng = self.rng
        light = lights[int(rng.integers(len(lights)))]
        extras: list[str] = []
        chances = (
            ("rain", 0.14),
            ("shadow", 0.2),
            ("wind", 0.25),
            ("shake", 0.15),
            ("compressed", 0.15),
            ("noise", 0.12),
        )
        for name, chance in chances:
            if rng.random() < chance and name not in never:
                extras.append(name)
        if self.wanted is not None:
            asked = [name for name in self.wanted if name in LIGHTS]
            light = asked[0] if asked else light
            extras = [name for name in self.wanted if name not in LIGHTS]
        chosen = [light, *extras, *always_]
        if "rain" in chosen and light == "day":
            chosen[0] = light = "overcast"
        if "shadow" in chosen:
            chosen[0] = light = "day"
            chosen = [name for name in chosen if name not in {"rain", "wet"}]
        self.slices = tuple(dict.fromkeys(chosen))
        self._set_light(light)
        self._set_effects()

    def _set_light(self, light: str) -> None:
        azimuth = self.between(0, 6.28)
        clear = "shadow" in self.slices
        elevation, clouds = {
            "day": (self.between(0.45, 1.05), 0.05 if clear else self.between(0.0, 0.5)),
            "overcast": (self.between(0.35, 0.9), self.between(0.85, 1.0)),
            "dusk": (self.between(0.0, 0.10), self.between(0.2, 0.8)),
            "night": (-0.5, 0.3),
        }[light]
        fixed = daylight(elevation, azimuth, clouds)
        self.light = lambda _time: fixed

    def _set_effects(self) -> None:
        has = self.slices.__contains__
        raining = has("rain")
        self.effects = Effects(
            rain=self.between(0.4, 1.0) if raining else 0.0,
            drops=int(self.rng.integers(0, 14)) if raining else 0,
            wind=self.between(0.4, 1.0) if has("wind") else 0.0,
            shake=self.between(0.0008, 0.0025) if has("shake") else 0.0,
            noise=self.between(4.0, 7.0) if has("noise") else self.between(1.0, 2.6),
            drift=self.between(0.0, 0.035),
            clouds=self.between(0.35, 0.6) if has("shadow") else 0.0,
            jpeg=int(self.rng.integers(18, 34)) if has("compressed") else 0,
            wet=self.between(0.6, 1.0) if raining or has("wet") else 0.0,
        )

    def zone(self, area: Area) -> dict[str, Any]:
        """The area as a zone of streams.yaml."""
        corners = [(round(u, 5), round(v, 5)) for u, v in self.place.optics.normalised(area.corners)]
        polygon = [list(corner) for corner in _inside(corners)]
        zone: dict[str, Any] = {"id": area.id, "kind": area.kind, "polygon": polygon}
        if area.id in self.capacity:
            zone["capacity"] = self.capacity[area.id]
        if area.id in self.calibrated and polygon == [list(corner) for corner in corners]:
            zone["calibration"] = {"image": polygon, "ground_m": [[round(x, 3), round(y, 3)] for x, y in area.corners]}
        return zone

    def world(self, **parts: Any) -> World:
        """What was written so far, as a world."""
        parts.setdefault("cast", always(self.actors))
        return World(
            seed=self.key, place=self.place, light=self.light, effects=self.effects, backdrop=self.backdrop, **parts
        )


def _inside(corners: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The part of a convex polygon that lies in the picture, 0..1."""
    for axis, limit, sign in ((0, 0.0, 1.0), (0, 1.0, -1.0), (1, 0.0, 1.0), (1, 1.0, -1.0)):
        kept: list[tuple[float, float]] = []
        for before, here in zip([corners[-1], *corners[:-1]], corners, strict=True):
            away, now = sign * (before[axis] - limit), sign * (here[axis] - limit)
            if (away >= 0) != (now >= 0):
                part = away / (away - now)
                cut = [round(b + (h - b) * part, 5) for b, h in zip(before, here, strict=True)]
                cut[axis] = limit
                kept.append((cut[0], cut[1]))
            if now >= 0:
                kept.append(here)
        corners = [c for index, c in enumerate(kept) if c != kept[index - 1]]
    return corners
