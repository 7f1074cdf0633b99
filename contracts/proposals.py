"""Zones that a camera's own tracks suggest. Nothing is ever applied unasked: a person confirms each."""

from __future__ import annotations

from pydantic import Field

from contracts.pool import Point, Zone, ZoneKind
from contracts.records import Contract


class ZoneProposal(Contract):
    """One zone as it might be drawn.

    Attributes:
        kind: of the zone.
        polygon: 3 to 64 corners, fit for the pool.
        why: the reason in numbers, {"zh": …, "en": …}.
        support: how many vehicles or people it rests on; matched features where a moved zone is proposed.
        direction: where vehicles drive there, degrees: 0 to the right in the picture, 90 downwards; None: not a lane.
        replaces: the zone as it would stand now that the camera has moved, calibration and depth marks included as far
            as they are still in the picture; None: a new one.
    """

    kind: ZoneKind
    polygon: tuple[Point, ...] = Field(min_length=3, max_length=64)
    why: dict[str, str]
    support: int = Field(ge=0)
    direction: float | None = Field(None, ge=0, lt=360)
    replaces: Zone | None = None


class ZoneProposals(Contract):
    """All of one camera.

    Attributes:
        watched_s: how long its tracks were gathered, s.
        updated_utc: when this was written, s since 1970 UTC; None: nothing is known of the camera yet.
    """

    camera: str
    watched_s: float = Field(0.0, ge=0)
    updated_utc: float | None = None
    proposals: tuple[ZoneProposal, ...] = ()
