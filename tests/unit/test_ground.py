"""The ground scale of cameras whose geometry is known: right within the uncertainty it states."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest

from contracts.geometry import FloatArray
from contracts.vision import ObjectClass
from pipeline.ground import PERSON_M, GroundScale, fit
from pipeline.groundfit import fit_boxes
from simulator.street.actors import make_of, vehicle_mesh
from simulator.street.optics import Optics

SIZE = (960, 540)
ASPECT = SIZE[0] / SIZE[1]
PATCH = ((-3.0, 12.0), (3.0, 12.0), (3.0, 18.0), (-3.0, 18.0))  # 36 m² of ground in front of the camera


def camera(random: Random) -> Optics:
    """As the simulated street's: 4 to 9 m high, looking down at some 15 m, common lenses."""
    height = random.uniform(4.0, 9.0)
    pitch = math.atan(height / random.uniform(13.0, 18.0))
    focal = math.exp(random.gauss(math.log(0.9), 0.25))
    return Optics(SIZE, (0.0, 0.0, height), 0.0, pitch, 0.0, min(max(focal, 0.55), 1.5))


def people(optics: Optics, random: Random, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Feet and heights of people all over the picture, measured with 4 % of noise; one in ten is half hidden."""
    feet: list[float] = []
    heights: list[float] = []
    mean = random.gauss(PERSON_M, 0.03)
    while len(feet) < count:
        x, y = random.uniform(-9, 9), random.uniform(6, 34)
        tall = random.gauss(mean, 0.08)
        (u, v), (_, top) = optics.project(np.array([(x, y, 0.0), (x, y, tall)]))[0]
        if not (0 <= u <= SIZE[0] and top >= 0 and v <= SIZE[1]):
            continue
        height = (v - top) / SIZE[1] * random.gauss(1, 0.04) * (0.5 if random.random() < 0.1 else 1.0)
        feet.append(v / SIZE[1])
        heights.append(height)
    return np.array(feet), np.array(heights)


def test_areas_of_known_cameras_lie_within_the_stated_uncertainty() -> None:
    errors, stated = [], []
    for seed in range(60):
        random = Random(seed)
        optics = camera(random)
        feet, heights = people(optics, random, 80)
        scale = fit(feet, heights, np.full(80, PERSON_M), ASPECT)
        if scale is None:
            continue  # said honestly: these sizes do not tell
        area, relative = scale.area_m2(optics.normalised(PATCH), ASPECT)
        errors.append(math.log(area / 36.0) / relative)
        stated.append(relative)
    assert len(errors) >= 48
    assert np.mean(np.abs(errors) <= 2) >= 0.9
    assert abs(float(np.median(errors))) <= 0.7
    assert np.median(stated) <= 0.3


def test_metres_at_a_row() -> None:
    random = Random(5)
    optics = Optics(SIZE, (0.0, 0.0, 6.0), 0.0, math.atan(6 / 15), 0.0, 0.9)
    feet, heights = people(optics, random, 120)
    scale = fit(feet, heights, np.full(120, PERSON_M), ASPECT)
    assert scale is not None
    (_, v), (_, top) = optics.project(np.array([(0.0, 20.0, 0.0), (0.0, 20.0, 1.0)]))[0]
    metres, relative = scale.metres_per_height(v / SIZE[1])
    assert metres * (v - top) / SIZE[1] == pytest.approx(1.0, abs=0.15)
    assert 0 < relative < 0.2


def test_what_says_nothing_is_no_scale() -> None:
    row = np.full(40, 0.6)
    assert fit(row, np.full(40, 0.1), np.full(40, PERSON_M), ASPECT) is None  # all in one row
    few = np.linspace(0.3, 0.9, 10)
    assert fit(few, 0.2 * few, np.full(10, PERSON_M), ASPECT) is None
    down = np.linspace(0.3, 0.9, 40)
    assert fit(down, 0.3 - 0.2 * down, np.full(40, PERSON_M), ASPECT) is None  # taller the further away


def test_an_area_up_to_the_horizon_is_refused() -> None:
    scale = GroundScale(0.2, 6.0, 0.01, 0.05, 50)
    with pytest.raises(ValueError, match="horizon"):
        scale.area_m2([(0.2, 0.2), (0.8, 0.2), (0.8, 0.9)], ASPECT)
    with pytest.raises(ValueError, match="above the horizon"):
        scale.metres_per_height(0.1)


def cars(optics: Optics, random: Random, count: int) -> FloatArray:
    """Lower edges, heights and widths of cars of a street at some angle, one in four across it, with 4 % of noise."""
    street = random.uniform(0, math.pi)
    seen: list[tuple[float, float, float]] = []
    while len(seen) < count:
        x, y = random.uniform(-9, 9), random.uniform(7, 45)
        yaw = street + random.choice((0.0, 0.0, math.pi, math.pi / 2)) + random.gauss(0, 0.05)
        corners = vehicle_mesh(make_of(ObjectClass.CAR, random.randrange(1 << 30))).vertices
        c, s = math.cos(yaw), math.sin(yaw)
        turned = np.stack([corners[:, 0] * c - corners[:, 1] * s, corners[:, 0] * s + corners[:, 1] * c], axis=1)
        pixels, depth = optics.project(np.column_stack([turned + np.array((x, y)), corners[:, 2]]))
        (x1, y1), (x2, y2) = pixels.min(axis=0) / SIZE[1], pixels.max(axis=0) / SIZE[1]
        if depth.min() > 1 and min(x1, y1) >= 0 and x2 <= ASPECT and y2 <= 1:
            seen.append((y2, (y2 - y1) * random.gauss(1, 0.04), (x2 - x1) * random.gauss(1, 0.04)))
    return np.array(seen)


@pytest.mark.parametrize(("walkers", "driven"), [(0, 60), (15, 40), (60, 60)])
def test_cars_however_they_are_turned_tell_the_scale_too(walkers: int, driven: int) -> None:
    errors, stated = [], []
    for seed in range(24):
        random = Random(seed)
        optics = camera(random)
        people_seen = np.column_stack(people(optics, random, walkers)).reshape(-1, 2)
        scale = fit_boxes(people_seen, cars(optics, random, driven), ASPECT)
        assert scale is not None
        area, relative = scale.area_m2(optics.normalised(PATCH), ASPECT)
        errors.append(math.log(area / 36.0) / relative)
        stated.append(relative)
    assert np.mean(np.abs(errors) <= 2) >= 0.9
    assert abs(float(np.median(errors))) <= 0.7
    assert np.median(stated) <= 0.35


def test_cars_that_contradict_each_other_are_no_scale() -> None:
    random = np.random.default_rng(3)
    boxes = np.column_stack([random.uniform(0.3, 0.95, 60), np.exp(random.uniform(-5, -0.5, (60, 2)))])
    assert fit_boxes(np.zeros((0, 2)), boxes, ASPECT) is None
    row = np.column_stack([np.full(40, 0.6), np.full(40, 0.1), np.full(40, 0.12)])
    assert fit_boxes(np.zeros((0, 2)), row, ASPECT) is None  # all in one row
