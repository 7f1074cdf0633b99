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
    """A version, and what it does not hold though it is accepted.

    Attributes:
        empty: sides on which nothing is: all that is alike is one group, and stays together.
        unchanged: it is the newest one again, as nothing changed since.
    """

    version: DatasetVersion
    left_out: tuple[LeftOut, ...]
    empty: tuple[datasets.Side, ...] = ()
    unchanged: bool = False


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

    Clips are left out, and told: what is said of them goes into a suite or to CVAT. Where nothing changed since the
    newest version, that one is the answer, with the note that it has.

    Raises:
        ConfigError: nothing is accepted, or the sides of the parent do not go with what is there now.
        ObjectsUnavailable: the object store is down; nothing was kept.
    """
    project = projects.get(connection, number)
    accepted = projects.items(connection, number, seen, ItemState.ACCEPTED, limit=_MOST)
    there, left_out = _sorted_out(objects, accepted)
    if not there:
        raise ConfigError(f"{project.name}: no picture is accepted", "label some, and have a second person review them")
    newest = next(iter(archive.listed(connection, project.name)), None)
    parent = None if newest is None else archive.load(connection, objects, newest.digest)
    sides = {} if parent is None else _sides(parent)
    digest = None if newest is None else newest.digest
    loose = manifest(project, there, answers.finals(connection, there), note, digest, sides)
    checked = sides if digest is not None and archive.is_checked(connection, digest) else {}
    alike = pairs(projects.signatures(connection, [one.id for one in there]), sides=sides, checked=checked)
    try:
        done = split(loose, alike, seed=seed)
    except ValueError as error:
        raise ConfigError(f"{project.name}: {error}", "freeze it under the name of a new project") from error
    if newest is not None and parent is not None and _same(done.manifest, parent):
        version = newest
    else:
        version = archive.keep(connection, objects, done.manifest, alike, who)
    return Frozen(version, (*done.left_out, *left_out), done.empty, version is newest)


def _sorted_out(objects: ObjectStore, accepted: Sequence[Item]) -> tuple[list[Item], list[LeftOut]]:
    """Pictures that can be frozen, and what cannot."""
    there, gone, clips = list[Item](), list[LeftOut](), list[LeftOut]()
    for one in accepted:
        if one.clip is not None:
            clips.append(LeftOut(version_item(one, None, None), "it is a clip: export it"))
        elif is_there(objects, one.key):
            there.append(one)
        else:
            gone.append(LeftOut(version_item(one, None, None), "its picture was deleted"))
    return there, gone + clips


def _same(one: datasets.Manifest, other: datasets.Manifest) -> bool:
    """Whether they hold the same, whatever they were made from and are called."""
    return one.model_copy(update={"parent": None}).lines() == other.model_copy(update={"parent": None}).lines()


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
