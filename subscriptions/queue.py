"""Queues in the database: leasing those that have something to send, and writing down how it went.

Every function works in its caller's transaction. Whoever holds the lease of a subscriber's queue is the only one who
sends to it; the lease is renewed while it is used, and runs out by itself where its holder was killed. (Should two
hold one all the same, order is kept: either of them sends the next one only when the one before was received.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from events.tables import event_transitions, events
from subscriptions.matching import Sees
from subscriptions.message import Told
from subscriptions.places import present_place
from subscriptions.tables import PENDING, deliveries, subscription_queues, subscriptions
from subscriptions.types import State

_NOW = func.clock_timestamp()


class Row(NamedTuple):
    """A pending delivery.

    Attributes:
        told: None where the event is no longer kept.
        attempts: made before.
        age_s: since it was written.
        visible: the department may see the event now.
        about: what the cooldown counts by, where there is one.
        begun: something of this event was delivered before.
        near: another event of the same sort was delivered within the cooldown.
        by: what groupings go by.
    """

    id: str
    number: int
    event_id: str
    told: Told | None
    attempts: int
    age_s: float
    visible: bool
    about: str | None
    begun: bool
    near: bool
    by: dict[str, str]


@dataclass(frozen=True, slots=True)
class Lease:
    """A queue to send from, its head first.

    Attributes:
        settings: `channel`, `retry`, `grouping` as JSON, and the sealed `secrets`.
    """

    subscription: int
    token: str
    revision: int
    settings: dict[str, Any]
    rows: list[Row] = field(default_factory=list)


class Try(NamedTuple):
    """One attempt, for the log."""

    delivery: str
    at: datetime
    took_ms: float
    outcome: Literal["delivered", "failed", "dead"]
    status: int | None
    detail: str


@dataclass(slots=True)
class Result:
    """What came of a lease.

    Attributes:
        revision: of the subscription as it was sent to; None: as it stands.
        ends: (id, number, state) of deliveries that reached their end, and when.
        tries: attempts, in order.
        error: of the last attempt; None where it succeeded, or there was none.
        wait_s: how long the queue rests.
        gone: the receiver wants nothing more.
    """

    subscription: int
    token: str
    revision: int | None = None
    ends: list[tuple[str, int, State, datetime]] = field(default_factory=list)
    tries: list[Try] = field(default_factory=list)
    error: str | None = None
    wait_s: float = 0.0
    gone: bool = False


class Queues:
    """The statements, made once.

    Args:
        sees: whether a department may see a transition.
        batch: how many deliveries of a queue are taken at a time.
        lease_s: how long a lease holds unless it is renewed.
    """

    def __init__(self, sees: Sees, *, batch: int = 100, lease_s: float = 6.0) -> None:
        self.lease_s = lease_s
        self._until = _NOW + func.make_interval(0, 0, 0, 0, 0, 0, lease_s)
        self._lease = _lease(self._until)
        self._rows = _rows(sees, batch)

    def lease(self, connection: Connection, token: str, most: int) -> list[Lease]:
        """Up to `most` queues whose head is due, those that have waited longest first."""
        found = connection.execute(self._lease, {"token": token, "most": most}).scalars().all()
        if not found:
            return []
        leases: dict[int, Lease] = {}
        for row in connection.execute(self._rows, {"leased": list(found)}):
            lease = leases.get(row.subscription)
            if lease is None:
                settings = {name: getattr(row, name) for name in ("channel", "retry", "grouping", "secrets")}
                lease = leases[row.subscription] = Lease(row.subscription, token, row.revision, settings)
            lease.rows.append(_row(row))
        # A queue that somebody emptied meanwhile is let go as one that was sent.
        return [leases.get(number) or Lease(number, token, 0, {}) for number in found]

    def renew(self, connection: Connection, tokens: Collection[str]) -> None:
        """Leases that are used go on."""
        q = subscription_queues.c
        connection.execute(update(subscription_queues).where(q.lease.in_(tokens)).values(lease_until=self._until))


def _lease(until: ColumnElement[Any]) -> Any:
    q, s, d = subscription_queues.c, subscriptions.c, deliveries.c
    # The head by its order: to look for any that is due, the planner would read the whole table of a queue without one.
    head = (
        select(d.created)
        .where(d.subscription == q.subscription, d.state == PENDING)
        .order_by(d.number)
        .limit(1)
        .correlate(subscription_queues)
        .scalar_subquery()
    )
    ready = (
        select(q.subscription)
        .join(subscriptions, s.id == q.subscription)
        .where(
            q.next_attempt <= _NOW,
            or_(q.lease_until.is_(None), q.lease_until < _NOW),
            s.enabled,
            s.paused.is_(None),
            s.deleted.is_(None),
            s.kind != "sse",
            head <= _NOW - func.make_interval(0, 0, 0, 0, 0, 0, s.window_s),
        )
        .order_by(q.next_attempt)
        .limit(bindparam("most"))
        .with_for_update(of=subscription_queues, skip_locked=True)
        .cte("ready")
    )
    return (
        update(subscription_queues)
        .where(q.subscription == ready.c.subscription)
        .values(lease=bindparam("token", type_=Text), lease_until=until)
        .returning(q.subscription)
    )


def _rows(sees: Sees, batch: int) -> Any:
    s, t, e = subscriptions.c, event_transitions.c, events.c
    head = (
        select(deliveries)
        .where(deliveries.c.subscription == s.id, deliveries.c.state == PENDING)
        .order_by(deliveries.c.number)
        .limit(batch)
        .correlate(subscriptions)
        .lateral("head")
    )
    before, other = _told_before(head), _told_near(head)
    joined = (
        subscriptions.join(head, true())
        .outerjoin(event_transitions, and_(t.event_id == head.c.event_id, t.seq == head.c.seq))
        .outerjoin(events, e.id == head.c.event_id)
    )
    return (
        select(
            head.c.subscription,
            head.c.id,
            head.c.number,
            head.c.event_id,
            head.c.attempts,
            head.c.about,
            func.extract("epoch", _NOW - head.c.created).label("age_s"),
            s.revision,
            s.channel,
            s.retry,
            s.grouping,
            s.secrets,
            t.transition,
            t.at,
            cast(t.body, Text).label("body"),
            e.type,
            e.camera,
            e.grid,
            func.coalesce(sees(s.department, present_place()), false()).label("visible"),
            before.label("begun"),
            other.label("near"),
        )
        .select_from(joined)
        .where(s.id == func.any(bindparam("leased", type_=ARRAY(s.id.type))))
        .order_by(head.c.subscription, head.c.number)
    )


def _told_before(head: Any) -> ColumnElement[bool]:
    """Something of this event was delivered; asked only where there is a cooldown."""
    d = deliveries.alias("before").c
    mine = and_(d.subscription == subscriptions.c.id, d.event_id == head.c.event_id)
    return _where_cooling(select(d.done).where(mine, d.state == State.DELIVERED.value), head)


def _told_near(head: Any) -> ColumnElement[bool]:
    """Another event of the same sort was delivered within the cooldown: the newest are looked at first."""
    d, s = deliveries.alias("other").c, subscriptions.c
    near = and_(
        d.subscription == s.id,
        d.about == head.c.about,
        d.state == State.DELIVERED.value,
        d.event_id != head.c.event_id,
        # Not by the clock of this very moment, which no index can be searched by.
        d.done > func.now() - func.make_interval(0, 0, 0, 0, 0, 0, s.cooldown_s),
    )
    return _where_cooling(select(d.done).where(near).order_by(d.done.desc()), head)


def _where_cooling(query: Any, head: Any) -> ColumnElement[bool]:
    """Whether there is one, by index: EXISTS may be answered from a hash of the whole table, or by reading it."""
    first = query.limit(1).correlate(subscriptions, head).scalar_subquery()
    return case((subscriptions.c.cooldown_s > 0, first.is_not(None)), else_=false())


def _row(row: Any) -> Row:
    told = None
    if row.body is not None:
        told = Told(row.id, row.number, row.event_id, row.transition, row.at.timestamp(), row.body.encode())
    return Row(
        id=row.id,
        number=row.number,
        event_id=row.event_id,
        told=told,
        attempts=row.attempts,
        age_s=float(row.age_s),
        visible=row.visible or told is None,
        about=row.about,
        begun=row.begun,
        near=row.near,
        by={"all": "", "type": row.type or "", "camera": row.camera or "", "grid": row.grid or ""},
    )


def record(connection: Connection, results: Sequence[Result]) -> None:
    """Writes down what came of leases, and lets go of them.

    What was delivered is written whoever holds the lease by now; everything else only under a lease that still holds.
    A delivery that was made pending anew meanwhile (replay) has another number and stays pending.
    """
    if not results:
        return
    tries = Counter(one.delivery for result in results for one in result.tries)
    ended = _write_ends(connection, results, tries)
    _count_tries(connection, {id_: count for id_, count in tries.items() if id_ not in ended})
    _log_tries(connection, results)
    for result in results:
        if result.gone:
            _pause(connection, result)
    _let_go(connection, results)  # after the subscriptions' rows, in the order of whoever edits them


def _pause(connection: Connection, result: Result) -> None:
    """Unless somebody has changed it since: then it was another receiver that is gone."""
    s = subscriptions.c
    paused = {"paused": "the receiver answered 410 Gone", "revision": s.revision + 1}
    same = true() if result.revision is None else s.revision == result.revision
    connection.execute(
        update(subscriptions).where(s.id == result.subscription, s.paused.is_(None), same).values(paused)
    )


_ENDS = text("""
    UPDATE deliveries AS d SET state = v.state, done = v.done, attempts = d.attempts + v.tries
    FROM unnest(CAST(:ids AS text[]), CAST(:numbers AS bigint[]), CAST(:states AS text[]),
                CAST(:dones AS timestamptz[]), CAST(:tokens AS text[]), CAST(:tries AS integer[]))
         AS v(id, number, state, done, token, tries)
    WHERE d.id = v.id AND d.number = v.number AND d.state = 'pending'
      AND (v.state = 'delivered'
           OR EXISTS (SELECT FROM subscription_queues q WHERE q.subscription = d.subscription AND q.lease = v.token))
    RETURNING d.id
