"""What a canary must have shown before it goes into production."""

from __future__ import annotations

from pydantic import Field

from algorithm_repo.rollout.compare import Comparison
from algorithm_repo.rollout.types import Lane
from contracts.records import Contract
from store.bus import Bus


class Least(Contract):
    """The least that is asked for. Both say only that it was seen at all; whether it is good is for people.

    Attributes:
        camera_minutes: of its present lane, min.
        looks: of the candidate in that lane.
    """

    camera_minutes: float = Field(30.0, ge=0)
    looks: int = Field(50, ge=0)


def lacking(least: Least, comparison: Comparison, looks: int) -> str | None:
    """What is missing yet, in words; None: nothing.

    Args:
        least: what is asked for.
        comparison: of the present lane.
        looks: of the candidate in it.
    """
    minutes = len(comparison.cameras) * max(comparison.until_utc - comparison.since_utc, 0.0) / 60
    if minutes >= least.camera_minutes and looks >= least.looks:
        return None
    return (
        f"it has shown {minutes:.1f} camera-minutes and {looks} looks, "
        f"asked for are {least.camera_minutes:g} and {least.looks}"
    )


def looks(bus: Bus, lane: Lane) -> int:
    """How often a canary has looked since its worker began. Raises BusUnavailable."""
    found = bus.statuses(lane.cameras).values()
    return sum(one.looks for one in found if one.worker == lane.worker)
