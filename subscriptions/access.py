"""Which department may be told of what: the one place where deliveries and access meet."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement

from subscriptions.matching import Place


def sees(department: ColumnElement[Any], place: Place) -> ColumnElement[bool]:
    """Whether a department may be told of a transition: its own cameras' events."""
    return department == place.department
