"""Two backgrounds of one camera: what the scene has long looked like, and what it has looked like for seconds.

Where the second has settled on something else than the first, something came to rest (or went). Both are small
pictures of luma and chroma, kept in stream time: a place ages by the seconds in which it looked the same, whatever the
look rate.
Before it is compared, a picture is shifted onto the background (a mast that sways) and brought to its brightness and
contrast (exposure); what is left of either is forgiven where both have edges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.vision import ByteArray, Frame
from models.picture import shrink

WIDTH: Final = 320
Mask = NDArray[np.uint8]
Places = NDArray[np.bool_]

_TICKS = 10  # a second, of the clock by which places age
SETTLED_S = 4.0  # looked the same for this long: settled
_AGE_CAP_S = 6.0
_FORGET = 2  # a second of looking otherwise undoes this many of looking the same
_LONGEST_STEP_S = 6.0  # looks farther apart agree no better than this
_TOLERANCE = 5.0  # grey levels by which a place may waver and be the same
_WAVER = 2.5  # times the picture's own noise, on top
_THRESHOLD = 5.0  # grey levels by which the backgrounds differ where something came
_NOISE = 1.0  # times the picture's own noise, on top: both backgrounds are means of several looks
_EDGE = 0.5  # of the local contrast: forgiven for what alignment leaves
_CHROMA = 1.6  # chroma differs less than luma, and is quieter
_DARK, _BLACK = 70.0, 16.0  # grey levels: darker ground shows less of any contrast, down to nothing at black
_DARK_GAIN = 1.6  # at most: so much more do differences in the dark count
_WIDE = 61  # pixels: a brightening wider than this is light, nothing that came
_LIGHT = 24.0  # grey levels of light that are taken out locally
_BLEND_S = 6.0  # time constant of the short-term background, where it agrees
_LEARN_S = 90.0  # time constant of the long-term background
_CHANGED = 0.4  # of the picture: another scene (lights on, camera moved), learnt anew
_CONTRAST = 0.12  # changes of contrast and brightness (grey levels) that are left as they are
_BRIGHTNESS = 1.5
_GAINS = (0.45, 2.2)
_OUTLINE = 10.0  # grey levels (see `_edges`): the scene's own outlines
_CHANGED_OUTLINES = 0.45  # of them: the same
_LEAST_SHIFT, _SHAKE = 0.35, 6.0  # pixels
_SURE_SHIFT = 0.15  # response of the phase correlation
_ROUND = 1 << 16  # half seconds until times of birth wrap (9 h)
_AS_EVER, _HIDDEN, _OTHERWISE, _ANEW = range(4)  # the last: it looks otherwise, and the short-term background has that
_HIDING_S = 10.0  # what has come behind somebody who stood there no longer than this came with them


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What came out of one look.

    Attributes:
        foreign: uint8 [h, w], 255 where the settled picture differs from the long-term one.
        unsteady: uint8 [h, w], 255 where this look differs from the settled picture, or none has settled.
        shift: how far this picture lies from the background, pixels of it (x, y).
        relearnt: the scene had changed as a whole and is learnt anew.
    """

    foreign: Mask
    unsteady: Mask
    shift: tuple[float, float]
    relearnt: bool


