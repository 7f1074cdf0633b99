"""Which department may be told of what: the one place where deliveries and access meet."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement

from governance import access
from subscriptions.matching import Place


def sees(department: ColumnElement[Any], place: Place) -> ColumnElement[bool]:
    """Whether a department may be told of a transition: what it sees itself, and what it was granted."""
    asked = access.Place(place.department, place.camera, place.grid, place.zone, place.type, place.at)
    return access.department_sees(department, asked)
