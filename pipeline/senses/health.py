"""The picture's own health: is it black, blown out, blurred, the same again, or of another scene than the one learnt?

Cheap enough for every look (a few tenths of a millisecond): everything is measured on one small luma picture. Judging
is the rule's (`pipeline.rules.camera_health`); here is only measuring, and learning what the camera usually shows.
"""

from __future__ import annotations

import zlib
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.senses import PictureHealth
from contracts.vision import ByteArray, Frame
from pipeline.senses.register import Registration, register
from pipeline.senses.scenery import HEIGHT, WIDTH, Scenery, structure_of

_WIDTH, _HEIGHT = 2 * WIDTH, 2 * HEIGHT
_VALUES = np.arange(256)
_TO_FULL = np.clip(np.round((_VALUES - 16) * 255 / 219), 0, 255).astype(np.uint8)
_OVERLAY = HEIGHT // 8  # rows above and below in which cameras write their clock and name
_ROWS = 16  # of the full picture, every so many are compared for "the very same picture"
_LEVELS = 8  # of brightness, each with a usual detail of its own
_TRUSTED_S, _TRUSTED_LOOKS = 6.0, 3  # from then on the usual detail of a level is known
_USUAL_TAU_S = 120.0
_STILL_ITSELF = 0.7  # of the usual detail and texture: what shows less teaches nothing
_LONGEST_STEP_S = 10.0
# The grain of a picture is what most of it differs from the one before by: sensor noise and coding. Measured: 0.7 .. 5
# grey levels on three real streets and on simulated ones, 0 .. 0.8 and an eighth of before once they stood still.
_RECODED = 0.25  # of the usual grain
_LEAST_GRAIN = 0.5  # grey levels; cameras whose pictures differ by less tell nothing this way
_RECODED_MOST = 5.0  # in no block by more grey levels than this: nothing moves
ELSEWHERE = 0.5  # likeness below which the view is another one
_SURE = 0.8  # likeness of a picture that is worth keeping
_PICTURE_S, _REGISTER_S = 60.0, 10.0
_LOOK_CLOSER = 0.8  # likeness below which the whole scene may have moved


