"""Senses of a batch of looks: what rules asked for, with one inference for all cameras where a model is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.pool import Zone
from contracts.senses import NOTHING, UNSENSED, Ask, Senses, WaterMap
from contracts.vision import Frame, Tracks
from models.classifier import load_classifier
from models.zoo import Zoo
from pipeline.senses.lazy import Lazy
from pipeline.senses.litter import MODEL as LITTER
from pipeline.senses.litter import Answer, LitterSense, Request
from pipeline.senses.memory import SceneMemory
from pipeline.senses.plates import PlateSense
from pipeline.senses.water import WaterSense


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

    def sense(self, wishes: Sequence[Wish]) -> list[Senses]:
        """What was asked for, in the order of `wishes`; every look's tracks are remembered, asked for or not.

        Raises:
            RunnerError: a model cannot be had, or inference failed.
        """
        for wish in wishes:
            wish.memory.traffic.add(wish.tracks, wish.frame.time, wish.frame.aspect)
        thirsty = [index for index, wish in enumerate(wishes) if wish.ask.water]
        water = dict(zip(thirsty, self._water.sense([wishes[index].frame for index in thirsty]), strict=True))
        lying = [index for index, wish in enumerate(wishes) if wish.ask.leftovers or wish.ask.bins]
        litter = dict(zip(lying, self._litter.sense([_request(wishes[index]) for index in lying]), strict=True))
        return [
            UNSENSED if wish.ask == NOTHING else self._sense(wish, water.get(index), litter.get(index, Answer()))
            for index, wish in enumerate(wishes)
        ]

    def _sense(self, wish: Wish, water: WaterMap | None, litter: Answer) -> Senses:
        return Senses(
            water=water,
            leftovers=litter.leftovers,
            bins=litter.bins,
            health=wish.memory.health.sense(wish.frame) if wish.ask.health else None,
            plates=self._plates.read(wish.frame, wish.ask.plates),
        )


def _request(wish: Wish) -> Request:
    ask = wish.ask
    return Request(wish.frame, wish.tracks, wish.zones, wish.memory.leftovers, ask.leftovers, ask.bins)
