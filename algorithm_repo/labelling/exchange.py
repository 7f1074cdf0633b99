"""Labels to and from other tools: COCO, CVAT's XML and YOLO (`algorithm_repo.formats`)."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection

from algorithm_repo.datasets.types import Box, Label, Manifest, Polygon, Source, Tag
from algorithm_repo.formats import coco, cvat, yolo
from algorithm_repo.formats.types import Read, Written
from algorithm_repo.labelling import answers, projects
from algorithm_repo.labelling.clips import ClipLooks
from algorithm_repo.labelling.freeze import manifest
from algorithm_repo.labelling.types import ItemState, NewAnswer, NewItem, Project, Shape, Suggestion, Taken
from contracts.errors import ConfigError
from store.objects import ObjectStore

Format = Literal["coco", "cvat", "yolo"]
_MOST = 100_000
_TYPES = {b"\xff\xd8\xff": ("jpg", "image/jpeg"), b"\x89PNG\r\n\x1a\n": ("png", "image/png")}


def exported(connection: Connection, number: int, seen: ColumnElement[bool], form: Format) -> Written:
    """What is accepted of a project as files of another tool; YOLO, which has no pictures without one, gets one side.

    Raises:
        ConfigError: nothing is accepted, or the format cannot hold it.
    """
    project = projects.get(connection, number)
    items = projects.items(connection, number, seen, ItemState.ACCEPTED, limit=_MOST)
    if not items:
        raise ConfigError(f"{project.name}: no picture is accepted", "label some, and have a second person review them")
    return written(manifest(project, items, answers.finals(connection, items)), form)


def written(version: Manifest, form: Format) -> Written:
    """A version as files of another tool. What people label here has no masks."""
    if form == "coco":
        return coco.written(version, _no_masks)
    if form == "cvat":
        return cvat.written(version, _no_masks)
    sided = tuple(one if one.side is not None else one.model_copy(update={"side": "train"}) for one in version.items)
    return yolo.written(version.model_copy(update={"items": sided}))


def zipped(texts: Mapping[str, bytes]) -> bytes:
    """Files as a ZIP; the same files give the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(texts):
            archive.writestr(zipfile.ZipInfo(path), texts[path])
    return target.getvalue()


def read(form: Format, files: Mapping[str, bytes]) -> Read:
    """Labels of another tool.

    Args:
        files: path to bytes; of COCO and CVAT the one file, of YOLO `data.yaml`, the labels, and pictures by name.

    Raises:
        FormatFaults: they cannot be used; says all that is wrong.
    """
    if form == "yolo":
        return yolo.read(files, lambda path: files[path])
    name, data = next(iter(files.items()))
    return coco.read(data, name) if form == "coco" else cvat.read(data, name)


@dataclass(frozen=True, slots=True)
class Import:
    """How pictures come in.

    Attributes:
        who: brings them.
        by: what labelled them, where they come as suggestions; None: `who` says so, and a second person reviews it.
    """

    source: Source
    who: str
    by: str | None = None


def take(
    connection: Connection,
    objects: ObjectStore,
    project: Project,
    name: str,
    data: bytes,
    labels: tuple[Label, ...] | None,
    how: Import,
) -> int | None:
    """One picture with what another tool says of it (None: nothing is said).

    Returns:
        Its number; None: the project has it already.

    Raises:
        ConfigError: it is neither JPEG nor PNG, or it or a label does not fit the project; names it.
    """
    if not project.of_pictures:
        raise ConfigError(
            f"{name}: {project.name} labels clips alone", "make a project of the kinds box, polygon or tag"
        )
    suffix, media_type = next((kind for magic, kind in _TYPES.items() if data.startswith(magic)), ("", ""))
    try:
        seen = projects.looks(data) if suffix else None
    except ValueError:
        seen = None
    if seen is None:
        raise ConfigError(f"{name}: neither JPEG nor PNG that can be read", "take it out")
    shapes = None if labels is None else tuple(_shape(name, one) for one in labels)
    return added(connection, objects, project, Medium(name, data, suffix, media_type, seen), shapes, how)


@dataclass(frozen=True, slots=True)
class Medium:
    """A picture or clip on its way into a project."""

    name: str
    data: bytes
    suffix: str
    media_type: str
    seen: projects.Looks | ClipLooks


def added(
    connection: Connection,
    objects: ObjectStore,
    project: Project,
    medium: Medium,
    shapes: tuple[Shape, ...] | None,
    how: Import,
) -> int | None:
    """Keeps a picture or clip with what is said of it (None: nothing is).

    Returns:
        Its number; None: the project has it already.

    Raises:
        ConfigError: a label does not fit the project.
    """
    name, seen = medium.name, medium.seen
    content = hashlib.sha256(medium.data).hexdigest()
    key = f"labelling/{content[:2]}/{content}.{medium.suffix}"
    objects.put(key, medium.data, medium.media_type)
    suggested = tuple(Suggestion(by=how.by, label=one) for one in shapes or ()) if how.by is not None else ()
    new = NewItem(
        content=content,
        name=name[-80:],
        key=key,
        media_type=medium.media_type,
        width=seen.width,
        height=seen.height,
        source=how.source,
        taken=Taken(),
        suggested=suggested,
        clip=seen.facts if isinstance(seen, ClipLooks) else None,
    )
    number = projects.add(connection, project.id, new, seen.signature, how.who)
    if number is not None and how.by is None and shapes is not None:
        answers.submit(connection, number, NewAnswer(labels=shapes, key=content), how.who)
    return number


def _shape(name: str, label: Label) -> Shape:
    if isinstance(label, Box | Polygon | Tag):
        return label
    raise ConfigError(f"{name}: a {label.kind} cannot be labelled here", "give it as box, polygon or tag")


def _no_masks(sha256: str) -> Any:
    raise ConfigError(f"mask {sha256[:12]}: there is none in a project")
