"""Which rules of a camera do not judge what it shows: something ails its picture, or a sense they need fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from contracts.algorithms import AlgorithmParameters
from contracts.pool import Camera
from contracts.senses import Ask, Senses
from contracts.vision import Look
from pipeline.rules.registry import zones_for


def blinded(ailing: Mapping[str, float], algorithms: Mapping[str, AlgorithmParameters]) -> dict[str, tuple[str, float]]:
    """Rule -> the ailment that has blinded it longest, and the stream time since when, s.

    Args:
        ailing: ailment -> stream time since when, s.
        algorithms: rule -> its parameters.
    """
    oldest_first = sorted(ailing.items(), key=lambda one: (one[1], one[0]))
    found: dict[str, tuple[str, float]] = {}
    for rule, parameters in algorithms.items():
        reasons = [one for one in oldest_first if one[0] in parameters.blinded_by]
        if reasons:
            found[rule] = reasons[0]
    return found


def elsewhere(camera: Camera, algorithms: Mapping[str, AlgorithmParameters], preset: str | None) -> list[str]:
    """The rules of a PTZ camera all of whose zones belong to other presets than the one it stands at."""
    watching = {rule: zones_for(camera, parameters) for rule, parameters in algorithms.items()}
    return [rule for rule, zones in watching.items() if zones and all(zone.preset != preset for zone in zones)]


class Deprivations:
    """Which rules lack a sense that they have asked for, and since when. Mutable."""

    def __init__(self) -> None:
        self._needs: dict[str, frozenset[str]] = {}
        self._since: dict[str, float] = {}

    def __contains__(self, rule: str) -> bool:
        return rule in self._since

    @property
    def since(self) -> dict[str, float]:
        """Rule -> stream time since when, s."""
        return dict(self._since)

    def asked(self, rule: str, ask: Ask) -> None:
        """What a rule wants sensed."""
        self._needs[rule] = self._needs.get(rule, frozenset()) | ask.vital

    def sensed(self, senses: Senses, time: float) -> None:
        """What a look at stream time `time`, s, could sense."""
        failed = {name for name, _ in senses.failed}
        lacking = [rule for rule, needs in self._needs.items() if needs & failed]
        self._since = {rule: self._since.get(rule, time) for rule in lacking}


class Pauses:
    """Remembers since when each rule has not judged; a rule's clock knows that time as a gap. Mutable."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def __contains__(self, rule: str) -> bool:
        return rule in self._since

    def pause(self, rule: str, newest: float) -> None:
        """It does not judge the look to come; `newest` is the stream time of the last one that was, s."""
        self._since.setdefault(rule, newest)

    def resume(self, rule: str, look: Look) -> Look:
        """The look as the rule is to see it: after a pause that is a gap."""
        since = self._since.pop(rule, None)
        return look if since is None else replace(look, gap=max(look.gap, look.time - since))

    def dump(self) -> dict[str, float]:
        """JSON-able."""
        return dict(self._since)

    def load(self, data: Any) -> None:
        """Inverse of `dump`. Raises TypeError, AttributeError or ValueError on another shape."""
        self._since = {str(rule): float(since) for rule, since in data.items()}
