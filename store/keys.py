"""Names of everything in Valkey/Redis, in one place.

Records are durable (trimmed only below the consumer's mark); everything else is live state that may be lost.
"""

from __future__ import annotations

PREFIX = "cv"

WORKERS = f"{PREFIX}:workers"  # set of worker ids that ever published
MARKS = f"{PREFIX}:marks"  # hash worker -> "epoch:offset" consumed and committed, written after the commit
MARKS_READY = "*"  # field of MARKS: the consumer has written every mark it knows (absent after a wipe)
EVENTS = f"{PREFIX}:events"  # stream of committed transitions for listeners, bounded; Postgres is the truth
EVENTS_KEPT = 10_000  # about how many entries EVENTS keeps
STATUS = f"{PREFIX}:status"  # hash camera -> CameraStatus JSON
TRACE_KEPT = 1500  # about how many lines a camera's trace keeps: hours of calm, half an hour of bustle
TRACE_TTL_S = 86_400  # a trace that nobody writes to any more goes after this long
PROPOSALS_TTL_S = 7 * 86_400  # zones proposed for a camera that nobody watches any more go after this long
STATE_TTL_S = 600  # how long a moved camera's state waits for the worker that it joins
LOOKS = f"{PREFIX}:looks"  # hash request id -> `contracts.looks.LookRequest` JSON, all that wait for an answer
POOL = f"{PREFIX}:pool"  # hash {"revision", "digest", "snapshot"}: the pool that workers read
POOL_CHANGED = f"{PREFIX}:pool:changed"  # pub/sub channel, message = revision


def records(worker: str) -> str:
    """Stream of one worker's records; entry id = "<epoch>-<offset + 1>", field "r" = Record JSON."""
    return f"{PREFIX}:records:{worker}"


def watch(camera: str) -> str:
    """Exists (with a time to live of a few seconds) while somebody watches the camera live."""
    return f"{PREFIX}:watch:{camera}"


def live(camera: str) -> str:
    """Pub/sub channel of `contracts.live.encode_live` messages."""
    return f"{PREFIX}:live:{camera}"


def trace(camera: str) -> str:
    """Stream of one camera's trace, bounded: field "t" = `contracts.trace.TraceLine` JSON."""
    return f"{PREFIX}:trace:{camera}"


def proposals(camera: str) -> str:
    """String: `contracts.proposals.ZoneProposals` JSON of one camera."""
    return f"{PREFIX}:proposals:{camera}"


def assignment(worker: str) -> str:
    """String: JSON list of the camera ids this worker runs."""
    return f"{PREFIX}:assign:{worker}"


def state(camera: str) -> str:
    """Bytes: what the worker that a camera left knew of it, for the one that it joins; read once."""
    return f"{PREFIX}:state:{camera}"


def subscription(number: int) -> str:
    """Stream of what one subscriber is told, where it has no server of its own; bounded."""
    return f"{PREFIX}:subscription:{number}"
