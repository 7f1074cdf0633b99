"""The tracker as a whole: what must hold whatever the cameras show."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench import mot
from bench.tracker import track_with_ours
from contracts.vision import Detections, ObjectClass, Tracks
from pipeline.track import FleetTracker, TrackerInput, TrackerSettings
from tests.effort import examples

ASPECT = 16 / 9
few = settings(max_examples=examples(25), deadline=None)
seeds = st.integers(0, 2**32 - 1)


def boxes_at(centres: NDArray[np.float64], height: float = 0.12) -> NDArray[np.float32]:
    half = np.array([0.4 * height / ASPECT, height]) / 2
    return np.concatenate([centres - half, centres + half], axis=1).astype(np.float32)


def detections(centres: NDArray[np.float64], score: float = 0.9, label: int = ObjectClass.PERSON) -> Detections:
    n = len(centres)
    return Detections(boxes_at(centres), np.full(n, score, np.float32), np.full(n, label, np.int64))


def crowd(seed: int, looks: int, gap: float, camera: str = "a", objects: int = 8) -> list[TrackerInput]:
    """Objects that wander, vanish and come back, with noise, low scores and false alarms among them."""
    rng = np.random.default_rng(seed)
    at = rng.uniform(0.1, 0.9, (objects, 2))
    speed = rng.normal(0, 0.03, (objects, 2))
    out = []
    for k in range(looks):
        centres = at + speed * k * gap + rng.normal(0, 0.002, at.shape)
        centres = np.concatenate([centres[rng.random(objects) > 0.15], rng.uniform(0.1, 0.9, (rng.integers(0, 3), 2))])
        n = len(centres)
        found = Detections(
            boxes_at(centres),
            rng.uniform(0.2, 1.0, n).astype(np.float32),
            rng.choice([0, 0, 0, 2, 5], n).astype(np.int64),
        )
        out.append(TrackerInput(camera, 100 + k * gap, found, aspect=ASPECT))
    return out


def same(one: Tracks, other: Tracks) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("ids", "boxes", "scores", "classes", "first_seen", "velocity")
    )


@few
@given(seed=seeds, gap=st.sampled_from([0.04, 0.3, 2.0]))
def test_order_of_detections_does_not_matter(seed: int, gap: float) -> None:
    straight, shuffled = FleetTracker(), FleetTracker()
    rng = np.random.default_rng(seed + 1)
    for look in crowd(seed, 12, gap):
        mixed = replace(look, detections=look.detections.select(rng.permutation(len(look.detections))))
        assert same(straight.step([look])[0], shuffled.step([mixed])[0])


@few
@given(seed=seeds, gap=st.sampled_from([0.1, 2.0]))
def test_cameras_do_not_see_each_other(seed: int, gap: float) -> None:
    """One tracker for all, in any order of looks and with cameras missing, is a tracker for each."""
    rng = np.random.default_rng(seed)
    streams = {name: crowd(seed + index, 12, gap, name) for index, name in enumerate("abcd")}
    together, apart = FleetTracker(), {name: FleetTracker() for name in streams}
    for k in range(12):
        names = [name for name in rng.permutation(list(streams)) if rng.random() > 0.2]
        for name, got in zip(names, together.step([streams[name][k] for name in names]), strict=True):
            assert same(got, apart[name].step([streams[name][k]])[0])


@few
@given(seed=seeds, stop=st.integers(1, 11))
def test_a_restart_changes_nothing(seed: int, stop: int) -> None:
    looks = crowd(seed, 14, 0.5)
    steady, first, second = FleetTracker(), FleetTracker(), FleetTracker()
    second.step([TrackerInput("other", 0.0, detections(np.array([[0.5, 0.5]])))])
    for look in looks[:stop]:
        steady.step([look])
        first.step([look])
    second.restore("a", json.loads(json.dumps(first.snapshot("a"))))
    for look in looks[stop:]:
        assert same(steady.step([look])[0], second.step([look])[0])
    assert second.snapshot("a") == steady.snapshot("a")


@few
@given(seed=seeds, gap=st.sampled_from([0.04, 0.5, 2.0]))
def test_ids_are_unique_never_reused_and_each_detection_is_used_once(seed: int, gap: float) -> None:
    tracker = FleetTracker()
    last_seen: dict[int, int] = {}
    first_seen: dict[int, float] = {}
    newest = 0
    for k, look in enumerate(crowd(seed, 25, gap)):
        tracks = tracker.step([look])[0]
        assert len(set(tracks.ids.tolist())) == len(tracks)
        given_boxes = [tuple(box) for box in look.detections.boxes.tolist()]
        used = [tuple(box) for box in tracks.boxes.tolist()]
        assert len(set(used)) == len(used)
        assert set(used) <= set(given_boxes)
        for track, began in zip(tracks.ids.tolist(), tracks.first_seen.tolist(), strict=True):
            assert track in last_seen or track > newest
            assert first_seen.setdefault(track, began) == began
            last_seen[track] = k
        newest = max([newest, *tracks.ids.tolist()])


@pytest.mark.parametrize("rate", [0.5, 2.0, 25.0])
def test_straight_motion_keeps_its_ids_at_any_look_rate(rate: float) -> None:
    """Six walkers at about their own height per second."""
    rng = np.random.default_rng(3)
    start = np.column_stack([np.linspace(0.1, 0.5, 6), np.linspace(0.1, 0.9, 6)])
    tracker = FleetTracker()
    seen: set[int] = set()
    for k in range(int(10 * rate) + 1):
        now = start + np.array([0.04, 0.0]) * k / rate + rng.normal(0, 0.0005, start.shape)
        tracks = tracker.step([TrackerInput("a", k / rate, detections(now))])[0]
        assert len(tracks) == 6
        seen |= set(tracks.ids.tolist())
    assert seen == set(range(1, 7))
    assert tracks.velocity == pytest.approx(np.tile([0.04, 0.0], (6, 1)), abs=0.01)
    assert tracks.first_seen == pytest.approx(np.zeros(6))


def test_uneven_looks_are_no_harder() -> None:
    rng = np.random.default_rng(5)
    tracker = FleetTracker()
    time = 0.0
    for _ in range(60):
        time += float(rng.choice([0.04, 0.2, 1.0]))
        now = np.array([[0.1 + 0.012 * time, 0.3], [0.9 - 0.012 * time, 0.7]])
        tracks = tracker.step([TrackerInput("a", time, detections(now))])[0]
        assert tracks.ids.tolist() == [1, 2]


@pytest.mark.parametrize("gap", [0.04, 0.25, 0.5])
def test_crossing_walkers_keep_their_ids(gap: float) -> None:
    tracker = FleetTracker()
    for k in range(int(8 / gap) + 1):
        t = k * gap
        now = np.array([[0.2 + 0.05 * t, 0.50], [0.6 - 0.05 * t, 0.52]])
        tracks = tracker.step([TrackerInput("a", t, detections(now))])[0]
        place = dict(zip(tracks.ids.tolist(), tracks.boxes[:, 0].tolist(), strict=True))
        assert set(place) == {1, 2}
    assert place[1] > place[2]


def test_a_walker_behind_a_pillar_is_the_same_walker() -> None:
    tracker = FleetTracker()
    for k in range(60):
        t = k * 0.1
        hidden = 2.0 < t < 3.2
        now = np.array([[0.2 + 0.03 * t, 0.5]])[: 0 if hidden else 1]
        tracks = tracker.step([TrackerInput("a", t, detections(now))])[0]
        assert len(tracks) == (0 if hidden else 1)
    assert tracks.ids.tolist() == [1]
    assert tracks.first_seen.tolist() == [0.0]


def test_a_parked_car_hidden_by_a_bus_is_the_same_car_but_a_walker_long_gone_is_not() -> None:
    tracker = FleetTracker()
    car = np.array([[0.5, 0.5]])

    def look(t: float, car_there: bool, walker: float | None) -> list[int]:
        cars = detections(car if car_there else car[:0], label=ObjectClass.CAR)
        walkers = detections(np.array([[walker, 0.2]]) if walker else car[:0])
        both = Detections(
            np.concatenate([cars.boxes, walkers.boxes]),
            np.concatenate([cars.scores, walkers.scores]),
            np.concatenate([cars.classes, walkers.classes]),
        )
        tracks = tracker.step([TrackerInput("a", t, both)])[0]
        return [int(track) for track in tracks.ids]

    for t in range(0, 20, 2):
        assert look(t, True, 0.1 + 0.01 * t) == [1, 2]
    for t in range(20, 60, 2):
        assert look(t, False, None) == []
    assert look(60, True, 0.3) == [2, 3]  # the walker, named first at the start, was 1


def test_signatures_decide_between_two_who_came_out_together() -> None:
    """Two walkers vanish at one spot and come out swapped: place says one thing, colour the other."""
    red, blue = np.eye(3, dtype=np.float32)[:2]
    tracker = FleetTracker(TrackerSettings(appearance_weight=1.0))
    for k in range(10):
        both = detections(np.array([[0.48, 0.5], [0.5, 0.5]]))
        tracks = tracker.step([TrackerInput("a", k * 0.2, both, np.stack([red, blue]))])[0]
    assert tracks.appearance is not None
    assert np.allclose(tracks.appearance, [red, blue])
    tracks = tracker.step([TrackerInput("a", 2.6, both, np.stack([blue, red]))])[0]
    assert dict(zip(tracks.ids.tolist(), tracks.boxes[:, 0].tolist(), strict=True))[1] > 0.48


def test_low_scores_continue_a_track_but_never_start_one() -> None:
    tracker = FleetTracker()
    spot = np.array([[0.5, 0.5]])
    assert len(tracker.step([TrackerInput("a", 0.0, detections(spot, 0.3))])[0]) == 0
    assert len(tracker.step([TrackerInput("a", 0.5, detections(spot, 0.3))])[0]) == 0
    tracker.step([TrackerInput("a", 1.0, detections(spot, 0.9))])
    assert tracker.step([TrackerInput("a", 1.5, detections(spot, 0.3))])[0].ids.tolist() == [1]


def test_a_middling_score_is_confirmed_by_the_second_sighting_however_late() -> None:
    tracker = FleetTracker(TrackerSettings(confirm_score=0.9, confirm_hits=2))
    spot = np.array([[0.5, 0.5]])
    assert len(tracker.step([TrackerInput("a", 0.0, detections(spot, 0.8))])[0]) == 0
    assert tracker.step([TrackerInput("a", 2.0, detections(spot, 0.8))])[0].ids.tolist() == [1]


def test_classes_are_voted_and_groups_kept_apart() -> None:
    tracker = FleetTracker()
    spot = np.array([[0.5, 0.5]])
    labels = [ObjectClass.CAR, ObjectClass.TRUCK, ObjectClass.CAR, ObjectClass.TRUCK, ObjectClass.CAR]
    for k, label in enumerate(labels):
        tracks = tracker.step([TrackerInput("a", k * 0.2, detections(spot, label=label))])[0]
        assert tracks.classes.tolist() == [ObjectClass.CAR]
        assert tracks.ids.tolist() == [1]
    assert tracker.step([TrackerInput("a", 1.2, detections(spot, label=ObjectClass.PERSON))])[0].ids.tolist() == [2]


def test_a_clock_that_steps_back_does_not_break_the_step() -> None:
    tracker = FleetTracker()
    spot = np.array([[0.5, 0.5]])
    tracker.step([TrackerInput("a", 10.0, detections(spot))])
    assert tracker.step([TrackerInput("a", 4.0, detections(spot))])[0].ids.tolist() == [1]


def test_wrong_use_is_refused() -> None:
    tracker = FleetTracker()
    look = TrackerInput("a", 0.0, detections(np.array([[0.5, 0.5]])))
    with pytest.raises(ValueError, match="at most one look"):
        tracker.step([look, look])
    with pytest.raises(ValueError, match="appearance"):
        tracker.step([replace(look, appearance=np.zeros((3, 4), np.float32))])
    with pytest.raises(ValueError, match="high_score"):
        TrackerSettings(high_score=0.1, low_score=0.5)
    assert tracker.step([]) == []


@pytest.mark.parametrize(
    "change",
    [
        {"version": 99},
        {"next_id": "7"},
        {"next_serial": -1},
        {"last": "noon"},
        {"tracks": None},
        {"tracks": "???"},
        {"tracks": "AAAA"},
        {"next_id": 1},
    ],
)
def test_a_state_of_another_shape_is_refused_and_changes_nothing(change: dict[str, object]) -> None:
    tracker = FleetTracker()
    tracker.step([TrackerInput("a", 0.0, detections(np.array([[0.5, 0.5]])))])
    before = tracker.snapshot("a")
    with pytest.raises(ValueError, match="tracker state"):
        tracker.restore("a", before | change)
    assert tracker.snapshot("a") == before


def test_a_forgotten_camera_starts_anew() -> None:
    tracker = FleetTracker()
    look = TrackerInput("a", 0.0, detections(np.array([[0.5, 0.5]])))
    other = replace(look, camera="b")
    tracker.step([look, other])
    tracker.forget("a")
    tracker.forget("never seen")
    later = replace(look, time=1.0, detections=detections(np.array([[0.2, 0.2]])))
    assert [t.ids.tolist() for t in tracker.step([later, replace(later, camera="b")])] == [[1], [2]]


def test_a_parked_car_outlasts_a_stream_that_was_away_and_a_walker_does_not() -> None:
    tracker = FleetTracker()
    spots = np.array([[0.5, 0.5]])
    for t in range(0, 30, 2):
        tracker.step([TrackerInput("car", t, detections(spots, label=ObjectClass.CAR))])
        tracker.step([TrackerInput("walk", t, detections(np.array([[0.1 + 0.01 * t, 0.5]])))])
    car = tracker.step([TrackerInput("car", 300.0, detections(spots, label=ObjectClass.CAR))])[0]
    walker = tracker.step([TrackerInput("walk", 300.0, detections(np.array([[0.4, 0.5]])))])[0]
    assert (car.ids.tolist(), car.first_seen.tolist()) == ([1], [0.0])
    assert walker.ids.tolist() == [2]


def test_a_flicker_among_frequent_looks_gets_no_id() -> None:
    tracker = FleetTracker()
    spot = np.array([[0.5, 0.5]])
    tracker.step([TrackerInput("a", 0.0, detections(spot[:0]))])
    assert len(tracker.step([TrackerInput("a", 0.04, detections(spot))])[0]) == 0
    for k in range(2, 40):
        tracker.step([TrackerInput("a", 0.04 * k, detections(spot[:0]))])
    assert tracker.snapshot("a")["next_id"] == 1


@pytest.mark.media
def test_real_walkers_are_followed_as_well_as_by_the_best_known_tracker(mirror: Path) -> None:
    """MOT17-09 as filmed and at 2 looks/s, on scores of the peers measured by `bench tracker` on the same input."""
    pytest.importorskip("trackeval")
    for rate, hota, idf1 in ((None, 0.49, 0.58), (2.0, 0.38, 0.42)):
        task = mot.read(mirror / "truth/mot", "MOT17-09-FRCNN", rate)
        scores = mot.Judge([task]).score(track_with_ours([task])[0])
        assert scores.hota > hota
        assert scores.idf1 > idf1