""")
_TRIED = text("""
    UPDATE deliveries AS d SET attempts = d.attempts + v.tries
    FROM unnest(CAST(:ids AS text[]), CAST(:tries AS integer[])) AS v(id, tries) WHERE d.id = v.id
""")
_LOGGED = text("""
    INSERT INTO delivery_attempts (subscription, delivery, at, took_ms, outcome, status, detail)
    SELECT * FROM unnest(CAST(:subscriptions AS bigint[]), CAST(:ids AS text[]), CAST(:ats AS timestamptz[]),
                         CAST(:took AS float8[]), CAST(:outcomes AS text[]), CAST(:statuses AS integer[]),
                         CAST(:details AS text[]))
""")
_LET_GO = text("""
    UPDATE subscription_queues AS q
    SET lease = NULL, lease_until = NULL,
        -- Whoever has changed the subscription since wants it tried at once.
        next_attempt = clock_timestamp() + make_interval(
            secs => CASE WHEN v.revision IS NULL OR v.revision = s.revision THEN v.wait_s ELSE 0 END),
        failures = CASE v.tried WHEN 'failed' THEN q.failures + 1 WHEN 'sent' THEN 0 ELSE q.failures END,
        failing_since = CASE v.tried WHEN 'failed' THEN coalesce(q.failing_since, now())
                                     WHEN 'sent' THEN NULL ELSE q.failing_since END,
        last_error = CASE v.tried WHEN 'failed' THEN v.error ELSE q.last_error END
    FROM unnest(CAST(:subscriptions AS bigint[]), CAST(:tokens AS text[]), CAST(:revisions AS integer[]),
                CAST(:waits AS float8[]), CAST(:tried AS text[]), CAST(:errors AS text[]))
         AS v(subscription, token, revision, wait_s, tried, error)
    JOIN subscriptions AS s ON s.id = v.subscription
    WHERE q.subscription = v.subscription AND q.lease = v.token
