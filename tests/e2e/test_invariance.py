"""Simulated scenes through the real chain: one event at any look rate and size, and whatever happens amid a parking.

Detector, tracker, rules and event book are the real ones; the street is rendered, so its truth is exact.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from algorithm_repo.evaluation.outcome import Raised, raised_events
from algorithm_repo.evaluation.simulated import clip_of_scenario, street_model
from algorithm_repo.evaluation.suite import Clip, TruthEvent
from contracts.pool import Camera
from contracts.records import ClockSource, Event, Transition
from contracts.vision import Frame, Look
from models.detector import Detector, load_detector
from models.zoo import Zoo
from pipeline.chain import CameraChain, ModelIdentity
from pipeline.eventbook import Clock
from pipeline.evidence import NoEvidence
from pipeline.perceive import Perception, Picture
from pipeline.replay import replay_frames
from pipeline.senses.engine import Sensing
from pipeline.senses.memory import SceneMemory
from pipeline.track import FleetTracker
from simulator.street import Scenario, as_frame, frames, scenario

pytestmark = [pytest.mark.media, pytest.mark.timeout(420)]

KIND, SEED = "parking_kerb", 30
SMALL = (640, 360)
T = 30.0
ROLLS_OUT = 2.0  # s in which a car that comes to rest moves less than the rule calls moving
CLOCK = Clock(ClockSource.FILE, 0.0)


@cache
def street(size: tuple[int, int] = SMALL) -> Scenario:
    return scenario(SEED, KIND, size=size, slices=("day",))


@cache
def watched() -> tuple[Clip, TruthEvent]:
    clip = clip_of_scenario(1, street(), "street.mp4")
    (truth,) = clip.truth
    return clip, truth


def camera(every: float) -> Camera:
    clip, _ = watched()
    parking = clip.camera.algorithms["illegal_parking"].model_copy(update={"look_every": every, "dwell": T})
    return clip.camera.model_copy(update={"algorithms": {"illegal_parking": parking}})


@pytest.fixture(scope="module")
def detector(mirror: Path) -> Iterator[Detector]:
    found = load_detector(street_model(), Zoo(mirror=mirror))
    yield found
    found.close()


@pytest.fixture(scope="module")
def sensing(mirror: Path) -> Sensing:
    return Sensing(Zoo(mirror=mirror))


def _seen(detector: Detector, sensing: Sensing, every: float, size: tuple[int, int] = SMALL) -> Raised:
    """The one event from before the car came until some looks after T, at a look every `every` s."""
    _, truth = watched()
    pictures = frames(street(size), every, start=truth.start - 6, end=truth.start + T + 6)
    seen_as = camera(every)
    (event,) = raised_events(replay_frames(pictures, seen_as, detector, sensing, NoEvidence()))
    assert (event.type, event.zone) == (truth.type, truth.zone)
    assert event.started == pytest.approx(truth.start, abs=ROLLS_OUT + every)
    return event


# --- look rates and sizes --------------------------------------------------------------------------------------------


def test_the_same_event_at_any_look_rate(detector: Detector, sensing: Sensing) -> None:
    """Within one look of the truth, and never earlier than the car rolls out."""
    _, truth = watched()
    for every in (2.0, 0.5, 0.2, 0.04):
        event = _seen(detector, sensing, every)
        assert -ROLLS_OUT <= event.started - truth.start <= every + 0.01, every
        assert -ROLLS_OUT <= event.opened - (truth.start + T) <= every + 0.01, every


def test_the_same_event_at_any_size_within_one_look(detector: Detector, sensing: Sensing) -> None:
    events = [_seen(detector, sensing, 1.0, size) for size in ((640, 360), (1280, 720), (1920, 1080))]
    for event in events:
        assert event.started == pytest.approx(events[0].started, abs=1.01)
        assert event.opened == pytest.approx(events[0].opened, abs=1.01)


def _flooded(every: float, detector: Detector, sensing: Sensing) -> float:
    """When the one flood of a scene is raised, s after its truth began and T had passed."""
    hold = 8.0
    made = scenario(31, "water_grow", size=SMALL, slices=("day",))
    clip = clip_of_scenario(1, made, "water.mp4")
    (truth,) = clip.truth
    water = clip.camera.algorithms["waterlogging"].model_copy(update={"look_every": every, "hold": hold})
    seen_as = clip.camera.model_copy(update={"algorithms": {"waterlogging": water}})
    pictures = frames(made, every, start=truth.start - 10, end=truth.start + hold + 12)
    (event,) = raised_events(replay_frames(pictures, seen_as, detector, sensing, NoEvidence()))
    assert (event.type, event.zone) == (truth.type, truth.zone)
    return event.opened - truth.start - hold


def test_the_same_flood_at_any_look_rate(detector: Detector, sensing: Sensing) -> None:
    """Each within its own look of the closest looks, which are themselves one look wide."""
    closest = 0.2
    reference = _flooded(closest, detector, sensing)
    for every in (0.5, 2.0):
        assert abs(_flooded(every, detector, sensing) - reference) <= every + closest, every


# --- trouble in the middle -------------------------------------------------------------------------------------------


class Watch:
    """The chain as a worker holds it, so that a test can restart it, cut it off, and break its tracks."""

    def __init__(self, detector: Detector, sensing: Sensing) -> None:
        self._detector, self._sensing = detector, sensing
        self._camera = camera(1.0)
        self._begin()

    def _begin(self) -> None:
        self.tracker = FleetTracker()
        self.chain = CameraChain(self._camera, ModelIdentity(self._detector.name, "0" * 64), NoEvidence())
        self._perception = Perception(self._detector, self.tracker, self._sensing, max_batch=1)
        self._memory = SceneMemory()

    def look(self, frame: Frame, gap: float = 0.0) -> list[Event]:
        """One look, `gap` s of which nobody watched before it."""
        name = self._camera.id
        picture = Picture(
            name, frame, self.chain.min_score, self.chain.asks(frame.time), self.chain.zones, self._memory
        )
        found = self._perception.perceive([picture])[0]
        look = Look(name, frame.time, frame.utc, found.tracks, frame.aspect, gap=gap, senses=found.senses)
        return self.chain.look(look, frame, CLOCK)

    def restart(self) -> None:
        """Another process goes on from what was spooled."""
        state = json.dumps({"chain": self.chain.dump(), "tracker": self.tracker.snapshot(self._camera.id)})
        self._begin()
        kept = json.loads(state)
        self.tracker.restore(self._camera.id, kept["tracker"])
        self.chain.load(kept["chain"])

    def lose_tracks(self) -> None:
        """Every object gets another number at the next look."""
        known = self.tracker.snapshot(self._camera.id)
        nothing = FleetTracker().snapshot(self._camera.id)
        self.tracker.restore(self._camera.id, known | {"tracks": nothing["tracks"]})


@cache
def pictures() -> tuple[Frame, ...]:
    """The whole parking, a picture a second, and 20 s after it."""
    _, truth = watched()
    end = min(street().duration, (truth.end or street().duration) + 20)
    return tuple(as_frame(street().picture(float(second)).bgr, float(second)) for second in range(int(end)))


def _told(watch: Watch, trouble: Callable[[Watch], None] | None = None, outage: float = 0.0) -> list[Event]:
    """What the chain says, with trouble 15 s after the car stopped, and again 10 s after the event opened."""
    _, truth = watched()
    moments = [truth.start + 15, truth.start + T + 10]
    events: list[Event] = []
    last: float | None = None
    for frame in pictures():
        if any(moment <= frame.time < moment + outage for moment in moments):
            continue
        for moment in moments:
            if trouble is not None and last is not None and last < moment <= frame.time:
                trouble(watch)
        gap = 0.0 if last is None or frame.time - last < 1.5 else frame.time - last
        events += watch.look(frame, gap)
        last = frame.time
    return events


@pytest.mark.parametrize(
    ("name", "trouble", "outage"),
    [
        ("nothing", None, 0.0),
        ("restart", Watch.restart, 0.0),
        ("outage of 10 s", None, 10.0),
        ("id switch", Watch.lose_tracks, 0.0),
        ("restart after an outage", Watch.restart, 10.0),
    ],
)
def test_trouble_in_the_middle_leaves_one_event_with_one_clock(
    name: str, trouble: Callable[[Watch], None] | None, outage: float, detector: Detector, sensing: Sensing
) -> None:
    _, truth = watched()
    events = _told(Watch(detector, sensing), trouble, outage)
    assert len({event.id for event in events}) == 1, name
    assert sum(event.transition is Transition.OPENED for event in events) == 1
    assert [event.seq for event in events] == list(range(len(events)))
    (one,) = raised_events(events)
    assert one.started == pytest.approx(truth.start, abs=ROLLS_OUT), name
    late = one.opened - (one.started + T)
    assert -1.01 <= late <= outage + 1.01, "what nobody watched may put the decision off, no longer"
    assert len({event.started_utc for event in events}) == 1, "the clock is never set again"
    if truth.end is not None and truth.end < street().duration - 15:
        assert one.ended == pytest.approx(truth.end, abs=5.0), name
