"""What the waterlogging rule remembers: frozen values that go to JSON and back."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.rules.boxes import Box
from pipeline.rules.dryness import DryReference
from pipeline.rules.puddle import Puddle

_GROWTH_S, _GROWTH_STEP_S = 120.0, 10.0  # growth is measured over this time, from shares this far apart


@dataclass(frozen=True, slots=True)
class Flood:
    """A candidate or an open event.

    Attributes:
        since: stream time when the zone was first too wet, s.
        found: it was there when watching began: nobody has seen this place dry.
        opened: an event; else a candidate.
        watched_s: of the time since then.
        wet_s: watched time with too much water.
        peak: the highest share.
        told_peak, told_depth_cm, told_at: what the last transition said, and its stream time.
        next_lasting_s: duration at which the next milestone is told, s.
        low_since: when the share went below (candidate: `min_share`; event: `clear` of it); None while it is not.
        low_s: watched time since then.
        box: around the water when it was last too much.
    """

    since: float
    found: bool = False
    opened: bool = False
    watched_s: float = 0.0
    wet_s: float = 0.0
    peak: float = 0.0
    told_peak: float = 0.0
    told_depth_cm: float = 0.0
    told_at: float = 0.0
    next_lasting_s: float = 0.0
    low_since: float | None = None
    low_s: float = 0.0
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """The newest figures of a zone; see `puddle.Extent`.

    Attributes:
        reference: share of the zone that looks wet when dry, subtracted.
        depth_cm: by the depth marks; None where there is none to see.
    """

    share: float = 0.0
    standing_share: float = 0.0
    reliability: float = 0.0
    visible: float = 0.0
    reference: float = 0.0
    depth_cm: float | None = None


@dataclass(frozen=True, slots=True)
class ZoneState:
    """What is remembered of one zone.

    Attributes:
        zone: its id.
        polygon: the polygon all this was measured in.
        time: stream time of the newest water map, s; None before the first.
        begun: when watching began, or began anew after a long gap.
        heard: of the newest look, with or without one.
        gap: time not watched since the newest water map, s.
        puddle: where there is water.
        reference: what looks wet when dry.
        measure: the newest figures.
        shares: newest (time, share), for the growth.
        flood: what is going on, if anything.
    """

    zone: str
    polygon: tuple[tuple[float, float], ...]
    time: float | None = None
    begun: float | None = None
    heard: float | None = None
    gap: float = 0.0
    puddle: Puddle = field(default_factory=Puddle)
    reference: DryReference = field(default_factory=DryReference)
    measure: Measure = field(default_factory=Measure)
    shares: tuple[tuple[float, float], ...] = ()
    flood: Flood | None = None

    @property
    def growth(self) -> float:
        """Change of the share a minute over the last two; 0 while too little is known."""
        if len(self.shares) < 2:
            return 0.0
        (start, before), (end, now) = self.shares[0], self.shares[-1]
        return (now - before) / (end - start) * 60 if end - start >= _GROWTH_STEP_S - 1e-6 else 0.0


@dataclass(frozen=True, slots=True)
class WaterloggingState:
    """Everything the rule remembers, by zone."""

    zones: tuple[ZoneState, ...] = ()


def with_share(shares: tuple[tuple[float, float], ...], time: float, share: float) -> tuple[tuple[float, float], ...]:
    """The newest share last, whatever came just before it replaced; none older than two minutes."""
    if len(shares) >= 2 and shares[-1][0] - shares[-2][0] < _GROWTH_STEP_S - 1e-6:
        shares = shares[:-1]
    return (*(entry for entry in shares if entry[0] >= time - _GROWTH_S), (time, share))
