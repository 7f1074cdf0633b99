"""Senses of a batch of looks: what rules asked for, with one inference for all cameras where a model is needed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from contracts.errors import RunnerError
from contracts.pool import Zone
from contracts.senses import NOTHING, UNSENSED, Ask, PlateRead, Senses, WaterMap
from contracts.vision import Frame, Tracks
from models.classifier import load_classifier
from models.zoo import Zoo
from pipeline.senses.lazy import Lazy
from pipeline.senses.litter import MODEL as LITTER
from pipeline.senses.litter import Answer, LitterSense, Request
from pipeline.senses.memory import SceneMemory
from pipeline.senses.plates import PlateSense
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
    """

    def __init__(self, zoo: Zoo, triton_url: str | None = None) -> None:
        self._zoo = zoo
        self._triton_url = triton_url
        self._plates = PlateSense(zoo, triton_url)
        self._water = WaterSense.of(zoo, triton_url)
        self._litter = LitterSense(Lazy(lambda: load_classifier(LITTER, zoo, triton_url=triton_url)).get)
        self._down: dict[str, str] = {}

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
        failed = tuple(sorted(self._down.items()))
        return [replace(one, failed=failed) for one in sensed] if failed else sensed

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
