"""What people say of a picture: labels, and what a second person says of these. Each answer stays as it was given."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from algorithm_repo.labelling import projects
from algorithm_repo.labelling.rows import answer_of, item_of
from algorithm_repo.labelling.tables import label_answers, label_drafts, label_items
from algorithm_repo.labelling.types import GivenAnswer, Item, ItemState, NewAnswer, NewReview, Said, Shape
from contracts.errors import ConfigError, Forbidden
from store.database import at

_a, _d, _i = label_answers.c, label_drafts.c, label_items.c


def submit(connection: Connection, number: int, new: NewAnswer, who: str, now: float | None = None) -> GivenAnswer:
    """Somebody's labels of a whole picture.

    Raises:
        ConfigError: a label does not fit the project, the key was used for something else, or it is accepted already.
    """
    item = _locked(connection, number)
    project = projects.get(connection, item.project)
    project.check(new.labels, item.clip)
    known = _known(connection, who, new.key)
    if known is not None:
        return _same(known, number, Said.LABELS, new.labels)
    if item.state is ItemState.ACCEPTED and not item.hidden:
        raise ConfigError(f"item {number} is accepted already", "go on to the next one")
    answer = _write(connection, number, Said.LABELS, new.labels, who, new, None, now)
    if not item.hidden:
        people = len(waiting(connection, [number]))
        _set(connection, number, ItemState.LABELLED if people >= project.people else ItemState.OPEN, None)
    _drop_draft(connection, number, who)
    return answer


def review(connection: Connection, number: int, new: NewReview, who: str, now: float | None = None) -> GivenAnswer:
    """What a second person says of an answer: it counts, it counts as corrected, or it is to be done again.

    Raises:
        ConfigError: it is not there to be reviewed, a label does not fit, or the key was used for something else.
        Forbidden: the answer is their own.
    """
    item = _locked(connection, number)
    said = Said.ACCEPTED if new.accepted else Said.REJECTED
    about = next((one for one in waiting(connection, [number]) if one.id == new.answer), None)
    known = _known(connection, who, new.key)
    if known is not None:
        return _same(known, number, said, known.labels)
    if item.state is not ItemState.LABELLED or about is None:
        raise ConfigError(f"answer {new.answer} does not wait for a review", "go on to the next one")
    if about.who == who:
        raise Forbidden(f"answer {new.answer} is by {who}", "a second person reviews it")
    labels = about.labels if new.labels is None else new.labels
    projects.get(connection, item.project).check(labels, item.clip)
    answer = _write(connection, number, said, labels if new.accepted else (), who, new, about.id, now)
    _set(connection, number, ItemState(said.value), answer.id if new.accepted else None)
    _drop_draft(connection, number, who)
    return answer


def save_draft(connection: Connection, number: int, who: str, labels: Sequence[Shape], stamp: int) -> bool:
    """Keeps what somebody has not sent yet; False: a newer one is kept already.

    Args:
        stamp: ms of their page's clock.

    Raises:
        ConfigError: a label does not fit the project.
    """
    item = _locked(connection, number)
    projects.get(connection, item.project).check(labels, item.clip)
    values = {"item": number, "who": who, "labels": _plain(labels), "stamp": stamp}
    kept = insert(label_drafts).values(values)
    newer = kept.on_conflict_do_update(
        index_elements=[_d.item, _d.who],
        set_={"labels": kept.excluded.labels, "stamp": kept.excluded.stamp},
        where=_d.stamp < kept.excluded.stamp,
    )
    return connection.execute(newer.returning(_d.item)).one_or_none() is not None


def drafts(connection: Connection, numbers: Sequence[int], who: str) -> dict[int, list[dict[str, Any]]]:
    """Somebody's own labels that were not sent yet, by picture."""
    query = select(_d.item, _d.labels).where(_d.item.in_(numbers), _d.who == who)
    return {row.item: row.labels for row in connection.execute(query)}


def of_item(connection: Connection, number: int) -> list[GivenAnswer]:
    """All that was said of a picture, the oldest first."""
    query = select(label_answers).where(_a.item == number).order_by(_a.id)
    return [answer_of(row) for row in connection.execute(query)]


def newest(connection: Connection, numbers: Iterable[int]) -> list[GivenAnswer]:
    """The newest labels of each person for each of these pictures."""
    query = select(label_answers).where(_a.item.in_(list(numbers)), _a.said == Said.LABELS.value).order_by(_a.id)
    found = {(row.item, row.who): row for row in connection.execute(query)}
    return [answer_of(row) for row in found.values()]


def waiting(connection: Connection, numbers: Iterable[int]) -> list[GivenAnswer]:
    """Of the newest labels of each person those that nobody rejected: what can be reviewed, and counts as labelled."""
    found = newest(connection, numbers)
    query = select(_a.about).where(
        _a.item.in_([one.item for one in found]), _a.said == Said.REJECTED.value, _a.about.is_not(None)
    )
    rejected = frozenset(connection.execute(query).scalars())
    return [one for one in found if one.id not in rejected]


def answered(connection: Connection, numbers: Sequence[int], who: str) -> frozenset[int]:
    """Which of these pictures somebody has said something of."""
    query = select(_a.item).where(_a.item.in_(numbers), _a.who == who)
    return frozenset(connection.execute(query).scalars())


def finals(connection: Connection, items: Iterable[Item]) -> dict[int, GivenAnswer]:
    """What counts, by picture."""
    wanted = [one.final for one in items if one.final is not None]
    query = select(label_answers).where(_a.id.in_(wanted))
    return {row.item: answer_of(row) for row in connection.execute(query)}


def _locked(connection: Connection, number: int) -> Item:
    row = connection.execute(select(label_items).where(_i.id == number).with_for_update()).one_or_none()
    if row is None:
        raise ConfigError(f"item {number}: there is none")
    return item_of(row)


def _drop_draft(connection: Connection, number: int, who: str) -> None:
    connection.execute(delete(label_drafts).where(_d.item == number, _d.who == who))


def _known(connection: Connection, who: str, key: str) -> GivenAnswer | None:
    row: Row[Any] | None = connection.execute(select(label_answers).where(_a.who == who, _a.key == key)).one_or_none()
    return None if row is None else answer_of(row)


def _same(known: GivenAnswer, number: int, said: Said, labels: Sequence[Shape]) -> GivenAnswer:
    if (known.item, known.said, known.labels) != (number, said, tuple(labels)):
        raise ConfigError(f"key: answer {known.id} was given under it", "give each answer its own key")
    return known


def _write(
    connection: Connection,
    number: int,
    said: Said,
    labels: Sequence[Shape],
    who: str,
    new: NewAnswer | NewReview,
    about: int | None,
    now: float | None,
) -> GivenAnswer:
    values = {
        "item": number,
        "said": said.value,
        "labels": _plain(labels),
        "note": new.note,
        "about": about,
        "who": who,
        "at": at(time.time() if now is None else now),
        "spent_s": new.spent_s,
        "key": new.key,
    }
    return answer_of(connection.execute(insert(label_answers).values(values).returning(*_a)).one())


def _set(connection: Connection, number: int, state: ItemState, final: int | None) -> None:
    connection.execute(update(label_items).where(_i.id == number).values(state=state.value, final=final))


def _plain(labels: Sequence[Shape]) -> list[dict[str, Any]]:
    return [one.model_dump(mode="json") for one in labels]
