"""What networks would say of a project's pictures and clips, kept apart until somebody takes it over."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from algorithm_repo.labelling import projects
from algorithm_repo.labelling.rows import item_of
from algorithm_repo.labelling.tables import label_answers, label_items
from algorithm_repo.labelling.types import MOST_LABELS, Item, ItemState, Suggestion

_i, _a = label_items.c, label_answers.c


def unsaid(connection: Connection, project: int) -> list[Item]:
    """Pictures and clips of which nobody has said anything yet, and which are there."""
    said = select(_a.id).where(_a.item == _i.id).exists()
    query = select(label_items).where(
        _i.project == project, _i.state == ItemState.OPEN.value, _i.deleted.is_(None), ~said
    )
    return [item_of(row) for row in connection.execute(query.order_by(_i.id))]


def suggest(connection: Connection, project: int, item: int, by: str, found: Sequence[Suggestion]) -> int:
    """Puts what one network says in the place of what it said before; what others suggest stays.

    Returns:
        How many suggestions of it stand now: the surest, where there are too many.

    Raises:
        ConfigError: one does not fit the project; names it.
    """
    row = connection.execute(select(label_items).where(_i.id == item).with_for_update()).one()
    known = item_of(row)
    projects.get(connection, project).check([one.label for one in found], known.clip)
    others = [one for one in known.suggested if one.by != by]
    surest = sorted(found, key=lambda one: -(one.confidence or 0.0))[: max(0, MOST_LABELS - len(others))]
    told = [one.model_dump(mode="json") for one in (*others, *surest)]
    connection.execute(update(label_items).where(_i.id == item).values(suggested=told))
    return len(surest)
