"""CVAT's XML 1.1 "for video", written and read: one clip a file.

As "XML annotation format" of CVAT's documentation has it: a `track` is one thing, its `box` and `polygon` elements say
where it is at a `frame`, the `keyframe` ones by somebody's word; between two key frames CVAT moves a box in a straight
line, and after the last one it stays until the clip's end or an `outside` frame. So what is written ends each track
with an `outside` frame, and a thing seen at 1 s and at 3 s is in CVAT between them too.

A frame's number is its time times the frames per second, to the nearest; a frame's time is on the grid of
`types.GRID` decimals. A shape without track is a track of its own with `tracked="0"`, an XML attribute of ours. Masks,
tags, intervals, and shapes without a time are left out with a warning.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isfinite
from xml.etree.ElementTree import Element

from algorithm_repo.datasets.types import Box, Item, Label, Polygon
from algorithm_repo.formats.cvat_xml import (
    XML_FILE,
    attributes_of,
    classes_of,
    corners,
    document,
    element,
    named,
    opened,
    shape,
    shaped,
    sized,
    tell_lost,
    whole,
    words,
)
from algorithm_repo.formats.names import file_names, safe_path
from algorithm_repo.formats.types import (
    GRID,
    Faults,
    FormatFaults,
    Lost,
    Picture,
    Read,
    Written,
    kept,
    number_of,
)
from contracts.errors import ConfigError

MOST_FPS = 1000.0
MOST_FRAMES = 100_000_000
MOST_LABELS = 1_000_000  # of one file, those between key frames included

Shape = Box | Polygon
Key = tuple[int | None, str, str, int]  # track, label, kind; and a number where there is no track
Rows = dict[int, Shape]  # by frame
_FACTS = {"occluded": 0, "keyframe": 1, "z_order": 0}


def written(
    item: Item, classes: Sequence[str], fps: float, frames: int, gone: Collection[tuple[int, float]] = ()
) -> Written:
    """A clip's boxes and polygons as `annotations.xml`, and the clip beside it.

    They read back by track, label and kind, then by time; those without track come last.

    Args:
        item: a clip.
        classes: of its version.
        fps: the clip's frames per second, above 0 and at most 1000.
        frames: how many it has; a track's `outside` frame is left out at the clip's end.
        gone: track and time of shapes at which the thing is not to be seen any more; see `cvat_tracks`.

    Raises:
        ConfigError: the item is a picture, a label lies past the clip's end, fps or frames are out of range, or a text
            holds characters that XML has no room for.
    """
    _check(fps)
    if item.media != "clip" or not 0 < frames <= MOST_FRAMES:
        raise ConfigError(f"{item.name}: it is no clip of 1 to {MOST_FRAMES} frames", "write pictures as for images")
    lost = Lost("CVAT's XML")
    tracks = _tracks(item, fps, lost)
    past = sorted({frame for rows in tracks.values() for frame in rows if frame >= frames})
    if past:
        raise ConfigError(f"{item.name}: labels at frames {past[:5]} of {frames}", "give the clip's own fps and frames")
    file = file_names([item])[item.content]
    body, free = [], max((track for track, *_ in tracks if track is not None), default=-1) + 1
    for number, (key, rows) in enumerate(tracks.items(), free):
        facts = {"id": number, "tracked": 0} if key[0] is None else {"id": key[0]}
        outside = {round(at * fps) for track, at in gone if track == key[0]}
        inside = "".join(_keyframes(rows, outside, item, frames))
        body.append(element("track", facts | {"label": key[1], "source": "manual"}, inside))
    size = words("width", item.width) + words("height", item.height)
    task = [words("name", item.name), words("size", frames), words("mode", "interpolation")]
    task += [element("original_size", {}, size), words("source", file)]
    told = [label for rows in tracks.values() for label in rows.values()]
    return Written({XML_FILE: document(task, classes, told, True, "".join(body))}, {file: item.content}, lost.warnings)


def _check(fps: float) -> None:
    if not (isfinite(fps) and 0 < fps <= MOST_FPS):
        raise ConfigError(f"fps is {fps}", f"give the clip's frames per second, above 0 and at most {MOST_FPS:g}")


def _tracks(item: Item, fps: float, lost: Lost) -> dict[Key, Rows]:
    found: dict[Key, Rows] = {}
    for label in kept(item, lost, (Box, Polygon)):
        if not isinstance(label, Box | Polygon):
            continue
        if label.at is None:
            lost.add(item, "shapes without a time")
            continue
        frame = round(label.at * fps)
        if abs(frame / fps - label.at) > 10**-GRID:
            lost.say(item, "times between two frames were moved to the nearest one")
        key = (label.track, label.label, label.kind, len(found) if label.track is None else 0)
        rows = found.setdefault(key, {})
        if frame in rows:
            lost.add(item, "further shapes of a track at one frame")
        rows.setdefault(frame, label)
    return dict(sorted(found.items(), key=_place))


def _place(entry: tuple[Key, Rows]) -> tuple[bool, int, str, str, int]:
    (track, label, kind, number), rows = entry
    return (True, min(rows), "", "", number) if track is None else (False, track, label, kind, 0)


def _keyframes(rows: Rows, outside: Collection[int], item: Item, frames: int) -> Iterator[str]:
    for frame, label in sorted(rows.items()):
        yield shape(label, item.width, item.height, {"frame": frame, "outside": int(frame in outside), **_FACTS})
    last = max(rows)
    if last not in outside and last + 1 < frames:
        gone = rows[last].model_copy(update={"attributes": {}})
        yield shape(gone, item.width, item.height, {"frame": last + 1, "outside": 1, **_FACTS})


# --- reading ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """A shape of a track at a frame; `px` are its corners."""

    frame: int
    tag: str
    px: list[float]
    attributes: dict[str, str]
    outside: bool
    key: bool

    def moved(self, after: Row, frame: int) -> Row:
        """As CVAT has it between this one and the next, at a frame between theirs."""
        part = (frame - self.frame) / (after.frame - self.frame)
        px = [one + (other - one) * part for one, other in zip(self.px, after.px, strict=True)]
        return replace(self, frame=frame, px=px)


def read(content: bytes, fps: float, file: str = XML_FILE, *, between: bool = False) -> Read:
    """What an XML "for video" says: one picture that stands for the clip, its labels with track and time.

    Args:
        content: the XML.
        fps: the clip's frames per second, above 0 and at most 1000.
        file: what it is called in faults and warnings.
        between: also the frames between key frames, boxes moved in a straight line as in CVAT. CVAT moves outlines in a
            way of its own, so of polygons only those frames are read that the file has.

    Raises:
        ConfigError: fps is out of range.
        FormatFaults: the file cannot be used, or holds more than a million labels; with every fault at its track and
            element, and the fix.
    """
    told = parsed(content, fps, file)
    faults, tracks = told.faults, told.tracks
    if between and sum(told.end - rows[0].frame for _, rows in tracks if rows) > MOST_LABELS:
        faults.add("track", f"there are more than {MOST_LABELS} frames to fill in", "read its key frames alone")
        faults.tell()
    labels: list[Label] = []
    for node, rows in tracks:
        shown = _filled(rows, told.end, faults, where(node)) if between else (one for one in rows if one.key)
        labels += _labels(node, [one for one in shown if not one.outside], told, fps)
    faults.tell()
    picture = Picture(told.path, tuple(labels), None, *told.size)
    return Read(told.classes, (picture,), warnings=tuple(faults.warned))


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's tracks, not yet labels.

    Attributes:
        path: of the clip, as the file names it; "": it does not.
        size: of the clip, px.
        tracks: each element, and its shapes by frame.
        end: the frame after the last one.
        faults: none yet; what is wrong with a shape is found when it becomes a label.
    """

    classes: tuple[str, ...]
    path: str
    size: tuple[int, int]
    tracks: tuple[tuple[Element, list[Row]], ...]
    end: int
    faults: Faults


