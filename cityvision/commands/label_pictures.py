"""Pictures of a folder, with labels of other tools, into a project of labelling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, select

from algorithm_repo.formats.matching import Matched, matched
from algorithm_repo.formats.names import PICTURES
from algorithm_repo.formats.types import Read
from algorithm_repo.labelling import exchange
from algorithm_repo.labelling.exchange import Format, Import, PlaceOf
from algorithm_repo.labelling.fitting import counted
from algorithm_repo.labelling.types import Kind, Project, Taken
from contracts.errors import ConfigError
from governance.tables import camera_places
from store.objects import ObjectStore

_TAKEN = frozenset({".jpg", ".jpeg", ".png"})
_MEDIA = PICTURES | {".avif", ".avi", ".gif", ".heic", ".jp2", ".m4v", ".mkv", ".mov", ".webm"}
_MOST_PICTURE = 128 << 20  # bytes; more than 35 million pixels of a PNG
_MOST_LABELS = 1 << 30  # bytes of a labels' file; COCO's own of 118,000 pictures has 448 MiB


@dataclass(frozen=True, slots=True)
class Found:
    """A folder's pictures.

    Attributes:
        paths: relative to the folder, with "/".
        passed_over: files that look like pictures or clips and are of no kind that is taken.
        labels: what a labels' file says of them; None: there is none.
    """

    folder: Path
    paths: tuple[str, ...]
    passed_over: tuple[str, ...] = ()
    labels: Read | None = None
    said: Matched = field(default_factory=lambda: Matched({}, (), ()))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was not taken, and what was taken of no certainty."""
        said = self.said
        loose = [f"{one} for {path}" for one, path in said.by_name]
        unsaid = [] if self.labels is None else [path for path in self.paths if path not in said.said]
        told = (
            ("neither JPEG, PNG nor MP4, passed over", self.passed_over),
            ("no picture of labels is there", said.without),
            ("labels taken by the file's name alone", loose),
            ("nothing is said of it", unsaid),
        )
        own = () if self.labels is None else self.labels.warnings
        return (*own, *(counted(what, names) for what, names in told if names))


def pictures_in(folder: Path, form: Format, labels: Path | None, kinds: Sequence[Kind]) -> Found:
    """The pictures below a folder with what is said of each.

    Args:
        kinds: that the project labels.

    Raises:
        ConfigError: the labels cannot be used, are of none of the pictures, or one may be of several.
    """
    files = [one for one in sorted(folder.rglob("*")) if one.is_file()]
    paths = tuple(one.relative_to(folder).as_posix() for one in files if one.suffix.lower() in _TAKEN)
    strange = _MEDIA - _TAKEN
    others = tuple(one.relative_to(folder).as_posix() for one in files if one.suffix.lower() in strange)
    if labels is None:
        return Found(folder, paths, others)
    read = exchange.read(form, _label_files(form, labels), labels.name, kinds)
    said = matched(read.pictures, paths, folder.resolve().as_posix())
    if not said.said:
        what = f"labels: none of the {len(read.pictures)} pictures that they name is in {folder}"
        raise ConfigError(what, "give the folder from which the labels' file names its pictures")
    return Found(folder, paths, others, read, said)


def take_pictures(
    connection: Connection, objects: ObjectStore, into: Project, pictures: Found, how: Import
) -> tuple[int, int]:
    """How many pictures were added, and how many were there already.

    Raises:
        ConfigError: one cannot be taken, or what is said of it does not fit; names it.
    """
    new = 0
    for path in pictures.paths:
        place = pictures.folder / path
        data = bounded(place, path, _MOST_PICTURE)
        number = exchange.take(connection, objects, into, place.name, data, pictures.said.said.get(path), how)
        new += number is not None
    return new, len(pictures.paths) - new


def places(connection: Connection) -> PlaceOf:
    """Whose each camera is now."""
    c = camera_places.c
    known = {row.camera: row for row in connection.execute(select(c.camera, c.department, c.grid))}

    def place_of(camera: str) -> Taken | None:
        row = known.get(camera)
        return None if row is None else Taken(camera=camera, department=row.department, grid=row.grid)

    return place_of


def bounded(path: Path, name: str, most: int) -> bytes:
    """A file's bytes.

    Raises:
        ConfigError: there are more than `most`; none was read.
    """
    if path.stat().st_size > most:
        raise ConfigError(f"{name}: more than {most >> 20} MiB", "take it out, or make it smaller")
    return path.read_bytes()


def _label_files(form: Format, labels: Path) -> dict[str, bytes]:
    """Path to bytes; of pictures, which are named alone, and of all else that is no text, there are none."""
    own = {labels.name: bounded(labels, labels.name, _MOST_LABELS)}
    if form != "yolo":
        return own
    root, left, files = labels.parent, _MOST_LABELS, own
    for one in sorted(root.rglob("*")):
        path, suffix = one.relative_to(root).as_posix(), one.suffix.lower()
        if path != labels.name and one.is_file() and suffix in PICTURES | {".txt"}:
            files[path] = bounded(one, path, left) if suffix == ".txt" else b""
            left -= len(files[path])
    return files
