"""`--kills`: how often each kind of process is killed."""

from __future__ import annotations

import pytest

KILLS = 2


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=KILLS, help="how often each kind of process is killed (default 2)")
    parser.addoption("--kill-seed", type=int, default=20, help="seed of the moments and the order (default 20)")
    parser.addoption("--delivery-kills", type=int, default=4, help="kills while subscribers are told (default 4)")
    parser.addoption(
        "--delivery-minutes", type=float, default=0.0, help="spread over so long (default: one after another)"
    )


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--kills", default=KILLS))


@pytest.fixture
def kill_seed(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--kill-seed", default=20))