def parsed(content: bytes, fps: float, file: str) -> Parsed:
    """Raises ConfigError, FormatFaults; see `read`."""
    _check(fps)
    root = opened(content, file)
    faults = Faults(file)
    classes = classes_of(root, faults)
    told = "meta/*/original_size"
    size = sized(root.findtext(f"{told}/width"), root.findtext(f"{told}/height"), faults, "meta original_size")
    if root.find("image") is not None:
        faults.add("image", "the file is for images", "read it as such")
    if len({node.get("task_id") for node in root.iterfind("track")}) > 1:
        faults.add("track", "the file is of several tasks", "export each task for itself")
    source = root.findtext("meta/*/source") or ""
    path = safe_path(source, faults, "meta source") if source else ""
    tracks = tuple((node, _rows(node, faults, where(node))) for node in root.iterfind("track"))
    if size is None or faults.found:
        raise FormatFaults(faults.found)
    tell_lost(root.iterfind("track/*"), faults)
    return Parsed(classes, path, size, tracks, _end(root, tracks), faults)


def where(track: Element) -> str:
    return f"track {track.get('id', '')[:40]}"


def _end(root: Element, tracks: Sequence[tuple[Element, list[Row]]]) -> int:
    """The frame after the last one: of the task where it says so, else of what is in the file."""
    last = max((rows[-1].frame + 1 for _, rows in tracks if rows), default=0)
    stop, size = (number_of(root.findtext(f"meta/*/{key}") or "") for key in ("stop_frame", "size"))
    told = stop + 1 if isfinite(stop) else size
    return max(last, int(told)) if 0 <= told <= MOST_FRAMES else last


