"""The exchange's pure parts: comparing, the mapping and what is wrong with one, what becomes of an attempt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cases.book import read_book
from cases.exchange.mapping import DEFAULT, Retry, Update, UpdateRefused
from cases.exchange.push import judge
from cases.exchange.reconcile import Ours, compare
from cases.exchange.remote import Told
from cases.types import Action, Duty, Facts, Line, Status
from cityvision.settings import load_settings
from contracts.errors import ConfigError
from contracts.signing import new_secret

MAPPING = read_book(exchange=DEFAULT).exchange
WORDS = st.sampled_from(["1", "2", "3", "4"])
SMALL = st.integers(0, 3)
OURS = st.builds(
    Ours, case=st.integers(1, 6), revision=st.none() | SMALL, status=st.none() | WORDS, seq=SMALL, settled=st.booleans()
)
THEIRS = st.builds(Update, case=st.integers(1, 8), status=WORDS, seq=SMALL, revision=st.none() | SMALL)
BOOKS = st.lists(OURS, unique_by=lambda one: one.case)


@given(BOOKS, st.lists(THEIRS), st.randoms())
def test_comparing_does_not_depend_on_order(ours: list[Ours], theirs: list[Update], random: Any) -> None:
    expected = compare(ours, theirs)
    random.shuffle(ours)
    random.shuffle(theirs)
    found = compare(ours, theirs)
    assert found == expected
    assert len({one.case for one in found}) == len(found), "one difference a case"


@given(BOOKS, st.lists(THEIRS))
def test_every_case_is_equal_on_its_way_or_told(ours: list[Ours], theirs: list[Update]) -> None:
    found = {one.case: one for one in compare(ours, theirs)}
    mine, listed = {one.case: one for one in ours}, {one.case for one in theirs}
    for case in mine.keys() | listed:
        one = found.get(case)
        if case not in mine:
            assert one is not None
            assert one.kind == "missing_here"
        elif one is None:
            newest = max((item.seq for item in theirs if item.case == case), default=0)
            assert newest <= mine[case].seq, "their news is never passed over"
            assert case in listed or not mine[case].settled
        elif one.kind != "newer_there":
            assert mine[case].settled, "what is on its way is no difference"


@given(BOOKS)
def test_a_list_that_says_the_same_differs_in_nothing(ours: list[Ours]) -> None:
    same = [Update(case=one.case, status=one.status or "1", seq=one.seq, revision=one.revision) for one in ours]
    assert compare(ours, same) == []
    settled = {one.case for one in ours if one.settled}
    assert {one.case for one in compare(ours, [])} == settled


def line(before: Status, after: Status, action: Action, who: str = "system") -> Line:
    return Line(utc=0, who=who, duty=Duty.SYSTEM, action=action, before=before, after=after, facts=Facts())


S, A = Status, Action


@pytest.mark.parametrize(
    ("before", "after", "action", "who", "category", "wanted"),
    [
        (S.ACCEPTED, S.ACCEPTED, A.ACCEPT, "system", "0304", False),
        (S.ACCEPTED, S.FILED, A.FILE, "system", "0304", True),
        (S.FILED, S.DISPATCHED, A.DISPATCH, "system", "0304", True),
        (S.FILED, S.DISPATCHED, A.DISPATCH, "system", "0901", False),
        (S.DISPATCHED, S.HANDLING, A.START, "城管平台", "0304", False),
        (S.REPORTED, S.VERIFYING, A.VERIFY, "system", "0304", False),
        (S.HANDLING, S.HANDLING, A.SUPERVISE, "system", "0304", True),
        (S.ACCEPTED, S.VOID, A.VOID, "zhao", "0304", False),
        (S.HANDLING, S.VOID, A.VOID, "zhao", "0304", True),
    ],
)
def test_which_lines_are_told(
    before: Status, after: Status, action: Action, who: str, category: str, wanted: bool
) -> None:
    assert MAPPING is not None
    assert MAPPING.wants(category, line(before, after, action, who)) is wanted


def test_the_words_must_be_known() -> None:
    assert MAPPING is not None
    assert MAPPING.heard({"sourceId": "7", "state": 3, "version": 2}) == Update(case=7, status="3", seq=2)
    bodies: list[object] = [[], None, {}, {"state": "3"}, {"sourceId": 1, "state": ["3"], "version": 1}]
    known = {"sourceId": "7", "state": 3, "version": 2}
    bodies += [
        known | {name: "\ud800"} for name in ("description", "taskNum", "state")
    ]  # JSON can name half a character
    for body in bodies:
        with pytest.raises(UpdateRefused):
            MAPPING.heard(body)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"platform": "admin"}, "somebody's account could be called so"),
        ({"categories": {"1": "2"}}, "the rule book has no 1"),
        ({"path": "api?x"}, "path"),
        ({"fields": {"case": "id"}}, "fields: revision has no name there"),
        ({"callbacks": {"2": []}}, "is told but would not be understood"),
        ({"statuses": {"filed": "1"}}, "dispatched has no word"),
        ({"retry": {"delays": []}}, "retry.delays"),
        ({"retri": {}}, "retri"),
    ],
)
def test_a_wrong_mapping_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(DEFAULT.read_text(encoding="utf-8")) | change), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        read_book(exchange=path)


def test_what_becomes_of_an_attempt() -> None:
    policy = Retry(delays=(1.0, 4.0), jitter=0.5)
    assert judge(Told(201, "CG1"), 9, policy, 0.9).end == "told"
    assert judge(Told(422, error="no"), 1, policy, 0.0).end == "refused"
    assert judge(Told(503, error="no"), 1, policy, 0.0) == (None, 1.0)
    assert judge(Told(None, error="no"), 10**6, policy, 1.0) == (None, 6.0), "never given up"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"exchange_url": "https://cg.example"}, "needs CITYVISION_EXCHANGE_SECRET"),
        ({"exchange_url": "https://u:p@cg.example"}, "not an address of a server"),
        ({"exchange_url": "ftp://cg.example"}, "not an address of a server"),
        ({"exchange_url": "https://cg.example/"}, "not an address of a server"),
        ({"exchange_secret": "whsec_c2hvcnQ="}, "not a secret of 24 bytes"),
        ({"exchange_secret": "one", "exchange_callback_secret": "one"}, "not a secret"),
    ],
)
def test_settings_are_checked_at_the_start(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_settings(**given)


def test_one_secret_for_both_ways_is_refused() -> None:
    secret = new_secret()
    with pytest.raises(ConfigError, match="agree on two"):
        load_settings(
            exchange_url="https://cg.example",
            exchange_secret=secret,
            exchange_callback_secret=f"{new_secret()},{secret}",
        )
    good = load_settings(
        exchange_url="https://cg.example", exchange_secret=secret, exchange_callback_secret=new_secret()
    )
    assert good.exchange == DEFAULT
    assert load_settings().exchange is None
