"""From a project to a version of training data: what two people agree on, split without leakage, kept for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection

from algorithm_repo.archive import service as archive
from algorithm_repo.archive.service import DatasetVersion
from algorithm_repo.datasets import types as datasets
from algorithm_repo.datasets.alike import pairs
from algorithm_repo.datasets.split import LeftOut, split
from algorithm_repo.datasets.tracks import Track
from algorithm_repo.labelling import answers, projects
from algorithm_repo.labelling.types import GivenAnswer, Item, ItemState, Project
from contracts.errors import ConfigError
from store.objects import ObjectStore, is_there

_MOST = 100_000  # pictures of a project


@dataclass(frozen=True, slots=True)
class Frozen:
    """A version, and what it does not hold though it is accepted."""

    version: DatasetVersion
    left_out: tuple[LeftOut, ...]


def freeze(
    connection: Connection,
    objects: ObjectStore,
    number: int,
    seen: ColumnElement[bool],
    who: str,
    *,
    note: str = "",
    seed: int = 1,
) -> Frozen:
    """Freezes what is accepted of a project. Its newest version is the parent: pictures keep the side they have there.

    Clips are left out, and told: what is said of them goes into a suite or to CVAT.

    Raises:
        ConfigError: nothing is accepted, or the sides of the parent do not go with what is there now.
        ObjectsUnavailable: the object store is down; nothing was kept.
    """
    project = projects.get(connection, number)
    accepted = projects.items(connection, number, seen, ItemState.ACCEPTED, limit=_MOST)
    found = [one for one in accepted if one.clip is None]
    there = [one for one in found if is_there(objects, one.key)]
    gone = [one for one in found if one not in there]
    if not there:
        raise ConfigError(f"{project.name}: no picture is accepted", "label some, and have a second person review them")
    parent = next(iter(archive.listed(connection, project.name)), None)
    sides = {} if parent is None else _sides(archive.load(connection, objects, parent.digest))
    loose = manifest(
        project, there, answers.finals(connection, there), note, None if parent is None else parent.digest, sides
    )
    alike = pairs(projects.signatures(connection, [one.id for one in there]))
    try:
        done = split(loose, alike, seed=seed)
    except ValueError as error:
        raise ConfigError(f"{project.name}: {error}", "freeze it under the name of a new project") from error
    version = archive.keep(connection, objects, done.manifest, alike, who)
    deleted = (LeftOut(version_item(one, None, None), "its picture was deleted") for one in gone)
    clips = (
        LeftOut(version_item(one, None, None), "it is a clip: export it") for one in accepted if one.clip is not None
    )
    return Frozen(version, (*done.left_out, *deleted, *clips))


def manifest(
    project: Project,
    items: Sequence[Item],
    finals: dict[int, GivenAnswer],
    note: str = "",
    parent: str | None = None,
    sides: dict[str, datasets.Side] | None = None,
) -> datasets.Manifest:
    """Pictures with what counts of them, as a version; sides as given."""
    held = sides or {}
    told = [version_item(one, finals.get(one.id), held.get(one.content)) for one in items]
    used = {one.source for one in items}
    return datasets.Manifest(
        name=project.name,
        task=project.task,
        classes=project.classes,
        sources={name: source for name, source in project.sources.items() if name in used},
        items=tuple(sorted(told, key=lambda one: one.content)),
        parent=parent,
        note=note,
    )


def version_item(one: Item, final: GivenAnswer | None, side: datasets.Side | None) -> datasets.Item:
    """A picture or clip with what counts of it; tracks are not among it."""
    labels = () if final is None else final.labels
    return datasets.Item(
        content=one.content,
        name=one.name,
        media="image" if one.clip is None else "clip",
        width=one.width,
        height=one.height,
        source=one.source,
        camera=one.taken.camera[:64],
        utc=one.taken.utc,
        slices=one.slices,
        labels=tuple(label for label in labels if not isinstance(label, Track)),
        side=side,
    )


def _sides(version: datasets.Manifest) -> dict[str, datasets.Side]:
    return {one.content: one.side for one in version.items if one.side is not None}
