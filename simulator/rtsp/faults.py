"""What can be made to go wrong with a served camera. Every field may be set from any thread while it runs."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from simulator.rtsp.media import LoopedClip


@dataclass(slots=True)
class Faults:
    """Faults of one camera, in force as long as they are set.

    Attributes:
        refuse: new connections are closed at once, as by a host that is down.
        hang: requests are read and never answered.
        stall: the connection stays, no packet is sent, and the camera's clock goes on.
        freeze_clock: packets are sent, all with the same timestamp.
        corrupt: share of RTP packets with damaged bytes, 0..1.
        lose: share of RTP packets not sent, 0..1.
        answer_delay: every answer comes this much later, s.
        speed: 1 is real time; 0.5 sends at half the rate, 10 ten seconds of the clip in one.
    """

    refuse: bool = False
    hang: bool = False
    stall: bool = False
    freeze_clock: bool = False
    corrupt: float = 0.0
    lose: float = 0.0
    answer_delay: float = 0.0
    speed: float = 1.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _drops: int = 0
    _jump: float = 0.0
    _switch: LoopedClip | None = None

    def drop(self) -> None:
        """Cuts every connection of this camera, once."""
        with self._lock:
            self._drops += 1

    def jump(self, seconds: float) -> None:
        """The timestamps jump by `seconds` (either sign) and go on from there."""
        with self._lock:
            self._jump += seconds

    def switch(self, clip: LoopedClip) -> None:
        """Goes on with another clip (another size, other parameter sets) without a new session."""
        with self._lock:
            self._switch = clip

    @property
    def drops(self) -> int:
        return self._drops

    @property
    def jumped(self) -> float:
        return self._jump

    def take_switch(self) -> LoopedClip | None:
        """The clip to switch to, once."""
        with self._lock:
            clip, self._switch = self._switch, None
            return clip
