"""The weather, as the dispatch centre or a weather service tells it."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, status
from pydantic import Field

from api.deps import ConnectionDep, DispatcherDep, Number, PoolDep, ViewerDep
from api.problems import NotFound, Problem, wrong
from api.schemas import Body
from events import weather
from events.weather import Spell, Weather
from governance import audit

router = APIRouter(prefix="/api/weather", tags=["weather"])

_DAY_S = 86_400.0
_REFUSED: dict[int | str, dict[str, Any]] = {422: {"model": Problem}}


class WeatherBody(Body):
    """Weather that began."""

    kind: Weather
    grids: list[str] = Field(default_factory=list, max_length=10_000, description="where; empty: in the whole city")
    since_utc: float | None = Field(None, ge=0, le=1e11, description="s since 1970 UTC, not to come; by default now")


@router.get("")
def list_weather(
    connection: ConnectionDep,
    _viewer: ViewerDep,
    since: Annotated[float | None, Query(ge=0, le=1e11, description="s since 1970 UTC; by default a day ago")] = None,
    until: Annotated[float | None, Query(ge=0, le=1e11, description="s since 1970 UTC; by default now")] = None,
) -> list[Spell]:
    """What stood in that time, newest first, at most 200."""
    now = time.time()
    return weather.spells(connection, now - _DAY_S if since is None else since, now if until is None else until)


@router.post("", status_code=status.HTTP_201_CREATED, responses=_REFUSED)
def begin_weather(body: WeatherBody, connection: ConnectionDep, pool: PoolDep, user: DispatcherDep) -> Spell:
    """Weather stands from now on, until it is ended. What stands there already is told once: that spell comes back."""
    now = time.time()
    known = {camera.grid for camera in pool.cameras.values()}
    for number, grid in enumerate(body.grids):
        if grid not in known:
            raise wrong(f"grids.{number}", f"no camera stands in the grid {grid!r}", "the pool names the grids")
    since = now if body.since_utc is None else body.since_utc
    if since > now:
        raise wrong("since_utc", "it is still to come", "tell of it when it has begun")
    spell = weather.begin(connection, body.kind, body.grids, since, user.name)
    told = {"spell": spell.id, "kind": spell.kind.value, "grids": len(spell.grids)}
    audit.record(connection, user.name, "weather.began", told, now)
    return spell


@router.post("/{number}/end", responses={404: {"model": Problem}})
def end_weather(number: Number, connection: ConnectionDep, user: DispatcherDep) -> Spell:
    """It is over now."""
    now = time.time()
    spell = weather.end(connection, number, now)
    if spell is None:
        raise NotFound(f"no weather {number} that still stands")
    audit.record(connection, user.name, "weather.ended", {"spell": number}, now)
    return spell
