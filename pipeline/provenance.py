"""Which networks the events of each rule rest on."""

from __future__ import annotations

from contracts.records import NetworkUsed
from contracts.rollout import DETECTOR
from contracts.senses import Ask, Senses
from pipeline.confidence import calibration_network


class Networks:
    """Of one camera. Mutable.

    Args:
        name, sha256: of the detector.
    """

    def __init__(self, name: str, sha256: str) -> None:
        self._known = {DETECTOR: NetworkUsed(role=DETECTOR, name=name, sha256=sha256)}
        self._roles: dict[str, frozenset[str]] = {}

    def detected_by(self, name: str, sha256: str) -> None:
        """From now on another detector looks."""
        self._known[DETECTOR] = NetworkUsed(role=DETECTOR, name=name, sha256=sha256)

    @property
    def detector(self) -> NetworkUsed:
        return self._known[DETECTOR]

    def asked(self, rule: str, ask: Ask) -> None:
        """What a rule wants sensed; from then on its events rest on that too."""
        if ask.roles:
            self._roles[rule] = self._roles.get(rule, frozenset()) | ask.roles

    def sensed(self, senses: Senses) -> None:
        """What answered in a look."""
        self._known |= {network.role: network for network in senses.networks}

    def of(self, rule: str) -> tuple[NetworkUsed, ...]:
        """The detector, the senses this rule has asked for, and what weighs its confidence, in that order."""
        roles = sorted(self._roles.get(rule, frozenset()) & self._known.keys())
        calibration = calibration_network(rule)
        used = [self.detector, *(self._known[role] for role in roles)]
        return tuple(used if calibration is None else [*used, calibration])
