"""The custody log of evidence: filled as things happen, never changed, and held against the audit chain."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from contracts.errors import StoreError
from governance import custody
from store.bus import Bus
from store.migrate import downgrade, upgrade
from store.valkey import EmbeddedValkey
from tests.contract.evidence_scene import CLEAR, consumed, picture
from tests.contract.test_api_doors import log_in
from tests.e2e import console_city
from tests.e2e.console_city import City, make_event

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def city(tmp_path: Path, database_url: str, valkey: EmbeddedValkey, bus: Bus) -> Iterator[City]:
    with console_city.running(tmp_path, database_url, valkey.url) as one:
        yield one


def test_whatever_happens_to_evidence_is_a_line(city: City) -> None:
    now = time.time()
    entry, later = city.keep(b"first", "entry", "jpg", now), city.keep(b"closing", "closing", "jpg", now + 5)
    event = make_event(now - 60, evidence=(entry,))
    consumed(city, event, make_event(now - 60, 1, evidence=(entry, later)))
    address = f"/api/events/{event.id}"
    with city.client() as client:
        log_in(client, city)
        for _ in range(2):  # the second reading within minutes is no line
            client.get(f"{address}/evidence/{entry.sha256}{CLEAR}")
        client.post(f"{address}/package", json={"purpose": "复议 2026-17"})
        page = client.get(f"{address}/custody").json()
        first = client.get(f"{address}/custody", params={"limit": 4}).json()
        rest = client.get(f"{address}/custody", params={"limit": 4, "before": first["next_before"]}).json()
        audited = client.get("/api/audit", params={"action": "evidence."}).json()["lines"]
        nothing = client.get(f"/api/events/{'0' * 32}/custody").status_code
        holds = client.post("/api/audit/verification").json()["holds"]
    told = [(line["act"], line["role"], line["who"], line["why"], line["kind"]) for line in reversed(page["lines"])]
    assert told == [
        ("captured", "entry", "north-gate", "illegal_parking", ""),
        ("captured", "closing", "north-gate", "illegal_parking", ""),
        ("viewed", "entry", "admin", "tests", "original"),
        ("exported", "closing", "admin", "复议 2026-17", ""),
        ("exported", "entry", "admin", "复议 2026-17", ""),
    ]
    assert {line["role"]: line["sha256"] for line in page["lines"]} == {"entry": entry.sha256, "closing": later.sha256}
    assert [line["audit_id"] for line in page["lines"][:3]] == [audited[0]["id"]] * 2 + [audited[1]["id"]]
    assert (first["lines"] + rest["lines"], rest["next_before"]) == (page["lines"], None)
    assert (nothing, holds) == (404, True)


def test_the_same_picture_of_two_events_is_read_of_each(city: City) -> None:
    """One look can begin two events, with one picture."""
    now = time.time()
    shared = city.keep(b"both are in it", "decision", "jpg", now)
    both = [make_event(now - 60, subject=f"track:{n}", evidence=(shared,)) for n in range(2)]
    consumed(city, *both)
    with city.client() as client:
        log_in(client, city)
        for event in both:
            client.get(f"/api/events/{event.id}/evidence/{shared.sha256}{CLEAR}")
        pages = [client.get(f"/api/events/{event.id}/custody").json()["lines"] for event in both]
    assert [[line["act"] for line in page] for page in pages] == [["viewed", "captured"]] * 2


def test_it_can_only_grow_and_what_is_forced_shows(city: City) -> None:
    now = time.time()
    entry = city.keep(b"first", "entry", "jpg", now)
    event = make_event(now - 60, evidence=(entry,))
    consumed(city, event)
    with city.client() as client:
        log_in(client, city)
        client.get(f"/api/events/{event.id}/evidence/{entry.sha256}{CLEAR}")
    for statement in (
        "UPDATE evidence_custody SET who = 'li'",
        "DELETE FROM evidence_custody",
        "TRUNCATE evidence_custody",
    ):
        with pytest.raises(ProgrammingError, match="can only grow"), city.engine.begin() as connection:
            connection.execute(text(statement))
    forced = {
        "UPDATE evidence_custody SET who = 'li' WHERE act = 'viewed'": "custody line 2 does not fit",
        "UPDATE evidence_custody SET act = 'exported' WHERE act = 'viewed'": "custody line 2 does not fit",
        "DELETE FROM evidence_custody WHERE act = 'viewed'": "has no line in the custody log",
        **{
            f"UPDATE evidence_custody SET {change} WHERE act = 'viewed'": "custody line 2 does not fit"
            for change in (
                "sha256 = repeat('0', 64)",
                "event_id = repeat('0', 32)",
                "event_id = NULL, case_id = 7",
                "why = 'something else'",
                "kind = 'masked'",
                "role = 'closing'",
            )
        },
    }
    for statement, words in forced.items():
        with city.engine.connect() as connection:
            assert custody.verify(connection) == 2
            connection.execute(text("ALTER TABLE evidence_custody DISABLE TRIGGER USER"))
            connection.execute(text(statement))
            with pytest.raises(StoreError, match=words):
                custody.verify(connection)
            connection.rollback()


def test_what_was_known_before_the_log_is_taken_over(city: City) -> None:
    now = time.time()
    entry = city.keep(picture("first"), "entry", "jpg", now)
    waiting = city.keep(b"at the worker", "clip", "mp4", now, stored=False)
    event = make_event(now - 60, evidence=(entry, waiting))
    consumed(city, event)
    with city.client() as client:
        log_in(client, city)
        client.get(f"/api/events/{event.id}/evidence/{entry.sha256}")
        client.post(f"/api/events/{event.id}/package", json={"purpose": "复议 2026-17"})

    def lines() -> list[tuple[str, str, str, str, str]]:
        with city.engine.connect() as connection:
            custody.verify(connection)
            found = custody.of_event(connection, event.id)
        return sorted((one.act, one.sha256, one.role, one.who, one.why) for one in found)

    before = lines()
    assert [line[0] for line in before] == ["captured", "captured", "exported", "viewed"]
    downgrade(city.engine, "0014-1")
    upgrade(city.engine)
    assert lines() == before
