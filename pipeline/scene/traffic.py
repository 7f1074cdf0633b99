"""A day's tracks on a coarse grid: where vehicles drive and which way, where they stand, where people walk.

Counted is what a track does, not how often it was looked at: a track enters a cell once, stands once for as long as it
does not move by a third of its length. So the answer hardly depends on the rate of looks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts.vision import VEHICLES, ObjectClass, Tracks

COLUMNS, ROWS, DIRECTIONS = 64, 36, 8
STANDING_S = 20.0  # a vehicle that stands for less has not stopped here
_MOVED = 0.3  # of its size (longer side) and it is elsewhere
_FORGET_S = 10.0
_LONGEST_STEP_S = 10.0
_VEHICLES = frozenset(int(label) for label in VEHICLES)
_PERSON = int(ObjectClass.PERSON)
# Of a vehicle's box: what stands on the ground, without its neighbours' lanes.
_WIDTH, _HEIGHT = 0.6, 0.2

Cells = NDArray[np.float32]  # [ROWS, COLUMNS]


@dataclass(slots=True)
class _Course:
    """One track: where it last was sure to be, since when, and which cells it has entered."""

    time: float
    since: float
    x: float
    y: float
    told: bool = False
    entered: set[tuple[int, int]] = field(default_factory=set)


class Traffic:
    """Mutable; belongs to the compute thread.

    Attributes:
        passes: float32 [DIRECTIONS, ROWS, COLUMNS], vehicles that drove through a cell, by direction.
        stops: float32 [ROWS, COLUMNS], vehicles that stood there for at least `STANDING_S`.
        stood_s: float32, how long, s.
        walks: float32, people who walked through.
        lingered_s: float32, how long people stood there, s.
        watched_s: how long tracks were gathered, s.
    """

    def __init__(self) -> None:
        self.passes = np.zeros((DIRECTIONS, ROWS, COLUMNS), np.float32)
        self.stops, self.stood_s, self.walks, self.lingered_s = (
            np.zeros((ROWS, COLUMNS), np.float32) for _ in range(4)
        )
        self.watched_s = 0.0
        self._time: float | None = None
        self._courses: dict[int, _Course] = {}

    def add(self, tracks: Tracks, time: float, aspect: float) -> None:
        """What was tracked in the look at stream time `time`; `aspect` is the picture's width / height."""
        if self._time is not None and time <= self._time:
            return
        step = 0.0 if self._time is None else min(time - self._time, _LONGEST_STEP_S)
        self.watched_s += step
        self._time = time
        for row in range(len(tracks)):
            label = int(tracks.classes[row])
            if label == _PERSON or label in _VEHICLES:
                x1, y1, x2, y2 = tracks.boxes[row].tolist()
                self._follow(int(tracks.ids[row]), (x1, y1, x2, y2), label == _PERSON, time, step, aspect)
        self._courses = {track: course for track, course in self._courses.items() if time - course.time <= _FORGET_S}

    def _follow(
        self, track: int, box: tuple[float, float, float, float], person: bool, time: float, step: float, aspect: float
    ) -> None:
        x1, y1, x2, y2 = box
        width, height = x2 - x1, y2 - y1
        x, y = (x1 + x2) / 2, y2 - (0.0 if person else _HEIGHT / 2 * height)
        half = (width * (0.15 if person else _WIDTH / 2), height * (0.0 if person else _HEIGHT / 2))
        course = self._courses.get(track)
        if course is None:
            self._courses[track] = _Course(time, time, x, y)
            return
        course.time = time
        size = max(width * aspect, height)
        dx, dy = (x - course.x) * aspect, y - course.y
        if math.hypot(dx, dy) > _MOVED * size:
            direction = int(math.atan2(dy, dx) / (2 * math.pi) * DIRECTIONS + DIRECTIONS + 0.5) % DIRECTIONS
            self._go(course, (x, y), half, person, direction)
            course.x, course.y, course.since, course.told = x, y, time, False
            return
        cells = [(row, column) for row, column in _cells(x, y, half)]
        if person:
            for cell in cells:
                self.lingered_s[cell] += step
        elif time - course.since >= STANDING_S:
            for cell in cells:
                self.stops[cell] += 0.0 if course.told else 1.0
                self.stood_s[cell] += step if course.told else time - course.since
            course.told = True

    def _go(
        self, course: _Course, to: tuple[float, float], half: tuple[float, float], person: bool, direction: int
    ) -> None:
        """From where it was to where it is, through every cell between."""
        steps = math.ceil(2 * max(abs(to[0] - course.x) * COLUMNS, abs(to[1] - course.y) * ROWS)) or 1
        layer = self.walks if person else self.passes[direction]
        for i in range(steps + 1):
            share = i / steps
            x, y = course.x + share * (to[0] - course.x), course.y + share * (to[1] - course.y)
            for cell in _cells(x, y, half):
                if cell not in course.entered:
                    course.entered.add(cell)
                    layer[cell] += 1

    def dump(self) -> dict[str, Any]:
        """Arrays and the time watched; tracks that are under way begin anew."""
        layers = {name: getattr(self, name) for name in _LAYERS}
        return {**layers, "watched_s": self.watched_s}

    @staticmethod
    def load(data: dict[str, Any]) -> Traffic:
        """Inverse of `dump`. Raises ValueError, KeyError or TypeError when the data is of another shape."""
        traffic = Traffic()
        for name in _LAYERS:
            setattr(traffic, name, np.asarray(data[name], np.float32).reshape(getattr(traffic, name).shape).copy())
        traffic.watched_s = float(data["watched_s"])
        return traffic


_LAYERS = ("passes", "stops", "stood_s", "walks", "lingered_s")


def _cells(x: float, y: float, half: tuple[float, float]) -> list[tuple[int, int]]:
    """The cells that a rectangle around (x, y) touches."""
    left, right = int((x - half[0]) * COLUMNS), int((x + half[0]) * COLUMNS)
    top, bottom = int((y - half[1]) * ROWS), int((y + half[1]) * ROWS)
    return [
        (row, column)
        for row in range(max(0, top), min(ROWS - 1, bottom) + 1)
        for column in range(max(0, left), min(COLUMNS - 1, right) + 1)
    ]
