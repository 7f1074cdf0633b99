"""The loop's cameras: real photos of floods as fixed cameras see such places, and a dry street that is real, too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from algorithm_repo.datasets.photos import mask_of, outlines_of
from algorithm_repo.datasets.pictures import ByteArray, Read, decode
from algorithm_repo.datasets.types import Item, Polygon
from cityvision.loop.data import LABEL
from cityvision.loop.types import ALGORITHM
from models.zoo import Zoo
from simulator.rtsp.clips import Encoding, encode_clip, encode_pictures, servable

_DRY = "residential_street"
_WIDTH, _FPS, _SECONDS = 640, 4.0, 10.0
_NOISE = 2.0  # of a real camera's picture, in grey values; one that shows no noise at all is taken for frozen
_WHOLE = [[0.01, 0.01], [0.99, 0.01], [0.99, 0.99], [0.01, 0.99]]
_RULE = {"look_every": 1, "hold": 6, "clear_hold": 6}


@dataclass(frozen=True, slots=True)
class LoopCamera:
    """Attributes:
    id: in the pool.
    clip: what it plays over and over.
    water: where there is water, by the photo's own mask; none: it is dry.
    """

    id: str
    clip: Path
    water: tuple[Polygon, ...]


def cameras(folder: Path, photos: Sequence[Item], read: Read, zoo: Zoo, seed: int) -> list[LoopCamera]:
    """A camera for each photo, and the dry one. Clips that are there already are taken as they are.

    Raises:
        ModelMissing: the dry street's clip cannot be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for number, photo in enumerate(photos, 1):
        clip = folder / f"{photo.content[:16]}.mp4"
        picture = _even(decode(read(photo.content)))
        if not clip.is_file():
            height, width = picture.shape[:2]
            encode_pictures(clip, _noisy(picture, seed + number), _encoding((width, height)))
        mask = mask_of(photo, read)
        found.append(LoopCamera(f"underpass-{number}", clip, () if mask is None else outlines_of(mask, LABEL)))
    dry = folder / "dry.mp4"
    if not dry.is_file():
        source = servable(zoo.fetch(_DRY)[0], zoo.cache / "servable")
        encode_clip(source, dry, _encoding((_WIDTH, 360)), seconds=_SECONDS)
    return [*found, LoopCamera("street-1", dry, ())]


def pool_text(urls: Mapping[str, str]) -> str:
    """The cameras' pool file, each with the whole picture for a zone.

    Args:
        urls: by camera.
    """
    entries = [
        {
            "id": name,
            "name": name,
            "department": "water",
            "main": {"url": url},
            "zones": [{"id": "road", "name": "road", "kind": "road", "polygon": _WHOLE}],
            "algorithms": {ALGORITHM: _RULE},
        }
        for name, url in urls.items()
    ]
    return json.dumps({"version": 1, "departments": [{"id": "water", "name": "水务局"}], "cameras": entries})


def _encoding(size: tuple[int, int]) -> Encoding:
    return Encoding(size, _FPS, gop=round(_FPS), preset="veryfast", extra="crf=20:threads=1")


def _even(picture: ByteArray) -> ByteArray:
    height = round(picture.shape[0] * _WIDTH / picture.shape[1] / 2) * 2
    return np.asarray(cv2.resize(picture, (_WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)


def _noisy(picture: ByteArray, seed: int) -> Iterator[ByteArray]:
    draw = np.random.default_rng(seed)
    for _ in range(round(_FPS * _SECONDS)):
        yield np.asarray(np.clip(picture + draw.normal(0, _NOISE, picture.shape), 0, 255), np.uint8)
