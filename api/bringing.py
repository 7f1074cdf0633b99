"""What the door of new versions needs: something that knows networks, which the API does not."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import Connection

from algorithm_repo.registry.types import AlgorithmVersion
from store.objects import ObjectStore


class Bring(Protocol):
    """Makes a version of what a training has made; injected by the composition root."""

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
