"""The place of a transition in queries over `event_transitions` and `events`: what filters and access ask about."""

from __future__ import annotations

from events.tables import event_transitions, events
from subscriptions.matching import Place


def told_place() -> Place:
    """As the transition told it: with its own grid and severity."""
    t, e = event_transitions.c, events.c
    grid, severity = t.body["grid"].astext, t.body["severity"].astext
    return Place(e.department, e.camera, e.zone, grid, e.type, severity, t.transition, t.at)


def present_place() -> Place:
    """As the event stands now: what decides who may still be told of an older transition."""
    t, e = event_transitions.c, events.c
    return Place(e.department, e.camera, e.zone, e.grid, e.type, e.severity, t.transition, t.at)
