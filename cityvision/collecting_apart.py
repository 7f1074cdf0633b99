"""Collection of what candidates in shadow and production disagree on: the roll-out samples it, projects label it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import Engine

from algorithm_repo.collection import picture, service
from algorithm_repo.collection.decide import bounds, day_of, room
from algorithm_repo.collection.disagreements import Apart, apart
from algorithm_repo.collection.service import CameraPlace, Frame
from algorithm_repo.collection.types import Reason, Standing
from algorithm_repo.labelling import projects
from algorithm_repo.labelling.types import Project
from algorithm_repo.rollout.types import SPACE_PREFIX, Lane, LaneKind
from cityvision.collecting import WHO
from cityvision.remembered import SHADOW_OBJECTS
from contracts.errors import ConfigError, ObjectMissing
from events.weather import weather_at
from store.beneath import ObjectsBeneath
from store.objects import ObjectStore

log = logging.getLogger(__name__)


class ApartCollector:
    """Takes the pictures of disagreements, within what policies give them a share of."""

    def __init__(self, engine: Engine, objects: ObjectStore) -> None:
        self._engine, self._objects = engine, objects

    def turn(self, lanes: Sequence[Lane], now: float) -> list[int]:
        """One look at all candidates in shadow.

        Args:
            lanes: that run now.
            now: s since 1970 UTC.

        Returns:
            Numbers of the pictures that became one of their project's.

        Raises:
            ObjectsUnavailable, sqlalchemy.exc.DBAPIError: a store is away; the next look finds the rest.
        """
        shadows = [lane for lane in lanes if lane.kind is LaneKind.SHADOW]
        if not shadows:
            return []
        with self._engine.connect() as connection:
            standings = [one for one in service.active(connection) if one.policy.shares.get(Reason.DISAGREEMENT)]
        kept = []
        for standing in standings:
            for lane in shadows:
                kept += self._of(standing, lane, now)
        return kept

    def _of(self, standing: Standing, lane: Lane, now: float) -> list[int]:
        with self._engine.connect() as connection:
            project = projects.get(connection, standing.project)
            asked = picture.about(project)
            if asked and lane.algorithm not in asked:
                return []
            places = {one.camera: one for one in service.cameras_of(connection, standing)}
            try:
                found = apart(connection, lane.number, lane.algorithm, places.keys(), project.id, now)
            except ConfigError:  # it has not begun yet
                return []
        numbers = (self._keep(standing, project, places[one.event.camera], one) for one in found)
        return [number for number in numbers if number is not None]

    def _keep(self, standing: Standing, project: Project, place: CameraPlace, one: Apart) -> int | None:
        policy, utc = standing.policy, one.picture.utc
        with self._engine.connect() as connection:
            taken = service.taken_of(connection, project.id, place.camera, *bounds(policy, day_of(policy, utc)))
            weather = weather_at(connection, place.grid, utc)
        if not room(policy, taken, Reason.DISAGREEMENT):
            return None
        try:
            jpeg = self._objects_of(one).get(one.picture.key)
            looks = projects.looks(jpeg)
        except (ObjectMissing, ValueError):  # on its way still, or gone by policy
            return None
        frame = Frame(place.camera, utc, Reason.DISAGREEMENT, jpeg, weather)
        side = "candidate alone" if one.by_candidate else "production alone"
        new = picture.new_item(project, policy, place, frame, looks, (), "")
        new = new.model_copy(
            update={
                "slices": (*new.slices, f"seen by {side}"),
                "taken": new.taken.model_copy(update={"zone": one.event.zone, "type": one.event.type}),
            }
        )
        try:
            return service.keep(self._engine, self._objects, project.id, frame, new, looks.signature, WHO)
        except ConfigError as error:
            log.error("project %s takes no pictures of disagreements: %s", project.name, error)
            return None

    def _objects_of(self, one: Apart) -> ObjectStore:
        """Where the evidence of the side that saw it is."""
        if not one.by_candidate:
            return self._objects
        return ObjectsBeneath(self._objects, f"{SHADOW_OBJECTS}/{SPACE_PREFIX}{one.lane}")