def _rows(track: Element, faults: Faults, where: str) -> list[Row]:
    """By frame."""
    found: dict[int, Row] = {}
    for node in track:
        if node.tag not in ("box", "polygon"):
            faults.warn(where, f"{node.tag[:40]} is of no kind that labels of a clip have, and is left out")
            continue
        frame = whole(node, "frame", faults, where, 0, MOST_FRAMES)
        place = f"{where}, frame {node.get('frame', '')[:40]}"
        px = corners(node, faults, place)
        if frame is None or px is None:
            continue
        if frame in found:
            faults.add(place, "it is there twice", "keep one shape a frame")
        flags = (node.get("outside") == "1", node.get("keyframe", "1") == "1")
        found[frame] = Row(frame, node.tag, px, attributes_of(node), *flags)
    return [found[frame] for frame in sorted(found)]


def _filled(rows: Sequence[Row], end: int, faults: Faults, where: str) -> Iterator[Row]:
    """Each frame up to the clip's end."""
    for row, after in pairwise((*rows, None)):
        if row is None:
            continue
        yield row
        until = end if after is None else after.frame
        straight = after is None or row.tag == after.tag == "box"
        if not row.outside and not straight and until > row.frame + 1:
            faults.warn(where, f"between frames {row.frame} and {until} outlines are not filled in")
        elif not row.outside:
            for frame in range(row.frame + 1, until):
                yield replace(row, frame=frame) if after is None else row.moved(after, frame)


def _labels(track: Element, rows: Sequence[Row], told: Parsed, fps: float) -> list[Label]:
    name = named(track, told.classes, told.faults, where(track))
    number = None if track.get("tracked") == "0" else whole(track, "id", told.faults, where(track))
    found: list[Label] = []
    for row in rows if name is not None else ():
        more = {"track": number, "at": round(row.frame / fps, GRID), "attributes": row.attributes}
        place = f"{where(track)}, frame {row.frame}"
        label = shaped(row.tag, name or "", row.px, told.size, told.faults, place, **more)
        if label is not None:
            found.append(label)
    return found
