"""How far the people of a project agree: with each other, with hidden tests, and with who reviewed them."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from math import inf

from sqlalchemy import ColumnElement, Connection

from algorithm_repo.labelling import answers, projects
from algorithm_repo.labelling.agreement import Agreement, Compared, compare, together
from algorithm_repo.labelling.types import Item
from contracts.records import Contract

_MOST = 100_000  # pictures of a project


class Between(Contract):
    """What two compared, and how far they agree; see `agreement.Agreement`.

    Attributes:
        of: "people", or "test": `other` is what a hidden test holds, or "review": what counted in the end.
        one, other: names of accounts; `other` is empty for a test and a review.
    """

    of: str
    one: str
    other: str
    pictures: int
    iou: float | None
    f1: float | None
    kappa: float | None
    tag_kappa: float | None


def measured(connection: Connection, number: int, seen: ColumnElement[bool]) -> list[Between]:
    """For each two people what both labelled, for each person hidden tests, and what a review made of their labels."""
    project = projects.get(connection, number)
    found = {one.id: one for one in projects.items(connection, number, seen, limit=_MOST)}
    tagged = "tag" in project.kinds
    by_item = defaultdict(list)
    for answer in answers.newest(connection, found):
        by_item[answer.item].append(answer)
    finals = answers.finals(connection, found.values())
    groups: dict[tuple[str, str, str], list[Compared]] = defaultdict(list)
    for item, given in by_item.items():
        for one, other in combinations(sorted(given, key=lambda answer: answer.who), 2):
            both = compare(one.labels, other.labels, project.classes, tagged, _seconds(found[item]))
            groups["people", one.who, other.who].append(both)
        final = finals.get(item)
        for one in given if final is not None else ():
            assert final is not None
            of = "test" if _tests(found[item], one.id, final.id) else "review"
            both = compare(one.labels, final.labels, project.classes, tagged, _seconds(found[item]))
            groups[of, one.who, ""].append(both)
    return [_between(key, together(compared)) for key, compared in sorted(groups.items())]


def _seconds(item: Item) -> float:
    return inf if item.clip is None else item.clip.duration_s


def _tests(item: Item, answer: int, final: int) -> bool:
    """Whether it was given when the truth was known already, and hidden."""
    return item.hidden and answer > final


def _between(key: tuple[str, str, str], found: Agreement) -> Between:
    of, one, other = key
    return Between(
        of=of,
        one=one,
        other=other,
        pictures=found.pictures,
        iou=found.iou,
        f1=found.f1,
        kappa=found.kappa,
        tag_kappa=found.tag_kappa,
    )
