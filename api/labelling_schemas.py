"""The bodies of the doors of labelling. Times are s since 1970 UTC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from algorithm_repo.datasets.types import Side
from algorithm_repo.labelling.clips import ClipFacts
from algorithm_repo.labelling.types import GivenAnswer, Item, ItemState, Project, Shapes, Suggestion
from api.schemas import Body
from contracts.pool import Zone
from governance.custody import CustodyLine


class ProjectOut(Project):
    """With how many of its pictures, as far as the asker may see them, are in which state.

    `manages`: may hide tests, freeze, and see how people agree.
    """

    counts: dict[ItemState, int]
    manages: bool


class ZoneName(Body):
    """A zone of a clip's camera, as it stands now."""

    id: str
    name: str


class ItemOut(Body):
    """A picture or clip; which are hidden tests, and what they hold, only those are told who manage the project."""

    id: int
    project: int
    name: str
    picture: str = Field(description="address of its bytes, masked where it may show people")
    width: int
    height: int
    camera: str
    utc: float | None
    slices: tuple[str, ...]
    state: ItemState
    hidden: bool
    suggested: tuple[Suggestion, ...]
    deleted_utc: float | None = Field(description="since when its bytes are gone by policy; null: they are kept")
    clip: ClipFacts | None = Field(description="of a clip its time; null: it is a picture")
    zones: tuple[ZoneName, ...] = Field(description="of a clip: those of its camera, for its intervals")

    @classmethod
    def of(cls, item: Item, manages: bool, answered: bool, zones: Sequence[Zone] = ()) -> ItemOut:
        """
        Args:
            answered: whether the asker has said something of it.
            zones: of the camera that took it.
        """
        own = ItemState.LABELLED if answered else ItemState.OPEN
        return cls(
            id=item.id,
            project=item.project,
            name=item.name,
            picture=f"/api/labelling/items/{item.id}/picture",
            width=item.width,
            height=item.height,
            camera=item.taken.camera,
            utc=item.taken.utc,
            slices=item.slices,
            state=item.state if manages or not item.hidden else own,
            hidden=item.hidden and manages,
            suggested=item.suggested,
            deleted_utc=item.deleted_utc,
            clip=item.clip,
            zones=tuple(ZoneName(id=zone.id, name=zone.name) for zone in zones) if item.clip is not None else (),
        )


class Task(Body):
    """A picture to be labelled or reviewed.

    Attributes:
        draft: what the asker has not sent yet; null: nothing.
        answers: to review: the newest labels of each person but the asker; else the asker's own, and why they were
            rejected.
    """

    item: ItemOut
    draft: list[dict[str, Any]] | None
    answers: list[GivenAnswer]


class ItemDetail(Body):
    """A picture with all that was said of it, the oldest first.

    `custody`: of one that was collected from a stream, when it was taken, and deleted by policy.
    """

    item: ItemOut
    answers: list[GivenAnswer]
    custody: list[CustodyLine]


class CandidatesBody(Body):
    after: int = Field(0, ge=0, le=2**62, description="id of the last verdict of the page before")
    limit: int = Field(100, ge=1, le=500)


class CandidatesTaken(Body):
    """How many pictures and clips of verdicts came in; `known`: were there already; `without`: verdicts have
    none that can be opened."""

    added: int
    known: int
    without: int
    next_after: int | None


class DraftBody(Body):
    labels: Shapes
    stamp: int = Field(ge=0, le=2**53, description="ms of the page's clock: an older one never replaces a newer")


class DraftState(Body):
    """`kept` false: a newer one is kept already."""

    kept: bool


class HiddenBody(Body):
    hidden: bool


class FreezeBody(Body):
    note: str = Field("", max_length=2000)
    seed: int = Field(1, ge=0, le=2**31)


class LeftOutOut(Body):
    name: str
    why: str


class FrozenOut(Body):
    """The version that was made, and what is accepted but not in it.

    Attributes:
        empty: sides on which nothing is, as all that is alike stays together.
        unchanged: it is the newest one again, as nothing changed since.
    """

    digest: str
    items: int
    parent: str | None
    left_out: list[LeftOutOut]
    empty: list[Side]
    unchanged: bool
