"""A project with pictures for tests of labelling; each picture looks different from the others."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from sqlalchemy import Connection, true

from algorithm_repo.datasets.pictures import encode
from algorithm_repo.datasets.types import Box, Source
from algorithm_repo.labelling import answers, exchange, projects
from algorithm_repo.labelling.types import GivenAnswer, NewAnswer, NewProject, NewReview, Project, Shape
from governance.people import NewPerson, create
from governance.roles import Role
from store.objects import ObjectStore

CITY = Source(name="photos", licence="CC-BY-4.0", personal=False)
ALL = true()


def picture(number: int) -> bytes:
    """A JPEG of 640 x 360 px, blocks in random colours."""
    blocks = np.random.default_rng(number).integers(0, 255, (9, 16, 3), np.uint8)
    return encode(np.asarray(np.kron(blocks, np.ones((40, 40, 1))), np.uint8))


def project(connection: Connection, objects: ObjectStore, count: int = 3, **more: Any) -> tuple[Project, list[int]]:
    """A project with that many pictures, and their numbers."""
    fields: dict[str, Any] = {"name": "cars", "classes": ("car", "bus"), "kinds": ("box", "polygon", "tag")}
    made = projects.create(connection, NewProject(**(fields | more)), "lin")
    how = exchange.Import(CITY, "lin")
    numbers = [exchange.take(connection, objects, made, f"{n}.jpg", picture(n), None, how) for n in range(count)]
    assert all(number is not None for number in numbers)
    return projects.get(connection, made.id), [number for number in numbers if number is not None]


def car(x: float = 0.1, label: str = "car") -> Box:
    return Box(label=label, box=(x, 0.2, x + 0.3, 0.6))


def key(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def labelled(connection: Connection, item: int, who: str, *labels: Shape) -> GivenAnswer:
    new = NewAnswer(labels=labels, key=key(item, who, labels), spent_s=4.5)
    return answers.submit(connection, item, new, who)


def accepted(connection: Connection, item: int, answer: GivenAnswer, who: str, *corrected: Shape) -> GivenAnswer:
    new = NewReview(answer=answer.id, accepted=True, labels=corrected or None, key=key("review", item, who))
    return answers.review(connection, item, new, who)


def labellers(connection: Connection) -> None:
    """The account `lin`, in whose name commands label."""
    create(connection, NewPerson(name="lin", role=Role.ADMIN), "test")
