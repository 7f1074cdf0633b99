"""Accepted intervals as a suite that `cityvision evaluate events` takes (docs/evaluation.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Connection

from algorithm_repo.datasets.types import Interval
from algorithm_repo.evaluation.suite import SUITE_FILE, Clip, TruthEvent, read_suite, write_suite
from algorithm_repo.formats.names import file_names
from algorithm_repo.formats.types import Written
from algorithm_repo.labelling import answers, projects
from algorithm_repo.labelling.clip_exchange import accepted
from algorithm_repo.labelling.freeze import version_item
from algorithm_repo.labelling.types import Item, Project
from contracts.algorithms import ALGORITHMS
from contracts.errors import ConfigError
from contracts.pool import Camera, StreamRef
from contracts.relations import did_you_mean
from store.objects import ObjectStore, is_there

CameraOf = Callable[[str], Camera | None]


def exported(
    connection: Connection,
    objects: ObjectStore,
    number: int,
    seen: ColumnElement[bool],
    camera_of: CameraOf,
    instead: str | None = None,
) -> Written:
    """What is accepted of a project's clips. Each is taken for its camera, as that stands in the pool.

    Args:
        camera_of: the pool's camera by its id.
        instead: id of the camera that clips are taken for which belong to none.

    Clips that were deleted by policy are left out, with a warning.

    Raises:
        ObjectsUnavailable: the object store is down.
        ConfigError: no clip is accepted, an interval's class is no event type, or a camera or its zones are not known.
    """
    project = projects.get(connection, number)
    found = accepted(connection, project, seen)
    items = [one for one in found if is_there(objects, one.key)]
    if not items:
        raise ConfigError(f"{project.name}: each accepted clip was deleted", "label others, and have them reviewed")
    finals = answers.finals(connection, items)
    names = file_names([version_item(one, None, None) for one in items])
    clips = []
    for place, item in enumerate(items, 1):
        final = finals.get(item.id)
        intervals = [one for one in (() if final is None else final.labels) if isinstance(one, Interval)]
        camera = _camera(project, item, intervals, camera_of, instead)
        truth = tuple(_truth(item, one, camera) for one in sorted(intervals, key=lambda one: one.start))
        file = names[item.content]
        clips.append(Clip(number=place, file=file, camera=camera, slices=item.slices, truth=truth))
    there = {one.id for one in items}
    gone = tuple(f"{one.name}: its clip was deleted, it is left out" for one in found if one.id not in there)
    return Written({SUITE_FILE: _text(clips)}, {names[item.content]: item.content for item in items}, gone)


def _text(clips: Sequence[Clip]) -> bytes:
    """As `evaluate` reads it: it has been read once here.

    Raises:
        SuiteFaults: it would not be taken.
    """
    with TemporaryDirectory() as folder:
        path = write_suite(Path(folder), clips)
        read_suite(Path(folder))
        return path.read_bytes()


def _camera(
    project: Project, item: Item, intervals: Sequence[Interval], camera_of: CameraOf, instead: str | None
) -> Camera:
    """The clip's camera with the event types that were looked for: what nobody labelled would count as false alarms."""
    kinds = {one.label for one in intervals}
    for kind in sorted(kinds - ALGORITHMS.keys()):
        near = did_you_mean(kind, ALGORITHMS)
        raise ConfigError(f"{item.name}: {kind!r} is no event type{near}", "name the class as the algorithm is called")
    wanted = item.taken.camera or instead or ""
    camera = camera_of(wanted) if wanted else None
    if camera is None:
        camera = _nobodys(item, kinds, wanted)
    looked_for = kinds | (camera.algorithms.keys() & set(project.classes))
    if not looked_for:
        what = f"{item.name}: nothing is labelled in it, and {camera.id} watches none of {', '.join(project.classes)}"
        raise ConfigError(what, "let the camera watch one in streams.yaml, or reject the clip")
    algorithms = {kind: camera.algorithms.get(kind, ALGORITHMS[kind]()) for kind in sorted(looked_for)}
    # Where a live camera is reached is nobody's affair in a suite.
    streams = {"main": StreamRef(url=f"file:///{camera.id}"), "sub": None}
    told = camera.model_copy(update={"algorithms": algorithms} | streams)
    try:
        return Camera.model_validate(told.model_dump(by_alias=True))
    except ValidationError as error:
        what = error.errors(include_url=False)[0]["msg"]
        raise ConfigError(f"{item.name}: {camera.id}: {what}", "draw the zone in the console, or correct it") from error


def _nobodys(item: Item, kinds: set[str], wanted: str) -> Camera:
    """A camera without zones, for events that need none."""
    if wanted:
        raise ConfigError(f"{item.name}: camera {wanted} is not in the pool", "name one that is with --camera")
    zoned = sorted(kind for kind in kinds if ALGORITHMS[kind].zone_kinds)
    if zoned or not kinds:
        need = f"{zoned[0]} watches zones" if zoned else "nothing is labelled in it"
        what = f"{item.name}: {need}, and it belongs to no camera, so its zones are not known"
        raise ConfigError(what, "say with --camera ID whose zones it shows")
    return Camera.model_validate(
        {"id": "nobody", "name": "nobody's", "department": "evaluation", "main": {"url": "file:///nobody"}}
    )


def _truth(item: Item, one: Interval, camera: Camera) -> TruthEvent:
    kinds = ALGORITHMS[one.label].zone_kinds
    zones = [zone.id for zone in camera.zones if zone.kind in kinds]
    zone = one.zone if kinds else ""
    if kinds and not zone and len(zones) == 1:
        zone = zones[0]
    if kinds and zone not in zones:
        told = f"{one.label} at {one.start:g} s: {camera.id} has no zone {zone!r} that it watches"
        fix = f"give the interval one of {', '.join(zones)}" if zones else "draw such a zone in the console"
        raise ConfigError(f"{item.name}: {told}", fix)
    return TruthEvent(type=one.label, zone=zone, start=one.start, end=one.end)
