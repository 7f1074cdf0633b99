"""What the doors are made of, without a server: ranges, mailboxes, problems, and the contract the console keeps."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from api import contract, coverage
from api.evidence import parse_range
from api.feed import Listener
from api.guard import same_origin
from api.problems import STATUS, PasswordChangeRequired, code_of, field_path, status_of
from api.relay import Viewer
from contracts import errors
from events.types import Note, UnwatchedHours
from tests.e2e.console_city import make_event

CONSOLE = Path(__file__).resolve().parents[2] / "console"


def test_the_console_keeps_the_current_contract() -> None:
    kept = (CONSOLE / "openapi.json").read_text()
    assert kept == contract.contract(), "run: python -m api.contract > console/openapi.json && npm run types"


def test_no_registry_is_named_in_the_lock_file_and_nothing_runs_at_install() -> None:
    lock = (CONSOLE / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert "hasInstallScript" not in lock


@given(data=st.binary(max_size=50), first=st.integers(0, 60), last=st.integers(0, 60))
def test_ranges_name_the_bytes_that_rfc_9110_says(data: bytes, first: int, last: int) -> None:
    def cut(header: str) -> bytes:
        part = parse_range(header, len(data))
        return data if part is None else data[part[0] : part[1]]

    if first < len(data) and first <= last:
        assert cut(f"bytes={first}-{last}") == data[first : last + 1]
        assert cut(f"bytes={first}-") == data[first:]
    elif first >= len(data):
        with pytest.raises(ValueError, match="range"):
            cut(f"bytes={first}-")
    if last and data:
        assert cut(f"bytes=-{last}") == data[-last:]


@pytest.mark.parametrize("header", [None, "", "bytes=-", "bytes=0-1,3-4", "items=0-1", "bytes=a-b"])
def test_what_is_no_single_range_gets_everything(header: str | None) -> None:
    assert parse_range(header, 10) is None


async def test_a_viewer_holds_the_newest_picture_only() -> None:
    viewer = Viewer()
    for n in range(5):
        viewer.offer(bytes([n]))
    assert await viewer.take() == b"\x04"
    assert viewer.missed == 4
    waiting = asyncio.create_task(viewer.take())
    await asyncio.sleep(0)
    assert not waiting.done()
    viewer.offer(b"next")
    assert await waiting == b"next"


async def test_a_listener_that_falls_behind_reads_the_database_instead() -> None:
    listener = Listener()
    assert listener.take() == (True, [])
    event = make_event(1000.0)
    listener.offer(Note(position=1, event=event))
    assert await listener.wait(1)
    behind, notes = listener.take()
    assert (behind, [note.position for note in notes]) == (False, [1])
    assert not await listener.wait(0.01)
    for position in range(2, 600):
        listener.offer(Note(position=position, event=event))
    behind, notes = listener.take()
    assert behind
    assert len(notes) <= 256
    assert notes[-1].position == 599


def test_problems_follow_the_tree_of_errors() -> None:
    assert status_of(errors.StaleRevision("x")) == 409
    assert status_of(PasswordChangeRequired("x")) == 403
    assert status_of(errors.CityVisionError("x")) == 500
    assert code_of(PasswordChangeRequired) == "password_change_required"
    assert field_path(("zones", 0, "polygon", 3)) == "zones[0].polygon[3]"
    assert all(400 <= status < 600 for status in STATUS.values())


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"origin": "http://city.local:8080"}, True),
        ({"origin": "https://console.example"}, True),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "same-origin"}, True),
    ],
)
def test_only_our_own_page_or_a_program_may_act(headers: dict[str, str], allowed: bool) -> None:
    asked = Headers({"host": "city.local:8080", **headers})
    assert same_origin(asked, frozenset({"https://console.example"})) is allowed


def test_hours_not_watched_count_the_whole_camera_and_its_least_watched_rule() -> None:
    rows = [
        UnwatchedHours(camera="a", algorithm="*", hours=1.0, by_reason={"offline": 1.0}),
        UnwatchedHours(camera="a", algorithm="crowding", hours=0.5, by_reason={"shed": 0.5}),
        UnwatchedHours(camera="a", algorithm="illegal_parking", hours=2.0, by_reason={"shed": 2.0}),
        UnwatchedHours(camera="b", algorithm="*", hours=0.25, by_reason={"offline": 0.25}),
    ]
    total = coverage.total(rows)
    assert (total.hours, total.cameras) == (3.25, 2)
    assert coverage.total([]).hours == 0