class HealthMemory:
    """What one camera usually shows, at one preset. Mutable; belongs to the compute thread.

    Attributes:
        scenery: the edges that are always there.
        elsewhere: the newest picture does not show the scene that was learnt, or shows it at another place.
        registration: where the learnt scene has moved to, as far as that can be told; None while it has not.
    """

    def __init__(self) -> None:
        self.scenery = Scenery()
        self._time: float | None = None
        self._small: ByteArray | None = None
        self._sum = 0
        self.elsewhere = False
        self.registration: Registration | None = None
        self._picture: ByteArray | None = None  # of the scene as it was learnt
        self._pictured, self._registered = float("-inf"), float("-inf")
        self._mean = np.zeros((_LEVELS, 2), np.float32)
        self._seconds = np.zeros(_LEVELS, np.float32)
        self._looks = np.zeros(_LEVELS, np.int32)
        self._grain = 0.0  # usual one; 0: not known yet

    def sense(self, frame: Frame) -> PictureHealth:
        """What this picture says, against what was learnt from those before; learns from it where it is itself.

        A picture that is not younger than the last one is measured and forgotten.
        """
        small = _small(frame)
        step = 0.0 if self._time is None else frame.time - self._time
        half = np.asarray(cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
        brightness, contrast, highlight = _spread(half)
        detail, texture = _structure(small, half)
        level = min(_LEVELS - 1, int(brightness * _LEVELS / 256))
        usual = self._usual(level)
        structure = structure_of(half)
        likeness = self.scenery.likeness(structure, brightness)
        shift = None
        if likeness is not None and likeness < _LOOK_CLOSER:
            shift = self.scenery.shift(structure, brightness)
        self.elsewhere = likeness is not None and (likeness < ELSEWHERE or shift is not None)
        self._register(small, frame.time, likeness)
        changed, recoded = self._changed(frame, small)
        health = PictureHealth(
            brightness=brightness,
            contrast=contrast,
            detail=detail,
            usual_detail=None if usual is None else float(usual[0]),
            changed=changed,
            recoded=recoded,
            grainy=self._grain >= _LEAST_GRAIN,
            likeness=likeness,
            shift=shift,
            highlight=highlight,
            texture=texture,
            usual_texture=None if usual is None else float(usual[1]),
        )
        if self._time is None or step > 0:
            seconds = min(step, _LONGEST_STEP_S)
            measured = np.array((detail, texture), np.float32)
            if shift is None and (usual is None or bool(np.all(measured > _STILL_ITSELF * usual))):
                self.scenery.learn(structure, brightness, seconds, likeness)
                self._learn_usual(level, measured, seconds)
            self._time = frame.time
        return health

    def accept(self) -> None:
        """Somebody says that the view is right as it is (the zones were drawn again): a moved scene is learnt anew."""
        if self.elsewhere:
            self.scenery = Scenery()
            self._seconds[:] = 0
            self._looks[:] = 0
            self.elsewhere, self.registration, self._picture = False, None, None

    def _register(self, small: ByteArray, time: float, likeness: float | None) -> None:
        """Keeps a picture of the scene while it is there; looks where it went when it is not, now and then."""
        if not self.elsewhere:
            self.registration = None
            if likeness is not None and likeness >= _SURE and not 0 <= time - self._pictured < _PICTURE_S:
                self._picture, self._pictured = small, time
        elif self._picture is not None and not 0 <= time - self._registered < _REGISTER_S:
            self._registered = time
            self.registration = register(self._picture, small) or self.registration

    def _changed(self, frame: Frame, small: ByteArray) -> tuple[float | None, bool]:
        """`PictureHealth.changed` and `recoded`. 0.0 only where rows of the full picture are the same bit for bit."""
        before, before_sum = self._small, self._sum
        self._small, self._sum = small, zlib.crc32(frame.y[_ROWS // 2 :: _ROWS].tobytes())
        if before is None:
            return None, False
        if self._sum == before_sum and np.array_equal(before, small):
            return 0.0, False
        difference = cv2.absdiff(before, small)
        blocks = cv2.resize(difference.astype(np.float32), (32, 18), interpolation=cv2.INTER_AREA)
        grain = float(np.median(blocks))
        known = self._grain >= _LEAST_GRAIN
        recoded = known and grain < _RECODED * self._grain and float(blocks.max()) < _RECODED_MOST
        if not recoded:
            self._grain += (grain - self._grain) * (0.2 if self._grain else 1.0)
        return max(float(difference.mean()), 1e-3), recoded

    def _usual(self, level: int) -> NDArray[np.float32] | None:
        """Usual detail and texture by this brightness, or by the nearest that is known, or by all looks together."""
        known = np.flatnonzero((self._seconds >= _TRUSTED_S) & (self._looks >= _TRUSTED_LOOKS))
        if len(known):
            return np.array(self._mean[known[np.argmin(np.abs(known - level))]])
        if self._seconds.sum() < _TRUSTED_S or self._looks.sum() < _TRUSTED_LOOKS:
            return None
        return np.asarray(np.average(self._mean, axis=0, weights=self._looks), np.float32)

    def _learn_usual(self, level: int, measured: NDArray[np.float32], seconds: float) -> None:
        self._looks[level] += 1
        self._seconds[level] += seconds
        rate = max(1.0 / float(self._looks[level]), 1.0 - float(np.exp(-seconds / _USUAL_TAU_S)))
        self._mean[level] += np.float32(rate) * (measured - self._mean[level])

    def dump(self) -> dict[str, Any]:
        """JSON-able values and small arrays, without the newest picture: a restart begins with `changed` None."""
        return {
            "time": self._time,
            "elsewhere": self.elsewhere,
            "picture": self._picture,
            "usual": self._mean,
            "seconds": self._seconds,
            "looks": self._looks,
            "grain": self._grain,
            "scenery": self.scenery.dump(),
        }

    @staticmethod
    def load(data: dict[str, Any]) -> HealthMemory:
        """Inverse of `dump`. Raises ValueError, KeyError or TypeError when the data is of another shape."""
        memory = HealthMemory()
        memory._mean = np.asarray(data["usual"], np.float32).reshape(_LEVELS, 2).copy()
        memory._seconds = np.asarray(data["seconds"], np.float32).reshape(_LEVELS).copy()
        memory._looks = np.asarray(data["looks"], np.int32).reshape(_LEVELS).copy()
        memory._grain = float(data["grain"])
        memory._time = None if data["time"] is None else float(data["time"])
        memory.elsewhere = bool(data["elsewhere"])
        picture = data["picture"]
        memory._picture = None if picture is None else np.asarray(picture, np.uint8).reshape(_HEIGHT, _WIDTH)
        memory.scenery = Scenery.load(data["scenery"])
        return memory


def _small(frame: Frame) -> ByteArray:
    """Full-range luma, uint8 [180, 320]."""
    small = np.asarray(cv2.resize(frame.y, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_LINEAR), np.uint8)
    return small if frame.full_range else np.asarray(cv2.LUT(small, _TO_FULL), np.uint8)


def _spread(luma: ByteArray) -> tuple[float, float, float]:
    """Mean; distance of the 5th and the 95th percentile; the highest between overlays that is more than a speck."""
    counts = np.bincount(luma.ravel(), minlength=256)
    low, high = np.searchsorted(np.cumsum(counts), np.array((0.05, 0.95)) * luma.size).tolist()
    middle = luma[_OVERLAY:-_OVERLAY]
    highest = np.searchsorted(np.cumsum(np.bincount(middle.ravel(), minlength=256)), 0.999 * middle.size)
    return float(counts @ _VALUES) / luma.size, float(high - low), float(highest)


def _structure(small: ByteArray, half: ByteArray) -> tuple[float, float]:
    """Detail and texture, see `PictureHealth`; both without what noise alone makes.

    Fine is what a 3x3 mean takes away, coarse what a mean over a twentieth of the picture's width takes away; of every
    block of 16 x 9 its energy. What the flattest fifth of the blocks show in the fine is noise. Blur takes the fine and
    leaves the coarse, haze takes both alike.
    """
    fine, coarse = _energy(small, 3), _energy(half, 9)
    noise = float(np.partition(fine, fine.size // 5, axis=None)[fine.size // 5])
    detail = 100.0 * max(0.0, float(fine.mean()) - noise) ** 0.5 / (float(coarse.mean()) ** 0.5 + 1.0)
    return detail, float(np.partition(coarse, coarse.size // 2, axis=None)[coarse.size // 2]) ** 0.5


def _energy(luma: ByteArray, size: int) -> NDArray[np.float32]:
    """Mean square of what a mean over `size` pixels takes away, by block: float32 [9, 16]."""
    taken = cv2.subtract(luma, cv2.blur(luma, (size, size)), dtype=cv2.CV_32F)
    blocks = cv2.resize(cv2.multiply(taken, taken), (16, 9), interpolation=cv2.INTER_AREA)
    return np.asarray(blocks, np.float32)
