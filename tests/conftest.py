"""Fixtures every test may use: the media mirror, free ports, and a place for the figures of long runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.effort import THOROUGH, examples
from tests.ports import unused_port
from tests.soak import Soak

ROOT = Path(__file__).resolve().parent.parent
_REQUIRED = os.environ.get("CITYVISION_REQUIRE_MEDIA") == "1"

# No deadline: how long an example takes says more of what else the machine does.
settings.register_profile("city", deadline=None, max_examples=examples(100))
settings.load_profile("city")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", type=Path, default=None, help="folder for the figures of long runs")


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> Soak:
    return Soak(request.config.getoption("--soak"))


def mirror_path() -> Path | None:
    """The media mirror: `CITYVISION_MIRROR`, or `../shared` beside the checkout; None where neither exists."""
    named = os.environ.get("CITYVISION_MIRROR")
    path = Path(named) if named else ROOT.parent / "shared"
    return path if (path / "MANIFEST.tsv").is_file() else None


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Folder with `models/`, `footage/`, `truth/`."""
    path = mirror_path()
    if path is None:
        message = "no media: set CITYVISION_MIRROR to a folder with MANIFEST.tsv, models/, footage/, truth/"
        if _REQUIRED:
            pytest.fail(message)
        pytest.skip(message)
    return path


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked `thorough` are left out of the short form. Without media, tests marked `media` are skipped, and one
    line counts them; CI makes them fail instead."""
    long = [] if THOROUGH else [item for item in items if item.get_closest_marker("thorough")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
    if mirror_path() is not None or _REQUIRED:
        return
    skipped = [item for item in items if item.get_closest_marker("media")]
    for item in skipped:
        item.add_marker(pytest.mark.skip(reason="no media: set CITYVISION_MIRROR"))
    if skipped:
        config.stash[_SKIPPED] = len(skipped)


_SKIPPED = pytest.StashKey[int]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if count := config.stash.get(_SKIPPED, 0):
        terminalreporter.write_line(f"{count} tests need real media and were skipped: set CITYVISION_MIRROR")


@pytest.fixture
def free_port() -> int:
    """A TCP port on 127.0.0.1 that nothing listens on."""
    return unused_port()
