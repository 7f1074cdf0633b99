"""Policies of collection, and the pictures that were taken by them.

A picture is told before its bytes are kept, and whole once it is one of the project's: whatever is killed in between
leaves a row by which `tidy` finds what there is of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Engine, Row, delete, false, func, literal, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert

from algorithm_repo.collection.decide import Taken
from algorithm_repo.collection.tables import collected_frames, collection_policies
from algorithm_repo.collection.types import CollectionPolicy, Reason, Standing
from algorithm_repo.datasets.alike import Signature, likeness
from algorithm_repo.labelling import projects
from algorithm_repo.labelling.tables import label_items
from algorithm_repo.labelling.types import NewItem
from contracts.errors import ConfigError, ObjectsUnavailable
from events.tables import events
from events.weather import Weather
from governance import audit, custody
from governance.access import Access, Place, department_sees
from governance.tables import camera_places, department_paths
from store.database import at
from store.objects import ObjectStore

_LIKE_AT_MOST = 300  # newest pictures of a camera that a new one is compared with
_w, _t, _i, _e, _c = collection_policies.c, collected_frames.c, label_items.c, events.c, camera_places.c


@dataclass(frozen=True, slots=True)
class CameraPlace:
    """A camera, and whose it is."""

    camera: str
    department: str
    grid: str


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture that is to be kept: of which camera and moment (s since 1970 UTC), what for, its bytes (JPEG), and the
    weather that stood there."""

    camera: str
    utc: float
    reason: Reason
    jpeg: bytes
    weather: Weather | None = None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.jpeg).hexdigest()

    @property
    def key(self) -> str:
        """Where it is kept: apart from all that is evidence."""
        return f"collected/{self.sha256[:2]}/{self.sha256}.jpg"


def set_policy(
    connection: Connection, project: int, policy: CollectionPolicy, who: str, now: float, eyes: str | None = None
) -> Standing:
    """What a project wants collected from now on; a line of the audit chain.

    Args:
        eyes: the department with whose eyes cameras are chosen; None: all there are.

    Raises:
        ConfigError: no such camera or department for these eyes; names the field.
    """
    standing = Standing(
        project=project, policy=policy, department=eyes, everything=eyes is None, set_by=who, set_utc=now
    )
    _check(connection, standing)
    values = {
        "project": project,
        "body": policy.model_dump(mode="json"),
        "department": eyes,
        "everything": eyes is None,
        "set_by": who,
        "set_at": at(now),
    }
    made = insert(collection_policies).values(values)
    connection.execute(made.on_conflict_do_update(index_elements=[_w.project], set_=values))
    told = policy.model_dump(mode="json", exclude={"cameras"}) | {"cameras": len(policy.cameras)}
    audit.record(connection, who, "labels.collection", {"project": project, "policy": told}, now)
    return standing


def policy_of(connection: Connection, project: int) -> Standing | None:
    """The policy of a project; None: it never had one."""
    row = connection.execute(select(collection_policies).where(_w.project == project)).one_or_none()
    return None if row is None else _standing(row)


def active(connection: Connection) -> list[Standing]:
    """All policies by which something is collected now."""
    query = select(collection_policies).where(_w.body["active"].as_boolean()).order_by(_w.project)
    return [_standing(row) for row in connection.execute(query)]


def cameras_of(connection: Connection, standing: Standing) -> list[CameraPlace]:
    """The cameras that a policy speaks of, as the pool and the grants stand now: never one whose evidence its setter's
    department may not see."""
    wanted = standing.policy
    query = select(_c.camera, _c.department, _c.grid).where(_seen(standing)).order_by(_c.camera)
    if wanted.cameras or wanted.departments:
        paths = department_paths.c
        below = select(paths.id).where(paths.path.overlap(list(wanted.departments)))
        named = or_(_c.department.in_(wanted.departments), _c.department.in_(below)) if wanted.departments else false()
        query = query.where(or_(_c.camera.in_(wanted.cameras), named))
    return [CameraPlace(*row) for row in connection.execute(query)]


def taken_of(connection: Connection, project: int, camera: str, begin: float, end: float) -> Taken:
    """How many pictures of a camera were taken from `begin` to `end` (excluded), by reason."""
    query = select(_t.reason, func.count()).where(
        _t.project == project, _t.camera == camera, _t.at >= at(begin), _t.at < at(end)
    )
    return Taken({Reason(reason): count for reason, count in connection.execute(query.group_by(_t.reason))})


