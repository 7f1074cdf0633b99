"""Collection as it runs: cameras are asked for single pictures at the moments that policies draw, and what is wanted of
them becomes a project's.

A camera that sends none, or a store that is away, costs its moment and no more: moments are not made up for.
"""

from __future__ import annotations

import logging
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial

from sqlalchemy import Engine

from algorithm_repo.collection import picture, service
from algorithm_repo.collection.decide import Moment, Stream, bounds, day_of, decide, moments
from algorithm_repo.collection.service import CameraPlace, Frame
from algorithm_repo.collection.types import Reason, Standing
from algorithm_repo.labelling import projects
from contracts.errors import ConfigError, ObjectsUnavailable
from contracts.live import CameraState, CameraStatus, LiveHeader, decode_live
from events.weather import weather_at
from store.bus import Bus
from store.objects import ObjectStore

log = logging.getLogger(__name__)

WHO = "collector"
_AT_ONCE = 4  # cameras that are asked at the same time
_LATE_S = 300.0  # a moment that nobody came to in this time is over
_WAIT_S = 8.0  # for a camera's picture
_POLICIES_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A camera that is asked for a picture now."""

    standing: Standing
    place: CameraPlace
    moment: Moment
    network: str


_Wanted = tuple[Standing, CameraPlace, Moment]


@dataclass(slots=True)
class Turn:
    """What came of one turn.

    Attributes:
        kept: numbers of the pictures that became one of their project's.
        silent: cameras that run and sent nothing.
    """

    asked: int = 0
    kept: list[int] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)


class Collector:
    """One an installation; one thread decides and writes, some wait for cameras.

    Args:
        bus: of the city's space.
        stop: asked while a camera is waited for.
        begin: the moment from which moments count, s since 1970 UTC.
    """

    def __init__(self, engine: Engine, bus: Bus, objects: ObjectStore, stop: Callable[[], bool], begin: float) -> None:
        self._engine, self._bus, self._objects, self._stop = engine, bus, objects, stop
        self._next = partial(bus.next_live, stopped=stop, wait_s=_WAIT_S)
        self._until = begin
        self._known: list[tuple[Standing, list[CameraPlace]]] = []
        self._drawn: dict[tuple[int, str, date], tuple[Moment, ...]] = {}
        self._read_at = float("-inf")
        self._full = False

    def tidy(self) -> int:
        """Takes back what a collector that was killed left half. Raises as `turn` does."""
        return service.tidy(self._engine, self._objects)

    def turn(self, now: float) -> Turn:
        """Asks for the pictures whose moments came since the last turn, and keeps what is wanted of them.

        Args:
            now: s since 1970 UTC.

        Raises:
            BusUnavailable, sqlalchemy.exc.DBAPIError: one of them is away; the moments of this turn are lost.
        """
        since, self._until = max(self._until, now - _LATE_S), now
        done = Turn()
        due = self._due(since, now)
        done.asked = len(due)
        if not due:
            return done
        pool = ThreadPoolExecutor(_AT_ONCE)
        try:
            for one, message in zip(due, pool.map(self._next, [one.place.camera for one in due]), strict=True):
                if self._stop():
                    break
                if message is None:
                    done.silent.append(one.place.camera)
                elif (number := self._take(one, message)) is not None:
                    done.kept.append(number)
        finally:
            pool.shutdown(cancel_futures=True)
        return done

    def _due(self, since: float, now: float) -> list[Asked]:
        """Moments after `since` up to `now`, of cameras that run."""
        wanted = [
            (standing, place, moment)
            for standing, places in self._policies()
            for place in places
            for moment in self._moments(standing, place.camera, since, now)
        ]
        wanted = self._under_weather(wanted)
        if not wanted:
            return []
        states = self._bus.statuses(sorted({place.camera for _, place, _ in wanted}))
        return [
            Asked(standing, place, moment, states[place.camera].model)
            for standing, place, moment in wanted
            if _runs(states.get(place.camera))
        ]

    def _under_weather(self, wanted: list[_Wanted]) -> list[_Wanted]:
        """Without the moments that wait for weather and came under none: no camera is asked for these."""
        grids = {place.grid for _, place, moment in wanted if moment.reason is Reason.WEATHER}
        if not grids:
            return wanted
        with self._engine.connect() as connection:
            stands = {grid for grid in grids if weather_at(connection, grid, self._until) is not None}
        return [one for one in wanted if one[2].reason is not Reason.WEATHER or one[1].grid in stands]

    def _policies(self) -> Sequence[tuple[Standing, list[CameraPlace]]]:
        if time.monotonic() - self._read_at >= _POLICIES_EVERY_S:
            with self._engine.connect() as connection:
                found = [(one, service.cameras_of(connection, one)) for one in service.active(connection)]
            if found != self._known:
                self._drawn.clear()
            self._known, self._read_at = found, time.monotonic()
        return self._known

    def _moments(self, standing: Standing, camera: str, since: float, now: float) -> list[Moment]:
        """Of the days that `since` and `now` lie in, those between them. Drawn once a day: they never change."""
        policy = standing.policy
        found: list[Moment] = []
        for day in sorted({day_of(policy, since), day_of(policy, now)}):
            key = (standing.project, camera, day)
            if key not in self._drawn:
                self._drawn[key] = moments(policy, Stream(standing.project, camera), day)
                self._drawn.pop((standing.project, camera, day - timedelta(days=2)), None)
            drawn = self._drawn[key]
            found += drawn[bisect_right(drawn, since, key=_utc) : bisect_right(drawn, now, key=_utc)]
        return found

    def _take(self, asked: Asked, message: bytes) -> int | None:
        try:
            header, jpeg = decode_live(message)
            looks = projects.looks(jpeg)
        except ValueError as error:
            log.warning("a picture of %s cannot be read: %s", asked.place.camera, error)
            return None
        with self._engine.connect() as connection:
            weather = weather_at(connection, asked.place.grid, header.utc)
        reason = self._reason(asked, header, looks, weather is not None)
        if reason is None:
            return None
        frame = Frame(asked.place.camera, header.utc, reason, jpeg, weather)
        return self._keep(asked, header, frame, looks)

    def _reason(self, asked: Asked, header: LiveHeader, looks: projects.Looks, weather: bool) -> Reason | None:
        standing, camera = asked.standing, asked.place.camera
        policy = standing.policy
        begin, end = bounds(policy, day_of(policy, header.utc))
        with self._engine.connect() as connection:
            project = projects.get(connection, standing.project)
            taken = service.taken_of(connection, project.id, camera, begin, end)
            stands = service.standing_types(connection, camera, header.utc)
            alike = service.most_alike(connection, project.id, camera, looks.signature) >= policy.alike
        return decide(policy, asked.moment.reason, taken, picture.seen(project, header.boxes, stands, alike, weather))

    def _keep(self, asked: Asked, header: LiveHeader, frame: Frame, looks: projects.Looks) -> int | None:
        standing = asked.standing
        with self._engine.connect() as connection:
            project = projects.get(connection, standing.project)
        new = picture.new_item(project, standing.policy, asked.place, frame, looks, header.boxes, asked.network)
        try:
            number = service.keep(self._engine, self._objects, project.id, frame, new, looks.signature, WHO)
        except ConfigError as error:
            log.error("project %s takes no pictures of streams: %s", project.name, error)
            return None
        except ObjectsUnavailable as error:
            if not self._full:
                log.error("pictures are not collected: %s", error)
            self._full = True
            return None
        if self._full:
            log.info("the object store takes pictures again")
            self._full = False
        return number


def _runs(status: CameraStatus | None) -> bool:
    return status is not None and status.state is CameraState.RUNNING


def _utc(moment: Moment) -> float:
    return moment.utc
