"""When cameras are asked for pictures, which of them are taken, and what recall follows from the random ones."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from algorithm_repo.collection.decide import (
    HOURS,
    PROBES,
    WEATHER_LOOKS,
    Seen,
    Stream,
    Taken,
    bounds,
    day_of,
    decide,
    moments,
    quotas,
)
from algorithm_repo.collection.recall import estimate, interval
from algorithm_repo.collection.types import CollectionPolicy, Known, Reason

DAY = date(2026, 11, 28)
NORTH = Stream(1, "north-gate")
SCORES = st.lists(st.floats(0, 1), max_size=4).map(tuple)
TYPES = st.frozensets(st.sampled_from(["litter", "crowding", "waterlogging"]))
SEEN = st.builds(Seen, SCORES, TYPES, TYPES, st.booleans(), st.booleans())


@st.composite
def policies(draw: st.DrawFn) -> CollectionPolicy:
    weights = draw(st.lists(st.integers(0, 9), min_size=len(Reason), max_size=len(Reason)).filter(any))
    shares = {reason: weight / sum(weights) for reason, weight in zip(Reason, weights, strict=True)}
    zone = draw(st.sampled_from(["Asia/Shanghai", "UTC", "Europe/Berlin"]))
    return CollectionPolicy(
        pictures=draw(st.integers(1, 60)), shares=shares, timezone=zone, seed=draw(st.integers(0, 9))
    )


@given(policies())
def test_what_each_reason_may_take_adds_up_to_the_pictures_of_a_day(policy: CollectionPolicy) -> None:
    found = quotas(policy)
    assert sum(found.values()) == policy.pictures
    for reason, count in found.items():
        assert abs(count - policy.shares[reason] * policy.pictures) < 1 + 1e-6


@given(policies(), st.lists(st.tuples(st.sampled_from(list(Reason)), SEEN), max_size=200))
def test_no_quota_is_ever_exceeded(policy: CollectionPolicy, asked: list[tuple[Reason, Seen]]) -> None:
    wanted, counts = quotas(policy), Counter[Reason]()
    for reason, seen in asked:
        taken = decide(policy, reason, Taken(counts), seen)
        assert taken == decide(policy, reason, Taken(counts), seen), "the same input, the same answer"
        if taken is not None:
            counts[taken] += 1
    assert all(counts[reason] <= wanted[reason] for reason in Reason)
    assert counts.total() <= policy.pictures


@given(policies(), st.dates(date(2024, 1, 1), date(2030, 1, 1)))
def test_the_moments_of_a_day_are_drawn_once_and_lie_in_it(policy: CollectionPolicy, day: date) -> None:
    found, wanted = moments(policy, NORTH, day), quotas(policy)
    assert found == moments(policy, NORTH, day)
    assert list(found) == sorted(found)
    begin, end = bounds(policy, day)
    assert all(begin <= one.utc < end for one in found)
    assert all(day_of(policy, one.utc) == day for one in found)
    count = Counter(one.reason for one in found)
    assert count[Reason.RANDOM] == wanted[Reason.RANDOM]
    assert count[Reason.HOURLY] == wanted[Reason.HOURLY]
    assert count[Reason.UNCERTAIN] == PROBES * wanted[Reason.UNCERTAIN]
    assert count[Reason.WEATHER] == (WEATHER_LOOKS if wanted[Reason.WEATHER] else 0)


@given(policies(), st.dates(date(2024, 1, 1), date(2030, 1, 1)))
def test_every_hour_comes_as_often_as_any_other(policy: CollectionPolicy, first: date) -> None:
    utc = policy.model_copy(update={"timezone": "UTC"})
    hours: Counter[int] = Counter()
    for days in range(HOURS):
        found = moments(utc, NORTH, first + timedelta(days=days))
        hours.update(datetime.fromtimestamp(one.utc, UTC).hour for one in found if one.reason is Reason.HOURLY)
    assert {hours[hour] for hour in range(HOURS)} == {quotas(utc)[Reason.HOURLY]}


def test_random_moments_cover_the_day_and_differ_between_cameras_days_and_seeds() -> None:
    policy = CollectionPolicy(pictures=4, shares={Reason.RANDOM: 1}, timezone="UTC")
    drawn = [moments(policy, NORTH, DAY + timedelta(days=days)) for days in range(250)]
    hours = [one.utc % 86_400 / 3600 for found in drawn for one in found]
    counts = np.histogram(hours, bins=24, range=(0, 24))[0]
    # Of 1000 moments in 24 hours: chi-squared with 23 degrees of freedom is below 49.7 in 999 of 1000 draws.
    assert float(((counts - 1000 / 24) ** 2 / (1000 / 24)).sum()) < 49.7
    others = (
        moments(policy, Stream(1, "square"), DAY),
        moments(policy, Stream(2, "north-gate"), DAY),
        moments(policy.model_copy(update={"seed": 2}), NORTH, DAY),
    )
    assert len({moments(policy, NORTH, DAY), *others}) == 4


ONE_EACH = CollectionPolicy(pictures=len(Reason), shares=dict.fromkeys(Reason, 1 / len(Reason)), near=0.4, within=0.1)
LITTER, BOTH = frozenset({"litter"}), frozenset({"litter", "crowding"})


@pytest.mark.parametrize(
    ("asked", "seen", "taken"),
    [
        (Reason.RANDOM, Seen(), Reason.RANDOM),
        (Reason.RANDOM, Seen(alike=True), Reason.RANDOM),
        (Reason.RANDOM, Seen(standing=LITTER), None),
        (Reason.RANDOM, Seen(about=LITTER, standing=LITTER), None),
        (Reason.RANDOM, Seen(about=LITTER, standing=frozenset({"crowding"})), Reason.RANDOM),
        (Reason.RANDOM, Seen(about=BOTH, standing=LITTER), Reason.RANDOM),
        (Reason.RANDOM, Seen((0.45,), standing=LITTER), Reason.UNCERTAIN),
        (Reason.HOURLY, Seen(standing=LITTER), Reason.HOURLY),
        (Reason.HOURLY, Seen(alike=True), None),
        (Reason.WEATHER, Seen(weather=True), Reason.WEATHER),
        (Reason.WEATHER, Seen(weather=True, alike=True), None),
        (Reason.WEATHER, Seen((0.45,)), Reason.UNCERTAIN),
        (Reason.UNCERTAIN, Seen(), None),
        (Reason.UNCERTAIN, Seen((0.29, 0.51)), None),
        (Reason.UNCERTAIN, Seen((0.9, 0.31)), Reason.UNCERTAIN),
        (Reason.UNCERTAIN, Seen((0.4,), alike=True), None),
    ],
)
def test_what_a_picture_is_taken_for(asked: Reason, seen: Seen, taken: Reason | None) -> None:
    assert decide(ONE_EACH, asked, Taken(), seen) is taken


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"shares": {"random": 0.5}}, r"shares: they add up to 0\.5"),
        ({"shares": {"rainy": 1}}, r"shares\.rainy"),
        ({"pictures": 0}, "pictures"),
        ({"days": 0}, "days"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"cameras": ["a", "a"]}, "cameras: each once"),
        ({"near": 2}, "near"),
    ],
)
def test_a_policy_that_is_wrong_names_the_field(fields: dict[str, object], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        CollectionPolicy.model_validate(fields)


def known(**more: float) -> Known:
    told = {"moments": 200, "missed": 2, "events": 40, "judged": 30, "real": 24, "watched_h": 1000.0, "alerted_h": 50.0}
    return Known(type="litter", **(told | more))


def test_the_exact_interval_of_a_share_is_the_published_one() -> None:
    # The rule of three is its limit: none of n leaves 1 - 0.025^(1/n) at 95 %, two-sided.
    assert interval(0, 100) == pytest.approx((0.0, 1 - 0.025**0.01))
    assert interval(100, 100) == pytest.approx((0.025**0.01, 1.0))
    assert interval(5, 10) == pytest.approx((0.1871, 0.8129), abs=1e-4)
    with pytest.raises(ValueError, match="3 of 2"):
        interval(3, 2)


def test_recall_is_the_real_time_that_was_told_of_the_real_time_there_was() -> None:
    told = estimate(known())
    assert told.recall == pytest.approx(50 * 0.8 / (50 * 0.8 + 950 * 0.01))
    assert told.recall is not None
    assert told.low is not None
    assert told.high is not None
    assert 0 < told.low < told.recall < told.high < 1
    none_missed = estimate(known(missed=0))
    assert (none_missed.recall, none_missed.high) == (1.0, 1.0)
    assert none_missed.low is not None
    assert none_missed.low < 1


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({"moments": 0, "missed": 0}, "no_moments"),
        ({"judged": 0, "real": 0}, "none_judged"),
        ({"missed": 0, "events": 0, "judged": 0, "real": 0, "alerted_h": 0.0}, "nothing_there"),
        ({"missed": 0, "real": 0}, "nothing_there"),
    ],
)
def test_what_is_missing_for_an_estimate_is_said(what: dict[str, float], why: str) -> None:
    told = estimate(known(**what))
    assert (told.recall, told.low, told.high, told.why) == (None, None, None, why)


def test_where_nothing_was_told_and_something_was_there_nothing_was_found() -> None:
    told = estimate(known(events=0, judged=0, real=0, alerted_h=0.0))
    assert (told.recall, told.low, told.high) == (0.0, 0.0, 0.0)


@given(st.integers(1, 400), st.data())
def test_recall_lies_in_its_interval_and_falls_with_what_was_missed(count: int, data: st.DataObject) -> None:
    missed = data.draw(st.integers(0, count))
    judged = data.draw(st.integers(1, 50))
    told = known(moments=count, missed=missed, judged=judged, real=data.draw(st.integers(1, judged)))
    one = estimate(told)
    assert one.recall is not None
    assert one.low is not None
    assert one.high is not None
    assert 0 <= one.low <= one.recall <= one.high <= 1
    if missed < count:
        worse = estimate(known(moments=count, missed=missed + 1, judged=told.judged, real=told.real))
        assert worse.recall is not None
        assert worse.recall < one.recall


def test_the_interval_holds_the_truth_in_95_of_100_cities() -> None:
    """Cities in which 3 % of the silent time and 70 % of the alerted time are real: recall is known."""
    draw = np.random.default_rng(20261128)
    truth = 50 * 0.7 / (50 * 0.7 + 950 * 0.03)
    held = 0
    for _ in range(400):
        one = estimate(
            known(missed=int(draw.binomial(200, 0.03)), judged=60, real=int(draw.binomial(60, 0.7)), events=60)
        )
        assert one.low is not None
        assert one.high is not None
        held += one.low <= truth <= one.high
    assert held >= 380
