"""From what people said of events to pictures and clips to be labelled: a false alarm today is a label tomorrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from algorithm_repo.datasets.types import Box, Polygon, Source
from algorithm_repo.labelling import projects
from algorithm_repo.labelling.clips import CLIP_TYPE, MOST_BYTES, ClipLooks, LookAtClip
from algorithm_repo.labelling.types import NewItem, Project, Shape, Suggestion, Taken
from contracts.errors import ObjectMissing
from contracts.records import EvidenceRef
from events.review import Kind, Verdict
from events.weather import Weather, weather_at
from store.objects import ObjectStore

CITY = Source(name="city cameras", licence="internal", personal=True)


@dataclass(frozen=True, slots=True)
class TakenIn:
    """How many pictures and clips of verdicts are to be labelled now; `known`: were there already; `without`: verdicts
    have none that can be opened."""

    added: int
    known: int
    without: int


def take(
    connection: Connection,
    objects: ObjectStore,
    number: int,
    verdicts: Sequence[Verdict],
    pictures: Mapping[int, Sequence[EvidenceRef]],
    who: str,
    look: LookAtClip | None = None,
) -> TakenIn:
    """Adds what shows best what each verdict is about: of a project of pictures the picture, of one of clips the clip.

    Args:
        pictures: evidence of each verdict, by its id, as far as whoever asks may see it.
        look: opens clips; None: none is taken.

    Raises:
        ObjectsUnavailable: the object store is down.
    """
    project = projects.get(connection, number)
    added = known = without = 0
    for verdict in verdicts:
        refs = pictures.get(verdict.id, ())
        wanted = [_best(refs)] if project.of_pictures else []
        wanted += [_clip(refs)] if project.of_clips and look is not None else []
        for ref in wanted:
            if ref is not None and projects.holds(connection, number, ref.sha256):
                known += 1  # opening a clip again takes a second
                continue
            seen = None if ref is None else _looks(objects, ref, look)
            if ref is None or seen is None:
                without += 1
                continue
            weather = weather_at(connection, verdict.grid, verdict.moment_utc)
            item = _item(project, verdict, ref, seen, weather)
            if projects.add(connection, number, item, seen.signature, who) is None:
                known += 1
            else:
                added += 1
    return TakenIn(added, known, without)


def _best(refs: Sequence[EvidenceRef]) -> EvidenceRef | None:
    """The picture by which it was decided, else any."""
    there = [one for one in refs if one.stored and one.media_type.startswith("image/")]
    return next((one for one in there if one.role == "decision"), there[0] if there else None)


def _clip(refs: Sequence[EvidenceRef]) -> EvidenceRef | None:
    """The longest one by its bytes: an event's clip is cut anew when it goes on."""
    clips = [one for one in refs if one.stored and one.media_type == CLIP_TYPE and one.size <= MOST_BYTES]
    return max(clips, key=lambda one: one.size, default=None)


def _looks(objects: ObjectStore, ref: EvidenceRef, look: LookAtClip | None) -> projects.Looks | ClipLooks | None:
    try:
        if ref.media_type == CLIP_TYPE:
            return None if look is None else look(objects.get(ref.key))
        return projects.looks(objects.get(ref.key))
    except (ObjectMissing, ValueError):
        return None


def _item(
    project: Project, verdict: Verdict, ref: EvidenceRef, seen: projects.Looks | ClipLooks, weather: Weather | None
) -> NewItem:
    clip = seen.facts if isinstance(seen, ClipLooks) else None
    slices = [f"verdict {verdict.kind.value}", verdict.type]
    if verdict.reason is not None:
        slices.append(f"because {verdict.reason.value}")
    if weather is not None:
        slices.append(f"weather {weather.value}")
    return NewItem(
        content=ref.sha256,
        name=(f"{verdict.camera}-{verdict.type}-{verdict.id}" + ("" if clip is None else ".mp4"))[-80:],
        key=ref.key,
        media_type=ref.media_type,
        width=seen.width,
        height=seen.height,
        source=CITY,
        taken=Taken(
            camera=verdict.camera,
            department=verdict.department,
            grid=verdict.grid,
            zone=verdict.zone,
            type=verdict.type,
            utc=verdict.moment_utc,
        ),
        verdict=verdict.id,
        slices=tuple(slices),
        suggested=() if clip is not None else _suggested(project, verdict),
        clip=clip,
    )


def _suggested(project: Project, verdict: Verdict) -> tuple[Suggestion, ...]:
    """What the algorithm saw, where somebody said that it is real; what somebody drew, where it was missed."""
    subject = verdict.seen.subject
    words = (verdict.type, None if subject is None else subject.object_class)
    label = next((word for word in words if word in project.classes), None)
    shape: Shape | None = None
    if label is None:
        return ()
    if verdict.kind is Kind.MISSED and len(verdict.seen.polygon) >= 3:
        points = tuple((_share(x), _share(y)) for x, y in verdict.seen.polygon)
        xs, ys = [x for x, _ in points], [y for _, y in points]
        if "polygon" in project.kinds:
            shape = Polygon(label=label, points=points)
        elif "box" in project.kinds and min(xs) < max(xs) and min(ys) < max(ys):
            shape = Box(label=label, box=(min(xs), min(ys), max(xs), max(ys)))
    elif verdict.kind is Kind.REAL and subject is not None and subject.box is not None and "box" in project.kinds:
        x1, y1, x2, y2 = (_share(value) for value in subject.box)
        shape = Box(label=label, box=(x1, y1, x2, y2)) if x1 < x2 and y1 < y2 else None
    if shape is None:
        return ()
    by = verdict.who if verdict.kind is Kind.MISSED else f"algorithm {verdict.type}"
    return (Suggestion(by=by[:80], confidence=verdict.seen.confidence, label=shape),)


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))
