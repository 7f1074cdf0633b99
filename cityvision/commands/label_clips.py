"""Clips of a folder into a project of labelling."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection

from algorithm_repo.formats.cvat_xml import XML_FILE
from algorithm_repo.labelling import clip_exchange
from algorithm_repo.labelling.clips import MOST_BYTES, ClipLooks
from algorithm_repo.labelling.exchange import Import
from algorithm_repo.labelling.types import Project
from cityvision.clip_looks import look
from cityvision.commands.label_pictures import bounded
from contracts.errors import ConfigError
from store.objects import ObjectStore

_MOST_XML = 256 << 20  # bytes
ClipFile = tuple[Path, ClipLooks, bytes | None]


def clip_files(folder: Path, labelled: bool) -> list[ClipFile]:
    """The MP4 below a folder, what each holds, and CVAT's XML where it is `labelled`.

    They are opened before anything is written: no transaction stands open meanwhile.

    Raises:
        ConfigError: one cannot be taken, or has no XML of its own; names it.
    """
    paths = sorted(one for one in folder.rglob("*") if one.suffix.lower() == ".mp4")
    return [
        (path, clip_exchange.looked_at(path.name, _clip(path), look), _xml(path) if labelled else None)
        for path in paths
    ]


def _clip(path: Path) -> bytes:
    return bounded(path, path.name, MOST_BYTES)


def _xml(path: Path) -> bytes:
    others = [one.name for one in path.parent.iterdir() if one.suffix.lower() == ".mp4" and one != path]
    if others:
        raise ConfigError(f"{path.parent}: {XML_FILE} is of one clip, and there are more", "give each its own folder")
    try:
        return bounded(path.parent / XML_FILE, f"{XML_FILE} of {path.name}", _MOST_XML)
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no {XML_FILE} beside it", "put it there, or leave --format out") from None


def take_clips(
    connection: Connection, objects: ObjectStore, into: Project, clips: Sequence[ClipFile], how: Import
) -> tuple[int, int]:
    """How many clips were added, and how many were there already.

    Raises:
        ConfigError: the project labels no clips, or what is said of one does not fit.
    """
    added = known = 0
    for path, seen, xml in clips:
        number = clip_exchange.take(connection, objects, into, path.name, _clip(path), seen, xml, how)
        added, known = (added + 1, known) if number is not None else (added, known + 1)
    return added, known
