"""One camera's way into its ring: connect, demux, append; notice when nothing comes, and begin again."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import av

from contracts.errors import ConfigError, SourceError, SourceUnreachable
from contracts.live import CameraState, CameraStatus
from contracts.redact import redact
from pipeline.source import demux
from pipeline.source.bitstream import ParameterTracker
from pipeline.source.clock import ClockReading, StreamClock
from pipeline.source.files import play_file
from pipeline.source.gate import ConnectGate
from pipeline.source.ring import PacketRing
from pipeline.source.types import StreamPacket, StreamParameters
from store.secrets import Credentials

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SourceTimings:
    """How patient a source is; all in s.

    Attributes:
        open_deadline: opening takes no longer than this.
        hang_margin: a thread still in libav this long after the deadline is abandoned.
        stall_after: without progress of the stream's own time for this long it is stalled.
        dead_after: and for this long, offline: the connection is given up.
        backoff_first, backoff_most: the n-th retry waits a random time up to `backoff_first` * 2**n, at most
            `backoff_most` (full jitter).
        rest: over TCP, what arrives within so much time is read together: each waking of a thread costs more than
            reading a packet does. It is the most that this adds to latency; 0 reads each packet as it comes.
    """

    open_deadline: float = 10.0
    hang_margin: float = 3.0
    stall_after: float = 4.0
    dead_after: float = 10.0
    backoff_first: float = 0.5
    backoff_most: float = 30.0
    rest: float = 0.2


StateCallback = Callable[[str, CameraState, str], None]
"""Called with (camera id, new state, error without secrets), from the source's or the supervisor's thread."""


CredentialsCallback = Callable[[], Credentials]
"""Called before each connection, from the source's thread; raises ConfigError when nobody knows them."""


