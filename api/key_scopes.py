"""Which doors an API key opens, and which scope it needs there. No other door takes one."""

from __future__ import annotations

from governance.api_keys import Scope

_DOORS: dict[Scope, tuple[str, ...]] = {
    Scope.EVENTS_READ: ("list_events", "count_events", "get_event", "event_stream", "list_acknowledgements"),
    Scope.EVIDENCE_READ: ("evidence", "evidence_proxy"),
    Scope.CASES_READ: ("list_cases", "case_book", "case_statistics", "get_case", "get_incident", "case_picture"),
    Scope.CASES_WRITE: ("create_case", "act_on_case", "act_on_incident", "add_picture"),
    Scope.WEATHER_WRITE: ("list_weather", "begin_weather", "end_weather"),
    Scope.SUBSCRIPTIONS_READ: (
        "list_subscriptions",
        "get_subscription",
        "list_deliveries",
        "list_attempts",
        "subscription_stream",
    ),
    Scope.SUBSCRIPTIONS_WRITE: (
        "create_subscription",
        "change_subscription",
        "delete_subscription",
        "pause_subscription",
        "resume_subscription",
        "rotate_secret",
        "settle_secret",
        "test_subscription",
        "redrive",
        "replay",
    ),
}

KEY_SCOPES: dict[str, Scope] = {door: scope for scope, doors in _DOORS.items() for door in doors}
"""By the operation's name in the OpenAPI document."""
