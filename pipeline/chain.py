"""One camera behind its detector: tracks in, events out. The same code live and in replay."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from contracts.algorithms import HEALTH, AlgorithmParameters, running
from contracts.pool import Camera, Zone
from contracts.records import Event, EvidenceRef, Provenance
from contracts.senses import NOTHING, Ask
from contracts.trace import TracedCondition, TracedStep
from contracts.vision import Frame, Look, Tracks
from pipeline.eventbook import Cause, Clock, EventBook, Matter, MatterKey
from pipeline.keeper import EvidenceKeeper
from pipeline.pauses import Deprivations, Pauses, blinded
from pipeline.provenance import Networks
from pipeline.rules.base import Output, Rule, Step
from pipeline.rules.camera_health import CameraHealthRule
from pipeline.rules.registry import build_rules, zones_for
from pipeline.sureness import Sureness
from pipeline.trace import Tracer

_log = logging.getLogger(__name__)
_TOLD = frozenset({Step.OPENED, Step.UPDATED, Step.CLOSED})


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """What provenance needs to know of the detector."""

    name: str
    sha256: str


def config_digest(camera: Camera) -> str:
    """SHA-256 over what decides this camera's events: its zones and algorithms."""
    decisive = camera.model_dump(mode="json", include={"zones", "algorithms", "mounting", "kind"})
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


