"""Text that Postgres cannot hold is refused with the field's name, wherever it stands."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.contract.test_api_doors import city, client  # noqa: F401 - fixtures
from tests.e2e.console_city import City

pytest_plugins = ["tests.embedded"]


def silence(**more: Any) -> dict[str, Any]:
    now = time.time()
    return {"department": "traffic", "from_utc": now, "until_utc": now + 60, **more}


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("GET", "/api/review/events?grid=a%00b", None, "grid"),
        ("GET", "/api/events?camera=a&camera=%00", None, "camera"),
        ("GET", "/api/cameras/a%00b", None, "camera_id"),
        ("POST", "/api/silences", silence(note="a\0b"), "note"),
        ("POST", "/api/silences", silence(wanted={"types": ["x", "\0"]}), "wanted.types[1]"),
        ("POST", "/api/silences", silence(**{"no\0te": "x"}), "body"),
        ("POST", "/api/login", {"name": "a\0", "password": "b"}, "name"),
    ],
)
def test_the_character_nul(client: httpx.Client, method: str, path: str, body: Any, field: str) -> None:  # noqa: F811
    answer = client.request(method, path, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    (fault,) = answer.json()["faults"]
    assert fault["field"] == field
    assert "NUL" in fault["message"]


def test_what_looks_like_it_is_let_through(client: httpx.Client) -> None:  # noqa: F811
    r"""A backslash and "u0000" after it, as somebody may write in a note, is no such character."""
    assert client.post("/api/silences", json=silence(note=r"\u0000")).status_code == 201


def test_on_a_socket(city: City, client: httpx.Client) -> None:  # noqa: F811
    address = city.url.replace("http", "ws") + "/api/cameras/a%00b/live"
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    with pytest.raises(InvalidStatus, match="403"):
        connect(address, additional_headers={"Cookie": cookie})


def test_a_silence_that_ends_in_the_moment_in_which_it_begins(client: httpx.Client) -> None:  # noqa: F811
    now = time.time()
    for until in (now, now + 1e-7, now - 1):
        answer = client.post("/api/silences", json=silence(from_utc=now, until_utc=until))
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    tiny = silence(from_utc=5e-324, until_utc=2.041911412255677e-264)
    assert client.post("/api/silences", json=tiny).status_code == 422
