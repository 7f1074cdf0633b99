"""One camera's gate as the chain asks it: before decoding, after decoding, after the look."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contracts.vision import Frame, Tracks
from pipeline.gate import ACTIVE_S, Decision, Gate, GateState, Signal, Verdict, busiest_second, luma_small
from pipeline.source.ring import PacketRing
from pipeline.trace import Tracer

_STILL = 0.05  # box heights a second: slower is the detector's trembling


class LookGate:
    """Keeps the `GateState` of one camera. Belongs to the compute thread.

    Args:
        gate: decides.
        tracer: told what was decided, and why.
    """

    def __init__(self, gate: Gate, tracer: Tracer) -> None:
        self._gate = gate
        self._tracer = tracer
        self._state: GateState = self._gate.initial()
        self._heard = float("-inf")
        self._ask_luma = False

    def undecoded(self, ring: PacketRing, time: float, wants: float | None) -> bool:
        """Whether the look due at stream time `time` is worth decoding, by packet sizes and what rules want.

        Args:
            ring: where the packets are.
            time: of the look, s of stream time.
            wants: see `Gate.decide`.
        """
        seconds = ring.size_stats(self._heard)
        if seconds:
            self._heard = seconds[-1].second
        signal = Signal(packet_bytes=busiest_second(seconds))
        self._state, decision = self._gate.decide(self._state, signal, time, wants)
        self._ask_luma = decision.verdict is Verdict.LUMA
        return self._told(decision)

    def decoded(self, frame: Frame, wants: float | None) -> bool:
        """Whether the decoded picture is worth detecting: always, unless `undecoded` wanted it compared first."""
        if not self._ask_luma:
            return True
        self._state, decision = self._gate.decide(self._state, Signal(luma=luma_small(frame)), frame.time, wants)
        return self._told(decision)

    def _told(self, decision: Decision) -> bool:
        """Whether it goes on."""
        if decision.verdict is Verdict.SKIP:
            self._tracer.gated()
            return False
        self._tracer.looking(decision.why)
        return True

    def looked(self, frame: Frame, tracks: Tracks) -> None:
        """The look succeeded and found this."""
        boxes = tracks.boxes[_lively(tracks, frame)]
        self._state = self._gate.looked(self._state, frame.time, luma_small(frame), boxes)


def _lively(tracks: Tracks, frame: Frame) -> NDArray[np.bool_]:
    """Which tracks move, or are new: what changed in the picture may be their doing."""
    height = tracks.boxes[:, 3] - tracks.boxes[:, 1]
    speed = np.hypot(tracks.velocity[:, 0] * frame.aspect, tracks.velocity[:, 1])
    lively: NDArray[np.bool_] = (speed > _STILL * height) | (tracks.first_seen > frame.time - ACTIVE_S)
    return lively
