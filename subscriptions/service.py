"""What can be done with subscriptions. Every function works in its caller's transaction; times are s since 1970 UTC."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Integer,
    Text,
    cast,
    func,
    literal,
    null,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from contracts.errors import ConfigError, StaleRevision
from contracts.redact import register_secret
from contracts.signing import new_secret
from events.tables import event_transitions, events
from store.database import at
from store.sealing import Sealer
from store.wakeups import DELIVERIES
from subscriptions import store
from subscriptions.matching import Sees, wanted_in_sql
from subscriptions.outbox import delivery_id, wake
from subscriptions.places import told_place
from subscriptions.tables import deliveries, subscription_numbers, subscriptions
from subscriptions.types import NewSilence, NewSubscription, State, Subscription, Wanted

_MOST = 50_000  # of one replay, during which no event can be written for that subscriber


def create(connection: Connection, new: NewSubscription, owner: str, sealer: Sealer) -> tuple[Subscription, str | None]:
    """A new subscription, and its signing secret where it is a webhook: shown this once.

    Raises:
        ConfigError: the database does not know its time zone.
    """
    _require_zone(connection, new.wanted)
    number = store.create(connection, new, owner)
    secret = rotate(connection, number, sealer) if new.channel.kind == "webhook" else None
    return get(connection, number), secret


def get(connection: Connection, number: int, *, lock: bool = False) -> Subscription:
    """Raises ConfigError where there is none."""
    found = store.read(connection, number, lock=lock)
    if found is None:
        raise ConfigError(f"there is no subscription {number}", "see the list of subscriptions")
    return found


def change(connection: Connection, number: int, new: NewSubscription, revision: int) -> Subscription:
    """New values; what waits is tried at once. The kind of channel stays.

    Raises:
        ConfigError: there is none, or it would become another kind of channel.
        StaleRevision: somebody was quicker.
    """
    before = get(connection, number, lock=True)
    if revision != before.revision:
        raise StaleRevision(f"subscription {number} has changed since (revision {before.revision})", "look again")
    if new.channel.kind != before.channel.kind:
        raise ConfigError(f"channel.kind: it is a {before.channel.kind}", "make another subscription")
    _require_zone(connection, new.wanted)
    store.change(connection, number, store.values_of(new))
    store.try_now(connection, number)
    return get(connection, number)


def pause(connection: Connection, number: int, why: str | None) -> Subscription:
    """Holds back what comes (`why`), or goes on (None)."""
    get(connection, number, lock=True)
    store.change(connection, number, {"paused": why})
    if why is None:
        store.try_now(connection, number)
    return get(connection, number)


def delete(connection: Connection, number: int) -> None:
    """Nothing is collected or sent any more; its log stays."""
    get(connection, number, lock=True)
    store.change(connection, number, {"deleted": func.now(), "enabled": False, "secrets": []})


def rotate(connection: Connection, number: int, sealer: Sealer) -> str:
    """A new signing secret, returned this once. The one before stays in force beside it until `settle`."""
    get(connection, number, lock=True)
    secret = new_secret()
    register_secret(secret)
    kept = store.secrets_of(connection, number)[:1]
    store.change(connection, number, {"secrets": [sealer.seal(secret, secret_name(number)), *kept]})
    return secret


def settle(connection: Connection, number: int) -> None:
    """The receiver knows the new secret: the old one is forgotten."""
    get(connection, number, lock=True)
    store.change(connection, number, {"secrets": store.secrets_of(connection, number)[:1]})


def secret_name(number: int) -> str:
    """What a subscription's secrets are sealed about."""
    return f"subscription/{number}"


