"""What takes minutes runs when asked for (`make soak`).

`--whole-grid`: every look rate at every picture size, to the end of each event; `--street-case`: a case from a
simulated street to its end, two minutes of real time.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole-grid", action="store_true", help="each event at every look rate and size, to its end")
    parser.addoption("--street-case", action="store_true", help="a case from a simulated street to its end, 2 min")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the long one out, unless it is asked for."""
    if config.getoption("--street-case", default=False):
        return
    left_out = [item for item in items if item.path.name == "test_case_street.py"]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def whole_grid(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--whole-grid", default=False))
