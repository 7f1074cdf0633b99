"""Senses of a batch of looks: what rules asked for, with one inference for all cameras where a model is needed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from contracts.errors import ConfigError, RunnerError
from contracts.pool import Zone
from contracts.records import NetworkUsed
from contracts.senses import NOTHING, UNSENSED, Ask, PlateRead, Senses, WaterMap
from contracts.vision import Frame, Tracks
from models.classifier import CropClassifier, load_classifier
from models.segmenter import WaterSegmenter
from models.zoo import Zoo
from pipeline.senses.lazy import Lazy
from pipeline.senses.litter import MODEL as LITTER
from pipeline.senses.litter import Answer, LitterSense, Request
from pipeline.senses.memory import SceneMemory
from pipeline.senses.plates import PlateSense
from pipeline.senses.water import MODEL as WATER
from pipeline.senses.water import WaterSense

_log = logging.getLogger(__name__)

FoundT = TypeVar("FoundT")


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """One look that is to be sensed.

    Attributes:
        camera: its id.
        frame: the picture.
        tracks: what was tracked in it.
        ask: what its rules want.
        zones: the zones they watch.
        memory: the camera's own.
    """

    camera: str
    frame: Frame
    tracks: Tracks
    ask: Ask
    zones: tuple[Zone, ...]
    memory: SceneMemory


class Sensing:
    """The senses of one worker (or of one replay). Models are loaded when something first asks for them.

    One that fails costs only those who need it: the looks go on without, and carry what is wrong (`Senses.failed`).

    Args:
        zoo: where weights come from.
        triton_url: "host:port" of a Triton gRPC endpoint that serves them; None: in process.
        names: role -> name in the zoo, of roles that another network than the usual one is to play.
    """

    def __init__(self, zoo: Zoo, triton_url: str | None = None, names: Mapping[str, str] | None = None) -> None:
        named = {WATER: WATER, LITTER: LITTER} | dict(names or {})
        self._plates = PlateSense(zoo, triton_url)
        self._water = WaterSense.of(zoo, triton_url, named[WATER])
        self._classifier = Lazy(lambda: load_classifier(named[LITTER], zoo, triton_url=triton_url))
        self._litter = LitterSense(self._classifier.get)
        self._down: dict[str, str] = {}

    def networks(self) -> tuple[NetworkUsed, ...]:
        """Those that are loaded, by role."""
        loaded = {LITTER: self._classifier.loaded, WATER: self._water.loaded}
        named = [NetworkUsed(role=r, name=one.name, sha256=one.sha256) for r, one in loaded.items() if one is not None]
        return (*named, *self._plates.networks)

    def switch(self, role: str, network: WaterSegmenter | CropClassifier) -> WaterSegmenter | CropClassifier | None:
        """Another network plays a role from the next look on.

        Args:
            role: "water" or "litter".
            network: loaded and warm.

        Returns:
            The one before, which nothing uses any more and the caller closes; None where none was loaded.

        Raises:
            ConfigError: the role is played by another kind of network, or by none that can be switched.
        """
        if role == WATER and isinstance(network, WaterSegmenter):
            return self._water.put(network)
        if role == LITTER and isinstance(network, CropClassifier):
            return self._classifier.put(network)
        fix = f"{WATER} is a segmenter, {LITTER} a classifier"
        raise ConfigError(f"{network.name} cannot play the role {role!r}", fix)

    def sense(self, wishes: Sequence[Wish]) -> list[Senses]:
        """What was asked for, in the order of `wishes`; every look's tracks are remembered, asked for or not."""
        for wish in wishes:
            wish.memory.traffic.add(wish.tracks, wish.frame.time, wish.frame.aspect)
        thirsty = [index for index, wish in enumerate(wishes) if wish.ask.water]
        frames = [wishes[index].frame for index in thirsty]
        water = dict(zip(thirsty, self._try("water", lambda: self._water.sense(frames), frames), strict=False))
        lying = [index for index, wish in enumerate(wishes) if wish.ask.leftovers or wish.ask.bins]
        requests = [_request(wishes[index]) for index in lying]
        litter = dict(zip(lying, self._try("litter", lambda: self._litter.sense(requests), requests), strict=False))
        sensed = [
            UNSENSED if wish.ask == NOTHING else self._sense(wish, water.get(index), litter.get(index, Answer()))
            for index, wish in enumerate(wishes)
        ]
        failed, networks = tuple(sorted(self._down.items())), self.networks()
        return [replace(one, failed=failed, networks=networks) for one in sensed] if failed or networks else sensed

    def _try(self, name: str, sense: Callable[[], Sequence[FoundT]], asked: Sequence[object]) -> Sequence[FoundT]:
        """What `sense` finds of what was asked; nothing where it fails, which is told when it begins and ends."""
        if not asked:
            return ()
        try:
            found = sense()
        except RunnerError as error:
            if name not in self._down:
                _log.warning("%s is not sensed: %s", name, error)
            self._down[name] = str(error)
            return ()
        if self._down.pop(name, None) is not None:
            _log.info("%s is sensed again", name)
        return found

    def _sense(self, wish: Wish, water: WaterMap | None, litter: Answer) -> Senses:
        return Senses(
            water=water,
            leftovers=litter.leftovers,
            bins=litter.bins,
            health=wish.memory.health.sense(wish.frame) if wish.ask.health else None,
            plates=self._read_plates(wish),
        )

    def _read_plates(self, wish: Wish) -> tuple[PlateRead, ...]:
        asked = wish.ask.plates
        return tuple(self._try("plates", lambda: self._plates.read(wish.frame, asked), asked))


def _request(wish: Wish) -> Request:
    ask = wish.ask
    return Request(wish.frame, wish.tracks, wish.zones, wish.memory.leftovers, ask.leftovers, ask.bins)
