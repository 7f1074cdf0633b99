"""A scenario: a camera, what it sees, and what should be reported of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from contracts.vision import ByteArray, Frame
from simulator.street.kinds import KINDS
from simulator.street.plot import Plot
from simulator.street.render import Renderer
from simulator.street.scripts import SCRIPTS
from simulator.street.types import Picture, TruthEvent, TruthMeasure
from simulator.street.world import World

SLICES = (
    "day", "overcast", "dusk", "night", "rain", "wet", "shadow", "wind", "shake", "jam", "occlusion", "compressed",
    "noise",
)  # fmt: skip
"""Conditions that clips are told apart by. The first four are light; the rest come on top."""


@dataclass(frozen=True, eq=False)
class Scenario:
    """A pure function of (seed, kind, arguments).

    Attributes:
        duration: s; pictures may be asked for beyond it, but nothing is promised of them.
        camera: as one camera of streams.yaml, without algorithms; its address is a placeholder.
        algorithms: type: parameters, with a short T.
        truth: what should be reported.
        measures: what rules compare with a limit, as it truly is, where the kind is about such a rule.
    """

    seed: int
    kind: str
    size: tuple[int, int]
    duration: float
    slices: tuple[str, ...]
    camera: dict[str, Any]
    algorithms: dict[str, dict[str, Any]]
    truth: tuple[TruthEvent, ...]
    measures: tuple[TruthMeasure, ...]
    world: World = field(repr=False)

    def picture(self, time: float) -> Picture:
        """The moment `time`, s; any moments in any order, always the same pixels."""
        return _renderer(self).picture(float(time))


@lru_cache(maxsize=3)
def _renderer(scenario: Scenario) -> Renderer:
    return Renderer(scenario.world)


def scenario(
    seed: int,
    kind: str,
    *,
    size: tuple[int, int] = (960, 540),
    slices: Iterable[str] | None = None,
    duration: float | None = None,
    backdrop: ByteArray | None = None,
) -> Scenario:
    """A scenario of that kind.

    Args:
        seed: varies place, light, timing, numbers.
        kind: one of `KINDS`.
        size: width, height, both even.
        slices: conditions out of `SLICES`; None lets the seed choose.
        duration: s; None takes what the kind needs.
        backdrop: real picture uint8 [H, W, 3] BGR of the same proportions, on which the same things are drawn.

    Raises:
        KeyError: no such kind.
        ValueError: no such slice, an odd size.
    """
    if kind not in KINDS:
        raise KeyError(f"no kind of scenario is called {kind!r}; there are {', '.join(KINDS)}")
    if size[0] % 2 or size[1] % 2 or min(size) < 64:
        raise ValueError(f"the size {size[0]}x{size[1]} is not even, or below 64 pixels")
    wanted = None if slices is None else tuple(slices)
    unknown = [name for name in wanted or () if name not in SLICES]
    if unknown:
        raise ValueError(f"no slice is called {unknown[0]!r}; there are {', '.join(SLICES)}")
    if backdrop is not None and backdrop.shape[:2] != (size[1], size[0]):
        backdrop = np.asarray(cv2.resize(backdrop, size, interpolation=cv2.INTER_AREA), np.uint8)
    plot = Plot(seed, kind, size, wanted, duration, backdrop)
    return _told(SCRIPTS[kind](plot), plot)


def _told(world: World, plot: Plot) -> Scenario:
    truth = tuple(sorted(plot.truth, key=lambda event: event.start))
    name = f"sim-{plot.kind.replace('_', '-')}-{plot.seed}"
    camera = {
        "id": name[:64],
        "name": f"Simulated {plot.kind} {plot.seed}",
        "department": "simulated",
        "mounting": "high",
        "main": {"url": f"file:///{name}.mp4"},
        "zones": [plot.zone(area) for area in plot.used],
    }
    return Scenario(
        plot.seed, plot.kind, plot.size, plot.duration, plot.slices, camera, plot.algorithms, truth,
        tuple(plot.measures), world,
    )  # fmt: skip


def frames(scenario: Scenario, every: float, start: float = 0.0, end: float | None = None) -> Iterator[Frame]:
    """Looks at a rule's own rate, without any encoding: one frame every `every` seconds from `start` until `end`.

    Planes are YUV 4:2:0, BT.601, limited range; `utc` counts from 1970 like `time`.
    """
    last = scenario.duration if end is None else end
    index = 0
    while (time := start + index * every) < last:
        yield as_frame(scenario.picture(time).bgr, time)
        index += 1


def as_frame(bgr: ByteArray, time: float) -> Frame:
    """A picture uint8 [H, W, 3] as planes."""
    height, width = bgr.shape[:2]
    planes = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420), np.uint8)
    quarter = height * width // 4
    chroma = planes[height:].reshape(-1)
    u, v = (chroma[i * quarter : (i + 1) * quarter].reshape(height // 2, width // 2) for i in (0, 1))
    return Frame(planes[:height], u, v, time, time)


def write_clip(scenario: Scenario, path: Path, fps: float = 5.0, crf: int = 26, gop_s: float = 1.0) -> Path:
    """The whole scenario as H.264 in MP4.

    Args:
        crf: constant rate factor of x264; clips of the slice "compressed" get at least 36.
        gop_s: time between keyframes, s.
    """
    from simulator.rtsp.clips import Encoding, encode_pictures

    quality = max(crf, 36) if "compressed" in scenario.slices else crf
    encoding = Encoding(
        scenario.size, fps, max(1, round(gop_s * fps)), preset="veryfast", extra=f"crf={quality}"
    )  # fmt: skip
    count = round(scenario.duration * fps)
    pictures = (scenario.picture(index / fps).bgr for index in range(count))
    return encode_pictures(path, pictures, encoding)
