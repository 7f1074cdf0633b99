"""Projects and their pictures and clips. Which pictures somebody may see is given as a condition (`seen`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, false, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from algorithm_repo.datasets.alike import Signature, signature
from algorithm_repo.datasets.pictures import decode
from algorithm_repo.datasets.types import Source
from algorithm_repo.labelling.rows import item_of, project_of
from algorithm_repo.labelling.tables import label_answers, label_items, label_projects
from algorithm_repo.labelling.types import Item, ItemState, NewItem, NewProject, Project, Said
from contracts.errors import ConfigError
from store.database import at

_p, _i, _a = label_projects.c, label_items.c, label_answers.c


def create(connection: Connection, new: NewProject, author: str) -> Project:
    """A new project. Raises ConfigError: there is one of that name."""
    values = {"name": new.name, "body": new.model_dump(mode="json"), "sources": {}, "author": author}
    made = insert(label_projects).values(values).on_conflict_do_nothing(index_elements=[_p.name])
    row = connection.execute(made.returning(*_p)).one_or_none()
    if row is None:
        raise ConfigError(f"name: there is a project {new.name!r} already", "take another name")
    return project_of(row)


def get(connection: Connection, number: int) -> Project:
    """One project. Raises ConfigError: there is none."""
    found = find(connection, number)
    if found is None:
        raise ConfigError(f"project {number}: there is none", "look at the list of projects")
    return found


def find(connection: Connection, number: int) -> Project | None:
    """One project; None where there is none."""
    row = connection.execute(select(label_projects).where(_p.id == number)).one_or_none()
    return None if row is None else project_of(row)


def named(connection: Connection, name: str) -> Project:
    """The project of that name. Raises ConfigError: there is none."""
    row = connection.execute(select(label_projects).where(_p.name == name)).one_or_none()
    if row is None:
        raise ConfigError(f"there is no project {name!r}", "`cityvision label list` names them")
    return project_of(row)


def listed(connection: Connection) -> list[Project]:
    """All projects, the newest first."""
    return [project_of(row) for row in connection.execute(select(label_projects).order_by(_p.id.desc()))]


def counts(connection: Connection, number: int, seen: ColumnElement[bool]) -> dict[ItemState, int]:
    """How many of a project's pictures are in which state."""
    query = select(_i.state, func.count()).where(_i.project == number, seen).group_by(_i.state)
    found = {ItemState(state): count for state, count in connection.execute(query)}
    return {state: found.get(state, 0) for state in ItemState}


@dataclass(frozen=True, slots=True)
class Looks:
    """What a picture's bytes say: px, and what it looks like from afar."""

    width: int
    height: int
    signature: Signature


def looks(data: bytes) -> Looks:
    """Raises ValueError: these bytes are no picture."""
    grey = decode(data, cv2.IMREAD_GRAYSCALE)
    return Looks(grey.shape[1], grey.shape[0], signature(grey))


def add(connection: Connection, number: int, new: NewItem, seen: Signature, who: str) -> int | None:
    """Adds a picture to a project.

    Args:
        seen: of its bytes (`looks`).

    Returns:
        Its number; None: the project has these bytes already.

    Raises:
        ConfigError: its source is known on other terms, or a suggestion does not fit the project.
    """
    project = get(connection, number)
    project.check([one.label for one in new.suggested], new.clip)
    _enter(connection, project, new.source)
    place = new.taken.model_dump(exclude={"utc"})
    values = new.model_dump(mode="json", exclude={"source", "taken"}) | {
        "project": number,
        "signature": np.asarray(seen, np.float32).tobytes(),
        "source": new.source.name,
        **place,
        "moment": None if new.taken.utc is None else at(new.taken.utc),
        "clip": null() if new.clip is None else new.clip.model_dump(mode="json"),
        "hidden": False,
        "state": ItemState.OPEN.value,
        "added_by": who,
    }
    added = insert(label_items).values(values).on_conflict_do_nothing(index_elements=[_i.project, _i.content])
    return connection.execute(added.returning(_i.id)).scalar_one_or_none()


def _enter(connection: Connection, project: Project, source: Source) -> None:
    known = connection.execute(select(_p.sources).where(_p.id == project.id).with_for_update()).scalar_one()
    told = source.model_dump(mode="json")
    if known.get(source.name, told) != told:
        raise ConfigError(f"source: {source.name!r} is known on other terms", "give this one a name of its own")
    if source.name not in known:
        connection.execute(
            update(label_projects).where(_p.id == project.id).values(sources=known | {source.name: told})
        )


def holds(connection: Connection, number: int, content: str) -> bool:
    """Whether a project has these bytes already."""
    query = select(_i.id).where(_i.project == number, _i.content == content)
    return connection.execute(query).first() is not None


