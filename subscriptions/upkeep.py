"""What goes by itself: logs that are old, and what nobody fetched."""

from __future__ import annotations

from sqlalchemy import Connection, text

_ATTEMPTS_DAYS = 30
_DELIVERIES_DAYS = 180
_AT_ONCE = 20_000

_STATEMENTS = (
    text("""
        DELETE FROM delivery_attempts WHERE id IN (
            SELECT id FROM (SELECT id, at FROM delivery_attempts ORDER BY id LIMIT :most) AS oldest
            WHERE at < now() - make_interval(days => :attempts))
    """),
    text("""
        DELETE FROM deliveries WHERE id IN (
            SELECT id FROM deliveries
            WHERE created < now() - make_interval(days => :deliveries) AND state <> 'pending'
              AND done < now() - make_interval(days => :deliveries)
            LIMIT :most)
    """),
    # Those who fetch their events by themselves have no attempts; what they do not fetch grows old all the same.
    text("""
        UPDATE deliveries AS d SET state = 'dead', done = now() FROM subscriptions AS s
        WHERE s.id = d.subscription AND s.kind = 'sse' AND d.state = 'pending'
          AND d.created < now() - make_interval(secs => (s.retry ->> 'max_age_s')::float8)
    """),
)


def keep_up(connection: Connection) -> None:
    """Deletes attempts after 30 days and deliveries 180 days after their end, some at a time; in its caller's
    transaction."""
    for statement in _STATEMENTS:
        given = {"attempts": _ATTEMPTS_DAYS, "deliveries": _DELIVERIES_DAYS, "most": _AT_ONCE}
        connection.execute(statement, {name: given[name] for name in statement.compile().params})
