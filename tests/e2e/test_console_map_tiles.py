"""Tiles under the map: from the server that is named, with those that it lacks counted."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from api.settings import Tiles
from store.bus import Bus
from store.valkey import EmbeddedValkey
from tests.contract.evidence_scene import picture
from tests.e2e import console_city
from tests.e2e.browser import shot
from tests.e2e.console_city import City
from tests.e2e.test_console_browser import DIST, enter, page  # noqa: F401 - fixtures

pytest_plugins = ["tests.embedded"]
pytestmark = [pytest.mark.browser, pytest.mark.media]

_TILE = re.compile(r"/(\d+)/(\d+)/(\d+)\.png")


@pytest.fixture
def tiles() -> Iterator[tuple[str, set[tuple[int, ...]]]]:
    """Address of a server of tiles that lacks one column of them, and what it was asked for."""
    asked: set[tuple[int, ...]] = set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            match = _TILE.fullmatch(self.path)
            assert match is not None
            z, x, y = (int(part) for part in match.groups())
            asked.add((z, x, y))
            body = picture("ground") if x % 4 else b""
            self.send_response(200 if body else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # its name is given
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/{{z}}/{{x}}/{{y}}.png", asked
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.fixture
def city(
    tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus, tiles: tuple[str, set[tuple[int, ...]]]
) -> Iterator[City]:
    ground = Tiles(url=tiles[0], datum="wgs84", credit="© 市测绘院")
    with console_city.running(tmp_path, database_url, valkey.url, console_dist=DIST, tiles=ground) as one:
        yield one


@pytest.mark.thorough
def test_tiles_lie_under_the_map(
    city: City,
    page: Page,  # noqa: F811
    tiles: tuple[str, set[tuple[int, ...]]],
) -> None:
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    enter(page, city)
    page.goto(f"{city.url}/map?at=31.2304,121.4737,16")
    expect(page.get_by_text("© 市测绘院")).to_be_visible()
    expect(page.get_by_text("块未能加载")).to_be_visible(timeout=20_000)
    deadline = time.monotonic() + 20
    while (16, 54881, 26778) not in tiles[1]:
        assert time.monotonic() < deadline, "the tile that the camera stands on is not asked for"
        page.wait_for_timeout(100)
    assert {z for z, _, _ in tiles[1]} == {16}
    assert refused == []
    page.wait_for_timeout(2_000)  # the others come too
    shot(page, "map-tiles")
    drawn = cv2.imdecode(np.frombuffer(page.get_by_test_id("map").screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert drawn is not None
    assert 0.3 < (abs(drawn.astype(int) - 127) < 6).mean() < 0.95, "the grey of the tiles that are there"
