"""Labels to and from other tools: COCO, CVAT's XML and YOLO (`algorithm_repo.formats`)."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Connection

from algorithm_repo.datasets.heads import JPEG, PNG, head_of
from algorithm_repo.datasets.types import Manifest, Source
from algorithm_repo.formats import coco, cvat, yolo
from algorithm_repo.formats.types import Facts, Picture, Read, Written
from algorithm_repo.formats.types import said as first_fault
from algorithm_repo.labelling import answers, projects, suggestions
from algorithm_repo.labelling.clips import ClipLooks
from algorithm_repo.labelling.fitting import Notes, fitted, turned
from algorithm_repo.labelling.freeze import manifest
from algorithm_repo.labelling.types import (
    Item,
    ItemState,
    Kind,
    NewAnswer,
    NewItem,
    Project,
    Said,
    Shape,
    Suggestion,
    Taken,
)
from contracts.errors import ConfigError
from store.objects import ObjectStore

Format = Literal["coco", "cvat", "yolo"]
_MOST = 100_000
_TYPES = {JPEG: ("jpg", "image/jpeg"), PNG: ("png", "image/png")}


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


def read(form: Format, files: Mapping[str, bytes], name: str | None = None, kinds: Collection[Kind] = ()) -> Read:
    """Labels of another tool.

    Args:
        files: path to bytes; of COCO and CVAT the one file, of YOLO `data.yaml`, the labels, and pictures by name.
        name: the one of them that names the others; None: the first, of YOLO `data.yaml`.
        kinds: that are to be labelled; of boxes without polygons those that stand beside COCO's outlines are taken.

    Raises:
        FormatFaults: they cannot be used; says all that is wrong.
    """
    if form == "yolo":
        return yolo.read(files, lambda path: files[path], name or yolo.DATA_FILE)
    path = name or next(iter(files))
    if form == "cvat":
        return cvat.read(files[path], path)
    return coco.read(files[path], path, boxes="box" in kinds and "polygon" not in kinds)


@dataclass(slots=True)
class Told:
    """What became of what came in, besides being added.

    Attributes:
        labelled: how many that were there already got labels or suggestions that they had not.
        notes: what was not taken as it stands.
        contents: SHA-256 of all that came in.
    """

    labelled: int = 0
    notes: Notes = field(default_factory=Notes)
    contents: set[str] = field(default_factory=set)


PlaceOf = Callable[[str], Taken | None]
"""Whose a camera is, by its id; None: it is not known here."""


@dataclass(frozen=True, slots=True)
class Import:
    """How pictures come in.

    Attributes:
        source: of those whose labels' file does not say another.
        who: brings them.
        by: what labelled them, where they come as suggestions; None: `who` says so, and a second person reviews it.
        masks, sources: of the labels' file.
        place_of: of cameras that a labels' file of ours names.
        told: what became of them.
    """

    source: Source
    who: str
    by: str | None = None
    masks: Mapping[str, bytes] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    place_of: PlaceOf = lambda _camera: None
    told: Told = field(default_factory=Told)


def take(
    connection: Connection,
    objects: ObjectStore,
    project: Project,
    name: str,
    data: bytes,
    said: Picture | None,
    how: Import,
) -> int | None:
    """One picture with what another tool says of it (None: nothing is said).

    Returns:
        Its number; None: the project has it already, and `how.told` says what became of its labels.

    Raises:
        ConfigError: it is neither JPEG nor PNG, or it or a label does not fit the project, or its labels are of a
            picture of another size; names it.
    """
    if not project.of_pictures:
        raise ConfigError(
            f"{name}: {project.name} labels clips alone", "make a project of the kinds box, polygon or tag"
        )
    suffix, media_type = next((kind for magic, kind in _TYPES.items() if data.startswith(magic)), ("", ""))
    if not suffix:
        raise ConfigError(f"{name}: neither JPEG nor PNG that can be read", "take it out")
    try:
        seen = projects.looks(data)
    except ValueError as error:
        raise ConfigError(f"{name}: neither JPEG nor PNG that can be read: {error}", "take it out") from error
    medium = Medium(name, data, suffix, media_type, seen)
    if said is None:
        return added(connection, objects, project, medium, None, how)
    notes = how.told.notes
    if said.facts is None and said.licence not in ("", how.source.licence):
        notes.add(f"by the labels' file under {said.licence!r}, here as --licence says", name)
    shapes = _upright(medium, said, fitted(name, said.labels, project.kinds, how.masks, notes), notes)
    return added(connection, objects, project, medium, shapes, how, said.facts)


def _upright(medium: Medium, said: Picture, shapes: tuple[Shape, ...], notes: Notes) -> tuple[Shape, ...]:
    """The labels as they lie in the picture that is shown.

    Raises:
        ConfigError: they are of a picture of another size.
    """
    head, shown = head_of(medium.data), (medium.seen.width, medium.seen.height)
    orientation = 1 if head is None else head.orientation
    if said.width is None or said.height is None or (said.width, said.height) == shown:
        sure = orientation == 1 or (said.width != said.height and orientation >= 5)
        if shapes and not sure:
            notes.add("shown turned as its EXIF says, look whether the labels fit", medium.name)
        return shapes
    if head is not None and (said.width, said.height) == (head.width, head.height) == shown[::-1] and orientation >= 5:
        notes.add("labels are turned with their picture, as its EXIF says", medium.name)
        return turned(shapes, orientation)
    what = f"{medium.name}: its labels are of {said.width}x{said.height} px, the picture is {shown[0]}x{shown[1]}"
    raise ConfigError(what, "export the labels anew, or bring the picture that they are of")


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
    facts: Facts | None = None,
) -> int | None:
    """Keeps a picture or clip with what is said of it (None: nothing is). One that is there already gets the labels.

    Args:
        facts: what a file of ours says of it besides; they count where they are of these very bytes.

    Returns:
        Its number; None: the project has it already, and `how.told` says what became of its labels.

    Raises:
        ConfigError: a label does not fit the project, or the name is none; names it.
    """
    content = hashlib.sha256(medium.data).hexdigest()
    if content in how.told.contents:
        how.told.notes.add("of the same bytes as one before it, passed over", medium.name)
        return None
    how.told.contents.add(content)
    with _named(medium.name):
        known = projects.with_content(connection, project.id, content)
        if known is None:
            new = _new(project, medium, content, shapes, how, facts)
            objects.put(new.key, medium.data, medium.media_type)
            number = projects.add(connection, project.id, new, medium.seen.signature, how.who)
            if number is not None:
                if how.by is None and shapes is not None:
                    answers.submit(connection, number, _answer(project, content, shapes), how.who)
                return number
            known = projects.with_content(connection, project.id, content)  # somebody added it meanwhile
        if shapes is not None and known is not None:
            _say(connection, project, known, medium.name, shapes, how)
    return None


def _new(
    project: Project, medium: Medium, content: str, shapes: tuple[Shape, ...] | None, how: Import, facts: Facts | None
) -> NewItem:
    """Raises:
    ValidationError: the name is none, or there are too many suggestions.
    """
    seen, notes = medium.seen, how.told.notes
    if facts is not None and facts.content != content:
        notes.add("the labels' file speaks of other bytes: its camera, time and source are passed over", medium.name)
        facts = None
    return NewItem(
        content=content,
        name=(medium.name if facts is None else facts.name)[-80:],
        key=f"labelling/{content[:2]}/{content}.{medium.suffix}",
        media_type=medium.media_type,
        width=seen.width,
        height=seen.height,
        source=how.source if facts is None else _source(project, facts.source, how),
        taken=Taken() if facts is None else _taken(facts, how),
        slices=() if facts is None else facts.slices,
        suggested=() if how.by is None else tuple(Suggestion(by=how.by, label=one) for one in shapes or ()),
        clip=seen.facts if isinstance(seen, ClipLooks) else None,
    )


def _source(project: Project, name: str, how: Import) -> Source:
    """The source that a file names. What it says is a claim: only what the project knows already, or whoever imports
    says too, makes pictures free of faces and plates, or lets them be passed on."""
    told = how.sources.get(name)
    if told is None:
        return how.source
    known = project.sources.get(name)
    if known is not None and (known.licence, known.address) == (told.licence, told.address):
        return known
    mine = how.source
    terms = {"personal": told.personal or mine.personal, "passed_on": told.passed_on and mine.passed_on}
    return told.model_copy(update=terms)


def _taken(facts: Facts, how: Import) -> Taken:
    place = how.place_of(facts.camera) if facts.camera else None
    if facts.camera and place is None:
        # A camera belongs to a department, by which it is decided who may see what it took.
        how.told.notes.add("of a camera that is not known here, so of none", facts.camera)
    return (place or Taken()).model_copy(update={"utc": facts.utc})


def _answer(project: Project, content: str, shapes: tuple[Shape, ...], after: int = 0) -> NewAnswer:
    """With a key of its own in each project.

    Args:
        after: the number of the answer that it takes the place of.
    """
    labels = [one.model_dump(mode="json") for one in shapes]
    told = json.dumps([project.id, content, labels, after], sort_keys=True)
    return NewAnswer(labels=shapes, key=hashlib.sha256(told.encode()).hexdigest())


def _say(
    connection: Connection, project: Project, known: Item, name: str, shapes: tuple[Shape, ...], how: Import
) -> None:
    """What is said of an item that is there already, unless two people agree on it."""
    told = how.told
    finished = known.state is ItemState.ACCEPTED
    # A hidden test looks like any other picture to whoever has had nothing to do with it.
    if known.hidden and how.by is None and not answers.answered(connection, [known.id], how.who):
        finished = False
    if known.deleted_utc is not None:
        told.notes.add("deleted by policy, their labels are passed over", name)
    elif finished or (how.by is not None and known.state is ItemState.LABELLED):
        told.notes.add(f"{known.state.value} already, their labels are passed over", name)
    elif how.by is None:
        given = answers.of_item(connection, known.id)
        mine = [one for one in given if one.who == how.who and one.said is Said.LABELS]
        if not mine or mine[-1].labels != shapes:
            after = mine[-1].id if mine else 0
            answers.submit(connection, known.id, _answer(project, known.content, shapes, after), how.who)
            told.labelled += 1
    else:
        found = tuple(Suggestion(by=how.by, label=one) for one in shapes)
        if found != tuple(one for one in known.suggested if one.by == how.by):
            suggestions.suggest(connection, project.id, known.id, how.by, found)
            told.labelled += 1


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Raises ConfigError: what was wrong inside, with the picture's or clip's name."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{name}: {error.message}", error.fix) from error
    except ValidationError as error:
        raise ConfigError(f"{name!r}: {first_fault(error)}", "correct it there") from error


def _no_masks(sha256: str) -> Any:
    raise ConfigError(f"mask {sha256[:12]}: there is none in a project")
