"""What the doors of new versions need: something that knows networks, which the API does not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from algorithm_repo.intake.types import Report
from algorithm_repo.registry.types import AlgorithmVersion
from store.objects import ObjectStore

Begin = Callable[[], AbstractContextManager[Connection]]
"""Opens a transaction."""


class OfTraining(Protocol):
    """Makes a version of what a training has made."""

    def __call__(
        self,
        connection: Connection,
        objects: ObjectStore,
        number: int,
        algorithm: str,
        version: str,
        who: str,
        *,
        licence: str | None = None,
        note: str = "",
    ) -> AlgorithmVersion:
        """The version, as it was entered.

        Raises:
            ConfigError: the training cannot be taken, or the version not entered.
            ObjectsUnavailable: the object store is away.
        """
        ...


class OfUpload(Protocol):
    """Checks a network from elsewhere, and makes a version of it."""

    def __call__(
        self,
        begin: Begin,
        objects: ObjectStore,
        data: bytes,
        card: bytes,
        algorithm: str,
        version: str,
        who: str,
        note: str = "",
    ) -> tuple[AlgorithmVersion, Report]:
        """The version, and what the check found of the ONNX file `data` and its YAML `card`.

        Raises:
            Refusal: the check refuses it, with the reasons.
            ConfigError: the version cannot be entered.
            ObjectsUnavailable: the object store is away.
            RunnerError: no process could be started to look at it.
            TimeoutError: others are being checked.
        """
        ...


@dataclass(frozen=True, slots=True)
class Bring:
    """Makes versions with new networks; injected by the composition root."""

    of_training: OfTraining
    of_upload: OfUpload
