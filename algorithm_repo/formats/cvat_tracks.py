"""Tracks of a clip in CVAT's XML "for video", written and read: `cvat_video` for those that were drawn here.

A key frame is a `keyframe` of CVAT's, an `outside` one too. A track that ends with a key frame where the thing is to
be seen gets CVAT's `outside` one frame later, which is taken away again on reading. In other people's files a track
without an end goes on to the clip's end, and gets a key frame there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from algorithm_repo.datasets.tracks import KeyFrame, Track
from algorithm_repo.datasets.types import Box, Item
from algorithm_repo.formats import cvat_video
from algorithm_repo.formats.cvat_video import Parsed, Row, where
from algorithm_repo.formats.cvat_xml import XML_FILE, named, shaped
from algorithm_repo.formats.types import GRID, Written


@dataclass(frozen=True, slots=True)
class ReadTracks:
    """What was read; `path` is the clip's, as the file names it, `size` its px."""

    classes: tuple[str, ...]
    path: str
    size: tuple[int, int]
    tracks: tuple[Track, ...]
    warnings: tuple[str, ...]


def written(item: Item, tracks: Sequence[Track], classes: Sequence[str], fps: float, frames: int) -> Written:
    """A clip's tracks as `annotations.xml`, and the clip beside it; what else the item says is left out with a warning.

    Args and Raises: as `cvat_video.written`.
    """
    keys = [(number, track.label, key) for number, track in enumerate(tracks) for key in track.keys]
    boxes = tuple(Box(label=label, box=key.box, track=number, at=key.at) for number, label, key in keys)
    gone = {(number, key.at) for number, _, key in keys if key.outside}
    told = item.model_copy(update={"labels": (*item.labels, *boxes)})
    return cvat_video.written(told, classes, fps, frames, gone)


def read(content: bytes, fps: float, file: str = XML_FILE) -> ReadTracks:
    """The tracks of an XML "for video". Outlines are left out with a warning.

    Args and Raises: as `cvat_video.read`.
    """
    told = cvat_video.parsed(content, fps, file)
    found = []
    for node, rows in told.tracks:
        name = named(node, told.classes, told.faults, where(node))
        boxes = [row for row in rows if row.tag == "box" and row.key]
        if any(row.tag != "box" for row in rows):
            told.faults.warn(where(node), "outlines are left out: a track here is made of boxes")
        keys = [] if name is None else _keys(_ended(boxes, told.end), name, told, fps, where(node))
        if name is not None and keys:
            found.append(Track(label=name, keys=tuple(keys)))
    told.faults.tell()
    return ReadTracks(told.classes, told.path, told.size, tuple(found), tuple(told.faults.warned))


def _ended(rows: Sequence[Row], end: int) -> list[Row]:
    """The key frames from where it is first to be seen to where it is last."""
    shown = next((place for place, row in enumerate(rows) if not row.outside), len(rows))
    kept = list(rows[shown:])
    if not kept:
        return []
    last = kept[-1]
    if not last.outside and last.frame < end - 1:
        kept.append(Row(end - 1, last.tag, last.px, {}, False, True))
    elif last.outside and kept[-2].frame == last.frame - 1 and not kept[-2].outside:
        kept.pop()
    return kept


def _keys(rows: Sequence[Row], name: str, told: Parsed, fps: float, place: str) -> list[KeyFrame]:
    keys: list[KeyFrame] = []
    for row in rows:
        box = shaped("box", name, row.px, told.size, told.faults, f"{place}, frame {row.frame}")
        if isinstance(box, Box) and (keys or not row.outside):
            keys.append(KeyFrame(at=round(row.frame / fps, GRID), box=box.box, outside=row.outside))
    return keys
