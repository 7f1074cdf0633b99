"""Stream time and its mapping to UTC.

Stream time is what rules measure in: seconds, never going back between looks, as fast as the camera's own clock
(PTS) says. It survives wraps of the 32- or 33-bit timestamps, and where the camera's clock jumps or the connection
was lost it goes on by the time that really passed. Its origin is the UTC of the first packet's arrival, so that it
also goes on through a restart of the worker. Files have no arrival: see `filetimes`.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from contracts.records import ClockSource

# Timestamps further than this from what arrival says are a jump, s.
JUMP: Final = 5.0
# Timestamps may go back by this much: B frames arrive in decoding order, s.
REORDER: Final = 2.0
# A camera clock further than this from ours is reported and not believed, s.
WRONG: Final = 2.0
_WRAPS: Final = (1 << 32, 1 << 33)
# The delay filter keeps the smallest delay of each of these buckets, s, and that many of them.
_BUCKET: Final = 10.0
_BUCKETS: Final = 6
# What neither sender reports nor arrival can tell: exposure, encoding, the least network delay, ms.
_UNKNOWN_DELAY_MS: Final = 150.0


class Moment(NamedTuple):
    """Stream time and UTC of one packet, s."""

    time: float
    utc: float


class ClockReading(NamedTuple):
    """How well the mapping to UTC is known.

    Attributes:
        source: RTCP sender reports, or arrival.
        error_ms: how far off UTC may be.
        wrong_s: the camera's own clock less ours where that is more than `WRONG`, else 0; s.
    """

    source: ClockSource
    error_ms: float
    wrong_s: float


class StreamClock:
    """PTS in, stream time and UTC out. Belongs to the source's thread; `reading` may be called from any.

    Args:
        tick: s per unit of PTS.
        after: stream time must be later than this (a restarted worker goes on from its checkpoint).
    """

    def __init__(self, tick: float, after: float | None = None) -> None:
        self._tick = tick
        self._after = after
        self._offset = 0.0
        self._last_pts = 0
        self._unwrapped = 0
        self._last_arrival = 0.0
        self._started = False
        self._rebase = True
        self._newest = float("-inf")
        self.jumps = 0
        """Discontinuities of the timestamps so far, reconnects not counted."""
        self._delays: deque[float] = deque(maxlen=_BUCKETS)
        self._bucket = 0.0
        self._utc_offset = 0.0
        self._camera_offset: float | None = None
        self._spread = 0.0

    def rebase(self, tick: float) -> None:
        """A new connection: its timestamps begin anew."""
        self._tick = tick
        self._rebase = True
        self._camera_offset = None
        self._delays.clear()

    def at(self, pts: int, arrival: float, camera_utc: float | None = None) -> Moment:
        """The moment of a packet.

        Args:
            pts: presentation timestamp, wrapped or not.
            arrival: s since 1970 UTC when it was received, from a clock that does not jump.
            camera_utc: the camera's own UTC of this picture by its sender reports, where known.
        """
        if self._rebase:
            self._begin(pts, arrival)
        else:
            self._follow(pts, arrival)
        self._last_arrival = arrival
        time = self._unwrapped * self._tick + self._offset
        self._newest = max(self._newest, time)
        self._map(time, arrival, camera_utc)
        return Moment(time, time + self._utc_offset)

    def _begin(self, pts: int, arrival: float) -> None:
        if not self._started:
            start = arrival
            if self._after is not None:
                start = max(start, self._after + 0.001)
        else:
            start = self._newest + max(arrival - self._last_arrival, self._tick)
        self._started, self._rebase = True, False
        self._unwrapped = self._last_pts = pts
        self._offset = start - pts * self._tick

    def _follow(self, pts: int, arrival: float) -> None:
        delta = pts - self._last_pts
        # A step of nearly a whole wrap is a small step across it, in either direction.
        for wrap in _WRAPS:
            if abs(abs(delta) - wrap) * self._tick < JUMP:
                delta -= wrap if delta > 0 else -wrap
                break
        self._last_pts = pts
        self._unwrapped += delta
        ahead = self._unwrapped * self._tick + self._offset - self._newest
        if -REORDER <= ahead <= JUMP:
            return
        passed = arrival - self._last_arrival
        # Silence that the timestamps confirm is a gap, not a jump.
        if ahead > 0 and abs(ahead - passed) <= max(JUMP, passed / 10):
            return
        self.jumps += 1
        self._offset += max(passed, self._tick) - ahead
        self._delays.clear()
        self._camera_offset = None

    def _map(self, time: float, arrival: float, camera_utc: float | None) -> None:
        delay = arrival - time
        if not self._delays or arrival - self._bucket >= _BUCKET:
            self._delays.append(delay)
            self._bucket = arrival
        elif delay < self._delays[-1]:
            self._delays[-1] = delay
        least = min(self._delays)
        # How much later than the quickest packet the others come, averaged over some seconds.
        self._spread += (delay - least - self._spread) * 0.02
        if camera_utc is not None:
            self._camera_offset = camera_utc - time
        camera = self._camera_offset
        self._utc_offset = camera if camera is not None and abs(camera - least) <= WRONG else least

    def reading(self) -> ClockReading:
        """How the present mapping was made."""
        camera = self._camera_offset
        least = min(list(self._delays), default=0.0)
        jitter_ms = self._spread * 1000
        if camera is None:
            return ClockReading(ClockSource.ARRIVAL, _UNKNOWN_DELAY_MS + jitter_ms, 0.0)
        wrong = camera - least
        if abs(wrong) <= WRONG:
            # The camera cannot have taken a picture after it arrived: what looks like that is its clock's error.
            return ClockReading(ClockSource.RTCP, max(20.0, wrong * 1000), 0.0)
        return ClockReading(ClockSource.ARRIVAL, _UNKNOWN_DELAY_MS + jitter_ms, wrong)
