"""Where a worker's compute thread and its reporter thread leave things for each other; nothing on it can block.

The compute thread never talks to the network: what it has to show it puts here, what it needs to know it finds here.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from contracts.live import CameraStatus
from contracts.looks import LookRequest
from contracts.pool import Camera
from contracts.proposals import ZoneProposals
from contracts.trace import TraceLine

TRACE_KEPT = 200  # lines a camera that wait while the bus is away


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which cameras this worker runs, as of a pool revision.

    Attributes:
        revision: of the pool.
        cameras: those of this worker.
        pool: ids of all enabled cameras, whoever runs them: a camera that is among them but no longer in `cameras`
            has moved to another worker, any other is gone for good.
    """

    revision: int
    cameras: tuple[Camera, ...]
    pool: frozenset[str] = frozenset()


class Board:
    """Newest values only: a status or live picture not yet taken is replaced by the next, and traces are cut short.

    Attributes:
        something: set when there is something to be sent at once.
        watched: cameras that somebody watches live.
        looks: second looks that this worker's cameras are asked for.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pictures: dict[str, bytes] = {}
        self._statuses: dict[str, CameraStatus] = {}
        self._traces: dict[str, list[TraceLine]] = {}
        self._proposals: dict[str, ZoneProposals] = {}
        self._leaving: dict[str, bytes] = {}
        self._taken: set[str] = set()
        self._arriving: dict[str, bytes] = {}
        self._assignment: Assignment | None = None
        self.something = threading.Event()
        self.watched: frozenset[str] = frozenset()
        self.looks: tuple[LookRequest, ...] = ()

    def post_picture(self, camera: str, message: bytes) -> None:
        """One live picture (`contracts.live.encode_live`)."""
        with self._lock:
            self._pictures[camera] = message
        self.something.set()

    def post_statuses(self, statuses: list[CameraStatus]) -> None:
        with self._lock:
            self._statuses |= {status.camera: status for status in statuses}

    def take_pictures(self) -> dict[str, bytes]:
        with self._lock:
            pictures, self._pictures = self._pictures, {}
        self.something.clear()
        return pictures

    def take_statuses(self) -> list[CameraStatus]:
        with self._lock:
            statuses, self._statuses = self._statuses, {}
        return list(statuses.values())

    def post_trace(self, camera: str, lines: Sequence[TraceLine]) -> None:
        """What its looks saw, oldest first."""
        if lines:
            with self._lock:
                self._traces[camera] = [*self._traces.get(camera, ()), *lines][-TRACE_KEPT:]

    def take_traces(self) -> dict[str, list[TraceLine]]:
        with self._lock:
            traces, self._traces = self._traces, {}
        return traces

    def post_proposals(self, proposals: ZoneProposals) -> None:
        """Zones that a camera's tracks suggest."""
        with self._lock:
            self._proposals[proposals.camera] = proposals

    def take_proposals(self) -> list[ZoneProposals]:
        with self._lock:
            proposals, self._proposals = self._proposals, {}
        return list(proposals.values())

    def post_leaving(self, states: Mapping[str, bytes]) -> None:
        """States (camera -> bytes) of cameras that moved away: another worker goes on from them."""
        with self._lock:
            # One put back after a failure must not go before a newer one.
            self._leaving = {**states, **self._leaving}
        self.something.set()

    def take_leaving(self) -> dict[str, bytes]:
        with self._lock:
            leaving, self._leaving = self._leaving, {}
        return leaving

    def post_taken(self, cameras: Iterable[str]) -> None:
        """What was left for these cameras has been taken over by another worker."""
        with self._lock:
            self._taken |= set(cameras)

    def take_taken(self) -> set[str]:
        with self._lock:
            taken, self._taken = self._taken, set()
        return taken

    def post_arriving(self, states: Mapping[str, bytes]) -> None:
        """What other workers left behind for cameras of this one."""
        with self._lock:
            self._arriving |= states

    def take_arriving(self) -> dict[str, bytes]:
        with self._lock:
            arriving, self._arriving = self._arriving, {}
        return arriving

    def assign(self, assignment: Assignment) -> None:
        with self._lock:
            self._assignment = assignment

    def take_assignment(self) -> Assignment | None:
        """The newest assignment, once."""
        with self._lock:
            assignment, self._assignment = self._assignment, None
        return assignment
