"""From rows to the types of labelling."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from algorithm_repo.labelling.types import GivenAnswer, Item, Project, Taken

_PLACE = ("camera", "department", "grid", "zone", "type")


def project_of(row: Row[Any]) -> Project:
    created = row.created.timestamp()
    return Project(**row.body, id=row.id, author=row.author, created_utc=created, sources=row.sources)


def item_of(row: Row[Any]) -> Item:
    values = row._asdict()
    taken = Taken(
        **{name: values.pop(name) for name in _PLACE},
        utc=None if (moment := values.pop("moment")) is None else moment.timestamp(),
    )
    values.pop("signature", None)
    gone = values.pop("deleted")
    return Item(
        taken=taken,
        added_utc=values.pop("added").timestamp(),
        deleted_utc=None if gone is None else gone.timestamp(),
        **values,
    )


def answer_of(row: Row[Any]) -> GivenAnswer:
    values = row._asdict()
    values.pop("key")
    return GivenAnswer(utc=values.pop("at").timestamp(), **values)
