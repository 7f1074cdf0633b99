"""Zones proposed from what drives, stands and walks on simulated streets, beside where road and pavement really are."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from shapely import MultiPolygon, Polygon, box, unary_union

from contracts.pool import Zone, ZoneKind
from contracts.proposals import ZoneProposal
from contracts.vision import ObjectClass, Tracks
from pipeline.scene.propose import MAX_CORNERS, polygon_of, propose_zones
from pipeline.scene.traffic import COLUMNS, ROWS, STANDING_S, Traffic
from simulator.street.scenario import Scenario, scenario

ASPECT = 16 / 9


def tracks_of(rows: list[tuple[int, ObjectClass, tuple[float, float, float, float]]]) -> Tracks:
    empty = Tracks.empty()
    return Tracks(
        ids=np.array([row[0] for row in rows], np.int64),
        boxes=np.array([row[2] for row in rows], np.float32).reshape(-1, 4),
        scores=np.ones(len(rows), np.float32),
        classes=np.array([int(row[1]) for row in rows], np.int64),
        first_seen=np.zeros(len(rows), np.float64),
        velocity=np.zeros((len(rows), 2), np.float32),
        appearance=empty.appearance,
    )


def drive(traffic: Traffic, start: float, way: float, y: float, rate: float, track: int) -> None:
    """A car across the picture in 10 s, to the right (1) or left (-1), on one line."""
    for i in range(int(10 * rate) + 1):
        x = i / (10 * rate)
        x = x if way > 0 else 1 - x
        seen = [(track, ObjectClass.CAR, (x - 0.06, y - 0.12, x + 0.06, y))]
        traffic.add(tracks_of(seen), start + i / rate, ASPECT)


def two_lanes(rate: float) -> Traffic:
    traffic = Traffic()
    for k in range(12):
        drive(traffic, 40.0 * k, 1, 0.85, rate, 2 * k)
        drive(traffic, 40.0 * k + 20, -1, 0.65, rate, 2 * k + 1)
    return traffic


@pytest.mark.parametrize("rate", [0.5, 2.0, 5.0])
def test_two_lanes_are_two_roads_with_their_directions_at_every_rate(rate: float) -> None:
    lanes = [one for one in propose_zones(two_lanes(rate)) if one.kind is ZoneKind.ROAD]
    assert len(lanes) == 2
    assert sorted(round(one.direction or 0.0, -1) % 360 for one in lanes) == [0.0, 180.0]
    for one in lanes:
        middle = Polygon(one.polygon).centroid
        assert abs(middle.y - (0.83 if (one.direction or 0) < 90 or (one.direction or 0) > 270 else 0.63)) < 0.06
        assert 10 <= one.support <= 14


def test_a_car_that_stands_is_a_stopping_place_and_a_queue_is_none() -> None:
    traffic = two_lanes(2.0)
    for i in range(400):
        seen = [(1000, ObjectClass.CAR, (0.4, 0.85, 0.52, 0.97))]
        if i < 60:
            seen.append((1001, ObjectClass.CAR, (0.1, 0.53, 0.22, 0.65)))  # a queue in the lane to the left
        traffic.add(tracks_of(seen), 1000.0 + i, ASPECT)
    stopping = [one for one in propose_zones(traffic) if one.kind is ZoneKind.NO_PARKING]
    assert len(stopping) == 1
    assert Polygon(stopping[0].polygon).contains(Polygon([(0.44, 0.95), (0.48, 0.95), (0.48, 0.96), (0.44, 0.96)]))
    assert "1 vehicles" in stopping[0].why["en"]


def test_standing_shorter_is_no_stop_and_nothing_seen_proposes_nothing() -> None:
    traffic = Traffic()
    assert propose_zones(traffic) == ()
    for i in range(int(STANDING_S) - 2):
        traffic.add(tracks_of([(1, ObjectClass.CAR, (0.4, 0.5, 0.5, 0.6))]), float(i), ASPECT)
    assert traffic.stops.sum() == 0


def test_memory_goes_on_where_it_was() -> None:
    traffic = two_lanes(1.0)
    again = Traffic.load(traffic.dump())
    assert propose_zones(again) == propose_zones(traffic)
    with pytest.raises((ValueError, KeyError)):
        Traffic.load({"passes": np.zeros(3)})


def test_polygons_of_any_cells_are_fit_for_the_pool() -> None:
    noise = np.random.default_rng(1)
    for _ in range(60):
        part = np.zeros((ROWS, COLUMNS), np.bool_)
        for _ in range(int(noise.integers(1, 6))):
            row, column = int(noise.integers(0, ROWS - 4)), int(noise.integers(0, COLUMNS - 6))
            part[row : row + int(noise.integers(2, 12)), column : column + int(noise.integers(2, 20))] = True
        polygon = polygon_of(part)
        assert polygon is not None
        assert 3 <= len(polygon) <= MAX_CORNERS
        Zone(id="z", kind=ZoneKind.ROAD, polygon=polygon)


@cache
def gathered(seed: int) -> tuple[Scenario, tuple[ZoneProposal, ...]]:
    """Half an hour of an ordinary street, a look a second, through the simulator's own boxes."""
    street = scenario(seed, "ordinary", size=(320, 180), duration=1200.0)
    traffic = Traffic()
    for i in range(900):
        seen = [(one.id, one.object_class, one.box) for one in street.picture(float(i)).boxes if one.visible > 0.3]
        traffic.add(tracks_of(seen), float(i), ASPECT)
    return street, propose_zones(traffic)


def ground(street: Scenario, low: float, high: float, near: float) -> Polygon:
    """The strip of ground between two x (m), as it lies in the picture."""
    place = street.world.place
    depths = np.linspace(near, place.far, 30)
    corners = [(low, float(y)) for y in depths] + [(high, float(y)) for y in depths[::-1]]
    return Polygon(place.optics.normalised(corners)).buffer(0).intersection(box(0, 0, 1, 1))


def union(proposals: tuple[ZoneProposal, ...], *kinds: ZoneKind) -> Polygon | MultiPolygon:
    return unary_union([Polygon(one.polygon) for one in proposals if one.kind in kinds])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_lanes_and_pavements_of_a_simulated_street_lie_where_they_are(seed: int) -> None:
    street, proposals = gathered(seed)
    place = street.world.place
    road = ground(street, place.left, place.kerb, 4.0)
    lanes = union(proposals, ZoneKind.ROAD, ZoneKind.NO_PARKING)
    assert lanes.area > 0
    assert lanes.intersection(road).area / lanes.area >= 0.8
    assert lanes.intersection(road).area / lanes.union(road).area >= 0.35
    walks = union(proposals, ZoneKind.SIDEWALK, ZoneKind.SQUARE)
    if walks.area:
        assert walks.intersection(road).area / walks.area <= 0.3
