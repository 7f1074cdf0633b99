"""What the network takes for water where there is none: dark asphalt, an evening's shadow, a shiny manhole cover.

Learnt per cell and hour of the day (UTC) while nothing is going on, and subtracted from what is seen. Bounded twice: an
hour is believed only after half an hour of it, and all that is subtracted never makes up more than half of what would
be an event. So a flood that rises too slowly to be noticed is reported late, but it cannot teach itself to be dry.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from pipeline.rules.cells import CELLS, Floats, Mask, Reading
from pipeline.rules.packed import pack, pack_shares, unpack, unpack_shares

_FOLD_S = 300.0  # what is seen is gathered for this long before it changes a reference
_LEAST_S = 60.0  # less than this gathered in an hour is dropped
_BELIEVED_S = 1800.0
_SLOW_S = 7200.0  # watched seconds of that hour after which an old reference counts for a third
_OFTEN = 0.2  # a cell seen in less of the gathered time teaches nothing
BOUND = 0.5  # of `min_share`


@dataclass(frozen=True, slots=True)
class HourReference:
    """One hour of the day.

    Attributes:
        hour: 0..23, UTC.
        learnt_s: watched seconds in it.
        cells: share of each cell that looked wet; see `pack_shares`.
    """

    hour: int
    learnt_s: float
    cells: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """What has not changed a reference yet: seconds watched, and per cell seconds hidden and seconds wet (`pack`)."""

    hour: int
    watched_s: float = 0.0
    hidden_s: str = ""
    wet_s: str = ""


@dataclass(frozen=True, slots=True)
class DryReference:
    """What is known of one zone, by hour of the day."""

    hours: tuple[HourReference, ...] = ()
    gathered: Gathered | None = None


def hour_of(utc: float) -> int:
    """The hour of the day, UTC."""
    return int(utc // 3600) % 24


def expected(reference: DryReference, hour: int, weights: Floats, min_share: float) -> Floats:
    """How wet each cell looks when dry, float32 [CELLS]; all zeros while the hour is not known well enough."""
    known = next((one for one in reference.hours if one.hour == hour and one.learnt_s >= _BELIEVED_S), None)
    if known is None:
        return np.zeros(CELLS, np.float32)
    cells = unpack_shares(known.cells, CELLS)
    share, bound = float(weights @ cells), BOUND * min_share
    return cells if share <= bound else cells * np.float32(bound / share)


def learn(reference: DryReference, hour: int, watched: float, reading: Reading, doubtful: bool) -> DryReference:
    """The reference after `watched` more seconds that looked like `reading`.

    Args:
        doubtful: it may be the beginning of something: it is gathered and counts once that came to nothing.
    """
    gathered = reference.gathered
    if gathered is not None and gathered.hour != hour:
        reference = unlearn(reference) if doubtful else _folded(reference, gathered)
        gathered = None
    gathered = gathered or Gathered(hour)
    seconds = np.float32(watched)
    gathered = Gathered(
        hour,
        gathered.watched_s + watched,
        pack(unpack(gathered.hidden_s, CELLS) + np.where(reading.seen, np.float32(0), seconds)),
        pack(unpack(gathered.wet_s, CELLS) + seconds * reading.wet),
    )
    if doubtful or gathered.watched_s < _FOLD_S:
        return replace(reference, gathered=gathered)
    return _folded(reference, gathered)


def unlearn(reference: DryReference) -> DryReference:
    """It was an event: what was gathered just before was its beginning."""
    return replace(reference, gathered=None) if reference.gathered is not None else reference


def check(reference: DryReference) -> None:
    """Raises ValueError when packed values cannot be read."""
    for one in reference.hours:
        unpack_shares(one.cells, CELLS)
    if reference.gathered is not None:
        unpack(reference.gathered.hidden_s, CELLS)
        unpack(reference.gathered.wet_s, CELLS)


def _folded(reference: DryReference, gathered: Gathered) -> DryReference:
    """The mean so far at first, then a slowly moving one."""
    if gathered.watched_s < _LEAST_S:
        return replace(reference, gathered=None)
    known = next((one for one in reference.hours if one.hour == gathered.hour), HourReference(gathered.hour, 0.0, ""))
    seen = np.float32(gathered.watched_s) - unpack(gathered.hidden_s, CELLS)
    often: Mask = seen >= _OFTEN * gathered.watched_s
    looked = np.divide(unpack(gathered.wet_s, CELLS), seen, out=np.zeros(CELLS, np.float32), where=often)
    rate = max(gathered.watched_s / (known.learnt_s + gathered.watched_s), 1 - math.exp(-gathered.watched_s / _SLOW_S))
    before = unpack_shares(known.cells, CELLS)
    after = np.where(often, before + np.float32(rate) * (looked - before), before).astype(np.float32)
    learnt = HourReference(gathered.hour, known.learnt_s + gathered.watched_s, pack_shares(after))
    others = [one for one in reference.hours if one.hour != gathered.hour]
    return DryReference(tuple(sorted([*others, learnt], key=lambda one: one.hour)))
