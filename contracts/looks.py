"""A second look: somebody in the city plane asks what an algorithm sees at a place now, and a worker answers.

Requests are live state on the bus, told again until they are answered or over. The answer (`records.LookResult`) is a
record like any other: it waits in the worker's spool and arrives once.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from contracts.records import Contract


class LookRequest(Contract):
    """What is to be looked at.

    Attributes:
        id: 32 hex digits; the answer carries it.
        camera, type, zone: where, and with which algorithm.
        asked_utc, until_utc: s since 1970; after the latter nobody waits for the answer any more.
    """

    schema_version: Literal[1] = 1
    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    camera: str
    type: str
    zone: str
    asked_utc: float
    until_utc: float
