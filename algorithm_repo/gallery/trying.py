"""Tries an algorithm on one picture or clip. Needs no services, and runs in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pydantic import ValidationError

from algorithm_repo.datasets.pictures import decode
from algorithm_repo.evaluation.pictures import Marked, OpeningPictures, drawn, reduced
from algorithm_repo.gallery.types import LONGEST_CLIP_S, ON_A_PICTURE, Lent, RaisedEvent, SeenObject, Trial, TrialAnswer
from contracts.algorithms import ALGORITHMS, HEALTH
from contracts.errors import ConfigError, StreamCorrupt
from contracts.geometry import foot_points, points_in_polygon
from contracts.live import BUILT_IN_DETECTOR
from contracts.pool import Camera
from contracts.records import Event, Transition
from contracts.vision import VEHICLES, ByteArray, Detections, Frame, ObjectClass
from models.classifier import CropClassifier
from models.detector import Detector, load_detector
from models.picture import frame_from_bgr
from models.segmenter import WaterSegmenter
from models.served import load_served
from models.zoo import Artefact, Zoo
from pipeline.replay import Progress, replay
from pipeline.senses.engine import Sensing
from pipeline.senses.water import WaterSense
from store.memory_files import in_memory

_ZONE = "zone"
_SHOWN = 4  # opening pictures of a clip
_WATER = 128  # of 255: probability from which a place is shown as water
_LEAST_SCORE = 0.3
_BLUE = np.array([230, 140, 30], np.float32)
_T = ("dwell", "hold")


@dataclass(frozen=True, slots=True)
class _Networks:
    """What trials are made with: as production runs it."""

    detector: Detector
    sensing: Sensing
    water: WaterSense


class Trier:
    """With what is on this machine.

    Args:
        model: detector of the zoo; the built-in one where it is not at hand.
        cache, mirror: see `models.zoo.Zoo`.
    """

    def __init__(self, model: str, cache: Path | None, mirror: Path | None) -> None:
        self._model = model
        self._zoo = Zoo(cache=cache, mirror=mirror)
        self._with: tuple[tuple[Lent, ...], _Networks] | None = None

    def answer(self, trial: Trial, lent: tuple[Lent, ...], data: bytes) -> tuple[TrialAnswer, list[bytes]]:
        """What the algorithm says, and pictures (JPEG) that show it.

        Args:
            trial: what is to be tried.
            lent: networks that production runs in place of what the installation names, at hand in the zoo's cache.
            data: the picture or clip.

        Raises:
            ConfigError: there is no such algorithm, it cannot be tried like this, or the zone does not fit.
            StreamCorrupt: picture or clip cannot be decoded, or the clip is too long.
            ModelMissing, RunnerError: a network cannot be had, or inference failed.
        """
        if trial.algorithm not in ALGORITHMS:
            raise ConfigError(f"there is no algorithm {trial.algorithm!r}", "see GET /api/gallery")
        camera = camera_of(trial)
        mine = self._networks(lent)
        if trial.kind == "clip":
            return self._on_clip(trial, camera, mine, data)
        return self._on_picture(trial, camera, mine, data)

    def _networks(self, lent: tuple[Lent, ...]) -> _Networks:
        """Loaded once, until production has others."""
        if self._with is None or self._with[0] != lent:
            zoo = self._zoo.including({one.name: Artefact.model_validate_json(one.entry) for one in lent})
            sensing, water, detector = Sensing(self._zoo), WaterSense.of(self._zoo), None
            for one in lent:
                reader = load_served(one.role, one.name, zoo)
                if not isinstance(reader, WaterSegmenter | CropClassifier):
                    detector = reader
                    continue
                sensing.switch(one.role, reader)
                if isinstance(reader, WaterSegmenter):
                    water.put(reader)
            if detector is None:
                name = self._model if self._zoo.at_hand(self._model) else BUILT_IN_DETECTOR
                detector = load_detector(name, self._zoo)
            self._with = lent, _Networks(detector, sensing, water)
        return self._with[1]

    def _on_picture(
        self, trial: Trial, camera: Camera, mine: _Networks, data: bytes
    ) -> tuple[TrialAnswer, list[bytes]]:
        if trial.algorithm not in ON_A_PICTURE:
            raise ConfigError(f"{trial.algorithm} compares pictures", "send a clip")
        try:
            bgr = decode(data)
        except ValueError as error:
            raise StreamCorrupt(f"the picture cannot be decoded: {error}", "send another one, or it smaller") from error
        even = np.ascontiguousarray(bgr[: bgr.shape[0] // 2 * 2, : bgr.shape[1] // 2 * 2])
        if min(even.shape[:2]) < 16:
            raise StreamCorrupt("the picture is too small")
        frame = frame_from_bgr(np.asarray(even, np.uint8))
        small = reduced(frame)
        if trial.algorithm == "waterlogging":
            network, share, shown = _water(mine.water, frame, small, trial)
            answer = TrialAnswer(
                algorithm=trial.algorithm, kind="picture", networks=(network,), looks=1, water_share=share
            )
            return _with(answer, [drawn(shown, camera, _ZONE, ())])
        found = mine.detector.detect_frames([frame], _LEAST_SCORE)[0]
        wanted = {ObjectClass.PERSON} if trial.algorithm == "crowding" else VEHICLES
        rows = [row for row in np.argsort(-found.scores).tolist() if int(found.classes[row]) in wanted]
        seen = _seen(found, rows, trial)
        answer = TrialAnswer(
            algorithm=trial.algorithm, kind="picture", networks=(mine.detector.name,), looks=1, seen=seen
        )
        marks = tuple(Marked(one.box, f"{one.what} {one.score:.2f}", subject=one.in_zone) for one in seen)
        return _with(answer, [drawn(small, camera, _ZONE, marks)])

    def _on_clip(self, trial: Trial, camera: Camera, mine: _Networks, data: bytes) -> tuple[TrialAnswer, list[bytes]]:
        pictures = OpeningPictures()
        watched = Progress(0.0, 0)

        def on_progress(now: Progress) -> None:
            nonlocal watched
            watched = now
            if now.time > LONGEST_CLIP_S:
                raise StreamCorrupt(f"the clip is longer than {LONGEST_CLIP_S:.0f} s", "cut out the part that matters")

        with in_memory(data) as path:
            told = list(replay(path, camera, mine.detector, mine.sensing, lambda _: pictures, on_progress=on_progress))
        if watched.looks == 0:
            raise StreamCorrupt("no picture of the clip could be decoded")
        events, shown = _raised(told, trial.algorithm, pictures, camera)
        answer = TrialAnswer(
            algorithm=trial.algorithm,
            kind="clip",
            networks=_networks(told) or (mine.detector.name,),
            seconds=round(watched.time, 1),
            looks=watched.looks,
            events=events,
        )
        return _with(answer, shown)


def camera_of(trial: Trial) -> Camera:
    """A camera that has the one zone and runs the one algorithm.

    Raises:
        ConfigError: the polygon is none, or the algorithm's zones need more than one.
    """
    parameters = ALGORITHMS[trial.algorithm]
    asked: dict[str, Any] = {name: trial.after_s for name in _T if name in parameters.model_fields}
    if "max_people" in parameters.model_fields:
        asked["max_people"] = trial.people
    zones: list[dict[str, Any]] = []
    if parameters.zone_kinds:
        kind = "no_parking" if "no_parking" in parameters.zone_kinds else sorted(parameters.zone_kinds - {"bin"})[0]
        zones = [{"id": _ZONE, "kind": kind, "polygon": [list(corner) for corner in trial.polygon]}]
    try:
        return Camera.model_validate(
            {
                "id": "trial",
                "name": "trial",
                "department": "trial",
                "main": {"url": "file:///trial"},
                "zones": zones,
                "algorithms": {HEALTH: {"enabled": False}} | {trial.algorithm: asked},
            }
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        what = f"{trial.algorithm} cannot be tried so: {where}: {first['msg']}"
        raise ConfigError(what, "send another zone") from error


def _water(water: WaterSense, frame: Frame, small: ByteArray, trial: Trial) -> tuple[str, float, ByteArray]:
    """The network, the share of the zone under water, and the picture with the water in colour."""
    probability = water.sense([frame])[0].probability
    rows, columns = probability.shape
    zone = np.zeros((rows, columns), np.uint8)
    corners = np.round(np.array(trial.polygon) * (columns, rows)).astype(np.int32)
    cv2.fillPoly(zone, [corners], 1)
    wet = probability >= _WATER
    inside = zone > 0
    share = float((wet & inside).sum() / max(int(inside.sum()), 1))
    mask = cv2.resize(wet.astype(np.uint8), (small.shape[1], small.shape[0]), interpolation=cv2.INTER_NEAREST) > 0
    shown = small.astype(np.float32)
    shown[mask] = 0.5 * shown[mask] + 0.5 * _BLUE
    network = water.loaded
    return (network.name if network else ""), round(share, 4), shown.astype(np.uint8)


def _seen(found: Detections, rows: list[int], trial: Trial) -> tuple[SeenObject, ...]:
    polygon = np.array(trial.polygon, np.float64)
    inside = points_in_polygon(foot_points(found.boxes), polygon) if len(found.boxes) else np.zeros(0, np.bool_)
    return tuple(
        SeenObject(
            what=ObjectClass(int(found.classes[row])).name.lower(),
            score=round(float(found.scores[row]), 3),
            box=_box(found.boxes[row].tolist()),
            in_zone=bool(inside[row]),
        )
        for row in rows
    )


def _box(values: list[float]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (round(min(max(value, 0.0), 1.0), 4) for value in values)
    return x1, y1, x2, y2


def _raised(
    told: list[Event], algorithm: str, pictures: OpeningPictures, camera: Camera
) -> tuple[tuple[RaisedEvent, ...], list[bytes]]:
    """The events, each by its opening and its end, and pictures of the first ones."""
    events: list[RaisedEvent] = []
    shown: list[bytes] = []
    ends = {event.id: event.ended_utc for event in told if event.transition is Transition.CLOSED}
    for event in told:
        if event.type != algorithm or event.transition is not Transition.OPENED:
            continue
        picture = None
        kept = pictures.by_event.get(event.id)
        if kept is not None and len(shown) < _SHOWN:
            box = event.subject.box
            marks = () if box is None else (Marked(box, algorithm, subject=True),)
            picture = len(shown)
            shown.append(drawn(kept, camera, _ZONE, marks))
        events.append(
            RaisedEvent(
                type=event.type,
                started=round(event.started_utc, 2),  # replays begin at 1970
                opened=round(event.utc, 2),
                ended=ends.get(event.id),
                confidence=event.confidence,
                reason=dict(event.reason),
                picture=picture,
            )
        )
    return tuple(events), shown


def _networks(told: list[Event]) -> tuple[str, ...]:
    """What the events rest on."""
    return tuple(dict.fromkeys(one.name for event in told for one in event.provenance.networks))


def _with(answer: TrialAnswer, pictures: list[bytes]) -> tuple[TrialAnswer, list[bytes]]:
    return answer.model_copy(update={"pictures": tuple(len(one) for one in pictures)}), pictures