class CameraChain:
    """Rules, their states, the event book and the evidence of one camera. Belongs to the compute thread.

    Args:
        camera: its entry in the pool.
        model: the detector, for provenance.
        evidence: keeps pictures and clips.
        tracer: told what every look saw and which conditions held; it is not part of the state.
    """

    def __init__(
        self, camera: Camera, model: ModelIdentity, evidence: EvidenceKeeper, tracer: Tracer | None = None
    ) -> None:
        self.camera = camera
        self.tracer = tracer or Tracer()
        self._networks = Networks(model.name, model.sha256)
        self._evidence = evidence
        self._book = EventBook(camera)
        self._algorithms = running(camera.algorithms)
        self._rules: list[Rule[Any]] = build_rules(camera, self._algorithms)
        self._states: dict[str, Any] = {rule.type: rule.initial() for rule in self._rules}
        self._pauses = Pauses()
        self._deprived = Deprivations()
        self._time: float | None = None  # stream time of the newest look, s
        self._lost: set[MatterKey] = set()
        self._sureness = Sureness()
        self._digest = config_digest(camera)

    @property
    def look_every(self) -> float | None:
        """The promised interval, the shortest any rule needs, s; None when nothing watches this camera."""
        return min((p.look_every for p in self._leading()), default=None)

    @property
    def min_score(self) -> float:
        """Detections below the lowest score any rule wants are of no use to this camera."""
        return min((p.min_score for p in self._leading()), default=1.0)

    @property
    def matters(self) -> frozenset[str]:
        """Ids of candidates and open events: when these change, the state is worth keeping at once."""
        return self._book.open_ids()

    @property
    def all_matters(self) -> Mapping[MatterKey, Matter]:
        """Candidates and open events."""
        return self._book.matters()

    def watches(self, event_type: str, zone: str, preset: str | None) -> bool:
        """Whether an algorithm watches a zone ("": the whole picture) in the view of a preset."""
        parameters = self._algorithms.get(event_type)
        if parameters is None or not zone:
            return parameters is not None
        zones = {one.id: one for one in zones_for(self.camera, parameters)}
        return zone in zones and (zones[zone].preset or "") == preset

    def detected_by(self, model: ModelIdentity) -> None:
        """Another detector looks at this camera from now on; rules and what is open go on."""
        self._networks.detected_by(model.name, model.sha256)

    def snapshot(self, frame: Frame) -> tuple[EvidenceRef, ...]:
        """See `EvidenceKeeper.snapshot`."""
        return self._evidence.snapshot(frame)

    @property
    def open_tracks(self) -> frozenset[int]:
        return self._book.open_tracks()

    @property
    def wants(self) -> float | None:
        """The shortest interval that a rule asks for just now, s: the gate must let those looks pass."""
        wishes = (rule.wants(self._states[rule.type]) for rule in self._rules if rule.type not in self._pauses)
        return min((wish for wish in wishes if wish is not None), default=None)

    def asks(self, time: float) -> Ask:
        """What the rules want sensed in the look at stream time `time`, besides tracks."""
        ask = NOTHING
        for rule in self._rules:
            if (
                rule.type not in self._pauses or rule.type in self._deprived
            ):  # else nobody would see that it works again
                wanted = rule.asks(self._states[rule.type], time)
                self._deprived.asked(rule.type, wanted)
                self._networks.asked(rule.type, wanted)
                ask |= wanted
        return ask

    @property
    def patience(self) -> float:
        """See `AlgorithmParameters.patience`: the least of this camera's algorithms."""
        return min((p.patience for p in self._leading()), default=0.0)

    def _leading(self) -> list[AlgorithmParameters]:
        """Those that decide how the camera is looked at; its health is content with what the others need."""
        return [parameters for name, parameters in self._algorithms.items() if name in self.camera.algorithms]

    @property
    def zones(self) -> tuple[Zone, ...]:
        """The zones that any algorithm watches, each once."""
        watched = {z.id: z for p in self.camera.algorithms.values() for z in zones_for(self.camera, p)}
        return tuple(watched.values())

    def reconfigure(self, camera: Camera, time: float, utc: float, clock: Clock) -> list[Event]:
        """The camera's zones or algorithms were edited: what concerns unchanged zones goes on undisturbed.

        What a zone or an algorithm that was taken away had open is closed at once: when no algorithm is left there is
        no next look.

        Args:
            camera: the same camera's new entry.
            time, utc: now: s of stream time (of the newest look, 0 where none is known) and s since 1970 UTC.
            clock: how well the two are tied together.

        Returns:
            The transitions, to be spooled together with the state (`dump`) that follows them.

        Raises:
            ConfigError: a rule cannot work with it; nothing was changed.
        """
        algorithms = running(camera.algorithms)
        rules = build_rules(camera, algorithms)
        old = self._states
        self.camera = camera
        self._algorithms = algorithms
        self._book.recamera(camera)
        self._rules = rules
        self._states = {
            rule.type: rule.rezone(old[rule.type], camera.zones) if rule.type in old else rule.initial()
            for rule in rules
        }
        self._digest = config_digest(camera)
        return self.close_orphans(time, utc, clock)

    def close_orphans(self, time: float, utc: float, clock: Clock) -> list[Event]:
        """Closes what is open but no longer watched: its algorithm or zone is gone, or its rule's state was lost.

        To be called once after `load`, where the pool may have been edited while the worker was away; `look` does it
        too, but an algorithm that is gone may have been the last.

        Args and returns as for `reconfigure`.
        """
        self._evidence.settle()
        time = max(time, self._book.newest())
        events = self._close_unruled(time, utc, clock)
        # Off every preset nothing is judged, but what a zone that is gone holds is ended.
        away = Look(self.camera.id, time, utc, Tracks.empty(), 1.0, preset=None)
        ended = (self._judge(rule, away, None, clock) for rule in self._rules if rule.type != HEALTH)
        return [*events, *(event for some in ended for event in some)]

    def withdraw(self, time: float, utc: float, clock: Clock, cause: Cause = Cause.CAMERA_GONE) -> list[Event]:
        """Closes everything that is open: the camera leaves the pool for good. Candidates end without a word.

        Ids and numbers go on to the end; nothing is open afterwards and rules begin anew. To be spooled together with
        the camera's forgotten state: `spool.append_all(bodies, {camera: b""})`.

        Args and returns as for `reconfigure`; `cause` is what the reason says.
        """
        self._evidence.settle()
        events = [event for key in self._book.matters() for event in self._close(key, time, utc, clock, cause)]
        self._states = {rule.type: rule.initial() for rule in self._rules}
        return events

    def look(self, look: Look, frame: Frame, clock: Clock) -> list[Event]:
        """One look through every rule; the transitions it caused, in order.

        They are to be spooled, with the state that follows them, before the next look.
        """
        self._evidence.settle()
        self._deprived.sensed(look.senses, look.time)
        self._networks.sensed(look.senses)
        events = self._close_unruled(look.time, look.utc, clock)
        events += self._step(look, frame, clock)
        self.tracer.looked(
            look, self.zones, self.look_every or 0.0, self.conditions(), self._book.open_keys(), self.paused
        )
        return events + self._late(look.time, look.utc)

    def conditions(self) -> list[TracedCondition]:
        """What every matter of every rule still waits for, as of the newest look."""
        waiting = [
            TracedCondition(rule.type, one.zone, one.subject, one.name, one.value, one.needed, one.at_least)
            for rule in self._rules
            for one in rule.conditions(self._states[rule.type])
        ]
        return [*waiting, *self._sureness.conditions(self._book.matters())]

    def unseen(self, since: float, time: float, utc: float, clock: Clock) -> list[Event]:
        """Nothing arrives from the camera: what its health says to that.

        Args:
            since: stream time of the last sign of life, s.
            time, utc: now: stream time as it would be, s, and s since 1970 UTC.
            clock: how well the two are tied together.
        """
        health = self._health
        if health is None:
            return []
        self._evidence.settle()
        self._states[HEALTH], outputs = health.unseen(self._states[HEALTH], since, time)
        away = Look(self.camera.id, time, utc, Tracks.empty(), 1.0, preset=None)
        return [event for output in outputs for event in self._say(HEALTH, output, away, None, clock)]

    @property
    def paused(self) -> dict[str, str]:
        """Which rules do not judge what the camera shows just now, and the ailment that blinds them.

        "error": a sense that they need fails.
        """
        health = self._health
        ailing = {} if health is None else health.blind(self._states[HEALTH])
        blind = {rule: ailment for rule, (ailment, _) in blinded(ailing, self._algorithms).items()}
        return dict.fromkeys(self._deprived.since, "error") | blind

    @property
    def unwatched(self) -> dict[str, tuple[str, float]]:
        """Of `paused`, what is sure: rule -> the ailment, and the stream time since when, s."""
        health = self._health
        ailing = {} if health is None else health.sure(self._states[HEALTH])
        lacking = {rule: ("error", since) for rule, since in self._deprived.since.items()}
        return lacking | blinded(ailing, self._algorithms)

    @property
    def _health(self) -> CameraHealthRule | None:
        return next((rule for rule in self._rules if isinstance(rule, CameraHealthRule)), None)

    def _step(self, look: Look, frame: Frame | None, clock: Clock) -> list[Event]:
        """The camera's health first: what it says decides which of the others judge this look."""
        events: list[Event] = []
        for rule in sorted(self._rules, key=lambda rule: rule.type != HEALTH):
            if rule.type in self.paused:
                self._pauses.pause(rule.type, look.time if self._time is None else self._time)
            else:
                events += self._judge(rule, self._pauses.resume(rule.type, look), frame, clock)
        self._time = look.time
        return events

    def _judge(self, rule: Rule[Any], look: Look, frame: Frame | None, clock: Clock) -> list[Event]:
        self._states[rule.type], outputs = rule.step(self._states[rule.type], look)
        return [event for output in outputs for event in self._say(rule.type, output, look, frame, clock)]

    def _say(self, event_type: str, output: Output, look: Look, frame: Frame | None, clock: Clock) -> list[Event]:
        matter = self._book.matter(event_type, output, look)
        confidence = self._sureness.confidence(event_type, output, matter)
        if matter.last is None and output.step in _TOLD:
            if not self._sureness.enough(event_type, output, confidence, self._algorithms):
                if output.step is not Step.CLOSED:
                    return []
                output = replace(output, step=Step.DISSOLVED)
            elif output.step is Step.UPDATED:
                output = replace(output, step=Step.OPENED)
        self.tracer.step(TracedStep(event_type, output.zone, output.key, output.step.value, matter.id))
        if output.step is Step.CANDIDATE:
            if frame is not None:
                self._evidence.candidate(matter, frame)
            return []
        if output.step is Step.DISSOLVED:
            self._evidence.ended(matter)
            self._book.dissolve(event_type, output)
            return []
        closes = output.step is Step.CLOSED
        events = self._late(look.time, look.utc, closing=matter.id) if closes else []
        parameters = self._algorithms[event_type]
        provenance = Provenance(
            algorithm=event_type,
            algorithm_version=parameters.rule_version,
            model=self._networks.detector.name,
            model_sha256=self._networks.detector.sha256,
            networks=self._networks.of(event_type),
            config_digest=self._digest,
        )
        pictures = self._evidence.picture(matter, output.step, frame, output.spots) if frame is not None else ()
        events.append(self._book.transition(output, look, clock, parameters, provenance, pictures, confidence))
        if closes:
            self._evidence.ended(matter)
        return events

    def _close_unruled(self, time: float, utc: float, clock: Clock) -> list[Event]:
        """Closes what no rule knows of: it will never be heard of again."""
        types = {rule.type for rule in self._rules}
        events: list[Event] = []
        for key in self._book.matters():
            if key[0] not in types:
                events += self._close(key, time, utc, clock, Cause.ALGORITHM_GONE)
            elif key in self._lost:
                events += self._close(key, time, utc, clock, Cause.STATE_LOST)
        self._lost.clear()
        return events

    def _close(self, key: MatterKey, time: float, utc: float, clock: Clock, cause: Cause) -> list[Event]:
        matter = self._book.matters()[key]
        events = self._late(time, utc, closing=matter.id)
        closed = self._book.close(key, time, utc, clock, cause)
        self._evidence.ended(matter)
        return events if closed is None else [*events, closed]

    def _late(self, time: float, utc: float, closing: str | None = None) -> list[Event]:
        attached: Sequence[Event | None] = [
            self._book.attach(event, utc, time, refs) for event, refs in self._evidence.late(time, closing)
        ]
        return [event for event in attached if event is not None]

    def dump(self) -> dict[str, object]:
        """JSON-able state: rules, book, and the clips still to come."""
        return {
            "rules": {rule.type: rule.dump(self._states[rule.type]) for rule in self._rules},
            "book": self._book.dump(),
            "evidence": self._evidence.dump(),
            "paused": self._pauses.dump(),
            "time": self._time,
        }

    def load(self, data: dict[str, Any]) -> None:
        """Inverse of `dump`; what the chain knew before is gone. `close_orphans` is to follow.

        Rules that no longer exist are left out. A rule whose part is of another shape begins anew, and `close_orphans`
        (or the next look) closes what it had open; clips of another shape do not come.

        Raises:
            ValueError: the book is of another shape, so nothing can be closed; everything begins anew.
        """
        try:
            self._book.load(data["book"])
        except (KeyError, TypeError, ValueError) as error:
            self._book.load([])
            self._states = {rule.type: rule.initial() for rule in self._rules}
            self._evidence.load({"due": {}}, frozenset())
            raise ValueError(f"{self.camera.id}: its state has no readable book ({error})") from error
        self._lost = set()
        self._time = data.get("time")
        self._pauses.load(data.get("paused", {}))
        for rule in self._rules:
            try:
                self._states[rule.type] = rule.load(data["rules"][rule.type])
            except (KeyError, TypeError, ValueError) as error:
                self._states[rule.type] = rule.initial()
                lost = {key for key in self._book.matters() if key[0] == rule.type}
                if lost:
                    _log.warning("%s: %s begins anew: %s", self.camera.id, rule.type, error)
                self._lost |= lost
        try:
            self._evidence.load(data.get("evidence", {"due": {}}), self._book.open_ids())
        except ValueError as error:
            _log.warning("%s: clips still to come are lost: %s", self.camera.id, error)
