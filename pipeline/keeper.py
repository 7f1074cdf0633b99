"""What a camera's chain asks of whoever keeps its evidence; see `pipeline.evidence`."""

from __future__ import annotations

from typing import Any, Protocol

from contracts.records import EvidenceRef
from contracts.vision import Frame
from pipeline.eventbook import Matter
from pipeline.pictures import Spots
from pipeline.rules.base import Step


class EvidenceKeeper(Protocol):
    """Keeps the pictures and clips of one camera's matters."""

    def candidate(self, matter: Matter, frame: Frame) -> None:
        """Puts the entry picture and its GOP aside."""
        ...

    def ended(self, matter: Matter) -> None:
        """The matter dissolved or closed: what was put aside goes with the next `settle`, and no clip follows."""
        ...

    def snapshot(self, frame: Frame) -> tuple[EvidenceRef, ...]:
        """The picture as it is now, for whoever asked for a second look; nothing where it cannot be kept."""
        ...

    def settle(self) -> None:
        """Everything said so far is in the spool: what was put aside for matters that ended may go."""
        ...

    def picture(self, matter: Matter, step: Step, frame: Frame, spots: Spots = ()) -> tuple[EvidenceRef, ...]:
        """References for a transition: entry and decision picture on OPENED, a closing one on CLOSED.

        `spots`: see `Output.spots`.
        """
        ...

    def late(self, time: float, closing: str | None = None) -> list[tuple[str, tuple[EvidenceRef, ...]]]:
        """Clips that became complete by stream time `time`, by event id; that of `closing` is cut now."""
        ...

    def dump(self) -> dict[str, object]:
        """JSON-able state: the clips still to come. It is kept in one piece with the transitions."""
        ...

    def load(self, data: dict[str, Any], keep: frozenset[str]) -> None:
        """Inverse of `dump`; drops everything put aside for matters other than `keep`.

        Raises:
            ValueError: the data is of another shape; no clip is to come then.
        """
        ...