class _Life:
    """One thread of a source. An abandoned one finds its life over when libav lets it go at last."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.opening_since: float | None = None
        self.thread: threading.Thread | None = None


class _Rest:
    """Lets packets gather in the socket's buffer (see `SourceTimings.rest`).

    Args:
        longest: s; 0: never rests.
    """

    # Reading that took longer than this had to wait, so the socket is empty, s.
    _WAITED = 0.003
    # No more than this may gather, or the camera would be held up before TCP widens its window, bytes.
    _GATHER = 48_000

    def __init__(self, longest: float) -> None:
        self._longest = longest

    def between(self, packets: Iterator[demux.DemuxedPacket]) -> Iterator[demux.DemuxedPacket]:
        """The packets, resting after each that had to be waited for."""
        rate = 0.0  # bytes/s, smoothed
        size = 0
        woken = time.monotonic()
        while True:
            asked = time.monotonic()
            packet = next(packets, None)
            if packet is None:
                return
            size += len(packet.data)
            waited = self._longest > 0 and time.monotonic() - asked > self._WAITED
            yield packet
            if waited:
                now = time.monotonic()
                rate += (size / max(now - woken, 0.01) - rate) * 0.3
                size, woken = 0, now
                time.sleep(min(self._longest, self._GATHER / max(rate, 1.0)))


class CameraSource:
    """Keeps one camera's ring filled, on one blocking thread that demuxes and appends and does nothing else.

    Somebody must call `check` a few times a second (`SourceSupervisor` does).

    Args:
        camera: its id.
        url: rtsp://, rtsps:// or file://, without credentials; may hold {user} and {password}.
        ring: to fill.
        gate: shared by all sources of the process.
        transport: of RTP; rtsps is always TCP.
        credentials: see `CredentialsCallback`: a password that changed counts from the next connection on. None
            where the camera wants none.
        on_state: see `StateCallback`; must not block.
        timings: see there.
        after: stream time goes on later than this (a worker's checkpoint).
        worker: the worker's name, for `status`.
    """

    def __init__(
        self,
        camera: str,
        url: str,
        ring: PacketRing,
        gate: ConnectGate,
        *,
        transport: Literal["tcp", "udp"] = "tcp",
        credentials: CredentialsCallback | None = None,
        on_state: StateCallback | None = None,
        timings: SourceTimings | None = None,
        after: float | None = None,
        worker: str = "",
    ) -> None:
        self.camera = camera
        self._worker = worker
        self.ring = ring
        self._url = url
        self._gate = gate
        self._transport: Literal["tcp", "udp"] = transport
        self._credentials = credentials
        self._on_state = on_state
        self._timings = timings or SourceTimings()
        self._after = after
        self._clock = StreamClock(1 / 90_000, after=after)
        self._lock = threading.Lock()
        self._life: _Life | None = None
        self._state = CameraState.CONNECTING
        self._since_utc = time.time()
        self._error = ""
        self._parameters: StreamParameters | None = None
        self._failures = 0
        self._connections = 0
        self._progress = time.monotonic()
        self._hanging = 0

    @property
    def abandoned(self) -> int:
        """Threads of this source that hang in libav past every deadline."""
        return self._hanging

    @property
    def state(self) -> CameraState:
        return self._state

    def start(self) -> None:
        """Begins; returns at once."""
        self._begin(0.0)

    def stop(self, timeout: float = 0.0) -> None:
        """Ends; waits up to `timeout` s for the thread, which may be reading a silent connection."""
        life, self._life = self._life, None
        if life is not None:
            life.over.set()
            if timeout and life.thread is not None:
                life.thread.join(timeout)

    def check(self) -> None:
        """Notices stalls, and threads that hang or died. Cheap; call it a few times a second."""
        life = self._life
        if life is None:
            return
        now = time.monotonic()
        opening = life.opening_since
        limit = self._timings.open_deadline + self._timings.hang_margin
        if opening is not None and now - opening > limit:
            self._abandon(life)
        elif life.thread is not None and not life.thread.is_alive():
            # Only a fault of ours ends it; the traceback is already in the log.
            _log.error("%s: its thread died; another begins", self.camera)
            self._lost("its thread died")
            self._begin(self._backoff())
        elif self._state is CameraState.RUNNING and now - self._progress > self._timings.stall_after:
            self._become(CameraState.STALLED, f"nothing new for {self._timings.stall_after:g} s")

    @property
    def parameters(self) -> StreamParameters | None:
        """Of the newest packets; None before the first connection."""
        return self._parameters

    @property
    def jumps(self) -> int:
        """Discontinuities of the camera's timestamps so far, reconnects not counted."""
        return self._clock.jumps

    def clock(self) -> ClockReading:
        """How well stream time is tied to UTC just now."""
        return self._clock.reading()

    def status(self) -> CameraStatus:
        """The source's part of the camera's status; counts of looks and decode errors are the worker's."""
        clock, ring, parameters = self._clock.reading(), self.ring.stats(), self._parameters
        return CameraStatus(
            camera=self.camera,
            worker=self._worker,
            state=self._state,
            since_utc=self._since_utc,
            error=self._error,
            codec=parameters.codec if parameters else "",
            width=parameters.width if parameters else 0,
            height=parameters.height if parameters else 0,
            fps=ring.fps,
            kbit_s=ring.kbit_s,
            gop_s=ring.gop_s,
            reconnects=max(0, self._connections - 1),
            clock_source=clock.source,
            clock_error_ms=clock.error_ms,
            clock_wrong_s=clock.wrong_s,
            ring_bytes=ring.bytes,
            updated_utc=time.time(),
        )

    def _begin(self, wait: float) -> None:
        life = _Life()
        life.thread = threading.Thread(target=self._live, args=(life, wait), name=f"source-{self.camera}", daemon=True)
        life.thread.start()
        self._life = life

    def _abandon(self, life: _Life) -> None:
        with self._lock:
            if life.opening_since is None:
                return  # it came back this very moment
            life.opening_since = None
            self._hanging += 1
        life.over.set()
        self._gate.leave()
        self._failures += 1
        self._become(CameraState.OFFLINE, "opening hung past its deadline")
        _log.warning("%s: opening hung past its deadline; its thread is abandoned", self.camera)
        self._begin(self._backoff())

    def _live(self, life: _Life, wait: float) -> None:
        """The thread: one connection after the other."""
        while not life.over.wait(wait):
            try:
                self._one_connection(life)
                error = "the camera ended the stream"
            except (SourceError, ConfigError) as failure:
                error = failure.message
            except av.FFmpegError as failure:
                error = demux.reason(failure)
            except OSError as failure:
                # The spill file: its disk is full or gone.
                error = f"cannot keep packets: {failure.strerror}"
            if life.over.is_set():
                return
            self._lost(error)
            wait = self._backoff()

    def _lost(self, error: str) -> None:
        self.ring.cut()
        was_running = self._state is CameraState.RUNNING
        # One that breaks again and again soon after connecting is asked ever more rarely too.
        lasted = was_running and time.time() - self._since_utc > self._timings.dead_after
        self._failures = 0 if lasted else self._failures + 1
        # A connection that broke is first tried again; a try that failed, or a long silence, is offline.
        self._become(CameraState.CONNECTING if was_running else CameraState.OFFLINE, redact(error))

    def _backoff(self) -> float:
        most = min(self._timings.backoff_most, self._timings.backoff_first * 2 ** min(self._failures, 16))
        return random.uniform(0.0, most)

    def _one_connection(self, life: _Life) -> None:
        if self._url.lower().startswith("file:"):
            self._play(life)
            return
        while not self._gate.enter(0.5):
            if life.over.is_set():
                return
        container = self._open(life)
        if container is None:
            return
        with container:
            if not life.over.is_set():
                self._read(life, container)

    def _open(self, life: _Life) -> av.container.InputContainer | None:
        """The open stream; None when this thread was abandoned meanwhile. Leaves the gate in every case."""
        life.opening_since = time.monotonic()
        container = None
        try:
            container = demux.open_rtsp(
                self._url,
                self._transport,
                self._credentials() if self._credentials is not None else None,
                open_timeout=self._timings.open_deadline,
                read_timeout=self._timings.dead_after,
            )
        finally:
            with self._lock:
                abandoned = life.opening_since is None
                life.opening_since = None
                if abandoned:
                    self._hanging -= 1
            if not abandoned:
                self._gate.leave()
        if abandoned:
            container.close()
            return None
        return container

    def _read(self, life: _Life, container: av.container.InputContainer) -> None:
        stream = container.streams.video[0]
        context = stream.codec_context
        generation = 0 if self._parameters is None else self._parameters.generation + 1
        tracker = ParameterTracker(context.name, context.extradata or b"", (context.width, context.height), generation)
        self._connections += 1
        parameters = self._announce(tracker.current)
        assert stream.time_base is not None
        clock, ring = self._clock, self.ring
        clock.rebase(float(stream.time_base))
        newest = float("-inf")
        self._progress = time.monotonic()
        rest = _Rest(self._timings.rest if self._transport == "tcp" else 0.0)
        for raw in rest.between(demux.packets(container)):
            if life.over.is_set():
                return
            # Either packets came whose time stands still, or this is the one that libav's parser still held when
            # reading timed out: it would be taken for a sign of life.
            if time.monotonic() - self._progress > self._timings.dead_after:
                raise SourceUnreachable(f"nothing new for {self._timings.dead_after:g} s")
            moment = clock.at(raw.pts, time.time(), raw.camera_utc)
            if raw.keyframe:
                parameters = self._announce(tracker.keyframe(raw.data))
            ring.append(StreamPacket(moment.time, moment.utc, raw.keyframe, len(raw.data), raw.data), parameters)
            if moment.time > newest:
                newest = moment.time
                self._progressed()

    def _play(self, life: _Life) -> None:
        path = Path(unquote(urlsplit(self._url).path))
        for packet, parameters in play_file(path, life.over.wait, self._after):
            if parameters is not self._parameters:
                self._parameters = parameters
            self.ring.append(packet, parameters)
            self._after = packet.time
            self._progressed()

    def _announce(self, parameters: StreamParameters) -> StreamParameters:
        """Takes over what is the same as before a reconnect, so that it is not a new generation."""
        known = self._parameters
        if known is not None and known.extradata == parameters.extradata and known.codec == parameters.codec:
            return known
        self._parameters = parameters
        return parameters

    def _progressed(self) -> None:
        self._progress = time.monotonic()
        if self._state is not CameraState.RUNNING:
            self._become(CameraState.RUNNING, "")

    def _become(self, state: CameraState, error: str) -> None:
        with self._lock:
            changed = state is not self._state
            self._error = error
            if changed:
                self._state = state
                self._since_utc = time.time()
        if changed:
            _log.info("%s: %s%s", self.camera, state.value, f" ({error})" if error else "")
            if self._on_state is not None:
                self._on_state(self.camera, state, error)
