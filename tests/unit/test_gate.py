"""The gate: nothing goes unseen for long, little is looked at in vain, packets have to earn their trust."""

from __future__ import annotations

import itertools
from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.vision import ByteArray, Frame
from pipeline.blocks import BlockNoise, blocks_of, compare, learn
from pipeline.gate import Gate, GateState, Signal, Verdict, Why, busiest_second, luma_small
from pipeline.packettrust import PacketTrust, judged
from pipeline.rules.base import Output, Step
from pipeline.rules.registry import build_rules
from pipeline.source.ring import SecondSizes
from tests.effort import examples
from tests.unit.scenes import Actor, camera, look, of, parked, passing, rectangle

ZONE = {"id": "kerb", "kind": "no_parking", "polygon": rectangle(0.05, 0.3, 0.95, 0.95)}
_STREET = np.random.default_rng(7).normal(110, 18, (90, 160)).astype(np.float32)


def picture(
    actors: list[Actor], time: float, *, noise: float = 1.0, light: float = 1.0, shade: float = 0.0
) -> ByteArray:
    """The luma picture of a scene: a textured street, and every actor a grey box with a darker lower half."""
    canvas = _STREET.copy()
    for actor in actors:
        at = actor.at(time)
        if at is None:
            continue
        (x, y), (w, h) = at, actor.size
        left, right = max(0, round((x - w / 2) * 160)), max(0, round((x + w / 2) * 160))
        top, middle, bottom = (max(0, round(v * 90)) for v in (y - h, y - h / 2, y))
        canvas[top:middle, left:right] = 190
        canvas[middle:bottom, left:right] = 60
    canvas = canvas * light + shade
    canvas += np.random.default_rng(round(time * 1000)).normal(0, noise, canvas.shape)
    return np.clip(canvas, 0, 255).astype(np.uint8)


def watch(
    actors: list[Actor], end: float, every: float, *, packets: bool = False, gate: Gate | None = None
) -> tuple[list[Output], Counter[Why], list[float]]:
    """The parking rule behind the gate; what it said, why the gate decided what, and when it looked."""
    gate = gate or Gate()
    rule = build_rules(camera(ZONE, illegal_parking={"dwell": 30, "look_every": every}))[0]
    state, rules, said = gate.initial(), rule.initial(), []
    why: Counter[Why] = Counter()
    looked: list[float] = []
    for i in range(int(end / every) + 1):
        time = i * every
        moving = any(a.at(time) != a.at(time - 1) for a in actors)
        noise = Random(i).uniform(-50, 50)
        luma = picture(actors, time)
        signal = Signal((3000.0 if moving else 1000.0) + noise) if packets else Signal()
        state, decision = gate.decide(state, signal, time, rule.wants(rules))
        if decision.verdict is Verdict.LUMA:
            state, decision = gate.decide(state, Signal(luma=luma), time, rule.wants(rules))
        assert decision.verdict is not Verdict.LUMA
        why[decision.why] += 1
        if decision.verdict is Verdict.LOOK:
            rules, outputs = rule.step(rules, look(actors, time))
            said += outputs
            looked.append(time)
            state = gate.looked(state, time, luma)
    return said, why, looked


def settled(gate: Gate, count: int = 59, **scene: float) -> GateState:
    """A gate that has watched an empty street for a while."""
    state = gate.looked(gate.initial(), 0.0, picture([], 0.0))
    for i in range(1, count):
        state, decision = gate.decide(state, Signal(luma=picture([], float(i), **scene)), float(i))
        if decision.verdict is Verdict.LOOK:
            state = gate.looked(state, float(i), picture([], float(i), **scene))
    return gate.looked(state, float(count), picture([], float(count), **scene))


# --- nothing is lost ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("every", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("packets", [False, True])
def test_the_event_comes_at_the_same_time_as_without_the_gate(every: float, packets: bool) -> None:
    cars = [parked(1, 0.5, 0.7, 40, 150), parked(2, 0.3, 0.9, 180, 195)]
    traffic = [passing(10 + i, 0.2, 7.0 * i, size=(0.06, 0.05)) for i in range(30)]
    cars += traffic  # outside the zone
    zones = camera(ZONE).zones
    gated, why, _ = watch(cars, 240, every, packets=packets, gate=Gate(zones=zones))
    whole, _, looked = watch(cars, 240, every, gate=Gate(heartbeat=0.0))
    assert len(looked) == int(240 / every) + 1
    # While an event is open the rule wants a look every 5 s: that is how exactly its end is known.
    for step, late in ((Step.OPENED, 2 * every), (Step.CLOSED, 5.0 + every)):
        (ours,), (truth,) = of(gated, step), of(whole, step)
        assert abs(ours.time - truth.time) <= late
        assert abs(ours.started - truth.started) <= 2 * every
    assert why[Why.CALM] + why[Why.QUIET] > 0


