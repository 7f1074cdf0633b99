"""What is sensed in a picture besides tracked objects: water, things left behind, the picture's own health, plates.

In-process like `contracts.vision`: plain frozen dataclasses, normalised coordinates, seconds of stream time. A sense
that was not asked for in a look is None, which is not the same as "nothing found".
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from contracts.records import NetworkUsed

ByteArray = NDArray[np.uint8]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class WaterMap:
    """Standing water as segmented in one picture.

    Attributes:
        probability: uint8 [h, w], 0..255, over the whole picture whatever its resolution.
    """

    probability: ByteArray


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something that stands still and does not belong to the scene as it was learnt.

    Attributes:
        number: names the thing as long as it is there; never reused for one camera.
        box: x1 y1 x2 y2, normalised.
        since: stream time at which it came, s.
        litter: probability that it is litter, 0..1, averaged over the looks so far.
    """

    number: int
    box: Box
    since: float
    litter: float


@dataclass(frozen=True, slots=True)
class BinReading:
    """One bin: `overflowing` is the probability, 0..1, that it overflows; `zone` is its zone's id."""

    zone: str
    overflowing: float


@dataclass(frozen=True, slots=True)
class PictureHealth:
    """What one picture says of its camera.

    Attributes:
        brightness: mean luma, 0..255.
        contrast: distance of the 5th and the 95th percentile of luma, 0..255.
        detail: fine structure in hundredths of the coarse; low in a blurred picture, not in a hazy one.
        usual_detail: what this camera usually shows by this (or the nearest known) brightness; None while unknown.
        changed: mean absolute difference to the previous picture, grey levels; 0.0 exactly: the same picture again;
            None for the first.
        recoded: it is the same again but for its coding: an encoder codes a picture that stands still anew with every
            keyframe. It differs by far less than this camera's pictures ever do, and nowhere by more.
        grainy: this camera's pictures usually differ all over, by its sensor's noise: standing still is not like it.
        likeness: share of the learnt scene's structure that is still where it was, 0..1; None while unknown.
        shift: how far the whole scene has moved, picture widths, where that can be told; else None.
        texture: coarse structure of the median part of the picture, grey levels; hardly any where the lens is covered.
        usual_texture: as for the detail.
        highlight: brightest luma that is more than a speck (and no text that the camera writes), 0..255.
    """

    brightness: float
    contrast: float
    detail: float
    usual_detail: float | None = None
    changed: float | None = None
    recoded: bool = False
    grainy: bool = False
    likeness: float | None = None
    shift: tuple[float, float] | None = None
    highlight: float = 255.0
    texture: float = 0.0
    usual_texture: float | None = None


@dataclass(frozen=True, slots=True)
class PlateRead:
    """One reading of one number plate.

    Attributes:
        vehicle: the box that was asked for, x1 y1 x2 y2, normalised.
        text: e.g. "浙A12345"; empty where no plate was found or it could not be read.
        score: of the reading, 0..1.
    """

    vehicle: Box
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Ask:
    """What a rule wants sensed in the next look, besides tracks."""

    water: bool = False
    leftovers: bool = False
    bins: bool = False
    health: bool = False
    plates: tuple[Box, ...] = ()

    def __or__(self, other: Ask) -> Ask:
        return Ask(
            self.water or other.water,
            self.leftovers or other.leftovers,
            self.bins or other.bins,
            self.health or other.health,
            (*self.plates, *other.plates),
        )

    @property
    def vital(self) -> frozenset[str]:
        """Names of the senses without which whoever asks this cannot judge; a number plate is only an addition."""
        senses = {"water": self.water, "litter": self.leftovers or self.bins}
        return frozenset(name for name, wanted in senses.items() if wanted)

    @property
    def roles(self) -> frozenset[str]:
        """Roles of the networks that answer it."""
        return self.vital | ({"plate_finder", "plate_reader"} if self.plates else frozenset())


NOTHING = Ask()


@dataclass(frozen=True, slots=True)
class Senses:
    """What was sensed in one look; None (plates: empty) where nobody asked, or where it could not be sensed.

    Attributes:
        failed: the senses that do not work at present, by name (`Ask.vital`), each with what is wrong.
        networks: those of the senses that are loaded, by role.
    """

    water: WaterMap | None = None
    leftovers: tuple[Leftover, ...] | None = None
    bins: tuple[BinReading, ...] | None = None
    health: PictureHealth | None = None
    plates: tuple[PlateRead, ...] = field(default=())
    failed: tuple[tuple[str, str], ...] = ()
    networks: tuple[NetworkUsed, ...] = ()


UNSENSED = Senses()
