"""`--whole-grid`: every look rate at every picture size, to the end of each event."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole-grid", action="store_true", help="each event at every look rate and size, to its end")


@pytest.fixture(scope="session")
def whole_grid(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--whole-grid", default=False))
