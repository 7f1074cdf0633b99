"""The number plates of the vehicles a rule asks for, read on the full-resolution picture.

Plates are personal data: they are read only for vehicles a rule names, and nothing here logs or keeps one.
"""

from __future__ import annotations

import logging

from contracts.errors import ModelError
from contracts.records import NetworkUsed
from contracts.senses import Box, PlateRead
from contracts.vision import Frame
from models.plates import PlateFinder, PlateReader, load_plates
from models.zoo import Zoo

_log = logging.getLogger(__name__)


class PlateSense:
    """Finds and reads plates. Models are loaded when something first asks; without them nothing is read.

    Args:
        zoo: where weights come from.
        triton_url: "host:port" of a Triton gRPC endpoint that serves them; None: in process.
    """

    def __init__(self, zoo: Zoo, triton_url: str | None = None) -> None:
        self._zoo = zoo
        self._triton_url = triton_url
        self._models: tuple[PlateFinder, PlateReader] | None = None
        self._missing = False

    def read(self, frame: Frame, vehicles: tuple[Box, ...]) -> tuple[PlateRead, ...]:
        """One reading for each vehicle, in order; nothing at all where the models cannot be had.

        Raises:
            RunnerError: inference failed.
        """
        models = self._loaded() if vehicles else None
        if models is None:
            return ()
        return tuple(_read(models, frame, vehicle) for vehicle in vehicles)

    @property
    def networks(self) -> tuple[NetworkUsed, ...]:
        """Both, once something has asked for them."""
        if self._models is None:
            return ()
        finder, reader = self._models
        return (
            NetworkUsed(role="plate_finder", name=finder.name, sha256=finder.sha256),
            NetworkUsed(role="plate_reader", name=reader.name, sha256=reader.sha256),
        )

    def _loaded(self) -> tuple[PlateFinder, PlateReader] | None:
        if self._models is None and not self._missing:
            try:
                self._models = load_plates(self._zoo, triton_url=self._triton_url)
            except ModelError as error:
                self._missing = True
                _log.warning("number plates are not read: %s", error)
        return self._models


def _read(models: tuple[PlateFinder, PlateReader], frame: Frame, vehicle: Box) -> PlateRead:
    finder, reader = models
    plate = finder.find(frame, vehicle)
    text, score = reader.read(frame, plate.box) if plate is not None else ("", 0.0)
    return PlateRead(vehicle, text, score)
