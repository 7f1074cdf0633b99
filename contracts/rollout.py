"""Which networks a worker is to run, and which it runs: what the roll-out tells workers and what they answer."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from contracts.records import Contract, NetworkUsed

DETECTOR: Final = "detector"
"""The role of the network that finds objects; all others are senses."""


class ServedModel(NetworkUsed):
    """One network that is to be run; `name` is its name in the zoo, without a version."""


class Serving(Contract):
    """What a worker is to run in place of what the installation names.

    Attributes:
        number: of the newest line of the ledger that this follows from; a higher one replaces a lower.
        models: one a role at most; a role that is not named stays with what the installation names.
    """

    number: int = Field(ge=0)
    models: tuple[ServedModel, ...] = ()


class Served(Contract):
    """What a worker says of itself.

    Attributes:
        worker: its id.
        number: of the `Serving` that it runs wholly; 0 before any.
        models: what it runs now, by role.
        refused: number of the newest `Serving` that it cannot run; it goes on as before.
        error: why.
    """

    worker: str
    number: int = Field(0, ge=0)
    models: tuple[NetworkUsed, ...] = ()
    refused: int | None = None
    error: str = ""
