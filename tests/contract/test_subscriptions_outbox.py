"""The outbox on a real Postgres: what was committed is written down for whoever wants and may see it, exactly once."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, false, func, insert, select, true
from sqlalchemy.exc import IntegrityError

from contracts.errors import ConfigError, StaleRevision
from contracts.hours import Hours
from contracts.records import Event, Severity, Transition
from subscriptions import hidden, service, store
from subscriptions.fetch import fetch
from subscriptions.matching import wants
from subscriptions.tables import deliveries, subscription_numbers, subscriptions
from subscriptions.types import Delivery, NewSilence, State, Wanted, Webhook
from tests.contract.subscription_scene import HOOK, SEALER, happen, happen_in, own, subscribed, wish
from tests.contract.test_events_store import event
from tests.effort import examples

pytest_plugins = ["tests.embedded"]

START = 1_700_000_000.0  # of `event(0)`
PARKING = event(1)  # of the traffic department


def told(engine: Engine, subscription: int) -> list[Delivery]:
    """The log, in order."""
    with engine.connect() as connection:
        return store.log(connection, subscription, limit=500)[::-1]


_WORDS = ("illegal_parking", "crowding")
_SPANS = st.lists(
    st.tuples(st.integers(0, 1439), st.integers(1, 1440)).map(lambda p: (min(p), max(p) if p[0] != p[1] else 1440)),
    max_size=2,
).map(tuple)
_DAYS = st.lists(st.dates(date(2023, 11, 1), date(2023, 12, 10)), max_size=3, unique=True).map(tuple)
_HOURS = st.builds(
    Hours,
    zone=st.sampled_from(["Asia/Shanghai", "UTC", "Europe/Berlin", "Asia/Kathmandu"]),
    week=st.tuples(*[_SPANS] * 7),
    holidays=_DAYS,
    workdays=_DAYS,
    workday_hours=_SPANS,
)
_WANTED = st.builds(
    Wanted,
    types=st.lists(st.sampled_from(_WORDS), max_size=2).map(tuple),
    zones=st.lists(st.sampled_from(["z", "y", "cam1/z", "cam2/z", 'q"']), max_size=2).map(tuple),
    grids=st.lists(st.sampled_from(["G1", "G2"]), max_size=1).map(tuple),
    cameras=st.lists(st.sampled_from(["cam1", "cam2", "c?"]), max_size=2).map(tuple),
    severities=st.lists(st.sampled_from(Severity), max_size=2).map(tuple),
    transitions=st.lists(st.sampled_from(Transition), max_size=2).map(tuple),
    hours=st.none() | _HOURS,
)
_EVENTS = st.builds(
    event,
    st.just(1),
    st.integers(0, 2),
    type=st.sampled_from(_WORDS),
    zone=st.sampled_from(["z", "y", 'q"']),
    camera=st.sampled_from(["cam1", "cam2", "c?"]),
    grid=st.sampled_from(["", "G1", "G2"]),
    severity=st.sampled_from(Severity),
    utc=st.floats(START, START + 30 * 86_400),
    department=st.sampled_from(["traffic", "police"]),
)


@settings(
    max_examples=examples(15),
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(wishes=st.lists(_WANTED, min_size=20, max_size=20), found=st.lists(_EVENTS, min_size=5, max_size=5))
def test_the_rule_and_the_sql_agree(engine: Engine, wishes: list[Wanted], found: list[Event]) -> None:
    with engine.connect() as connection:
        rows = [store.values_of(wish(wanted=one)) | {"owner": "w", "secrets": [], "revision": 0} for one in wishes]
        numbers = connection.execute(insert(subscriptions).returning(subscriptions.c.id), rows).scalars().all()
        connection.execute(insert(subscription_numbers), [{"subscription": n, "last": 0} for n in numbers])
        for seq, one in enumerate(found):
            HOOK(connection, one.model_copy(update={"seq": seq}))
        pairs = connection.execute(select(deliveries.c.subscription, deliveries.c.seq)).all()
        connection.rollback()
    expected = {
        (number, seq)
        for number, wanted in zip(numbers, wishes, strict=True)
        for seq, one in enumerate(found)
        if one.department == "traffic" and wants(wanted, one)
    }
    assert {(row.subscription, row.seq) for row in pairs} == expected


def test_one_row_a_subscriber_in_the_events_own_transaction(engine: Engine) -> None:
    first, second = subscribed(engine), subscribed(engine, wanted=Wanted(types=("illegal_parking",)))
    for changes in ({"department": "police"}, {"enabled": False}, {"wanted": Wanted(types=("crowding",))}):
        subscribed(engine, **changes)
    happen(engine, *(event(1, seq) for seq in range(3)))
    with engine.connect() as connection:
        happen_in(connection, event(3))
        connection.rollback()
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(deliveries)).scalar_one() == 6
    for subscription in (first, second):
        log = told(engine, subscription)
        assert [(one.number, one.seq, one.state) for one in log] == [(n + 1, n, State.PENDING) for n in range(3)]
    assert len({one.id for one in told(engine, first) + told(engine, second)}) == 6
    with pytest.raises(IntegrityError), engine.begin() as connection:
        HOOK(connection, event(1, 2))


def test_a_silence_holds_back_what_begins_in_it_and_counts(engine: Engine) -> None:
    subscription, other = subscribed(engine), subscribed(engine)
    happen(engine, event(1))
    new = NewSilence(
        department="traffic",
        subscription=subscription,
        wanted=Wanted(cameras=("cam1", "cam3")),
        from_utc=START + 2,
        until_utc=START + 100,
        note="施工",
    )
    with engine.begin() as connection:
        would = hidden.would_hold_back(connection, new, START, own, true())
        assert (would.count, [(one.event, one.deliveries) for one in would.events]) == (1, [(event(1).id, 1)])
        assert hidden.would_hold_back(connection, new, START, own, false()) == hidden.Hidden(count=1, events=())
        number = service.silence(connection, new, "li")
        with pytest.raises(ConfigError, match="belongs to traffic"):
            service.silence(connection, new.model_copy(update={"department": "police"}), "li")
    happen(engine, event(3), event(1, 1), event(101), event(5, camera="cam9"))
    states = {(one.event_id, one.seq): one.state for one in told(engine, subscription)}
    assert states.pop((event(3).id, 0)) is State.SILENCED
    assert set(states.values()) == {State.PENDING}
    assert {one.state for one in told(engine, other)} == {State.PENDING}
    with engine.begin() as connection:
        assert [(one.id, one.hidden) for one in store.silences(connection)] == [(number, 1)]
        held = hidden.held_back(connection, number, true())
        assert (held.count, [(one.event, one.deliveries) for one in held.events]) == (1, [(event(3).id, 1)])
        assert hidden.held_back(connection, number, false()) == hidden.Hidden(count=1, events=())
        assert store.end_silence(connection, number, START + 50)
        assert not store.end_silence(connection, number, START + 51)


def test_replay_by_window_keeps_ids_and_takes_new_numbers(engine: Engine) -> None:
    early = subscribed(engine)
    happen(engine, event(1), event(1, 1), event(2), event(3))
    late = subscribed(engine, channel={"kind": "stream"}, wanted=Wanted(types=("illegal_parking",)), cooldown_s=5.0)
    before = {one.id: one for one in told(engine, early)}
    with engine.begin() as connection:
        assert service.replay(connection, early, 0, 4e9, own) == 3
        assert service.replay(connection, late, 0, 4e9, own) == 3
        assert service.replay(connection, late, 0, 1, own) == 0
    again = told(engine, early)
    assert {one.id for one in again} == set(before)
    assert [one.number for one in again] == [4, 5, 6]
    assert [(one.event_id, one.seq) for one in again] == [(event(1).id, 0), (event(1).id, 1), (event(3).id, 0)]
    assert [one.number for one in told(engine, late)] == [1, 2, 3]
    happen(engine, event(5))
    assert told(engine, early)[-1].number == 7


def test_what_may_not_be_seen_any_more_holds_up_nobody_who_fetches(engine: Engine) -> None:
    """Also where it was fetched before, by somebody who asks again from an earlier place."""
    mine = subscribed(engine)
    happen(engine, event(1), event(3), event(5, camera="seen"))
    with engine.begin() as connection:
        assert [one.number for one in fetch(connection, mine, None, 9, own).told] == [1, 2, 3]
        hidden_by_now = fetch(connection, mine, 0, 2, lambda _department, place: place.camera == "seen")
        assert (hidden_by_now.told, hidden_by_now.upto, hidden_by_now.full) == ([], 2, True)
        rest = fetch(connection, mine, hidden_by_now.upto, 2, lambda _department, place: place.camera == "seen")
        assert ([one.number for one in rest.told], rest.upto, rest.full) == ([3], 3, False)


def test_nothing_is_fetched_while_a_subscription_is_held(engine: Engine) -> None:
    mine = subscribed(engine)
    happen(engine, event(1))
    with engine.begin() as connection:
        service.pause(connection, mine, "repairs")
        assert fetch(connection, mine, None, 9, own).told == []
        assert service.get(connection, mine).waiting == 1
        service.pause(connection, mine, None)
        assert len(fetch(connection, mine, None, 9, own).told) == 1


def test_edits_secrets_and_the_end(engine: Engine) -> None:
    with engine.begin() as connection:
        made, secret = service.create(
            connection, wish(channel={"kind": "webhook", "url": "https://example.org/in"}), "wang", SEALER
        )
        assert secret is not None
        assert made.secrets == 1
        second = service.rotate(connection, made.id, SEALER)
        kept = store.secrets_of(connection, made.id)
        assert [SEALER.open(one, service.secret_name(made.id)) for one in kept] == [second, secret]
        with pytest.raises(ConfigError, match="cannot be opened"):
            SEALER.open(kept[0], "subscription/0")
        service.settle(connection, made.id)
        assert service.get(connection, made.id).secrets == 1
        with pytest.raises(StaleRevision):
            service.change(connection, made.id, wish(), 0)
        now = service.get(connection, made.id)
        with pytest.raises(ConfigError, match="it is a webhook"):
            service.change(connection, made.id, wish(), now.revision)
        assert service.pause(connection, made.id, "repairs").paused == "repairs"
        service.delete(connection, made.id)
        with pytest.raises(ConfigError, match="there is no subscription"):
            service.get(connection, made.id)
        assert store.listed(connection) == []
    happen(engine, PARKING)
    assert told(engine, made.id) == []


@pytest.mark.parametrize(
    ("channel", "told"),
    [
        ({"kind": "webhook", "url": "ftp://x/"}, "the scheme is not one of https, http"),
        ({"kind": "webhook", "url": "https://u:p@x/"}, "user and password do not stand in the address"),
        ({"kind": "webhook", "url": "https:///x"}, "it names no host"),
        ({"kind": "webhook", "url": "https://x:99999/"}, "not an address"),
        ({"kind": "webhook", "url": "https://a..b/"}, "its host is no name; write labels of 1 to 63 letters"),
        ({"kind": "mqtt", "url": f"mqtts://{'a' * 64}.cn", "topic": "a"}, "its host is no name"),
        ({"kind": "mqtt", "url": "mqtts://x", "topic": "a/#"}, "String should match"),
        ({"kind": "stream", "url": "redis://x"}, "an url needs a key"),
        ({"kind": "stream", "key": "cv:marks"}, "needs neither"),
        ({"kind": "webhook", "url": "https://x/", "credentials": "camera-vendor"}, "String should match"),
    ],
)
def test_channels_are_checked(channel: dict[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        wish(channel=channel)


def test_an_address_in_chinese_is_kept_as_it_is_asked_for() -> None:
    """Neither the name of a host nor a path can be sent but in ASCII: it is written so before anybody sends."""
    channel = wish(channel={"kind": "webhook", "url": "https://例子.cn:8443/回调/%2F?q=路&r=1"}).channel
    assert isinstance(channel, Webhook)
    assert channel.url == "https://xn--fsqu00a.cn:8443/%E5%9B%9E%E8%B0%83/%2F?q=%E8%B7%AF&r=1"
    assert Webhook(url=channel.url) == channel


def test_hours_are_checked() -> None:
    with pytest.raises(ValueError, match="there is no time zone 'Mars/Base'"):
        Hours(zone="Mars/Base", week=((),) * 7)
    with pytest.raises(ValueError, match="write a night as two spans"):
        Hours(week=(((1320, 360),),) + ((),) * 6)
