"""The bodies of the doors of dataset versions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from algorithm_repo.archive.service import DatasetVersion
from algorithm_repo.datasets.diff import Diff, HeadPart, Relabelled, by_source
from algorithm_repo.datasets.statistics import Row, Statistics
from algorithm_repo.datasets.types import Item, Label, Side
from api.schemas import Body

ChangeKind = Literal["added", "removed", "relabelled", "otherwise"]


class CountRow(Body):
    """Items on each side of what `name` says, and labels of it all together."""

    name: str
    train: int
    val: int
    test: int
    labels: int

    @classmethod
    def of(cls, row: Row) -> CountRow:
        train, val, test = row.items
        return cls(name=row.name, train=train, val=val, test=test, labels=row.labels)


class DatasetStatistics(Body):
    """What a version holds, counted.

    Attributes:
        cameras: those that the asker may see; "" is a camera nobody knows.
        cameras_withheld: how many more there are.
        background: items without any label.
        small: boxes whose shorter side is below 2 % of the picture's.
    """

    train: int
    val: int
    test: int
    classes: list[CountRow]
    slices: list[CountRow]
    sources: list[CountRow]
    licences: list[CountRow]
    cameras: list[CountRow]
    cameras_withheld: int
    background: int
    small: int

    @classmethod
    def of(cls, found: Statistics, cameras: frozenset[str] | None) -> DatasetStatistics:
        """Args: cameras: that the asker may see; None: all."""
        shown = [row for row in found.cameras if cameras is None or row.name in cameras or not row.name]
        train, val, test = found.sides
        return cls(
            train=train,
            val=val,
            test=test,
            classes=[CountRow.of(row) for row in found.classes],
            slices=[CountRow.of(row) for row in found.slices],
            sources=[CountRow.of(row) for row in found.sources],
            licences=[CountRow.of(row) for row in found.licences],
            cameras=[CountRow.of(row) for row in shown],
            cameras_withheld=len(found.cameras) - len(shown),
            background=found.background,
            small=found.small,
        )


class LeakageCheck(Body):
    """Whether what is trained on is measured on as well.

    Attributes:
        compared: items that were compared with each other; 0: too many to do it for each asker, they were when the
            version was frozen.
        pairs: as many as say which of them are nearly the same picture: of n that are all alike n - 1.
        across: of these on two sides: each picture that has an alike one on another side is in one.
        hours_across: hours of one camera that are on two sides.
    """

    compared: int
    pairs: int
    across: int
    hours_across: int


class DatasetDetail(Body):
    """A version with what it holds, counted."""

    version: DatasetVersion
    classes: list[str]
    statistics: DatasetStatistics
    leakage: LeakageCheck


class ChangeCount(Body):
    """How many items changed so, and by what: sources of what came and went, growth of labels, fields."""

    items: int
    by: dict[str, int]


class HeadChangeOut(Body):
    """What changed of the whole version, and how."""

    what: HeadPart
    how: str


class DatasetDifference(Body):
    """What changed from one version to another, in words (English) and in numbers.

    Attributes:
        relabelled: other labels; `by`: by how much each label grew or shrank.
        moved: relabelled items that have the same labels elsewhere.
        otherwise: the same labels, and something else changed; `by`: of how many items which field.
    """

    before: str = Field(description="digest")
    after: str = Field(description="digest")
    words: list[str]
    added: ChangeCount
    removed: ChangeCount
    relabelled: ChangeCount
    moved: int
    otherwise: ChangeCount
    classes_added: list[str]
    classes_removed: list[str]
    head: list[HeadChangeOut]

    @classmethod
    def of(cls, before: str, after: str, found: Diff) -> DatasetDifference:
        return cls(
            before=before,
            after=after,
            words=found.words(),
            added=ChangeCount(items=len(found.added), by=by_source(found.added)),
            removed=ChangeCount(items=len(found.removed), by=by_source(found.removed)),
            relabelled=ChangeCount(items=len(found.relabelled), by=found.label_changes()),
            moved=found.moved,
            otherwise=ChangeCount(items=len(found.told_otherwise), by=found.field_changes()),
            classes_added=list(found.classes_added),
            classes_removed=list(found.classes_removed),
            head=[HeadChangeOut(what=one.what, how=one.how) for one in found.head],
        )


class ChangedItem(Body):
    """A picture or clip of a difference.

    Attributes:
        picture: address of its bytes, masked where it may show people; "" of a clip.
        side: in the newer version that has it.
        before, after: labels; null: that version does not have it.
        fields: what changed, by name.
    """

    content: str
    name: str
    picture: str
    width: int
    height: int
    camera: str
    source: str
    side: Side | None
    before: list[Label] | None
    after: list[Label] | None
    fields: list[str]

    @classmethod
    def of(cls, digest: str, item: Item, before: Item | None, after: Item | None) -> ChangedItem:
        """Args: digest: of the version that has `item`."""
        picture = f"/api/datasets/{digest}/pictures/{item.content}" if item.media == "image" else ""
        return cls(
            content=item.content,
            name=item.name,
            picture=picture,
            width=item.width,
            height=item.height,
            camera=item.camera,
            source=item.source,
            side=item.side,
            before=None if before is None else list(before.labels),
            after=None if after is None else list(after.labels),
            fields=[] if before is None or after is None else Relabelled(before, after).fields(),
        )


class ChangedPage(Body):
    """Items of one kind of change, in the order of their content.

    Attributes:
        withheld: of this page that are not for the asker.
        next_after: leads to the next page; null at the end.
    """

    items: list[ChangedItem]
    withheld: int
    next_after: int | None
