"""One camera behind its detector: tracks in, events out. The same code live and in replay."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from contracts.pool import Camera, Zone
from contracts.records import Event, EvidenceRef, Provenance
from contracts.vision import Frame, Look
from pipeline.eventbook import Clock, EventBook, Matter
from pipeline.rules.base import Output, Rule, Step
from pipeline.rules.registry import build_rules, zones_for


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """What provenance needs to know of the detector."""

    name: str
    sha256: str


class EvidenceKeeper(Protocol):
    """Keeps the pictures and clips of one camera's matters."""

    def candidate(self, matter: Matter, frame: Frame) -> None:
        """Puts the entry picture and its GOP aside."""
        ...

    def dissolve(self, matter: Matter) -> None:
        """Drops what was put aside."""
        ...

    def picture(self, matter: Matter, step: Step, frame: Frame) -> tuple[EvidenceRef, ...]:
        """References for a transition: entry and decision picture on OPENED, a closing one on CLOSED."""
        ...

    def late(self, time: float, closing: str | None = None) -> list[tuple[str, tuple[EvidenceRef, ...]]]:
        """Clips that became complete by stream time `time`, by event id; that of `closing` is cut now."""
        ...

    def forget(self, keep: frozenset[str]) -> None:
        """Drops everything put aside for matters other than `keep` (after a restart)."""
        ...


def config_digest(camera: Camera) -> str:
    """SHA-256 over what decides this camera's events: its zones and algorithms."""
    decisive = camera.model_dump(mode="json", include={"zones", "algorithms", "mounting", "kind"})
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


class CameraChain:
    """Rules, their states, the event book and the evidence of one camera. Belongs to the compute thread."""

    def __init__(self, camera: Camera, model: ModelIdentity, evidence: EvidenceKeeper) -> None:
        self.camera = camera
        self._model = model
        self._evidence = evidence
        self._book = EventBook(camera)
        self._rules: list[Rule[Any]] = build_rules(camera)
        self._states: dict[str, Any] = {rule.type: rule.initial() for rule in self._rules}
        self._leaving: list[tuple[Rule[Any], Any]] = []
        self._parameters = dict(camera.algorithms)
        self._digest = config_digest(camera)

    @property
    def look_every(self) -> float | None:
        """The promised interval, the shortest any rule needs, s; None when nothing watches this camera."""
        return min((p.look_every for p in self.camera.algorithms.values()), default=None)

    @property
    def min_score(self) -> float:
        """Detections below the lowest score any rule wants are of no use to this camera."""
        return min((p.min_score for p in self.camera.algorithms.values()), default=1.0)

    @property
    def matters(self) -> frozenset[str]:
        """Ids of candidates and open events: when these change, the state is worth keeping at once."""
        return self._book.open_ids()

    @property
    def open_tracks(self) -> frozenset[int]:
        return self._book.open_tracks()

    @property
    def wants(self) -> float | None:
        """The shortest interval that a rule asks for just now, s: the gate must let those looks pass."""
        wishes = (rule.wants(self._states[rule.type]) for rule in self._rules)
        return min((wish for wish in wishes if wish is not None), default=None)

    @property
    def patience(self) -> float:
        """See `AlgorithmParameters.patience`: the least of this camera's algorithms."""
        return min((p.patience for p in self.camera.algorithms.values()), default=0.0)

    @property
    def zones(self) -> tuple[Zone, ...]:
        """The zones that any algorithm watches, each once."""
        watched = {z.id: z for p in self.camera.algorithms.values() for z in zones_for(self.camera, p)}
        return tuple(watched.values())

    def reconfigure(self, camera: Camera) -> None:
        """The camera's zones or algorithms were edited: what concerns unchanged zones goes on undisturbed.

        An algorithm that was taken away closes what it has open at the next look.

        Raises:
            ConfigError: a rule cannot work with it; nothing was changed.
        """
        rules = build_rules(camera)
        old, kept = self._states, {rule.type for rule in rules}
        self._leaving += [(rule, rule.rezone(old[rule.type], ())) for rule in self._rules if rule.type not in kept]
        self.camera = camera
        self._book.recamera(camera)
        self._rules = rules
        self._states = {
            rule.type: rule.rezone(old[rule.type], camera.zones) if rule.type in old else rule.initial()
            for rule in rules
        }
        self._parameters |= camera.algorithms
        self._digest = config_digest(camera)

    def look(self, look: Look, frame: Frame, clock: Clock) -> list[Event]:
        """One look through every rule; the transitions it caused, in order."""
        events: list[Event] = []
        for rule in self._rules:
            state, outputs = rule.step(self._states[rule.type], look)
            self._states[rule.type] = state
            for output in outputs:
                events.extend(self._say(rule.type, output, look, frame, clock))
        for rule, state in self._leaving:
            for output in rule.step(state, look)[1]:
                events.extend(self._say(rule.type, output, look, frame, clock))
        self._leaving.clear()
        events.extend(self._late(look))
        return events

    def _say(self, event_type: str, output: Output, look: Look, frame: Frame, clock: Clock) -> list[Event]:
        matter = self._book.matter(event_type, output, look)
        if output.step is Step.CANDIDATE:
            self._evidence.candidate(matter, frame)
            return []
        if output.step is Step.DISSOLVED:
            self._evidence.dissolve(matter)
            self._book.dissolve(event_type, output)
            return []
        events = self._late(look, closing=matter.id) if output.step is Step.CLOSED else []
        parameters = self._parameters[event_type]
        provenance = Provenance(
            algorithm=event_type,
            algorithm_version=parameters.rule_version,
            model=self._model.name,
            model_sha256=self._model.sha256,
            config_digest=self._digest,
        )
        pictures = self._evidence.picture(matter, output.step, frame)
        events.append(self._book.transition(output, look, clock, parameters, provenance, pictures))
        return events

    def _late(self, look: Look, closing: str | None = None) -> list[Event]:
        attached: Sequence[Event | None] = [
            self._book.attach(event, look.utc, look.time, refs)
            for event, refs in self._evidence.late(look.time, closing)
        ]
        return [event for event in attached if event is not None]

    def dump(self) -> dict[str, object]:
        """JSON-able state: rules and book."""
        return {
            "rules": {rule.type: rule.dump(self._states[rule.type]) for rule in self._rules},
            "book": self._book.dump(),
        }

    def load(self, data: dict[str, Any]) -> None:
        """Inverse of `dump`; rules that no longer exist are left out. Raises ValueError on another shape."""
        self._book.load(data["book"])
        for rule in self._rules:
            if rule.type in data["rules"]:
                self._states[rule.type] = rule.load(data["rules"][rule.type])
        self._evidence.forget(self._book.open_ids())