""")


def _write_ends(connection: Connection, results: Sequence[Result], tries: Mapping[str, int]) -> frozenset[str]:
    """Ends with their attempts, each row touched once: its indexes cost more than it does. Whose were written."""
    ends = [(*end, result.token) for result in results for end in result.ends]
    if not ends:
        return frozenset()
    ids, numbers, states, dones, tokens = zip(*ends, strict=True)
    found = {"ids": list(ids), "numbers": list(numbers), "dones": list(dones), "tokens": list(tokens)}
    found |= {"states": [state.value for state in states], "tries": [tries.get(id_, 0) for id_ in ids]}
    return frozenset(connection.execute(_ENDS, found).scalars())


def _count_tries(connection: Connection, tries: Mapping[str, int]) -> None:
    """Of deliveries that go on."""
    if tries:
        connection.execute(_TRIED, {"ids": list(tries), "tries": list(tries.values())})


def _log_tries(connection: Connection, results: Sequence[Result]) -> None:
    tries = [(result.subscription, *one) for result in results for one in result.tries]
    if not tries:
        return
    numbers, ids, ats, took, outcomes, statuses, details = map(list, zip(*tries, strict=True))
    logged = {"subscriptions": numbers, "ids": ids, "ats": ats, "took": took, "outcomes": outcomes}
    connection.execute(_LOGGED, logged | {"statuses": statuses, "details": details})


def _let_go(connection: Connection, results: Sequence[Result]) -> None:
    def tried(result: Result) -> str:
        return "failed" if result.error is not None else "sent" if result.tries else "none"

    connection.execute(
        _LET_GO,
        {
            "subscriptions": [result.subscription for result in results],
            "tokens": [result.token for result in results],
            "revisions": [result.revision for result in results],
            "waits": [result.wait_s for result in results],
            "tried": [tried(result) for result in results],
            "errors": [result.error or "" for result in results],
        },
    )
