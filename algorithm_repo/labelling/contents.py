"""Pictures by their content, across projects: which of a version's items somebody may see, and how they look."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from sqlalchemy import ARRAY, ColumnElement, Connection, Text, and_, any_, func, literal, select, true

from algorithm_repo.datasets.alike import Signature
from algorithm_repo.datasets.types import Item
from algorithm_repo.labelling.tables import label_items, label_projects

_i = label_items.c
_p = label_projects.c
_TEXTS = ARRAY(Text)


@dataclass(frozen=True, slots=True)
class Eyes:
    """With whose eyes pictures are seen.

    Attributes:
        seen: which of `label_items` they may label.
        manages: which of `label_projects` they manage: of these alone they are told the hidden tests.
        everything: they see all there is.
    """

    seen: ColumnElement[bool]
    manages: ColumnElement[bool]
    everything: bool = False


def eyes_of(name: str, seen: ColumnElement[bool], everything: bool) -> Eyes:
    """Of an account."""
    return Eyes(seen, true() if everything else _p.author == name, everything)


def visible(connection: Connection, items: Collection[Item], eyes: Eyes) -> frozenset[str]:
    """The contents of those that somebody may see: pictures that they may label, and those of no camera.

    A hidden test is not among them: what it holds would be told with it.
    """
    wanted = [item.content for item in items]
    rows = (
        select(
            _i.content,
            func.bool_or(eyes.seen).label("seen"),
            func.bool_or(and_(_i.hidden, ~eyes.manages)).label("tests"),
        )
        .join(label_projects, _p.id == _i.project)
        .where(_i.content == any_(literal(wanted, type_=_TEXTS)))
        .group_by(_i.content)
    )
    told = {row.content: row for row in connection.execute(rows)}
    return frozenset(
        item.content
        for item in items
        if (eyes.everything or item.camera == "" or (item.content in told and told[item.content].seen))
        and not (item.content in told and told[item.content].tests)
    )


def key_of(connection: Connection, content: str) -> str | None:
    """Where the bytes are in the object store; None: no project has this picture."""
    return connection.execute(select(_i.key).where(_i.content == content).limit(1)).scalar_one_or_none()


def signatures(connection: Connection, contents: Collection[str]) -> dict[str, Signature]:
    """What pictures look like, of those that are in a project."""
    query = select(_i.content, _i.signature).where(_i.content == any_(literal(list(contents), type_=_TEXTS)))
    return {content: np.frombuffer(data, np.float32) for content, data in connection.execute(query)}
