"""What a worker writes into its spool: records together with the state that said them."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.errors import StoreError
from contracts.records import Body, Event, EventRecord, LookRecord, LookResult, Unwatched, UnwatchedRecord
from fleet.watched import WatchedCamera
from pipeline.spool import Spool
from pipeline.track import FleetTracker

Said = Iterable[Event | Unwatched | LookResult | None]


class Recorder:
    """Belongs to the compute thread.

    Every method raises DiskFull when there is no room, and StoreError when the spool failed for good; nothing was
    written then.

    Attributes:
        broken: the spool's failure; only a new process, which reads what really is on disk, can go on.
    """

    def __init__(self, spool: Spool, tracker: FleetTracker) -> None:
        self._spool = spool
        self._tracker = tracker
        self.broken: StoreError | None = None

    def record(self, watched: WatchedCamera, said: Said) -> bool:
        """Spools what one look said and the state that said it, all or nothing; False when it said nothing."""
        bodies = _bodies(said)
        if bodies:
            self._keep(watched, bodies)
        return bool(bodies)

    def checkpoint(self, watched: WatchedCamera) -> None:
        """Keeps the state alone."""
        self._keep(watched, [])

    def write(self, camera: str, said: Said, state: bytes) -> None:
        """For a camera that nobody watches; an empty state is forgotten together with what is said last."""
        self._write(camera, _bodies(said), state)

    def _keep(self, watched: WatchedCamera, bodies: list[Body]) -> None:
        state = self.state(watched)
        self._write(watched.camera.id, bodies, state)
        watched.kept = state

    def state(self, watched: WatchedCamera) -> bytes:
        """All that the camera goes on from."""
        return watched.dump(self._tracker.snapshot(watched.camera.id))

    def _write(self, camera: str, bodies: list[Body], state: bytes) -> None:
        try:
            if bodies:
                self._spool.append_all(bodies, {camera: state})
            else:
                self._spool.checkpoint(camera, state)
        except StoreError as error:
            self.broken = error
            raise


def _bodies(said: Said) -> list[Body]:
    return [_body(item) for item in said if item is not None]


def _body(item: Event | Unwatched | LookResult) -> Body:
    if isinstance(item, Event):
        return EventRecord(event=item)
    return LookRecord(look=item) if isinstance(item, LookResult) else UnwatchedRecord(unwatched=item)
