"""Names of everything in Valkey/Redis, in one place.

Records are durable (trimmed only below the consumer's mark); everything else is live state that may be lost.

The names live in a space: the city's, and one a trial lane, whose records, assignment and states must never be taken
for the city's.
"""

from __future__ import annotations

import re
from typing import Final

from contracts.errors import ConfigError

PREFIX: Final = "cv"
CITY: Final = ""
"""The space of what the city sees."""

MARKS_READY: Final = "*"  # field of `Keys.marks`: the consumer has written every mark it knows (absent after a wipe)
EVENTS_KEPT: Final = 10_000  # about how many entries `Keys.events` keeps
TRACE_KEPT: Final = 1500  # about how many lines a camera's trace keeps: hours of calm, half an hour of bustle
TRACE_TTL_S: Final = 86_400  # a trace that nobody writes to any more goes after this long
PROPOSALS_TTL_S: Final = 7 * 86_400  # zones proposed for a camera that nobody watches any more go after this long
STATE_TTL_S: Final = 600  # how long a moved camera's state waits for the worker that it joins
LANE_TTL_S: Final = 8.0  # a lane whose keeper says nothing for so long has no cameras any more

GLANCE_TTL_MS: Final = (
    2000  # how long a camera counts as watched by whoever wants one picture: a worker asks each 0.5 s
)

_SPACE = re.compile(r"[a-z][a-z0-9-]{0,31}")


class Keys:
    """The names in one space.

    Args:
        space: `CITY`, or a name of lower-case letters, digits and dashes.

    Attributes:
        workers: set of worker ids that ever published.
        marks: hash worker -> "epoch:offset" consumed and committed, written after the commit.
        events: stream of committed transitions for listeners, bounded; Postgres is the truth.
        status: hash camera -> CameraStatus JSON.
        looks: hash request id -> `contracts.looks.LookRequest` JSON, all that wait for an answer.
        pool: hash {"revision", "digest", "snapshot"}: the pool that workers read.
        pool_changed: pub/sub channel, message = revision.
        lanes: set of worker ids that may have cameras of their own (see `lane`).
        serving: string: `contracts.rollout.Serving` JSON, what every worker of the space is to run.
        served: hash worker -> `contracts.rollout.Served` JSON.

    Raises:
        ConfigError: the space cannot be named so.
    """

    def __init__(self, space: str = CITY) -> None:
        if space and _SPACE.fullmatch(space) is None:
            raise ConfigError(f"space: {space[:40]!r} is no name", "use a-z, 0-9 and -, a letter first, 32 at most")
        # "in" is none of the city's own names.
        self._prefix = f"{PREFIX}:in:{space}" if space else PREFIX
        self.workers = self._named("workers")
        self.marks = self._named("marks")
        self.events = self._named("events")
        self.status = self._named("status")
        self.looks = self._named("looks")
        self.pool = self._named("pool")
        self.pool_changed = self._named("pool:changed")
        self.lanes = self._named("lanes")
        self.serving = self._named("serving")
        self.served = self._named("served")

    def _named(self, name: str) -> str:
        return f"{self._prefix}:{name}"

    def everything(self) -> str:
        """Pattern of all names of a space that is not the city's. Raises ConfigError for the city's."""
        if self._prefix == PREFIX:
            raise ConfigError("the city's space is never given up as a whole")
        return f"{self._prefix}:*"

    def records(self, worker: str) -> str:
        """Stream of one worker's records; entry id = "<epoch>-<offset + 1>", field "r" = Record JSON."""
        return self._named(f"records:{worker}")

    def watch(self, camera: str) -> str:
        """Exists (with a time to live of a few seconds) while somebody watches the camera live."""
        return self._named(f"watch:{camera}")

    def live(self, camera: str) -> str:
        """Pub/sub channel of `contracts.live.encode_live` messages."""
        return self._named(f"live:{camera}")

    def trace(self, camera: str) -> str:
        """Stream of one camera's trace, bounded: field "t" = `contracts.trace.TraceLine` JSON."""
        return self._named(f"trace:{camera}")

    def proposals(self, camera: str) -> str:
        """String: `contracts.proposals.ZoneProposals` JSON of one camera."""
        return self._named(f"proposals:{camera}")

    def assignment(self, worker: str) -> str:
        """String: JSON list of the camera ids this worker runs."""
        return self._named(f"assign:{worker}")

    def lane(self, worker: str) -> str:
        """String: JSON list of the cameras that a lane's worker is to take over whole; gone `LANE_TTL_S` after its
        keeper last said so."""
        return self._named(f"lane:{worker}")

    def state(self, camera: str) -> str:
        """Bytes: what the worker that a camera left knew of it, for the one that it joins; read once."""
        return self._named(f"state:{camera}")

    def subscription(self, number: int) -> str:
        """Stream of what one subscriber is told, where it has no server of its own; bounded."""
        return self._named(f"subscription:{number}")
