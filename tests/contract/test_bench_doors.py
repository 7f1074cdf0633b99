"""`cityvision bench doors` in short, and whether what it measures is right."""

from __future__ import annotations

from pathlib import Path

from api import cameras
from bench.doors import ADMIN, DEPARTMENT, DEPARTMENTS, measure_doors, running

CAMERAS = 600


def test_pages_of_a_city_are_right_and_measured(tmp_path: Path) -> None:
    with running(tmp_path, CAMERAS) as (doors, view):
        with doors.engine.connect() as connection:
            tallies = cameras.camera_tallies(doors, connection, view, ADMIN)
            assert (tallies.total, tallies.states) == (CAMERAS, {"running": 594, "offline": 6})
            offline = cameras.list_cameras(doors, connection, view, ADMIN, state=["offline"], limit=4)
            assert (offline.total, len(offline.cameras)) == (6, 4)
            own = cameras.list_cameras(doors, connection, view, DEPARTMENT)
            assert own.total == CAMERAS // DEPARTMENTS + 1
        figures, peers = measure_doors(doors, view)
    assert figures.pop("cameras") == CAMERAS
    assert {f"json_{name}" for name in figures if name != "fresh_states_cpu_ms"} == set(peers)
    assert min(figures.values()) > 0