def standing_types(connection: Connection, camera: str, utc: float) -> frozenset[str]:
    """The types of which an event stood at a camera at a moment, as far as it is known now."""
    query = select(_e.type).where(
        _e.camera == camera, _e.started <= at(utc), or_(_e.ended.is_(None), _e.ended > at(utc))
    )
    return frozenset(connection.execute(query.distinct()).scalars())


def most_alike(connection: Connection, project: int, camera: str, seen: Signature) -> float:
    """How alike (-1..1) the most alike of a camera's newest pictures in the project is; -1: there is none."""
    query = select(_i.signature).where(_i.project == project, _i.camera == camera)
    rows = connection.execute(query.order_by(_i.id.desc()).limit(_LIKE_AT_MOST)).scalars()
    return likeness(seen, [np.frombuffer(data, np.float32) for data in rows])


def keep(
    engine: Engine, objects: ObjectStore, project: int, frame: Frame, new: NewItem, seen: Signature, who: str
) -> int | None:
    """Keeps a picture and makes it one of the project's.

    Args:
        new: it, as the project has it.
        seen: what it looks like.
        who: in whose name.

    Returns:
        Its number; None: the project has these bytes already.

    Raises:
        ConfigError: the project cannot take it.
        ObjectsUnavailable, sqlalchemy.exc.DBAPIError: a store is away. Nothing is left half, or `tidy` finds it.
    """
    number = _tell(engine, project, frame)
    if number is None:
        return None
    try:
        objects.put(frame.key, frame.jpeg, "image/jpeg")
    except ObjectsUnavailable:
        with engine.begin() as connection:
            connection.execute(delete(collected_frames).where(_t.id == number))
        raise
    item = None
    try:
        with engine.begin() as connection:
            item = projects.add(connection, project, new, seen, who)
            if item is not None:
                connection.execute(update(collected_frames).where(_t.id == number).values(item=item))
                custody.collected(connection, item, frame.sha256, frame.camera, frame.reason.value, frame.utc)
        return item
    finally:
        if item is None:  # the project has it by another way, or cannot take it
            tidy(engine, objects, [number])


def tidy(engine: Engine, objects: ObjectStore, numbers: Collection[int] | None = None) -> int:
    """Takes back what was told and never became a picture of its project: nobody may be keeping any meanwhile.

    Args:
        numbers: of these rows alone.

    Returns:
        How many there were.

    Raises:
        ObjectsUnavailable: the object store is away; again later.
    """
    query = select(_t.id, _t.key).where(_t.item.is_(None))
    if numbers is not None:
        query = query.where(_t.id.in_(numbers))
    with engine.begin() as connection:
        found = connection.execute(query).all()
    for row in found:
        with engine.begin() as connection:
            others = select(_t.id).where(_t.key == row.key, _t.id != row.id).limit(1)
            if connection.execute(others).first() is None:
                objects.delete(row.key)
            connection.execute(delete(collected_frames).where(_t.id == row.id))
    return len(found)


def _tell(engine: Engine, project: int, frame: Frame) -> int | None:
    values = {
        "project": project,
        "camera": frame.camera,
        "reason": frame.reason.value,
        "at": at(frame.utc),
        "weather": "" if frame.weather is None else frame.weather.value,
        "key": frame.key,
        "sha256": frame.sha256,
        "size": len(frame.jpeg),
    }
    told = insert(collected_frames).values(values).on_conflict_do_nothing(index_elements=[_t.project, _t.sha256])
    with engine.begin() as connection:
        return connection.execute(told.returning(_t.id)).scalar_one_or_none()


def _seen(standing: Standing) -> ColumnElement[bool]:
    if standing.everything:
        return true()
    return department_sees(literal(standing.department), Place(_c.department, _c.camera, _c.grid), Access.EVIDENCE)


def _check(connection: Connection, standing: Standing) -> None:
    policy = standing.policy
    query = select(_c.camera).where(_c.camera.in_(policy.cameras), _seen(standing))
    known = set(connection.execute(query).scalars())
    for number, camera in enumerate(policy.cameras):
        if camera not in known:
            raise ConfigError(
                f"cameras[{number}]: there is no camera {camera!r} to be seen", "look at the list of cameras"
            )
    departments = set(connection.execute(select(department_paths.c.id)).scalars())
    for number, department in enumerate(policy.departments):
        if department not in departments:
            raise ConfigError(f"departments[{number}]: there is no department {department!r}", "the pool names them")


def _standing(row: Row[Any]) -> Standing:
    return Standing(
        project=row.project,
        policy=CollectionPolicy.model_validate(row.body),
        department=row.department,
        everything=row.everything,
        set_by=row.set_by,
        set_utc=row.set_at.timestamp(),
    )
