"""One entry of `suite.yaml`: every fault is told with the clip's number, its file and the key, and what to write.

Terse entries are welcome: what can be told from the rest is filled in (see docs/evaluation.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from pydantic import TypeAdapter, ValidationError

from algorithm_repo.evaluation.rendered import STREET, NotAStreet, entry_of, street_of
from algorithm_repo.evaluation.suite import Clip, TruthEvent
from contracts.algorithms import ALGORITHMS, Duration
from contracts.pool import Camera
from contracts.problems import UNFIT
from contracts.relations import did_you_mean, listed

ZOO = "zoo:"
_CLIP_KEYS = ("file", "camera", "algorithms", "slices", "truth", "model")
_TRUTH_KEYS = ("type", "zone", "start", "end")
_SECONDS: TypeAdapter[float] = TypeAdapter(Duration)


class Faults:
    """What is wrong with one file, and what looks odd; `of_clip` writes the clip before each."""

    def __init__(self, place: str, found: list[str] | None = None, warned: list[str] | None = None) -> None:
        self.place = place
        self.found: list[str] = [] if found is None else found
        self.warned: list[str] = [] if warned is None else warned

    def of_clip(self, number: int, entry: object) -> Faults:
        """The same lists, for one clip."""
        file = entry.get("file") if isinstance(entry, dict) else None
        name = f" ({file})" if isinstance(file, str) else ""
        return Faults(f"{self.place}: clip {number}{name}", self.found, self.warned)

    def add(self, key: str, what: str, fix: str) -> None:
        self.found.append(f"{self._at(key)}: {what}; {fix}")

    def warn(self, key: str, what: str) -> None:
        self.warned.append(f"{self._at(key)}: {what}")

    def _at(self, key: str) -> str:
        return f"{self.place}: {key}" if key else self.place


def clip_of(number: int, entry: object, faults: Faults) -> Clip | None:
    """The clip an entry describes; None where it has faults, which were told."""
    if not isinstance(entry, dict):
        faults.add("", "the entry is no mapping", "write file: and, below it, camera:, algorithms:, slices: and truth:")
        return None
    before = len(faults.found)
    unknown_keys(entry, _CLIP_KEYS, faults)
    file = _file(entry.get("file"), faults)
    if file is not None and file.startswith(STREET):
        entry = _rendered(file, faults) | entry
    truths = _truths(entry.get("truth"), faults)
    camera = _camera(entry, file or f"clip-{number}", truths, faults)
    model = entry.get("model")
    if model is not None and not isinstance(model, str):
        faults.add("model", "it is no text", "write the name of a detector, see `cityvision models list`")
    slices = _slices(entry.get("slices"), faults)
    if camera is None or len(faults.found) > before or file is None:
        return None
    events = [_placed(index, truth, camera, faults) for index, truth in enumerate(truths)]
    return Clip(number=number, file=file, camera=camera, slices=slices, truth=tuple(events), model=model)


def unknown_keys(entry: Mapping[Any, Any], known: tuple[str, ...], faults: Faults, at: str = "") -> None:
    """A key that looks like a known one is a fault; any other one is passed over, and said."""
    for key in entry:
        if key in known:
            continue
        meant = did_you_mean(str(key), known)
        if meant:
            faults.add(f"{at}{key}", f"there is no key {key!r} here{meant}", f"write one of {listed(known)}")
        else:
            faults.warn(f"{at}{key}", "this key is not known and was passed over")


def _file(value: object, faults: Faults) -> str | None:
    if not isinstance(value, str) or not value.strip():
        faults.add(
            "file", "no file is named", "write file: NAME.mp4 (in the suite's folder), zoo:NAME or street:KIND:SEED"
        )
        return None
    if value.startswith((ZOO, STREET)):
        return value
    path = PurePosixPath(value.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", value):
        faults.add("file", f"{value!r} leaves the suite's folder", "write a path below the folder, without ..")
        return None
    return str(path)


def _rendered(file: str, faults: Faults) -> dict[str, Any]:
    """What a scene knows of itself, for all that the entry leaves out."""
    try:
        return entry_of(street_of(file))
    except NotAStreet as error:
        faults.add("file", error.what, error.fix)
        return {}


def _slices(value: object, faults: Faults) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        faults.add("slices", "it is no list of names", "write e.g. slices: [night, rain]")
        return ()
    return tuple(dict.fromkeys(names))


def _truths(value: object, faults: Faults) -> list[TruthEvent]:
    entries = [] if value is None else value
    if not isinstance(entries, list):
        faults.add("truth", "it is no list", "write truth: [{type: …, zone: …, start: 12.5, end: 60}], or []")
        return []
    found = [_truth(f"truth[{index}]", entry, faults) for index, entry in enumerate(entries)]
    return [truth for truth in found if truth is not None]


def _truth(at: str, entry: object, faults: Faults) -> TruthEvent | None:
    if not isinstance(entry, dict):
        faults.add(at, "it is no mapping", "write {type: illegal_parking, zone: kerb, start: 12.5, end: 60}")
        return None
    unknown_keys(entry, _TRUTH_KEYS, faults, f"{at}.")
    kind, zone = entry.get("type"), entry.get("zone")
    if kind not in ALGORITHMS:
        what = "the type is missing" if kind is None else f"there is no event type {kind!r}"
        faults.add(f"{at}.type", what + did_you_mean(str(kind), ALGORITHMS), f"write one of {listed(ALGORITHMS, 20)}")
        return None
    if zone is not None and not isinstance(zone, str):
        faults.add(f"{at}.zone", "it is no text", "write the id of one of the camera's zones")
    start = _seconds(entry.get("start"), f"{at}.start", faults)
    end = None if entry.get("end") is None else _seconds(entry["end"], f"{at}.end", faults)
    if start is None or (end is None and entry.get("end") is not None):
        return None
    if end is not None and end < start:
        faults.add(f"{at}.end", f"it ends at {end:g} s, before it starts at {start:g} s", "write end: after start:")
        return None
    return TruthEvent(type=str(kind), zone=str(zone or ""), start=start, end=end)


def _seconds(value: object, at: str, faults: Faults) -> float | None:
    try:
        seconds = _SECONDS.validate_python(value)
    except ValidationError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        faults.add(at, "it is no moment of the clip", "write seconds of stream time from the clip's start, e.g. 12.5")
        return None
    return seconds


def _camera(entry: Mapping[str, Any], file: str, truths: list[TruthEvent], faults: Faults) -> Camera | None:
    given = entry.get("camera")
    if given is not None and not isinstance(given, dict):
        faults.add("camera", "it is no mapping", "write it as one camera of streams.yaml (docs/streams.md)")
        return None
    camera = dict(given or {})
    inside = "algorithms" not in entry and "algorithms" in camera
    named = _algorithms("camera.algorithms", camera.pop("algorithms", None), faults)
    algorithms = named | _algorithms("algorithms", entry.get("algorithms"), faults)
    for kind in dict.fromkeys(truth.type for truth in truths):
        if kind not in algorithms:
            faults.warn("algorithms", f"{kind} stands in truth: and not here: it runs with its defaults")
            algorithms[kind] = {}
    if not algorithms:
        faults.add("algorithms", "nothing watches this clip", f"write e.g. algorithms: {{{min(ALGORITHMS)}: {{}}}}")
        return None
    slug = re.sub(r"[^a-z0-9_-]+", "-", PurePosixPath(file.removeprefix(ZOO)).stem.lower()).strip("-_")[:60] or "clip"
    camera.setdefault("id", f"clip-{slug}" if slug.isdigit() else slug)
    camera.setdefault("name", str(camera["id"]))
    camera.setdefault("department", "evaluation")
    main = camera.setdefault("main", {"url": f"file:///{slug}"})
    camera["main"] = {"url": main} if isinstance(main, str) else main
    try:
        return Camera.model_validate(camera | {"algorithms": algorithms})
    except ValidationError as error:
        _told(error, inside, faults)
        return None


def _algorithms(at: str, value: object, faults: Faults) -> dict[str, Any]:
    if isinstance(value, list):
        value = {str(name): {} for name in value}
    if value is not None and not isinstance(value, dict):
        faults.add(at, "it is no mapping", "write TYPE: {} for the defaults, or TYPE: {dwell: 30s}")
        return {}
    return {kind: _known_parameters(f"{at}.{kind}", kind, given, faults) for kind, given in (value or {}).items()}


def _known_parameters(at: str, kind: str, given: object, faults: Faults) -> object:
    """The parameters that this version knows; a suite may come from elsewhere, and the rest of it is worth running."""
    if kind not in ALGORITHMS or not isinstance(given, dict):
        return given
    known = tuple(ALGORITHMS[kind].model_fields)
    unknown_keys(given, known, faults, f"{at}.")
    return {name: value for name, value in given.items() if name in known}


def _told(error: ValidationError, inside: bool, faults: Faults) -> None:
    """What the camera's own contract says, at the key where it stands in the clip."""
    for one in error.errors(include_url=False):
        steps: Iterable[str | int] = one["loc"]
        prefix = "" if one["loc"][:1] == ("algorithms",) and not inside else "camera"
        key = prefix
        for step in steps:
            key += f"[{step}]" if isinstance(step, int) else f".{step}" if key else str(step)
        context = one.get("ctx", {})
        if one["type"] == UNFIT:
            faults.add(key, context["what"], context["fix"])
        else:
            what = one["msg"][:1].lower() + one["msg"][1:]
            faults.add(key, what, "write it as in streams.yaml (docs/streams.md)")


def _placed(index: int, truth: TruthEvent, camera: Camera, faults: Faults) -> TruthEvent:
    """The truth at a zone that its algorithm watches; where only one can be meant, it need not be named."""
    kinds = ALGORITHMS[truth.type].zone_kinds
    if not kinds:
        return truth.model_copy(update={"zone": ""})
    named = camera.algorithms[truth.type].zones
    watched = [zone.id for zone in camera.zones if zone.kind in kinds and (named is None or zone.id in named)]
    if not truth.zone and len(watched) == 1:
        return truth.model_copy(update={"zone": watched[0]})
    if truth.zone not in watched:
        what = f"{truth.type} watches no zone {truth.zone!r}{did_you_mean(truth.zone, watched)}"
        faults.add(f"truth[{index}].zone", what, f"write one of {listed(watched)}, or add the zone to the camera")
    return truth