def test_a_quiet_street_costs_the_heartbeat_only() -> None:
    _, why, looked = watch([], 600, 2.0)
    assert why[Why.CALM] > 3 * len(looked)
    assert max(b - a for a, b in itertools.pairwise(looked)) <= 10.0


@given(
    steps=st.lists(st.floats(0.04, 4.0), min_size=5, max_size=60),
    heartbeat=st.floats(5.0, 20.0),
    wants=st.one_of(st.none(), st.floats(0.5, 6.0)),
)
@settings(max_examples=examples(40), deadline=None)
def test_no_look_is_overdue(steps: list[float], heartbeat: float, wants: float | None) -> None:
    gate = Gate(heartbeat=heartbeat)
    state, now, last = gate.initial(), 0.0, None
    longest = max(steps)
    for step in steps:
        now += step
        state, decision = gate.decide(state, Signal(luma=picture([], now)), now, wants)
        if decision.verdict is Verdict.LOOK:
            state = gate.looked(state, now, picture([], now))
            last = now
        assert last is not None
        # Steps may grow from one look to the next; at an even pace the heartbeat itself is the bound.
        assert now - last <= min(heartbeat, wants if wants is not None else heartbeat) + longest


def test_a_failed_look_is_asked_for_again() -> None:
    gate = Gate()
    state = gate.initial()
    for now in (0.0, 2.0, 4.0):
        state, decision = gate.decide(state, Signal(), now)
        assert decision.verdict is Verdict.LOOK
        assert decision.why is Why.FIRST


def test_a_rule_gets_what_it_wants() -> None:
    gate = Gate()
    state = settled(gate)
    for now, verdict in ((60.0, Verdict.SKIP), (61.0, Verdict.LOOK)):
        state, decision = gate.decide(state, Signal(luma=picture([], now)), now, 2.0)
        assert decision.verdict is verdict


# --- luma -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(0.10, 0.08), (0.05, 0.05), (0.03, 0.12)])
def test_something_new_is_a_change(size: tuple[float, float]) -> None:
    gate = Gate()
    state = settled(gate)
    arrived = Actor(1, ((0, 0.52, 0.66), (100, 0.52, 0.66)), size)
    state, decision = gate.decide(state, Signal(luma=picture([arrived], 60.0)), 60.0)
    assert decision.why is Why.CHANGE


@pytest.mark.parametrize(("light", "shade"), [(0.7, 0.0), (1.3, 0.0), (1.0, 15.0), (1.0, -15.0)])
def test_a_cloud_or_the_exposure_is_not(light: float, shade: float) -> None:
    gate = Gate()
    state = settled(gate)
    _, decision = gate.decide(state, Signal(luma=picture([], 60.0, light=light, shade=shade)), 60.0)
    assert decision.why is Why.CALM


def test_noise_is_learnt_and_something_new_still_seen() -> None:
    gate = Gate()
    state = settled(gate, 400, noise=6.0)
    state, decision = gate.decide(state, Signal(luma=picture([], 402.0, noise=6.0)), 402.0)
    assert decision.why is Why.CALM
    arrived = Actor(1, ((0, 0.52, 0.66), (1000, 0.52, 0.66)))
    _, decision = gate.decide(state, Signal(luma=picture([arrived], 403.0, noise=6.0)), 403.0)
    assert decision.why is Why.CHANGE


def test_with_zones_only_what_happens_there_is_a_change() -> None:
    zones = camera({"id": "kerb", "kind": "no_parking", "polygon": rectangle(0.6, 0.6, 0.9, 0.9)}).zones
    gate = Gate(zones=zones)
    for x, verdict in ((0.2, Verdict.SKIP), (0.75, Verdict.LOOK)):
        state = settled(gate)
        car = Actor(1, ((0, x, 0.75), (100, x, 0.75)))
        _, decision = gate.decide(state, Signal(luma=picture([car], 60.0)), 60.0)
        assert decision.verdict is verdict


def test_the_blocks_of_a_zone_and_their_neighbours() -> None:
    blocks = blocks_of([[(0.51, 0.5), (0.55, 0.5), (0.55, 0.54), (0.51, 0.54)]])
    assert blocks.shape == (9, 16)
    assert sorted(zip(*np.nonzero(blocks), strict=True)) == [(r, c) for r in (3, 4, 5) for c in (7, 8, 9)]


def test_a_restless_block_never_learns_to_hide_a_vehicle() -> None:
    noise = BlockNoise.fresh()
    wild = np.full((9, 16), 80.0, np.float32)
    for _ in range(2000):
        noise = learn(noise, wild)
    vehicle = compare(picture([], 0.0), picture([Actor(1, ((0, 0.52, 0.66), (9, 0.52, 0.66)), (0.1, 0.15))], 0.0))
    assert noise.changed(vehicle)


