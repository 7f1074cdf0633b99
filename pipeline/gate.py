"""The gate: is a look that is due worth its inference? Cheapest signal first, and nothing goes unseen for long.

1. A rule that is about to decide gets its look, and so does the heartbeat: no camera goes unlooked at for longer.
2. Packet sizes cost nothing, and mean nothing on many cameras. They may send a look away only on a camera where they
   have proven themselves against its own luma pictures, and for as long as they do (see `pipeline.packettrust`).
3. A small luma picture of the frame is compared with the one of the last look, block by block, against the noise
   that block has shown on this camera before (see `pipeline.blocks`).

Pure: the caller keeps the state, brings the signals and obeys. When told LUMA it decodes, calls `decide` again with
the picture, and so gets LOOK or SKIP; after a look that succeeded it calls `looked`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.pool import Zone
from contracts.vision import ByteArray, Frame
from pipeline.blocks import BlockNoise, Blocks, blocks_of, compare, covered_by, learn
from pipeline.packettrust import PacketTrust, alarming, judged
from pipeline.source.ring import SecondSizes

LUMA_WIDTH, LUMA_HEIGHT = 160, 90
HEARTBEAT_S = 10.0
# After a change looks go on this long, so that what came to rest is seen at rest before the gate falls silent.
ACTIVE_S = 5.0
LONG_CALM_S = 10.0  # without a change for this long, a camera is calm
_EARLY = 0.1  # a look this share of its interval before the promise is in time


class Verdict(StrEnum):
    """What to do about a look that is due."""

    LOOK = "look"  # decode, detect
    LUMA = "luma"  # decode, bring the small luma picture, ask again
    SKIP = "skip"  # nothing changed: this counts as watched


class Why(StrEnum):
    """The reason, for counters and logs."""

    FIRST = "first"  # nothing to compare with yet
    RULE = "rule"  # a rule wants this look whatever the picture shows
    HEARTBEAT = "heartbeat"
    ACTIVE = "active"  # something changed just now
    CHANGE = "change"  # the luma picture changed
    CALM = "calm"  # it did not
    PACKETS = "packets"  # packet sizes say that something changed
    QUIET = "quiet"  # packet sizes say that nothing did, and are trusted
    RESTING = "resting"  # calm for long, and a picture is not yet due
    UNPROVEN = "unproven"  # packet sizes are unknown or not trusted


@dataclass(frozen=True, slots=True)
class Decision:
    verdict: Verdict
    why: Why


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """What is known of the picture when a look is due.

    Attributes:
        packet_bytes: mean size of the delta packets in the busiest second since the last decision (see
            `busiest_second`); None when there were none.
        luma: uint8 [90, 160] of the frame that would be looked at (see `luma_small`); None while not decoded.
    """

    packet_bytes: float | None = None
    luma: ByteArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class GateState:
    """What the gate remembers of one camera. Not checkpointed: after a restart it looks, and learns anew.

    Attributes:
        last_look: stream time, s; None before the first.
        last_decided: stream time of the last decision that was not LUMA, or of the last look, s.
        active_until: looks go on until then, s.
        reference: luma picture of the last look.
        judged_at: stream time of the newest picture that was compared with it, s.
        noise: what each block shows when nothing happens.
        trust: how far packet sizes have proven themselves.
        difference: by block, of the newest comparison that the detector is still to judge; None: none is.
        alarm: packet sizes were alarming since the last luma picture; None when there were none.
        loudest: the largest packet signal in that time.
    """

    last_look: float | None = None
    last_decided: float | None = None
    active_until: float = float("-inf")
    reference: ByteArray | None = None
    judged_at: float | None = None
    noise: BlockNoise = field(default_factory=BlockNoise.fresh)
    trust: PacketTrust = field(default_factory=PacketTrust)
    difference: Blocks | None = None
    alarm: bool | None = None
    loudest: float | None = None


class Gate:
    """The decision for one camera.

    Args:
        heartbeat: the longest time without a look, s of stream time.
        active: how long looks go on after a change, s.
        patience: a camera that has long been calm is compared only this often, s, unless its packets suddenly grow;
            0: at every look that is due. Bounds how much later than promised an arrival is noticed.
        zones: only changes in and next to these count: what comes to rest in a zone shows there, and once it is
            a candidate its rule gets every look of the whole picture. None: changes anywhere count.
    """

    def __init__(
        self,
        heartbeat: float = HEARTBEAT_S,
        active: float = ACTIVE_S,
        patience: float = 0.0,
        zones: Iterable[Zone] | None = None,
    ) -> None:
        self._heartbeat = heartbeat
        self._active = active
        self._patience = patience
        self._watched = None if zones is None else blocks_of(zone.polygon for zone in zones)

    def initial(self) -> GateState:
        """Nothing seen yet."""
        return GateState()

    def decide(
        self, state: GateState, signal: Signal, now: float, wants: float | None = None
    ) -> tuple[GateState, Decision]:
        """What to do about a look that is due at `now`.

        Args:
            state: of this camera.
            signal: see `Signal`; without `luma` at first.
            now: stream time of the frame that would be looked at, s.
            wants: the shortest interval that a rule asks for just now (`Rule.wants`), s; None: none does.
        """
        if signal.luma is None:
            state = _hear(state, signal.packet_bytes)
        urgent = self._urgent(state, now, wants)
        if urgent is not None:
            return replace(state, last_decided=now), Decision(Verdict.LOOK, urgent)
        if signal.luma is not None and state.reference is not None:
            return self._compare(state, state.reference, signal.luma, now)
        if not state.alarm and self._may_rest(state, now):
            return replace(state, last_decided=now), Decision(Verdict.SKIP, Why.RESTING)
        if not state.trust.trusted or state.alarm is None:
            return state, Decision(Verdict.LUMA, Why.UNPROVEN)
        if state.alarm:
            return state, Decision(Verdict.LUMA, Why.PACKETS)
        return replace(state, last_decided=now), Decision(Verdict.SKIP, Why.QUIET)

    def looked(
        self, state: GateState, now: float, luma: ByteArray, boxes: NDArray[np.floating] | None = None
    ) -> GateState:
        """The state after the look at `now` succeeded; `luma` is of its frame, `boxes` [N, 4] what moved or is new.

        Every look teaches: the heartbeat's finds out trusted packet sizes, and a camera whose noise makes every
        picture a change learns that it is noise.
        """
        if state.reference is None:
            state = replace(state, active_until=now)  # nobody knows yet whether it is calm
        elif state.judged_at != now:
            state, _ = self._learn(state, state.reference, luma, now)
        if state.difference is not None and boxes is not None:
            noise = learn(state.noise, state.difference, ~covered_by(boxes))
            state = replace(state, noise=noise, difference=None)
        return replace(state, last_look=now, last_decided=now, reference=luma, alarm=None, loudest=None)

    def _urgent(self, state: GateState, now: float, wants: float | None) -> Why | None:
        if state.last_look is None or state.reference is None or now < state.last_look:
            return Why.FIRST
        since = now - state.last_look
        if wants is not None and since >= wants * (1 - _EARLY):
            return Why.RULE
        step = 0.0 if state.last_decided is None else max(0.0, now - state.last_decided)
        # The next chance comes about a step later, and that must not be too late.
        if since + step > self._heartbeat:
            return Why.HEARTBEAT
        return Why.ACTIVE if now < state.active_until else None

    def _may_rest(self, state: GateState, now: float) -> bool:
        """Calm for long, and the next chance for a picture comes before patience is over."""
        if state.last_look is None or now - state.active_until < LONG_CALM_S:
            return False
        pictured = max(state.last_look, state.judged_at or state.last_look)
        step = 0.0 if state.last_decided is None else max(0.0, now - state.last_decided)
        return now - pictured + step <= self._patience

    def _compare(
        self, state: GateState, reference: ByteArray, luma: ByteArray, now: float
    ) -> tuple[GateState, Decision]:
        state, changed = self._learn(state, reference, luma, now)
        state = replace(state, last_decided=now, alarm=None, loudest=None)
        if changed:
            return state, Decision(Verdict.LOOK, Why.CHANGE)
        return state, Decision(Verdict.SKIP, Why.CALM)

    def _learn(self, state: GateState, reference: ByteArray, luma: ByteArray, now: float) -> tuple[GateState, bool]:
        """Compares with the last look's picture; the noise and the packets' record learn from the outcome."""
        difference = compare(reference, luma)
        changed = state.noise.changed(difference, self._watched)
        trust = state.trust
        if state.alarm is not None and state.loudest is not None:
            trust = judged(trust, state.alarm, state.loudest, changed)
        noise = learn(state.noise, difference)
        state = replace(state, noise=noise, trust=trust, judged_at=now, difference=difference if changed else None)
        return (replace(state, active_until=now + self._active), True) if changed else (state, False)


def _hear(state: GateState, packet_bytes: float | None) -> GateState:
    """The packet signal, gathered until a luma picture can judge it."""
    if packet_bytes is None:
        return state
    alarm = bool(state.alarm) or alarming(state.trust, packet_bytes)
    return replace(state, alarm=alarm, loudest=max(state.loudest or 0.0, packet_bytes))


def luma_small(frame: Frame) -> ByteArray:
    """The frame's luma at 160x90, each pixel the mean of its area: uint8 [90, 160]."""
    return np.asarray(cv2.resize(frame.y, (LUMA_WIDTH, LUMA_HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def busiest_second(seconds: Iterable[SecondSizes]) -> float | None:
    """Mean size of the delta packets in the second where it was largest, bytes; None without delta packets."""
    return max((second.delta_size / second.deltas for second in seconds if second.deltas), default=None)
