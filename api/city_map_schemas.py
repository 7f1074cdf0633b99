"""What a map of the city needs of it."""

from __future__ import annotations

from pydantic import Field

from api.schemas import Body
from api.settings import Tiles
from cases.open_now import OpenCase
from contracts.pool import Position
from events.open_now import OpenEvents


class MapCamera(Body):
    """A camera as a point; `lon`, `lat`: degrees, WGS 84; null: the pool does not say where it stands."""

    id: str
    name: str
    department: str
    grid: str
    lon: float | None
    lat: float | None


class MapCameras(Body):
    """Every camera that one may see, and what may lie under them."""

    revision: int = Field(description="of the pool")
    tiles: Tiles | None = Field(description="pictures of the ground; null: none")
    cameras: list[MapCamera]


class MapStates(Body):
    """The state of every camera that one may see: `usual`, unless it is named in `others`."""

    revision: int = Field(description="of the pool")
    usual: str = Field(description="the state that most of them are in")
    others: dict[str, str] = Field(description="camera: its state")


class MapEvents(Body):
    """What goes on just now."""

    events: list[OpenEvents]


class MapUnwatched(Body):
    """What counts on a map have to be read with."""

    since: float = Field(description="24 hours before `until`, s since 1970 UTC")
    until: float = Field(description="now")
    hours: dict[str, float] = Field(
        description="of each camera that was not watched for a while: hours in which its least watched rule did not"
    )


class MapCase(OpenCase):
    """An open case and where its camera stands; null where nobody knows."""

    place: str = Field(description="as people call it")
    position: Position | None = Field(description="WGS 84")
    types: tuple[str, ...] = Field(description="of the events that become cases of its category")


class MapCases(Body):
    """The open cases that one may see, those due first first."""

    total: int = Field(description="how many there are, also beyond this list")
    cases: list[MapCase]