def with_content(connection: Connection, number: int, content: str) -> Item | None:
    """A project's picture or clip of these bytes; None: it has none."""
    query = select(label_items).where(_i.project == number, _i.content == content)
    row = connection.execute(query).one_or_none()
    return None if row is None else item_of(row)


def item(connection: Connection, number: int, seen: ColumnElement[bool]) -> Item | None:
    """One picture; None where there is none to be seen."""
    row = connection.execute(select(label_items).where(_i.id == number, seen)).one_or_none()
    return None if row is None else item_of(row)


def items(
    connection: Connection,
    number: int,
    seen: ColumnElement[bool],
    state: ItemState | None = None,
    after: int = 0,
    limit: int = 100,
    tested: str | None = None,
) -> list[Item]:
    """A project's pictures in the order in which they came.

    Args:
        state: of it alone.
        after: the number of the last one of the page before.
        tested: who is not to know hidden tests: to them one is as far as they have said something of it themselves.
    """
    query = select(label_items).where(_i.project == number, seen, _i.id > after).order_by(_i.id).limit(limit)
    if state is not None:
        query = query.where(_i.state == state.value if tested is None else _shown(state, tested))
    return [item_of(row) for row in connection.execute(query)]


def without_tests(seen: ColumnElement[bool]) -> ColumnElement[bool]:
    """Of what somebody may see what is no hidden test: what such a one holds is the answer."""
    return and_(seen, ~_i.hidden)


def _shown(state: ItemState, who: str) -> ColumnElement[bool]:
    own = select(_a.id).where(_a.item == _i.id, _a.who == who).exists()
    as_told = {ItemState.LABELLED: own, ItemState.OPEN: ~own}.get(state, false())
    return or_(and_(~_i.hidden, _i.state == state.value), and_(_i.hidden, as_told))


def hide(connection: Connection, number: int, hidden: bool) -> None:
    """Makes an accepted picture a hidden test, or an open one again.

    From then on everybody who has had nothing to do with it finds it in their queue like any other.

    Raises:
        ConfigError: there is none, or it is not accepted.
    """
    where = (_i.id == number, _i.state == ItemState.ACCEPTED.value)
    if connection.execute(update(label_items).where(*where).values(hidden=hidden)).rowcount == 0:
        raise ConfigError(f"item {number} is not accepted", "only what two people agree on can test others")


def queue(
    connection: Connection, number: int, who: str, seen: ColumnElement[bool], review: bool, limit: int = 20
) -> list[Item]:
    """What somebody has to do next: to label, or to review what others labelled. Of what is gone nothing is to do."""
    said = select(_a.id).where(_a.item == _i.id)
    mine = said.where(_a.who == who).exists()
    rejected_by_me = said.where(_a.who == who, _a.said == Said.REJECTED.value).exists()
    standing = said.where(_a.said == Said.LABELS.value, ~_rejected())
    if review:
        due = (_i.state == ItemState.LABELLED.value) & standing.where(_a.who != who).exists()
    else:
        due = (
            ((_i.state == ItemState.OPEN.value) & ~standing.where(_a.who == who).exists() & ~rejected_by_me)
            | ((_i.state == ItemState.REJECTED.value) & ~rejected_by_me)
            | (_i.hidden & ~mine)
        )
    query = (
        select(label_items).where(_i.project == number, seen, due, _i.deleted.is_(None)).order_by(_i.id).limit(limit)
    )
    return [item_of(row) for row in connection.execute(query)]


def _rejected() -> ColumnElement[bool]:
    """Whether labels, or newer ones of the same person, were rejected."""
    no, about = label_answers.alias(), label_answers.alias()
    return (
        select(no.c.id)
        .join(about, about.c.id == no.c.about)
        .where(no.c.item == _a.item, no.c.said == Said.REJECTED.value, about.c.who == _a.who, about.c.id >= _a.id)
        .exists()
    )


def mark_deleted(connection: Connection, key: str, now: float) -> None:
    """The bytes are gone by policy; `now` in s since 1970 UTC. What was said of the picture stays."""
    connection.execute(update(label_items).where(_i.key == key, _i.deleted.is_(None)).values(deleted=at(now)))


def keys(connection: Connection, number: int) -> dict[str, str]:
    """Where the bytes of a project's pictures are in the object store, by content."""
    query = select(_i.content, _i.key).where(_i.project == number)
    return {row.content: row.key for row in connection.execute(query)}


def signatures(connection: Connection, wanted: Sequence[int]) -> dict[str, Signature]:
    """What pictures look like, by content."""
    query = select(_i.content, _i.signature).where(_i.id.in_(wanted))
    return {content: np.frombuffer(data, np.float32) for content, data in connection.execute(query)}
