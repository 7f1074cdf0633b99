"""Do packet sizes predict change on this camera? They have to prove it against its own luma pictures.

On a steady variable-bitrate scene delta packets grow when something moves; at a constant bitrate, or where the
noise of the asphalt is coded, they do not. So each camera keeps a record: packets said change or calm, the luma
picture then said which it was. Old entries fade, so trust is lost again when the camera's settings change.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

GAIN_RECALL = 0.95  # trusted from here on …
LOSE_RECALL = 0.9  # … until below this
GAIN_PRECISION = 0.3  # less would hardly save anything
LOSE_PRECISION = 0.2
FEWEST = 20  # changes, and as many calm pictures, before anything is believed
_FADE = 0.995  # weight of an entry after one more
_RATE = 0.05
_SPREADS = 2.0
_LEAST = math.log(1.1)  # packets 10 % larger than usual are never just noise's doing, smaller ones always may be


@dataclass(frozen=True, slots=True)
class PacketTrust:
    """The record of one camera.

    Attributes:
        level, spread: usual logarithm of the packet signal in calm times, and its usual deviation; None before
            the first calm picture.
        hits, misses, false_alarms, quiet: faded counts of what packets said against what the picture showed.
        trusted: packets may send a look away.
    """

    level: float | None = None
    spread: float = 0.2
    hits: float = 0.0
    misses: float = 0.0
    false_alarms: float = 0.0
    quiet: float = 0.0
    trusted: bool = False

    @property
    def recall(self) -> float:
        changes = self.hits + self.misses
        return self.hits / changes if changes else 0.0

    @property
    def precision(self) -> float:
        alarms = self.hits + self.false_alarms
        return self.hits / alarms if alarms else 0.0


def alarming(trust: PacketTrust, packet_bytes: float) -> bool:
    """Whether packets of this size say that something changed."""
    if trust.level is None:
        return True
    return math.log(packet_bytes + 1.0) > trust.level + max(_LEAST, _SPREADS * trust.spread)


def judged(trust: PacketTrust, alarm: bool, packet_bytes: float, changed: bool) -> PacketTrust:
    """The record after a luma picture said what had really happened."""
    hits, misses = trust.hits * _FADE, trust.misses * _FADE
    false_alarms, quiet = trust.false_alarms * _FADE, trust.quiet * _FADE
    if trust.level is not None:  # the very first signal has nothing to be measured by
        hits += alarm and changed
        misses += changed and not alarm
        false_alarms += alarm and not changed
        quiet += not alarm and not changed
    trust = replace(trust, hits=hits, misses=misses, false_alarms=false_alarms, quiet=quiet)
    if not changed:
        trust = _calmed(trust, math.log(packet_bytes + 1.0))
    return replace(trust, trusted=_trusted(trust))


def _calmed(trust: PacketTrust, size: float) -> PacketTrust:
    if trust.level is None:
        return replace(trust, level=size)
    deviation = min(abs(size - trust.level), 3 * trust.spread + _LEAST)
    return replace(
        trust,
        level=trust.level + _RATE * (size - trust.level),
        spread=trust.spread + _RATE * (deviation - trust.spread),
    )


def _trusted(trust: PacketTrust) -> bool:
    if trust.trusted:
        return trust.recall >= LOSE_RECALL and trust.precision >= LOSE_PRECISION
    enough = trust.hits + trust.misses >= FEWEST and trust.false_alarms + trust.quiet >= FEWEST
    return enough and trust.recall >= GAIN_RECALL and trust.precision >= GAIN_PRECISION
