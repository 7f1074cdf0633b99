"""Number plates: finding one on a vehicle, and reading it.

Two networks. The finder was made for barrier cameras that show whole scenes, so it is shown a wide region in which
the vehicle fills about half; at full frame it misses the plate. The reader returns characters without a score, so a
plate is read several times from slightly different cuts: the share of cuts that agree is the score. On 703 real plates
at the reader's own resolution, full agreement is right in 98 % and 3 of 7 in 24 %.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.errors import ConfigError
from contracts.vision import ByteArray, Frame
from models.crops import region_bgr
from models.detector import open_runner
from models.runner import Runner
from models.zoo import PlateFinderSpec, PlateReaderSpec, Zoo

FINDER = "vehicle-license-plate-detection-barrier-0106"
READER = "license-plate-recognition-barrier-0007"

Box = tuple[float, float, float, float]

_ZOOMS = (1.8, 2.5)  # region's side in sides of the vehicle
_REGION_ASPECT = 16 / 9
_FOUND = 0.25
_LEAST_WIDTH = 48.0  # pixels of the source: below it, characters are guessed
_FULL_WIDTH = 80.0  # from here on the reader is as good as it gets
_TIGHT = (0.05, 0.3)  # the finder cuts into plates, most of all below: what is added to width and height
_BORDER = 0.25  # of the plate's sides, cut with it so that a shifted cut has something to show
_CUTS = ((0.0, 0.0, 1.0), (0.02, 0.0, 1.05), (-0.02, 0.0, 1.05), (0.0, 0.05, 0.97), (0.0, -0.05, 1.0))
_PROVINCES = "皖京渝闽甘粤桂贵琼冀黑豫港鄂湘蒙苏赣吉辽澳宁青陕鲁沪晋川津藏新云浙"
_PLATE = re.compile(rf"[{_PROVINCES}][A-HJ-NP-Z][A-HJ-NP-Z0-9]{{5,6}}")


@dataclass(frozen=True, slots=True)
class FoundPlate:
    """A plate on a vehicle.

    Attributes:
        box: x1 y1 x2 y2, normalised to the frame.
        score: the finder's, 0..1.
    """

    box: Box
    score: float


class PlateFinder:
    """Finds the plate of a vehicle. Stateless but for the runner.

    Attributes:
        name: the version's name, as provenance records it.
        sha256: of the weights.

    Raises:
        ConfigError: the model's shapes are not of this kind.
    """

    def __init__(self, runner: Runner, spec: PlateFinderSpec) -> None:
        self.name, self.sha256 = runner.name, runner.sha256
        self._runner = runner
        self._label = spec.label
        image, output = runner.inputs[0], runner.outputs[0]
        if len(image.shape) != 4 or image.shape[1] != 3 or output.shape[-1] != 7:
            raise ConfigError(f"{runner.name}: {image.shape} to {output.shape} is no plate finder")
        self._input, self._output = image.name, output.name
        self._size = (image.shape[3], image.shape[2])

    def find(self, frame: Frame, vehicle: Box) -> FoundPlate | None:
        """The plate whose middle lies on the vehicle, the surest one; None where there is none.

        Raises:
            RunnerError: inference failed.
        """
        regions = [_region(frame, vehicle, zoom) for zoom in _ZOOMS]
        pictures = [region_bgr(frame, region, self._size) for region in regions]
        batch = np.stack(pictures).transpose(0, 3, 1, 2).astype(np.float32)
        rows = self._runner.infer({self._input: np.ascontiguousarray(batch)})[self._output][:, 0]
        best: FoundPlate | None = None
        for (x1, y1, x2, y2), found in zip(regions, rows, strict=True):
            for _, label, score, a, b, c, d in found.tolist():
                if round(label) != self._label or score < _FOUND or c <= a or d <= b:
                    continue
                box = x1 + a * (x2 - x1), y1 + b * (y2 - y1), x1 + c * (x2 - x1), y1 + d * (y2 - y1)
                if _middle_on(box, vehicle) and (best is None or score > best.score):
                    best = FoundPlate(box, score)
        return best

    def close(self) -> None:
        """Closes the runner."""
        self._runner.close()


class PlateReader:
    """Reads a Chinese plate. Stateless but for the runner.

    Attributes:
        name: the version's name, as provenance records it.
        sha256: of the weights.

    Raises:
        ConfigError: the model's shapes are not of this kind.
    """

    def __init__(self, runner: Runner, spec: PlateReaderSpec) -> None:
        self.name, self.sha256 = runner.name, runner.sha256
        self._runner = runner
        self._alphabet = spec.alphabet
        image = runner.inputs[0]
        if len(image.shape) != 4 or image.shape[1] != 3 or len(runner.outputs[0].shape) != 2:
            raise ConfigError(f"{runner.name}: {image.shape} is no plate reader")
        self._input, self._output = image.name, runner.outputs[0].name
        self._size = (image.shape[3], image.shape[2])

    def read(self, frame: Frame, plate: Box) -> tuple[str, float]:
        """What a plate of the frame says, and how sure that is, 0..1; ("", 0.0) where it cannot be read.

        Raises:
            RunnerError: inference failed.
        """
        x1, y1, x2, y2 = plate
        pixels = (x2 - x1) * frame.width
        if pixels < _LEAST_WIDTH:
            return "", 0.0
        width, height = (x2 - x1) * (1 + _TIGHT[0]), (y2 - y1) * (1 + _TIGHT[1])
        half_x, half_y = width * (0.5 + _BORDER), height * (0.5 + _BORDER)
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        size = max(2, round(2 * half_x * frame.width)), max(2, round(2 * half_y * frame.height))
        picture = region_bgr(frame, (x - half_x, y - half_y, x + half_x, y + half_y), size)
        text, agreed = self.read_picture(picture, border=_BORDER)
        return text, round(agreed * min(1.0, (pixels - _LEAST_WIDTH / 2) / (_FULL_WIDTH - _LEAST_WIDTH / 2)), 4)

    def read_picture(self, bgr: ByteArray, border: float = 0.0) -> tuple[str, float]:
        """The same of a picture of the plate, uint8 [H, W, 3] BGR, with `border` of its sides around it."""
        cuts = np.stack([self._cut(bgr, border, *cut) for cut in _CUTS])
        rows = self._runner.infer({self._input: np.ascontiguousarray(cuts.transpose(0, 3, 1, 2), np.float32)})
        texts = [self._text(row) for row in rows[self._output]]
        text, votes = Counter(texts).most_common(1)[0]
        if votes == 1:
            text = texts[0]  # nothing agrees: the plain cut is as good as any
        return (text, votes / len(texts)) if _PLATE.fullmatch(text) else ("", 0.0)

    def _cut(self, bgr: ByteArray, border: float, dx: float, dy: float, scale: float) -> ByteArray:
        """The plate stretched to the input, moved by shares of its sides and enlarged by `scale` about its middle."""
        width, height = self._size
        rows, columns = bgr.shape[:2]
        sx, sy = scale * width * (1 + 2 * border) / columns, scale * height * (1 + 2 * border) / rows
        matrix = np.array(
            [
                [sx, 0, width * (0.5 + dx) - sx * columns / 2],
                [0, sy, height * (0.5 + dy) - sy * rows / 2],
            ]
        )
        cut = cv2.warpAffine(bgr, matrix, self._size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cut, np.uint8)

    def _text(self, row: NDArray[np.integer]) -> str:
        """Character numbers up to the first that is none (the model ends with -1)."""
        numbers = [int(value) for value in row]
        end = next((i for i, n in enumerate(numbers) if not 0 <= n < len(self._alphabet)), len(numbers))
        return "".join(self._alphabet[n] for n in numbers[:end])

    def close(self) -> None:
        """Closes the runner."""
        self._runner.close()


def load_plates(zoo: Zoo, *, triton_url: str | None = None, threads: int = 1) -> tuple[PlateFinder, PlateReader]:
    """Finder and reader of the zoo, ready to run; arguments and errors as of `models.detector.load_detector`."""
    runner = _open(zoo, READER, triton_url, threads)
    spec = zoo.artefact(READER).plate_reader
    if spec is None:
        raise ConfigError("the zoo's plate reader has no entry that says how to read it")
    return load_plate_finder(zoo, triton_url=triton_url, threads=threads), PlateReader(runner, spec)


def load_plate_finder(zoo: Zoo, *, triton_url: str | None = None, threads: int = 1) -> PlateFinder:
    """The finder alone; the same."""
    spec = zoo.artefact(FINDER).plate_finder
    if spec is None:
        raise ConfigError("the zoo's plate finder has no entry that says how to read it")
    return PlateFinder(_open(zoo, FINDER, triton_url, threads), spec)


def _open(zoo: Zoo, name: str, triton_url: str | None, threads: int) -> Runner:
    path = zoo.fetch(name)[0]
    return open_runner(name, zoo.artefact(name), path, triton_url=triton_url, threads=threads)


def _region(frame: Frame, vehicle: Box, zoom: float) -> Box:
    """A wide region around a vehicle, `zoom` times as large; it may leave the frame."""
    x1, y1, x2, y2 = vehicle
    height = zoom * max((x2 - x1) * frame.aspect / _REGION_ASPECT, y2 - y1)
    width = height * _REGION_ASPECT / frame.aspect
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _middle_on(plate: Box, vehicle: Sequence[float]) -> bool:
    x, y = (plate[0] + plate[2]) / 2, (plate[1] + plate[3]) / 2
    return vehicle[0] <= x <= vehicle[2] and vehicle[1] <= y <= vehicle[3]
