"""What the litter sense finds, and what it does not take for a thing left behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import cv2
import numpy as np
import pytest

from contracts.algorithms import Litter
from contracts.pool import Zone
from contracts.senses import Leftover
from contracts.vision import ByteArray, FloatArray, Frame, ObjectClass, Tracks
from models.classifier import load_classifier
from models.picture import frame_from_bgr
from models.zoo import Zoo
from pipeline.rules.base import Step
from pipeline.senses.leftovers import LeftoverMemory
from pipeline.senses.litter import Classifier, LitterSense, Request, bin_box
from simulator.street import scenario
from tests.effort import forms
from tests.unit.scenes import rectangle
from tests.unit.street_litter import watch_street

GROUND = Zone.model_validate({"id": "g", "kind": "square", "polygon": rectangle(0.05, 0.3, 0.95, 0.95)})
BAG = (0.45, 0.60, 0.49, 0.67)
SIZE = (640, 360)


class Always:
    """Takes everything for litter with one probability, and counts."""

    heads: ClassVar[dict[str, tuple[str, ...]]] = {"thing": ("litter", "ground"), "bin": ("ok", "overflowing")}

    def __init__(self, chance: float = 0.9) -> None:
        self.chance, self.asked = chance, 0

    def cut(self, picture: Frame, box: Sequence[float]) -> ByteArray:
        return np.zeros((8, 8, 3), np.uint8)

    def classify(self, crops: Sequence[ByteArray]) -> dict[str, FloatArray]:
        self.asked += len(crops)
        row = np.tile(np.array([self.chance, 1 - self.chance], np.float32), (len(crops), 1))
        return {"thing": row, "bin": row[:, ::-1]}


def street(seed: int = 0) -> ByteArray:
    """A paved ground with kerbs and a wall, uint8 [360, 640, 3]."""
    rng = np.random.default_rng(seed)
    rough = rng.normal(0, 8, (360, 640)).astype(np.float32)
    ground = 110 + cv2.GaussianBlur(rough, (0, 0), 1.2)
    bgr = np.clip(np.stack([ground + 4, ground, ground - 4], axis=2), 0, 255).astype(np.uint8)
    cv2.rectangle(bgr, (0, 0), (640, 90), (150, 140, 130), -1)
    cv2.line(bgr, (0, 130), (640, 170), (200, 200, 200), 4)
    cv2.rectangle(bgr, (80, 40), (160, 120), (60, 60, 90), -1)
    return bgr


def with_thing(bgr: ByteArray, box: tuple[float, ...] = BAG, colour: tuple[int, int, int] = (60, 60, 180)) -> ByteArray:
    out = bgr.copy()
    x1, y1, x2, y2 = (round(v * s) for v, s in zip(box, SIZE * 2, strict=True))
    cv2.rectangle(out, (x1, y1), (x2, y2), colour, -1)
    cv2.line(out, (x1, y1), (x2, y2), (230, 230, 230), 2)
    return out


def track(box: tuple[float, ...], kind: ObjectClass = ObjectClass.PERSON) -> Tracks:
    return Tracks(
        np.array([1], np.int64),
        np.array([box], np.float32),
        np.array([0.9], np.float32),
        np.array([int(kind)], np.int64),
        np.zeros(1, np.float64),
        np.zeros((1, 2), np.float32),
    )


def see(
    picture: Callable[[float], ByteArray],
    start: float,
    end: float,
    *,
    every: float = 2.0,
    memory: LeftoverMemory | None = None,
    tracks: Callable[[float], Tracks] = lambda _: Tracks.empty(),
    classifier: Classifier | None = None,
    noise: float = 2.0,
) -> tuple[LeftoverMemory, list[tuple[float, tuple[Leftover, ...] | None]]]:
    """Looks at a scene; what was told at each."""
    memory = memory or LeftoverMemory()
    judge = classifier or Always()
    sense = LitterSense(lambda: judge)
    told = []
    for step in range(int((end - start) / every) + 1):
        time = start + step * every
        grain = np.random.default_rng([7, step]).normal(0, noise, (360, 640, 3))
        bgr = np.clip(picture(time) + grain, 0, 255).astype(np.uint8)
        request = Request(frame_from_bgr(bgr, time, time), tracks(time), (GROUND,), memory, leftovers=True, bins=False)
        told.append((time, sense.sense([request])[0].leftovers))
    return memory, told


def found(told: list[tuple[float, tuple[Leftover, ...] | None]]) -> set[int]:
    return {leftover.number for _, leftovers in told for leftover in leftovers or ()}


@pytest.mark.parametrize("every", forms([2.0, 10.0], [0.5]))
def test_a_thing_that_comes_is_told_with_its_place_and_time(every: float) -> None:
    empty, full = street(), with_thing(street())
    _, told = see(lambda t: full if 60 <= t < 160 else empty, 0, 220, every=every)
    assert told[0][1] is None  # nothing is known of the scene yet
    assert len(found(told)) == 1
    times = [time for time, leftovers in told if leftovers]
    assert times[0] <= 60 + max(8.0, 2 * every)
    assert 150 <= times[-1] <= 168
    last = next(leftovers[0] for time, leftovers in told if leftovers and time == times[-1])
    assert 60 - every <= last.since <= 60 + every
    assert np.abs(np.array(last.box) - BAG).max() < 0.015
    assert last.litter == pytest.approx(0.9)


def test_a_dark_thing_on_dark_ground() -> None:
    """At night a carton is a few grey levels darker than the pavement, and none of its colour is left."""

    def picture(time: float) -> ByteArray:
        bgr = (0.27 * street().astype(np.float32)).astype(np.uint8)
        x1, y1, x2, y2 = (round(v * s) for v, s in zip(BAG, SIZE * 2, strict=True))
        if time >= 30:
            bgr[y1:y2, x1:x2] -= 5
        return bgr

    _, told = see(picture, 0, 80)
    assert len(found(told)) == 1
    first, leftovers = next((time, leftovers) for time, leftovers in told if leftovers)
    assert first <= 44
    assert leftovers is not None
    assert np.abs(np.array(leftovers[0].box) - BAG).max() < 0.02


def test_it_is_classified_when_it_is_new_and_now_and_then() -> None:
    judge = Always()
    see(lambda t: with_thing(street()) if t >= 20 else street(), 0, 200, classifier=judge)
    assert 12 <= judge.asked <= 20


class Unsure(Always):
    """Takes a thing for litter in the crop and in the looks in which leaves happen to look like it."""

    def __init__(self) -> None:
        super().__init__()
        self.wide: list[float] = []

    def cut(self, picture: Frame, box: Sequence[float]) -> ByteArray:
        self.wide.append(box[2] - box[0])
        return super().cut(picture, box)

    def classify(self, crops: Sequence[ByteArray]) -> dict[str, FloatArray]:
        self.chance = 0.97 if self.asked < 4 else 0.1
        return super().classify(crops)


def test_a_net_that_was_sure_in_a_few_looks_is_asked_until_the_mean_says_something() -> None:
    judge = Unsure()
    _, told = see(lambda t: with_thing(street()) if t >= 20 else street(), 0, 60, classifier=judge)
    last = told[-1][1]
    assert last is not None
    assert all(leftover.litter < Litter().min_litter for leftover in last)
    assert np.ptp(judge.wide) > 0.3 * np.mean(judge.wide)  # not the same crop again and again


class Taken(Always):
    """Sees litter until it is taken away at the sixth crop."""

    def classify(self, crops: Sequence[ByteArray]) -> dict[str, FloatArray]:
        self.chance = 0.97 if self.asked < 6 else 0.03
        return super().classify(crops)


def test_two_looks_that_show_nothing_outweigh_all_that_was_seen_before() -> None:
    _, told = see(lambda t: with_thing(street()) if t >= 20 else street(), 0, 46, classifier=Taken())
    last = told[-1][1]
    assert last is not None
    assert all(leftover.litter < 0.2 for leftover in last)


def test_what_somebody_put_down_is_told_when_they_step_aside() -> None:
    person = (0.43, 0.3, 0.5, 0.69)
    _, told = see(
        lambda t: with_thing(street()) if t >= 20 else street(),
        0,
        60,
        tracks=lambda t: track(person) if 16 <= t <= 34 else Tracks.empty(),
    )
    (first, leftovers) = next((time, leftovers) for time, leftovers in told if leftovers)
    assert 36 <= first <= 46
    assert leftovers is not None
    assert 34 <= leftovers[0].since <= 38


@pytest.mark.parametrize("every", forms([2.0], [0.2, 0.5]))
def test_what_came_behind_somebody_who_brought_it_came_with_them(every: float) -> None:
    """They stand before it from 20 to 24, and the detector misses them now and then."""
    person, missed = (0.43, 0.3, 0.5, 0.69), np.random.default_rng(3).random(400) < 0.2

    def tracks(time: float) -> Tracks:
        there = 20 <= time <= 24 and not missed[round(time / every)]
        return track(person) if there else Tracks.empty()

    _, told = see(lambda t: with_thing(street()) if t >= 20.3 else street(), 8, 36, tracks=tracks, every=every)
    leftovers = next(leftovers for _, leftovers in told if leftovers)
    assert 20 - 0.5 <= leftovers[0].since <= 20 + every + 0.5


@pytest.mark.parametrize("every", [0.5, 2.0])
def test_what_was_taken_away_is_not_told_from_then_on(every: float) -> None:
    """Nor while its place settles on the ground below it."""
    _, told = see(lambda t: with_thing(street()) if 8 <= t < 30 else street(), 0, 42, every=every)
    assert max(time for time, leftovers in told if leftovers) == 30 - every


@pytest.mark.parametrize("every", forms([2.0], [0.2, 0.5]))
def test_a_shadow_on_it_does_not_make_it_newer(every: float) -> None:
    full = with_thing(street())
    shaded = full.copy()
    shaded[190:250, 270:330] = shaded[190:250, 270:330] * 0.6

    def picture(time: float) -> ByteArray:
        return street() if time < 20 else shaded if 23.6 <= time < 25 else full

    _, told = see(picture, 8, 40, every=every)
    leftovers = next(leftovers for _, leftovers in told if leftovers)
    assert 20 - 0.5 <= leftovers[0].since <= 20 + every + 0.5


def test_a_shadow_that_stays_over_it_and_the_ground_beside_it_does_not_hide_it() -> None:
    full = with_thing(street())
    shaded = full.copy()
    shaded[170:290, 230:420] = shaded[170:290, 230:420] * 0.55
    _, told = see(lambda t: street() if t < 20 else shaded if t >= 50 else full, 0, 120)
    (bag,) = {leftover.number for time, leftovers in told for leftover in leftovers or () if time < 50}
    still = [time for time, leftovers in told if any(one.number == bag for one in leftovers or ())]
    assert still[-1] == 120


def test_it_stays_the_same_thing_behind_a_passing_bus() -> None:
    bus = (0.2, 0.4, 0.8, 0.8)
    dark = with_thing(street(), bus, (20, 90, 20))
    full = with_thing(street())
    _, told = see(
        lambda t: street() if t < 20 else dark if 60 <= t < 90 else full,
        0,
        130,
        tracks=lambda t: track(bus, ObjectClass.BUS) if 60 <= t < 90 else Tracks.empty(),
    )
    assert len(found(told)) == 1
    assert not any(leftovers for time, leftovers in told if 60 <= time < 90)
    assert told[-1][1]


def test_a_thing_that_was_there_first_and_is_taken_away_leaves_nothing() -> None:
    _, told = see(lambda t: with_thing(street()) if t < 40 else street(), 0, 120)
    assert found(told) == set()


def test_what_is_not_litter_becomes_part_of_the_scene() -> None:
    memory, told = see(lambda t: with_thing(street()) if t >= 20 else street(), 0, 100, classifier=Always(0.1))
    assert len(found(told)) == 1
    assert told[-1][1] == ()
    assert memory.items == ()


def test_it_is_never_absorbed_while_it_is_litter() -> None:
    _, told = see(lambda t: with_thing(street()) if t >= 20 else street(), 0, 900, every=6.0)
    assert len(found(told)) == 1
    assert all(leftovers for time, leftovers in told if time > 40)


@pytest.mark.parametrize(
    "disturbed",
    [
        pytest.param(lambda b, t: np.clip(b.astype(np.float32) * 0.7 + 10, 0, 255) if t >= 40 else b, id="exposure"),
        pytest.param(lambda b, t: np.roll(b, int(3 * np.sin(t)), axis=1), id="shake"),
        pytest.param(lambda b, t: b * (0.55 if t >= 40 else 1.0), id="dark"),
        pytest.param(lambda b, t: np.roll(b, (25, 60), axis=(0, 1)) if t >= 40 else b, id="moved"),
        pytest.param(lambda b, t: np.clip(b + 45 * _beam(t), 0, 255), id="headlights"),
    ],
)
def test_light_and_shake_leave_nothing_that_the_net_takes_for_litter(
    disturbed: Callable[[ByteArray, float], ByteArray],
) -> None:
    net = load_classifier("litter", Zoo())
    _, told = see(lambda t: disturbed(street(), t), 0, 90, classifier=net)
    assert not [one for _, leftovers in told for one in leftovers or () if one.litter >= Litter().min_litter]


def _beam(time: float) -> FloatArray:
    """A patch of light that sweeps over the ground."""
    light = np.zeros((360, 640, 1), np.float32)
    cv2.circle(light, (int(time * 150) % 640, 220), 60, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(light, (0, 0), 12), np.float32)[:, :, None]


def test_litter_outlives_a_change_of_the_whole_scene() -> None:
    """The lights go on: the scene is learnt anew, and what was known to be litter is watched by sight."""
    day, night = with_thing(street()), with_thing(255 - street(3))
    memory, told = see(lambda t: street() if t < 20 else day if t < 80 else night, 0, 160)
    assert any(item.by_sight for item in memory.items)
    assert told[-1][1]
    assert found(told[:41]) <= {leftover.number for leftover in told[-1][1] or ()}


def test_a_kept_memory_goes_on() -> None:
    picture = lambda t: with_thing(street()) if t >= 20 else street()  # noqa: E731
    memory, told = see(picture, 0, 60)
    again = LeftoverMemory.load(memory.dump())
    assert again.items == memory.items
    _, more = see(picture, 62, 100, memory=again)
    assert found(more) == found(told)
    assert all(leftovers for _, leftovers in more)


@pytest.mark.parametrize("broken", [{}, {"backgrounds": {}, "items": [], "next_number": 0}, {"backgrounds": None}])
def test_a_memory_of_another_shape_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises((KeyError, ValueError, TypeError)):
        LeftoverMemory.load(broken)


def test_where_the_bin_of_a_zone_is_seen() -> None:
    ground = Zone.model_validate({"id": "b", "kind": "bin", "polygon": rectangle(0.4, 0.6, 0.6, 0.7)})
    x1, y1, x2, y2 = bin_box(ground, 16 / 9)
    assert (x1 + x2) / 2 == pytest.approx(0.5)
    assert y1 < 0.6 < y2 < 0.7
    drawn = Zone.model_validate({"id": "b", "kind": "bin", "polygon": rectangle(0.4, 0.4, 0.5, 0.7)})
    x1, y1, x2, y2 = bin_box(drawn, 16 / 9)
    assert 0.4 < x1 < x2 < 0.5
    assert 0.4 < y1 < y2 < 0.7


def test_a_bin_behind_somebody_is_not_read() -> None:
    zone = Zone.model_validate({"id": "b", "kind": "bin", "polygon": rectangle(0.4, 0.6, 0.6, 0.7)})
    sense = LitterSense(Always)
    frame = frame_from_bgr(street(), 1.0, 1.0)
    for tracks, count in ((Tracks.empty(), 1), (track((0.4, 0.4, 0.6, 0.7)), 0)):
        answer = sense.sense([Request(frame, tracks, (zone,), LeftoverMemory(), leftovers=False, bins=True)])[0]
        assert answer.leftovers is None
        assert answer.bins is not None
        assert len(answer.bins) == count


@pytest.mark.parametrize("kind", ["litter_bag", "litter_pile", "litter_bin", "litter_rain"])
def test_simulated_litter_is_reported(kind: str) -> None:
    one = scenario(2000, kind, size=(640, 360))
    said = watch_street(one).said
    truth = next(event for event in one.truth if event.type == "litter")
    (opened,) = [output for output in said if output.step is Step.OPENED]
    assert opened.zone == truth.zone
    assert truth.start - 2 <= opened.started <= truth.start + 14
    assert opened.time <= truth.start + 45


@pytest.mark.parametrize("kind", ["litter_attended", "litter_picked", "litter_leaves", "litter_cart", "litter_shadow"])
def test_simulated_streets_with_what_is_no_litter(kind: str) -> None:
    said = watch_street(scenario(2000, kind, size=(640, 360))).said
    assert not [output for output in said if output.step is Step.OPENED]