def redrive(connection: Connection, number: int) -> int:
    """Dead letters go to the end of the queue, in their order. Returns how many."""
    get(connection, number)
    d = deliveries.c
    dead = select(d.id, func.row_number().over(order_by=d.number).label("nth")).where(
        d.subscription == number, store.in_state(State.DEAD)
    )
    found = dead.cte("found")
    first = _draw(connection, number, connection.execute(select(func.count()).select_from(found)).scalar_one())
    again = (
        update(deliveries)
        .where(deliveries.c.id == found.c.id)
        .values(
            number=first + found.c.nth,
            state=State.PENDING.value,
            attempts=0,
            silence=null(),
            created=func.clock_timestamp(),
            done=null(),
        )
    )
    count: int = connection.execute(again).rowcount
    if count:
        connection.execute(select(func.pg_notify(DELIVERIES, "")))
        store.try_now(connection, number)
    return count


def _draw(connection: Connection, number: int, count: int) -> int:
    """Takes `count` numbers; the last one before them. The row's lock keeps the order of those who draw."""
    n = subscription_numbers.c
    drawn = update(subscription_numbers).where(n.subscription == number).values(last=n.last + count)
    last: int = connection.execute(drawn.returning(n.last)).scalar_one()
    return last - count


def replay(connection: Connection, number: int, since: float, until: float, sees: Sees) -> int:
    """Everything that was committed in a window goes out (again), in its order, with the same ids: what the
    subscription wants and may see as it stands now, also what came before there was this subscription. No cooldown
    holds any of it back.

    Args:
        since, until: when it was committed, s since 1970 UTC; `until` is exclusive.

    Returns:
        how many deliveries.

    Raises:
        ConfigError: there is no such subscription, or there is too much in the window.
    """
    get(connection, number)
    t, e, s = event_transitions.c, events.c, subscriptions.c
    place = told_place()
    wanted = (  # `position` orders as it was committed
        select(t.event_id, t.seq, func.row_number().over(order_by=t.position).label("nth"))
        .select_from(event_transitions.join(events, e.id == t.event_id).join(subscriptions, s.id == number))
        .where(t.received >= at(since), t.received < at(until))
        .where(wanted_in_sql(s.wanted, place), sees(s.department, place))
        .cte("wanted")
    )
    count: int = connection.execute(select(func.count()).select_from(wanted)).scalar_one()
    if count > _MOST:
        raise ConfigError(f"{count} deliveries lie in that window", f"take windows of at most {_MOST}")
    first = _draw(connection, number, count)
    rows = select(
        delivery_id(literal(number, BigInteger), wanted.c.event_id, wanted.c.seq),
        cast(number, BigInteger),
        first + wanted.c.nth,
        cast(wanted.c.event_id, Text),
        cast(wanted.c.seq, Integer),
        cast(null(), Text),  # what was asked for is told whatever the cooldown
        literal(State.PENDING.value),
        literal(0),
        cast(func.clock_timestamp(), DateTime(timezone=True)),
    )
    columns = ["id", "subscription", "number", "event_id", "seq", "about", "state", "attempts", "created"]
    statement = upsert(deliveries).from_select(columns, rows)
    new = statement.excluded
    again = {
        "number": new.number,
        "about": null(),
        "state": new.state,
        "attempts": 0,
        "silence": null(),
        "done": null(),
    }
    connection.execute(
        wake(statement.on_conflict_do_update(index_elements=["id"], set_=again | {"created": new.created}))
    )
    store.try_now(connection, number)
    return count


def silence(connection: Connection, new: NewSilence, who: str) -> int:
    """A new silence; its id. Raises ConfigError for a subscription of another department."""
    if new.subscription is not None:
        found = get(connection, new.subscription)
        if found.department != new.department:
            raise ConfigError(f"subscription: {new.subscription} belongs to {found.department}", "name one of your own")
    _require_zone(connection, new.wanted)
    return store.silence(connection, new, who)


def _require_zone(connection: Connection, wanted: Wanted) -> None:
    """Python and Postgres have a list of time zones each; what one of them lacks would break every later event."""
    if wanted.hours is None:
        return
    known = text("SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = :zone)")
    if not connection.execute(known, {"zone": wanted.hours.zone}).scalar_one():
        raise ConfigError(f"wanted.hours.zone: the database has no {wanted.hours.zone!r}", "write e.g. Asia/Shanghai")
