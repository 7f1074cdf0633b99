"""What somebody on the street is told of the cases that their department has."""

from __future__ import annotations

from pydantic import Field

from api.schemas import Body
from cases.types import Case
from contracts.pool import Position


class FieldCase(Body):
    """A case as somebody on the way to it needs it."""

    case: Case
    place: str = Field(description="as people call it")
    position: Position | None = Field(description="of its camera, WGS 84")
    way: str | None = Field(
        description="link that opens a map application there, by address where no position is known; null: nobody knows"
    )


class FieldList(Body):
    """The cases a department has, the soonest due first."""

    total: int = Field(description="how many there are, also beyond this list")
    crews: list[str] = Field(description="the crews that have any of them")
    cases: list[FieldCase]