class Backgrounds:
    """Of one camera. Mutable."""

    def __init__(self, height: int) -> None:
        shape, half = (height, WIDTH), (height // 2, WIDTH // 2, 2)
        self.time: float | None = None
        self.luma = np.zeros(shape, np.uint8)  # short-term
        self.chroma = np.zeros(half, np.uint8)
        self.long_luma = np.zeros(shape, np.float32)
        self.long_chroma = np.zeros(half, np.float32)
        self.age = np.zeros(shape, np.uint8)  # ticks
        self.born = np.zeros(
            shape, np.uint16
        )  # half seconds, wrapping: when it last looked like the scene, or began not to
        self.parted = np.zeros(shape, np.uint8)  # since `born`: _AS_EVER …
        self.known = np.zeros(shape, np.uint8)  # 255 where the long-term background has been learnt
        self._noise = 2.0
        self._carry = 0.0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return WIDTH, int(self.luma.shape[0])

    def look(self, luma: ByteArray, chroma: ByteArray, masked: Mask, held: Mask, time: float) -> Comparison:
        """One look, newer than the one before.

        Args:
            luma, chroma: see `small_planes`.
            masked: uint8 [h, w], 255 where something tracked is: nothing is learnt there.
            held: 255 where the long-term background must stay as it is (something lies there).
            time: stream time, s.
        """
        if self.time is None:
            self.luma = np.asarray(cv2.blur(luma, (3, 3)), np.uint8)
            self.chroma, self.time = chroma.copy(), time
            self.born[:] = _half_seconds(time)
            nothing = np.zeros_like(masked)
            return Comparison(nothing, nothing, (0.0, 0.0), relearnt=False)
        seconds = min(max(time - self.time, 0.0), _LONGEST_STEP_S)
        self.time = time
        luma = np.asarray(cv2.blur(luma, (3, 3)), np.uint8)
        shift, luma, chroma = self._aligned(luma, chroma, masked)
        luma, chroma = self._lit_alike(luma, chroma, masked)
        # First of all: what settles in this look is nowhere entered yet as a thing to be held.
        self._learn(masked, held, seconds)
        unsteady = self._settle(luma, chroma, masked, seconds, time)
        foreign = self._foreign()
        unsteady = _mask(cv2.bitwise_or(unsteady, cv2.bitwise_not(self._settled())))
        as_ever = cv2.bitwise_not(masked | unsteady | foreign)
        self.born[as_ever > 0] = _half_seconds(time)
        self.parted[as_ever > 0] = _AS_EVER
        relearnt = self._is_another_scene(foreign)
        if relearnt:
            self._forget()
            foreign[:] = 0
        return Comparison(foreign, unsteady, shift, relearnt)

    def absorb(self, mask: Mask) -> None:
        """What is settled in `mask` belongs to the scene from now on."""
        here = mask > 0
        self.long_luma[here] = self.luma[here]
        half = cv2.resize(mask, (WIDTH // 2, mask.shape[0] // 2), interpolation=cv2.INTER_AREA) > 0
        self.long_chroma[half] = self.chroma[half]

    def since(self, mask: NDArray[np.bool_], time: float) -> float:
        """When the places in `mask` began to look as they do, s of stream time: the median of them and of what else
        has parted from the scene there, for a thing settles in pieces, the first of them small."""
        around = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        parted = around & (self.parted >= _OTHERWISE)
        ago = (_half_seconds(time) - self.born[parted if parted.any() else mask].astype(np.int64)) % _ROUND
        return time - float(np.median(ago)) / 2 if len(ago) else time

    def _aligned(
        self, luma: ByteArray, chroma: ByteArray, masked: Mask
    ) -> tuple[tuple[float, float], ByteArray, ByteArray]:
        """The picture shifted onto the short-term background, where it is sure to lie elsewhere."""
        width, height = self.size
        half = (width // 2, height // 2)
        still = luma.copy()
        cv2.copyTo(self.luma, masked, still)
        now = cv2.resize(still, half, interpolation=cv2.INTER_AREA).astype(np.float32)
        then = cv2.resize(self.luma, half, interpolation=cv2.INTER_AREA).astype(np.float32)
        (dx, dy), response = cv2.phaseCorrelate(then, now, _window(half))
        dx, dy = 2 * dx, 2 * dy
        if response < _SURE_SHIFT or not _LEAST_SHIFT <= math.hypot(dx, dy) <= _SHAKE:
            return (0.0, 0.0), luma, chroma
        move = np.array([[1, 0, -dx], [0, 1, -dy]], np.float64)
        luma = np.asarray(cv2.warpAffine(luma, move, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)
        move[:, 2] /= 2
        chroma = np.asarray(cv2.warpAffine(chroma, move, half, borderMode=cv2.BORDER_REPLICATE), np.uint8)
        return (dx, dy), luma, chroma

    def _lit_alike(self, luma: ByteArray, chroma: ByteArray, masked: Mask) -> tuple[ByteArray, ByteArray]:
        """The picture in the brightness and contrast of the short-term background."""
        free = masked[2::6, 2::6] == 0
        if np.count_nonzero(free) < 100:
            return luma, chroma
        now, then = luma[2::6, 2::6][free].astype(np.float32), self.luma[2::6, 2::6][free].astype(np.float32)
        (low, high), (low_then, high_then) = _spread(now), _spread(then)
        gain = float(np.clip((high_then - low_then) / max(high - low, 4.0), *_GAINS)) if high - low > 12 else 1.0
        # Noise widens a picture's range and the background has less of it: only a true change of contrast is undone.
        gain = gain if abs(gain - 1) > _CONTRAST else 1.0
        offset = float(np.median(then - gain * now))
        if gain == 1.0 and abs(offset) < _BRIGHTNESS:
            return luma, chroma
        luma = np.clip(luma.astype(np.float32) * gain + offset, 0, 255).astype(np.uint8)
        if gain != 1.0:
            chroma = np.clip((chroma.astype(np.float32) - 128) * gain + 128, 0, 255).astype(np.uint8)
        return luma, chroma

    def _settle(self, luma: ByteArray, chroma: ByteArray, masked: Mask, seconds: float, time: float) -> Mask:
        """Ages every place that can be seen; those that have looked otherwise for long enough begin anew."""
        ticks = seconds * _TICKS + self._carry
        whole = int(ticks)
        self._carry = ticks - whole
        free = _mask(cv2.bitwise_not(masked))
        other = cv2.bitwise_and(self._unlike(luma, chroma, masked, seconds), free)
        same = _mask(cv2.bitwise_xor(free, other))
        settled = self._settled() > 0
        cv2.add(self.age, np.full_like(self.age, whole), dst=self.age, mask=same)
        np.minimum(self.age, int(_AGE_CAP_S * _TICKS), out=self.age)
        cv2.subtract(self.age, np.full_like(self.age, _FORGET * whole), dst=self.age, mask=other)
        anew = _mask(cv2.bitwise_and(other, cv2.bitwise_not(_above(self.age, 0))))
        share = 1 - math.exp(-seconds / _BLEND_S)
        cv2.copyTo(cv2.addWeighted(self.luma, 1 - share, luma, share, 0), same, self.luma)
        cv2.copyTo(luma, anew, self.luma)
        cv2.copyTo(cv2.addWeighted(self.chroma, 1 - share, chroma, share, 0), _half(same), self.chroma)
        cv2.copyTo(chroma, _half(anew), self.chroma)
        self._date(masked > 0, other > 0, anew > 0, settled, time)
        return _mask(other)

    def _date(self, hidden: Places, other: Places, anew: Places, settled: Places, time: float) -> None:
        """Notes which places part from the scene, and when: at the first look that shows it, or that hides it.

        The same at any look rate: what has come keeps its time until the place looks like the scene for good again,
        however often somebody's shadow crosses it or a box beside it covers it.
        """
        now, parted = _half_seconds(time), self.parted
        as_ever = parted == _AS_EVER
        long_hidden = (parted == _HIDDEN) & ((now - self.born.astype(np.int32)) % _ROUND > 2 * _HIDING_S)
        begins = as_ever | long_hidden | ((parted == _ANEW) & settled)
        self.born[(other & begins) | (hidden & as_ever)] = now
        parted[hidden & as_ever] = _HIDDEN
        parted[other & (begins | (parted == _HIDDEN))] = _OTHERWISE
        parted[anew] = _ANEW

    def _unlike(self, luma: ByteArray, chroma: ByteArray, masked: Mask, seconds: float) -> Mask:
        """255 where a picture differs from the short-term background by more than noise and edges explain."""
        difference = cv2.absdiff(luma, self.luma)
        sample = difference[2::6, 2::6][masked[2::6, 2::6] == 0]
        if len(sample):
            # 1.5 x the median is one standard deviation.
            self._noise += (min(1.5 * float(np.median(sample)), 12.0) - self._noise) * min(1.0, seconds / 10)
        tolerance = _TOLERANCE + _WAVER * self._noise
        difference = cv2.subtract(difference, cv2.min(_edges(self.luma), _edges(luma)))
        return _beyond(difference, cv2.absdiff(chroma, self.chroma), tolerance)

    def _settled(self) -> Mask:
        return _above(self.age, SETTLED_S * _TICKS - 1)

    def _foreign(self) -> Mask:
        """Where the settled picture differs from the long-term one; what has settled for the first time is learnt."""
        settled = self._settled()
        new = _mask(cv2.bitwise_and(settled, cv2.bitwise_not(self.known)))
        luma, chroma = self.luma.astype(np.float32), self.chroma.astype(np.float32)
        if cv2.countNonZero(new):
            self.known |= new
            cv2.copyTo(luma, new, self.long_luma)
            cv2.copyTo(chroma, _half(new), self.long_chroma)
        difference = np.asarray(cv2.subtract(luma, self.long_luma), np.float32)
        difference[self.known == 0] = 0.0
        away = cv2.convertScaleAbs(cv2.subtract(difference, _light(difference)))
        edges = cv2.min(_edges(self.luma), _edges(np.asarray(cv2.convertScaleAbs(self.long_luma), np.uint8)))
        colour = cv2.convertScaleAbs(cv2.subtract(chroma, self.long_chroma))
        standing_out = cv2.convertScaleAbs(np.float32(cv2.subtract(away, edges)) * self._dark_gain())
        found = _beyond(standing_out, colour, _THRESHOLD + _NOISE * self._noise)
        return _mask(cv2.bitwise_and(cv2.bitwise_and(found, settled), self.known))

    def _dark_gain(self) -> NDArray[np.float32]:
        """How much more a difference of luma counts at each place, 1.._DARK_GAIN."""
        light = np.asarray(cv2.blur(self.long_luma, (9, 9)), np.float32) - _BLACK
        gain = np.clip((_DARK - _BLACK) / np.maximum(light, 1.0), 1.0, _DARK_GAIN)
        return np.asarray(gain, np.float32)

    def _is_another_scene(self, foreign: Mask) -> bool:
        known = np.count_nonzero(self.known)
        if known < 0.5 * self.known.size:
            return False
        outlines = _above(_edges(np.asarray(cv2.convertScaleAbs(self.long_luma), np.uint8)), _OUTLINE)
        outlined = np.count_nonzero(outlines)
        moved = outlined > 100 and np.count_nonzero(cv2.bitwise_and(outlines, foreign)) > _CHANGED_OUTLINES * outlined
        return bool(moved or np.count_nonzero(foreign) > _CHANGED * known)

    def _forget(self) -> None:
        self.known[:] = 0

    def _learn(self, masked: Mask, held: Mask, seconds: float) -> None:
        """The long-term background follows the settled one, slowly."""
        share = 1 - math.exp(-seconds / _LEARN_S)
        settled = cv2.bitwise_and(self.known, self._settled())
        free = _mask(cv2.bitwise_and(settled, cv2.bitwise_not(cv2.bitwise_or(masked, held))))
        cv2.accumulateWeighted(self.luma, self.long_luma, share, free)
        cv2.accumulateWeighted(self.chroma, self.long_chroma, share, _half(free))

    def dump(self) -> dict[str, Any]:
        """See `pipeline.senses.memory`; the long-term background to whole grey levels."""
        return {
            "time": self.time,
            "luma": self.luma,
            "chroma": self.chroma,
            "long_luma": np.rint(self.long_luma).astype(np.uint8),
            "long_chroma": np.rint(self.long_chroma).astype(np.uint8),
            "age": self.age,
            "born": self.born,
            "known": self.known,
            "noise": self._noise,
        }

    @staticmethod
    def load(data: dict[str, Any]) -> Backgrounds:
        """Inverse of `dump`. Raises ValueError, KeyError or TypeError when the data is of another shape."""
        one = Backgrounds(int(data["luma"].shape[0]))
        for name in ("luma", "chroma", "long_luma", "long_chroma", "age", "born", "known"):
            mine, found = getattr(one, name), data[name]
            if found.shape != mine.shape:
                raise ValueError(f"backgrounds: {name} is {found.shape}, not {mine.shape}")
            setattr(one, name, found.astype(mine.dtype))
        one.time, one._noise = float(data["time"]), float(data["noise"])
        return one


def small_planes(frame: Frame) -> tuple[ByteArray, ByteArray]:
    """Luma uint8 [h, 320] and chroma uint8 [h/2, 160, 2] of a frame; h follows its proportions."""
    height = small_height(frame.aspect)
    half = (WIDTH // 2, height // 2)
    return shrink(frame.y, (WIDTH, height)), cv2.merge([shrink(frame.u, half), shrink(frame.v, half)])  # type: ignore[return-value]


def small_height(aspect: float) -> int:
    """Of the small picture: even, about in proportion."""
    return max(2 * round(WIDTH / aspect / 2), 32)


def _half_seconds(time: float) -> int:
    return int(time * 2) % _ROUND


def _edges(luma: ByteArray) -> ByteArray:
    """Local contrast that is forgiven, uint8 grey levels."""
    gradient = cv2.morphologyEx(luma, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.convertScaleAbs(gradient, alpha=_EDGE), np.uint8)


def _spread(values: NDArray[np.float32]) -> tuple[float, float]:
    """The 20th and the 80th percentile."""
    ordered = np.sort(values)
    return float(ordered[len(ordered) // 5]), float(ordered[len(ordered) * 4 // 5])


def _beyond(luma: Any, chroma: Any, tolerance: float) -> Mask:
    """255 where luma [h, w] or chroma [h/2, w/2, 2] differ by more than the tolerance."""
    first, second = cv2.split(chroma)
    colour = _above(cv2.max(first, second), tolerance / _CHROMA)
    wide = cv2.resize(colour, (luma.shape[1], luma.shape[0]), interpolation=cv2.INTER_NEAREST)
    return _mask(cv2.bitwise_or(_above(luma, tolerance), wide))


def _light(difference: NDArray[np.float32]) -> Any:
    """What of a difference is wide and smooth: light."""
    height, width = difference.shape
    small = cv2.resize(difference, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    smooth = cv2.blur(np.clip(small, -_LIGHT, _LIGHT), (_WIDE // 4, _WIDE // 4))
    return cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR)


def _above(values: Any, least: float) -> Mask:
    """255 where bytes are above `least`."""
    return np.asarray(cv2.threshold(values, least, 255, cv2.THRESH_BINARY)[1], np.uint8)


def _mask(found: Any) -> Mask:
    return np.asarray(found, np.uint8)


def _half(mask: Mask) -> Mask:
    return np.ascontiguousarray(mask[::2, ::2])


_WINDOWS: dict[tuple[int, int], NDArray[np.float32]] = {}


def _window(size: tuple[int, int]) -> NDArray[np.float32]:
    if size not in _WINDOWS:
        _WINDOWS[size] = np.asarray(cv2.createHanningWindow(size, cv2.CV_32F), np.float32)
    return _WINDOWS[size]
