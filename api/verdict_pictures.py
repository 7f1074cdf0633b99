"""The pictures behind verdicts, for whoever takes them as labels: of the event, or what a missed one was drawn on."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from api import sight
from api.event_view import EvidenceDoor, evidence_out
from api.schemas import EvidenceOut
from events import frames, queries
from events.review import Verdict
from governance.access import Viewer


def pictures_of(connection: Connection, viewer: Viewer, found: Sequence[Verdict]) -> dict[int, tuple[EvidenceOut, ...]]:
    """By verdict, as far as the viewer may see the event's evidence; those that were deleted say so.

    Args:
        found: verdicts whose evidence the viewer may see.
    """
    of_events = queries.evidence_of(connection, {_event(one) for one in found}, sight.of_events(viewer))
    kept = frames.of_verdicts(connection, [one.id for one in found])
    told = {}
    for one in found:
        door = EvidenceDoor(_event(one))
        pieces = [
            evidence_out(door.url(row.ref), row) for row in of_events.get(door.event, ()) if _shows(one, row.ref.sha256)
        ]
        if one.id in kept:
            pieces.append(evidence_out(f"/api/misses/{one.id}/picture", kept[one.id]))
        told[one.id] = tuple(pieces)
    return told


def _event(one: Verdict) -> str:
    """The event whose pictures show it; "": there is none."""
    return one.event or next(iter(one.seen.drawn_on), "")


def _shows(one: Verdict, sha256: str) -> bool:
    return one.event is not None or sha256 in one.seen.drawn_on
