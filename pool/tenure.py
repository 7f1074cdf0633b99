"""For how long which rule of which camera was in the pool."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, Text, cast, func, select, true

from pool.tables import items, revisions
from store.database import at


def tenure_hours(
    connection: Connection, cameras: Collection[str], since: float, until: float
) -> dict[tuple[str, str], float]:
    """Hours by (camera, algorithm) between two moments, s since 1970 UTC; what never was in the pool then is left out.

    A camera's own health is watched as long as the camera is there.
    """
    came, went = revisions.alias("came"), revisions.alias("went")
    names = func.jsonb_object_keys(items.c.document["algorithms"].concat(func.jsonb_build_object("camera_health", 1)))
    rules = names.table_valued("name").lateral("rules")
    begin = func.greatest(came.c.created_at, at(since))
    end = func.least(func.coalesce(went.c.created_at, at(until)), at(until))
    hours = func.sum(func.greatest(func.extract("epoch", end - begin), 0)) / 3600
    name = cast(rules.c.name, Text)
    query = (
        select(items.c.id, name.label("name"), hours.label("hours"))
        .select_from(
            items.join(came, came.c.revision == items.c.since)
            .outerjoin(went, went.c.revision == items.c.until)
            .join(rules, true())
        )
        .where(items.c.kind == "camera", items.c.id.in_(tuple(cameras)))
        .group_by(items.c.id, name)
    )
    return {(row.id, row.name): float(row.hours) for row in connection.execute(query) if row.hours > 0}
