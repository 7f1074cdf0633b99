"""Hours not watched in several windows at once, for what is counted by the day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from events.types import UnwatchedHours
from store.database import at

_BY_WINDOW = text("""
    WITH covered AS (
        SELECT w.n, camera, algorithm,
               range_agg(tstzrange(greatest(start, w.s), least(coalesce("end", w.e), w.e))) AS ranges
        FROM unnest(CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[])) WITH ORDINALITY AS w(s, e, n)
        JOIN unwatched ON start < w.e AND coalesce("end", w.e) > w.s
        WHERE (CAST(:cameras AS text[]) IS NULL OR camera = ANY(:cameras))
          AND (CAST(:algorithms AS text[]) IS NULL OR algorithm = ANY(:algorithms))
        GROUP BY w.n, camera, algorithm
    )
    SELECT n, camera, algorithm,
           (SELECT sum(extract(epoch FROM upper(r) - lower(r)))::float8 / 3600 FROM unnest(ranges) r) AS hours
    FROM covered ORDER BY n, camera, algorithm
""")


def unwatched_by_window(
    connection: Connection,
    windows: Sequence[tuple[float, float]],
    cameras: Sequence[str] = (),
    algorithms: Sequence[str] = (),
) -> tuple[tuple[UnwatchedHours, ...], ...]:
    """For each window (start and end, s since 1970 UTC) what `events.queries.unwatched_hours` says of it, without the
    reasons."""
    now = datetime.now(UTC)
    rows = connection.execute(
        _BY_WINDOW,
        {
            "starts": [at(start) for start, _ in windows],
            "ends": [min(at(end), now) for _, end in windows],
            "cameras": list(cameras) or None,
            "algorithms": [*algorithms, "*"] if algorithms else None,
        },
    )
    found: dict[int, list[UnwatchedHours]] = defaultdict(list)
    for row in rows:
        one = UnwatchedHours(camera=row.camera, algorithm=row.algorithm, hours=row.hours, by_reason={})
        found[row.n - 1].append(one)
    return tuple(tuple(found[n]) for n in range(len(windows)))
