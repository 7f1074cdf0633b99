"""Who may open each door of the API, and what it shows of somebody's own: the table that the access matrix walks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from governance.roles import Right
from tests.contract.access_world import CAMERA, OURS, THEIRS

Mine = Literal["subscription", "silence", "case", "incident", "grant", "label item", "missed"]
Of = Literal["nothing", "camera", "live", "own camera", "event", "evidence"] | Mine


@dataclass(frozen=True)
class Door:
    """Who may open it: any of these rights; `of` what it shows or changes."""

    rights: frozenset[Right]
    of: Of = "nothing"
    body: dict[str, Any] | bytes | None = None
    query: str = ""
    asks: bool = False  # opening it changes something or waits: only who must not is tried


def door(*rights: Right, of: Of = "nothing", **more: Any) -> Door:
    return Door(frozenset(rights), of, **more)


SEE, COUNT, SUBSCRIBE, ASK = Right.SEE, Right.COUNT, Right.SUBSCRIBE, Right.ASK
CASES = (Right.DISPATCH, Right.HANDLE)
ANYBODY = tuple(Right)
HOUR = {"from_utc": 1e9, "until_utc": 1e9 + 3600}
NEW_GRANT = {"grantee": OURS, "owner": THEIRS, "purpose": "tests", "expires_utc": 4e9}
SUBSCRIPTION = {"department": THEIRS, "name": "n", "channel": {"kind": "sse"}}
REASON = {"reason": "tests"}
ACTION = {"action": "supervise", "facts": {}}
MISSED = {
    "type": "crowding",
    "camera": CAMERA,
    "moment_utc": 1e9,
    "polygon": [[0, 0], [1, 0], [1, 1]],
    "key": "access-matrix",
}
DOORS: dict[str, Door] = {
    "GET /api/second-factor": door(*ANYBODY),
    "POST /api/second-factor": door(*ANYBODY, asks=True),
    "POST /api/second-factor/confirm": door(*ANYBODY, asks=True),
    "POST /api/second-factor/recovery-codes": door(*ANYBODY, asks=True),
    "POST /api/second-factor/disable": door(*ANYBODY, asks=True),
    "GET /api/keys": door(Right.PEOPLE),
    "POST /api/keys": door(Right.PEOPLE, asks=True, body={"name": "k", "scopes": ["events:read"]}),
    "POST /api/keys/{number}/revoke": door(Right.PEOPLE, asks=True),
    "GET /api/people": door(Right.PEOPLE),
    "POST /api/people": door(Right.PEOPLE, asks=True, body={"name": "new", "role": "auditor"}),
    "PUT /api/people/{name}": door(Right.PEOPLE, asks=True, body={"role": "auditor"}),
    "POST /api/people/{name}/password": door(Right.PEOPLE, asks=True),
    "GET /api/departments": door(*ANYBODY),
    "GET /api/grants": door(ASK, Right.DECIDE),
    "POST /api/grants": door(ASK, asks=True, body=NEW_GRANT),
    "POST /api/grants/{number}/decision": door(Right.DECIDE, of="grant", asks=True, body={"approve": True}),
    "POST /api/grants/{number}/revocation": door(ASK, Right.DECIDE, of="grant", asks=True, body={}),
    "GET /api/gallery": door(*ANYBODY),
    "POST /api/gallery/{algorithm}/trials": door(*ANYBODY, asks=True, query="?kind=picture", body=b"no picture"),
    "GET /api/gallery/requests": door(*ANYBODY),
    "POST /api/gallery/requests": door(ASK, asks=True, body={"algorithm": "litter", "cameras": [CAMERA]}),
    "POST /api/gallery/requests/{number}/answer": door(
        Right.LABEL, asks=True, body={"answer": "refused", "note": "tests"}
    ),
    "GET /api/algorithms": door(Right.LABEL, Right.AUDIT),
    "GET /api/algorithms/ledger": door(Right.LABEL, Right.AUDIT, query="?algorithm=waterlogging"),
    "GET /api/algorithms/parameters": door(Right.LABEL, Right.AUDIT, query="?algorithm=waterlogging"),
    "POST /api/algorithms/ledger/verification": door(Right.LABEL, Right.AUDIT),
    "GET /api/algorithms/lanes": door(Right.LABEL, Right.AUDIT),
    "POST /api/algorithms": door(
        Right.LABEL, asks=True, body={"algorithm": "waterlogging", "version": "9.9.9", "training": 1}
    ),
    "POST /api/algorithms/uploads": door(Right.LABEL, asks=True, body={}),
    "POST /api/algorithms/{number}/registration": door(Right.LABEL, asks=True),
    "POST /api/algorithms/{number}/retirement": door(Right.LABEL, asks=True, body={"why": "tests"}),
    "POST /api/algorithms/{number}/shadow": door(Right.LABEL, asks=True, body={"cameras": [CAMERA]}),
    "POST /api/algorithms/{number}/canary": door(Right.PROMOTE, asks=True, body={"cameras": [CAMERA]}),
    "POST /api/algorithms/{number}/promotion": door(Right.PROMOTE, asks=True),
    "POST /api/algorithms/{number}/abort": door(Right.PROMOTE, Right.LABEL, asks=True, body={"why": "tests"}),
    "POST /api/algorithms/rollback": door(
        Right.PROMOTE, asks=True, body={"algorithm": "crowding", "version_id": 1, "why": "tests"}
    ),
    "GET /api/audit": door(Right.AUDIT),
    "POST /api/audit/verification": door(Right.AUDIT),
    "GET /api/cameras": door(SEE),
    "GET /api/cameras/tallies": door(SEE, COUNT),
    "GET /api/cameras/{camera_id}": door(SEE, of="camera"),
    "PUT /api/cameras/{camera_id}/zones": door(Right.ZONES, of="own camera", asks=True, body={"zones": []}),
    "GET /api/cameras/{camera_id}/explain": door(SEE, of="camera", query="?at=1&type=crowding"),
    "GET /api/cameras/{camera_id}/snapshot.jpg": door(SEE, of="live", asks=True),
    "GET /api/cameras/{camera_id}/zone-proposals": door(Right.ZONES, of="own camera"),
    "GET /api/map/cameras": door(SEE),
    "GET /api/map/states": door(SEE),
    "GET /api/map/events": door(SEE),
    "GET /api/map/cases": door(*CASES),
    "GET /api/map/unwatched": door(SEE),
    "GET /api/events/stream": door(SEE, query="?after=0"),
    "GET /api/events": door(SEE),
    "GET /api/events/counts": door(SEE, COUNT),
    "GET /api/events/{event_id}": door(SEE, of="event"),
    "GET /api/events/{event_id}/evidence/{sha256}": door(SEE, of="evidence"),
    "GET /api/events/{event_id}/evidence/{sha256}/proxy": door(SEE, of="evidence", asks=True),
    "GET /api/events/{event_id}/custody": door(SEE, of="evidence"),
    "GET /api/events/{event_id}/holds": door(SEE, of="evidence"),
    "POST /api/events/{event_id}/holds": door(Right.HOLD, of="evidence", asks=True, body=REASON),
    "POST /api/events/{event_id}/holds/{number}/release": door(Right.HOLD, of="evidence", asks=True, body=REASON),
    "POST /api/events/{event_id}/package": door(Right.UNMASK, of="evidence", asks=True, body={"purpose": "tests"}),
    "GET /api/events/{event_id}/acknowledgements": door(SEE, of="event"),
    "POST /api/events/{event_id}/acknowledgements": door(SUBSCRIBE, of="event", asks=True, body={"department": OURS}),
    "GET /api/events/{event_id}/verdicts": door(SEE, of="evidence"),
    "POST /api/events/{event_id}/verdicts": door(
        Right.JUDGE, of="evidence", asks=True, body={"kind": "real", "key": "access-matrix"}
    ),
    "POST /api/misses": door(Right.JUDGE, of="camera", asks=True, body=MISSED),
    "GET /api/misses/{number}/picture": door(SEE, of="missed"),
    "GET /api/misses/{number}/custody": door(SEE, of="missed"),
    "GET /api/review/events": door(Right.JUDGE),
    "GET /api/review/rates": door(SEE, COUNT),
    "GET /api/label-candidates": door(Right.LABEL),
    "GET /api/labelling/projects": door(Right.LABEL),
    "POST /api/labelling/projects": door(Right.LABEL, asks=True, body={"name": "n", "classes": ["car"]}),
    "GET /api/labelling/projects/{number}": door(Right.LABEL),
    "POST /api/labelling/projects/{number}/candidates": door(Right.LABEL, asks=True, body={}),
    "GET /api/labelling/projects/{number}/items": door(Right.LABEL),
    "GET /api/labelling/projects/{number}/collection": door(Right.LABEL),
    "PUT /api/labelling/projects/{number}/collection": door(Right.LABEL, asks=True, body={"pictures": 4}),
    "GET /api/labelling/projects/{number}/queue": door(Right.LABEL),
    "GET /api/labelling/projects/{number}/agreement": door(Right.LABEL),
    "GET /api/labelling/projects/{number}/export": door(Right.LABEL, asks=True),
    "POST /api/labelling/projects/{number}/freeze": door(Right.LABEL, asks=True, body={}),
    "GET /api/labelling/items/{number}": door(Right.LABEL, of="label item"),
    "GET /api/labelling/items/{number}/picture": door(Right.LABEL, of="label item"),
    "PUT /api/labelling/items/{number}/draft": door(
        Right.LABEL, of="label item", asks=True, body={"labels": [], "stamp": 1}
    ),
    "POST /api/labelling/items/{number}/answers": door(
        Right.LABEL, of="label item", asks=True, body={"labels": [], "key": "access-matrix"}
    ),
    "POST /api/labelling/items/{number}/reviews": door(
        Right.LABEL, of="label item", asks=True, body={"answer": 1, "accepted": True, "key": "access-matrix"}
    ),
    "PUT /api/labelling/items/{number}/hidden": door(Right.LABEL, of="label item", asks=True, body={"hidden": True}),
    "GET /api/datasets": door(Right.LABEL),
    "GET /api/datasets/{digest}": door(Right.LABEL),
    "GET /api/datasets/{digest}/difference": door(Right.LABEL),
    "GET /api/datasets/{digest}/difference/items": door(Right.LABEL, query="?kind=added"),
    "GET /api/datasets/{digest}/pictures/{content}": door(Right.LABEL, of="label item"),
    "GET /api/trainings": door(Right.LABEL),
    "POST /api/trainings": door(Right.LABEL, asks=True, body={"name": "n", "dataset": "0" * 64}),
    "GET /api/trainings/{number}": door(Right.LABEL, asks=True),
    "POST /api/trainings/{number}/cancel": door(Right.LABEL, asks=True),
    "GET /api/unwatched": door(SEE, COUNT),
    "GET /api/subscriptions": door(SUBSCRIBE),
    "POST /api/subscriptions": door(SUBSCRIBE, asks=True, body=SUBSCRIPTION),
    "GET /api/subscriptions/{number}": door(SUBSCRIBE, of="subscription"),
    "PUT /api/subscriptions/{number}": door(
        SUBSCRIBE, of="subscription", asks=True, body={"subscription": SUBSCRIPTION, "revision": 1}
    ),
    "DELETE /api/subscriptions/{number}": door(SUBSCRIBE, of="subscription", asks=True),
    "POST /api/subscriptions/{number}/pause": door(SUBSCRIBE, of="subscription", asks=True, body={"why": "x"}),
    "POST /api/subscriptions/{number}/resume": door(SUBSCRIBE, of="subscription", asks=True),
    "POST /api/subscriptions/{number}/secret": door(SUBSCRIBE, of="subscription", asks=True),
    "POST /api/subscriptions/{number}/secret/settle": door(SUBSCRIBE, of="subscription", asks=True),
    "POST /api/subscriptions/{number}/test": door(SUBSCRIBE, of="subscription", asks=True),
    "GET /api/subscriptions/{number}/deliveries": door(SUBSCRIBE, of="subscription"),
    "GET /api/subscriptions/{number}/attempts": door(SUBSCRIBE, of="subscription"),
    "POST /api/subscriptions/{number}/redrive": door(SUBSCRIBE, of="subscription", asks=True),
    "POST /api/subscriptions/{number}/replay": door(
        SUBSCRIBE, of="subscription", asks=True, body={"since_utc": 1e9, "until_utc": 1e9 + 60}
    ),
    "GET /api/subscriptions/{number}/stream": door(SUBSCRIBE, of="subscription", asks=True),
    "GET /api/silences": door(SUBSCRIBE),
    "POST /api/silences": door(SUBSCRIBE, asks=True, body={"department": THEIRS, **HOUR}),
    "POST /api/silences/preview": door(SUBSCRIBE, asks=True, body={"department": THEIRS, **HOUR}),
    "GET /api/silences/{number}/hidden": door(SUBSCRIBE, of="silence"),
    "DELETE /api/silences/{number}": door(SUBSCRIBE, of="silence", asks=True),
    "GET /api/cases": door(*CASES),
    "POST /api/cases": door(Right.DISPATCH, asks=True, body={"source": "manual", "category": "x"}),
    "GET /api/cases/book": door(*ANYBODY),
    "GET /api/cases/statistics": door(SEE, COUNT),
    "GET /api/cases/{number}": door(*CASES, of="case"),
    "POST /api/cases/{number}/actions": door(*CASES, of="case", asks=True, body=ACTION),
    "POST /api/cases/{number}/pictures": door(*CASES, of="case", asks=True, body=b"\xff\xd8\xff"),
    "GET /api/cases/{number}/pictures/{sha256}": door(*CASES, of="case", asks=True),
    "GET /api/cases/{number}/custody": door(*CASES, of="case"),
    "GET /api/cases/{number}/events/{event_id}": door(*CASES, of="case"),
    "GET /api/cases/{number}/events/{event_id}/evidence/{sha256}": door(*CASES, of="case"),
    "GET /api/cases/{number}/holds": door(Right.HOLD, of="case"),
    "POST /api/cases/{number}/holds": door(Right.HOLD, of="case", asks=True, body=REASON),
    "POST /api/cases/{number}/holds/{hold}/release": door(Right.HOLD, of="case", asks=True, body=REASON),
    "GET /api/shifts/current": door(Right.DISPATCH, Right.AUDIT),
    "GET /api/weather": door(*ANYBODY),
    "POST /api/weather": door(Right.DISPATCH, asks=True, body={"kind": "rain"}),
    "POST /api/weather/{number}/end": door(Right.DISPATCH, asks=True),
    "POST /api/shifts": door(Right.DISPATCH, asks=True, body={"until_utc": 4e9}),
    "GET /api/shifts/draft": door(Right.DISPATCH, query="?until=4e9"),
    "POST /api/shifts/{number}/handover": door(Right.DISPATCH, asks=True, body={"until_utc": 4e9}),
    "POST /api/shifts/{number}/relief": door(Right.DISPATCH, asks=True, body={"until_utc": 4e9, "note": "x"}),
    "GET /api/shifts/handovers": door(Right.DISPATCH, Right.AUDIT),
    "GET /api/shifts/handovers/{number}": door(Right.DISPATCH, Right.AUDIT),
    "POST /api/shifts/handovers/{number}/answer": door(Right.DISPATCH, asks=True, body={"answer": "confirmed"}),
    "GET /api/field/cases": door(Right.HANDLE),
    "GET /api/field/cases/{number}": door(Right.HANDLE, of="case"),
    "GET /api/incidents/{number}": door(*CASES, of="incident"),
    "POST /api/incidents/{number}/actions": door(*CASES, of="incident", asks=True, body=ACTION),
    "GET /api/case-silences": door(Right.DISPATCH),
    "POST /api/case-silences/preview": door(Right.DISPATCH, body={}),
    "GET /api/case-silences/{number}/hidden": door(Right.DISPATCH),
    "POST /api/case-silences": door(Right.DISPATCH, asks=True, body={"note": "x", "until_utc": 4e9}),
    "DELETE /api/case-silences/{number}": door(Right.DISPATCH, asks=True),
    "GET /api/exchange": door(Right.DISPATCH),
    "POST /api/exchange/cases/{number}/retry": door(Right.DISPATCH, asks=True),
    "POST /api/exchange/reconciliation": door(Right.DISPATCH, asks=True, body={}),
    "GET /api/pool/schema": door(*ANYBODY),
    "GET /api/health/detectors": door(Right.OPERATE),
}
OPEN = {  # without a login, or about oneself alone
    "POST /api/login",
    "POST /api/login/second-factor",
    "POST /api/logout",
    "GET /api/oidc",
    "GET /api/oidc/login",
    "GET /api/oidc/callback",
    "GET /api/me",
    "POST /api/password",
    "GET /api/health/live",
    "GET /api/health/ready",
    "POST /api/exchange/callbacks",  # by signature; there is none here
}
# Answers that name every department, show the shape of all pools or tell the weather, and nothing that cameras saw.
COMMON_KNOWLEDGE = {"GET /api/departments", "GET /api/cases/book", "GET /api/pool/schema", "GET /api/weather"}
