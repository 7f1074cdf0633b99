"""The rule book: what ships is right, and every fault is told with its field and its fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from cases.book import Book, read_book
from cases.types import Clock
from contracts.algorithms import ALGORITHMS
from contracts.errors import ConfigError

BOOK = read_book()
MINIMAL = "centre: c\ncategories: [{code: '1', name: {zh: 一, en: One}, limits: {handle: 1h}, CHANGE}]\n"


def test_what_ships_knows_every_event_and_limit() -> None:
    for kind in ("illegal_parking", "waterlogging", "litter", "crowding", "camera_health"):
        assert kind in ALGORITHMS
        category = BOOK.for_event(kind)
        assert category is not None
        for clock in set(Clock) - {Clock.HOLD}:
            assert category.limits.of(clock) > 0
    assert BOOK.for_event("wrong_way") is None


def test_the_first_route_that_fits_counts(tmp_path: Path) -> None:
    routes = [
        {"categories": ["0102"], "grids": ["G1", "G2"], "department": "east", "crew": "5"},
        {"grids": ["G2"], "department": "south"},
    ]
    book = Book.model_validate(BOOK.model_dump() | {"routes": routes})
    assert book.handler("0102", "G2", "traffic") == ("east", "5")
    assert book.handler("0304", "G2", "traffic") == ("south", "")
    assert book.handler("0304", "G3", "traffic") == ("traffic", "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("centre: c\ncategories: [", r"book.yaml:2: no YAML"),
        ("centre: c\ncategories: []\n", "categories: Tuple should have at least 1 item"),
        (MINIMAL.replace("CHANGE", "closes: never"), r"categories\[1\]\.closes: Input should be 'gone' or 'report'"),
        (MINIMAL.replace("CHANGE", "limit: 3"), r"categories\[1\]\.limit: Extra inputs"),
        (MINIMAL.replace("CHANGE", "calendar: offce"), "category 1: no calendar 'offce': write one of always"),
        (MINIMAL.replace("CHANGE", "") + "calendars: {o: {week: {mon: ['8-12']}}}", "mon: '8-12' is no span: write it"),
        (MINIMAL.replace("CHANGE", "") + "calendars: {o: {week: {mon: ['18:00-12:00']}}}", "ends before it begins"),
        (MINIMAL.replace("CHANGE", "") + "calendars: {o: {week: {mon: ['25:00-26:00']}}}", "no such time of day"),
        (MINIMAL.replace("CHANGE", "") + "calendars: {o: {week: {}}}", "no hour of the week counts"),
        (MINIMAL.replace("CHANGE", "") + "calendars: {o: {timezone: Mars}}", "there is no time zone 'Mars'"),
        (MINIMAL.replace("CHANGE", "") + "timezone: Asia", "there is no time zone 'Asia'"),
        (MINIMAL.replace("CHANGE", "") + "routes: [{categories: ['2'], department: d}]", "there is no category 2"),
    ],
)
def test_faults_name_the_field_and_the_fix(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "book.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=says):
        read_book(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read.*CITYVISION_CASE_BOOK"):
        read_book(tmp_path / "nowhere.yaml")