def test_luma_small_averages_areas() -> None:
    y = np.zeros((720, 1280), np.uint8)
    y[:, 640:] = 200
    small = luma_small(Frame(y, np.zeros((360, 640), np.uint8), np.zeros((360, 640), np.uint8), 0.0, 0.0))
    assert small.shape == (90, 160)
    assert small.dtype == np.uint8
    assert int(small[45, 10]) == 0
    assert int(small[45, 150]) == 200


# --- packets --------------------------------------------------------------------------------------------------


def record(trust: PacketTrust, count: int, *, honest: bool, seed: int = 0) -> PacketTrust:
    noise = Random(seed)
    for _ in range(count):
        changed = noise.random() < 0.5
        trust = judged(trust, changed if honest else noise.random() < 0.5, 3000.0 if changed else 1000.0, changed)
    return trust


def test_trust_is_earned_and_lost() -> None:
    trust = record(PacketTrust(), 30, honest=True)
    assert not trust.trusted
    trust = record(trust, 60, honest=True)
    assert trust.trusted
    assert not record(trust, 60, honest=False).trusted


def test_packets_that_say_nothing_are_never_trusted() -> None:
    assert not record(PacketTrust(), 500, honest=False).trusted


def test_trusted_packets_save_the_decoding_and_misses_are_found_out_at_the_heartbeat() -> None:
    gate = Gate()
    state = GateState(trust=PacketTrust(level=np.log(1001.0), hits=40, quiet=40, trusted=True))
    state = gate.looked(state, 0.0, picture([], 0.0))
    state, decision = gate.decide(state, Signal(1000.0), 2.0)
    assert (decision.verdict, decision.why) == (Verdict.SKIP, Why.QUIET)
    state, decision = gate.decide(state, Signal(4000.0), 4.0)
    assert (decision.verdict, decision.why) == (Verdict.LUMA, Why.PACKETS)
    silent = Actor(1, ((0, 0.52, 0.66), (9000, 0.52, 0.66)))
    now = 4.0
    for i in range(60):
        now += 2.0
        state, decision = gate.decide(state, Signal(1000.0), now)
        if decision.verdict is Verdict.LOOK:
            state = gate.looked(state, now, picture([silent] if i % 10 < 5 else [], now))
    assert not state.trust.trusted


def test_the_busiest_second_of_delta_packets() -> None:
    seconds = [
        SecondSizes(0, 25, 90_000, 24, 24_000),
        SecondSizes(1, 25, 50_000, 25, 50_000),
        SecondSizes(2, 1, 9, 0, 0),
    ]
    assert busiest_second(seconds) == 2000.0
    assert busiest_second(seconds[2:]) is None


def test_a_long_calm_camera_is_compared_only_as_often_as_patience_asks() -> None:
    patience = 6.0
    _, why, looked = watch([], 120, 2.0, gate=Gate(patience=patience))
    assert why[Why.RESTING] > why[Why.CALM] > 0
    assert max(b - a for a, b in itertools.pairwise(looked)) <= 10.0, "the heartbeat holds all the same"


def test_patience_delays_an_arrival_by_no_more_than_itself() -> None:
    actors = [parked(1, 0.5, 0.7, 60.0, 120.0)]
    impatient, _, _ = watch(actors, 120, 2.0)
    patient, _, _ = watch(actors, 120, 2.0, gate=Gate(patience=6.0))
    assert [o.step for o in patient] == [o.step for o in impatient]
    assert 0 <= patient[0].started - impatient[0].started <= 6.0


def test_packets_that_grow_end_the_rest() -> None:
    gate = Gate(patience=8.0)
    luma = picture([], 0.0)
    state = gate.looked(gate.initial(), 0.0, luma)
    for time in range(2, 60, 2):
        state, decision = gate.decide(state, Signal(packet_bytes=1000.0), float(time))
        if decision.verdict is Verdict.LUMA:
            state, _ = gate.decide(state, Signal(luma=luma), float(time))
        elif decision.verdict is Verdict.LOOK:
            state = gate.looked(state, float(time), luma)
    state, decision = gate.decide(state, Signal(packet_bytes=5000.0), 60.0)
    assert decision.verdict is not Verdict.SKIP


def test_leaves_where_the_detector_finds_nothing_are_soon_known() -> None:
    noise = BlockNoise.fresh()
    rustle = np.full((9, 16), 7.0, np.float32)
    empty = np.ones((9, 16), np.bool_)
    for _ in range(4):
        noise = learn(noise, rustle, empty)
    assert not noise.changed(rustle)
    assert noise.changed(np.full((9, 16), 25.0, np.float32)), "a vehicle is still a change"
