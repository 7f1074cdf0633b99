"""The rule book against the city: whatever it names has to exist, and each fault is told with its place and its fix."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from cases.book import Book, read_book
from cases.fitting import misfits

POOL = """
departments: [{id: traffic, name: 交警}, {id: east, name: 东片}]
cameras:
  - id: gate
    name: 北门
    department: traffic
    main: {url: "rtsp://10.0.0.8:554/main"}
    grid: G1
    zones: [{id: lane, kind: no_parking, polygon: [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]}]
    algorithms: {illegal_parking: {}}
"""
BOOK = """
centre: city
categories:
  - {code: "1", name: {zh: 一, en: One}, limits: {handle: 1h}, handler: nobody}
  - {code: "2", name: {zh: 二, en: Two}, limits: {handle: 1h}, handler: city}
routes:
  - {grids: [G1, G9], department: east}
  - {department: wset}
overlaps: [[gate/lane, gate/kerb]]
"""


def test_what_ships_fits_every_city() -> None:
    assert misfits(read_book(), (), (), ()) == ()


def test_each_name_that_does_not_exist_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "book.yaml"
    path.write_text(BOOK)
    told = [str(one) for one in misfits(read_book(path), {"traffic", "east"}, {"G1"}, {"gate/lane"})]
    assert told == [
        "categories[0].handler: there is no department 'nobody'; one of: city, east, traffic",
        "routes[0].grids[1]: there is no grid 'G9'; one of: G1",
        "routes[1].department: there is no department 'wset'; one of: city, east, traffic",
        "overlaps[0][1]: there is no camera/zone 'gate/kerb'; one of: gate/lane",
    ]


def test_the_command_refuses_a_book_that_does_not_fit_the_pool(tmp_path: Path) -> None:
    pool, book = tmp_path / "streams.yaml", tmp_path / "book.yaml"
    pool.write_text(POOL)
    book.write_text(BOOK)

    def check(*more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cityvision", "check", str(pool), *more]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert check().returncode == 0
    refused = check("--cases", str(book))
    assert refused.returncode == 2
    assert f"{book}: routes[1].department: there is no department 'wset'" in refused.stdout
    faults = json.loads(check("--cases", str(book), "--json").stdout)["faults"]
    assert faults[0]["path"] == f"{book}: categories[0].handler"
    right = Book.model_validate(read_book(book).model_dump() | {"routes": (), "overlaps": ()}).model_dump_json()
    book.write_text(right.replace("nobody", "east"))  # JSON is YAML
    assert check("--cases", str(book)).returncode == 0
