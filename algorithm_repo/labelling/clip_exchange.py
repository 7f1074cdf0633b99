"""Clips in, and tracks to and from CVAT's XML "for video": one folder a clip, `annotations.xml` beside it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection

from algorithm_repo.datasets.tracks import Track
from algorithm_repo.formats import cvat_tracks
from algorithm_repo.formats.cvat_xml import XML_FILE
from algorithm_repo.formats.names import file_names
from algorithm_repo.formats.types import Written
from algorithm_repo.labelling import answers, exchange, projects
from algorithm_repo.labelling.clips import CLIP_TYPE, MOST_BYTES, ClipLooks, LookAtClip
from algorithm_repo.labelling.exchange import Import, Medium
from algorithm_repo.labelling.fitting import Notes
from algorithm_repo.labelling.freeze import version_item
from algorithm_repo.labelling.types import Item, ItemState, Project, Shape
from contracts.errors import ConfigError
from store.objects import ObjectStore

_MOST = 100_000  # clips of a project


def looked_at(name: str, data: bytes, look: LookAtClip) -> ClipLooks:
    """What a clip's bytes say.

    Raises:
        ConfigError: it is no MP4 that can be read, or longer or larger than is taken; names it.
    """
    if len(data) > MOST_BYTES:
        raise ConfigError(f"{name}: more than {MOST_BYTES >> 20} MiB", "cut it")
    if data[4:8] != b"ftyp":
        raise ConfigError(f"{name}: no MP4", "take it out, or convert it")
    try:
        return look(data)
    except ValueError as error:
        raise ConfigError(f"{name}: {error}", "take it out, or cut or convert it") from error


def take(
    connection: Connection,
    objects: ObjectStore,
    project: Project,
    name: str,
    data: bytes,
    seen: ClipLooks,
    xml: bytes | None,
    how: Import,
) -> int | None:
    """One clip with what CVAT says of it (None: nothing is said).

    Args:
        seen: of its bytes (`looked_at`).

    Returns:
        Its number; None: the project has it already, and `how.told` says what became of its labels.

    Raises:
        ConfigError: the project labels no clips, the XML cannot be used, or is of another clip.
    """
    if not project.of_clips:
        raise ConfigError(f"{name}: {project.name} labels no clips", "make a project of the kinds track or interval")
    shapes: tuple[Shape, ...] | None = None if xml is None else _tracks(name, xml, seen, how.told.notes)
    return exchange.added(connection, objects, project, Medium(name, data, "mp4", CLIP_TYPE, seen), shapes, how)


def _tracks(name: str, xml: bytes, seen: ClipLooks, notes: Notes) -> tuple[Track, ...]:
    found = cvat_tracks.read(xml, seen.facts.fps, f"{XML_FILE} of {name}")
    if found.size != (seen.width, seen.height):
        told = "x".join(map(str, found.size))
        what = f"{name}: its XML is of a clip of {told} px, not {seen.width}x{seen.height}"
        raise ConfigError(what, "put its own beside it")
    for warning in found.warnings:
        notes.add(warning, name)
    return found.tracks


def exported(connection: Connection, number: int, seen: ColumnElement[bool]) -> Written:
    """The accepted tracks of a project as CVAT's XML, a folder for each clip.

    Raises:
        ConfigError: no clip is accepted, or CVAT cannot hold it.
    """
    project = projects.get(connection, number)
    items = accepted(connection, project, seen)
    finals = answers.finals(connection, items)
    texts, media, warnings = dict[str, bytes](), dict[str, str](), list[str]()
    told = [version_item(one, finals.get(one.id), None) for one in items]
    names = file_names(told)
    for one, version in zip(items, told, strict=True):
        assert one.clip is not None
        final = finals.get(one.id)
        tracks = [label for label in (() if final is None else final.labels) if isinstance(label, Track)]
        files = cvat_tracks.written(version, tracks, project.classes, one.clip.fps, one.clip.frames)
        folder = names[version.content].rpartition(".")[0]
        texts |= {f"{folder}/{path}": data for path, data in files.texts.items()}
        media |= {f"{folder}/{path}": content for path, content in files.media.items()}
        warnings += files.warnings
    return Written(texts, media, tuple(warnings))


def accepted(connection: Connection, project: Project, seen: ColumnElement[bool]) -> list[Item]:
    """The clips of which two people agree. Raises ConfigError: there is none."""
    found = projects.items(connection, project.id, seen, ItemState.ACCEPTED, limit=_MOST)
    clips = [one for one in found if one.clip is not None]
    if not clips:
        raise ConfigError(f"{project.name}: no clip is accepted", "label some, and have a second person review them")
    return clips
