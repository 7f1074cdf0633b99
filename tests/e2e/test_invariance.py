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
from pipeline.senses.engine import Sensing
from pipeline.senses.memory import SceneMemory
from pipeline.track import FleetTracker
from simulator.street import Scenario, as_frame
from tests.e2e.film import LARGE, MIDDLE, SMALL, Film, cut_out, seen, shot, truth_of
from tests.effort import forms

pytestmark = [pytest.mark.media, pytest.mark.timeout(420)]

KIND, SEED = "parking_kerb", 30
T = 30.0
ROLLS_OUT = 2.0  # s in which a car that comes to rest moves less than the rule calls moving
CLOCK = Clock(ClockSource.FILE, 0.0)


def street() -> Scenario:
    return shot(KIND, SEED, SMALL)


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


# --- look rates and sizes --------------------------------------------------------------------------------------------

FILMS = (
    # A car that rolls out, or off, moves less than the rule calls moving at first: closer looks see that earlier.
    Film(
        "parking_kerb",
        30,
        hold=("dwell", 8.0),
        before=3,
        tail=1.2,
        lead=3,
        after=8,
        early=ROLLS_OUT,
        late=0.0,
        slack=0.5,
        ends=2.0,
        parameters={"leave_after": 4.0},
    ),
    # A person counts after `linger`, 2 s; which of those who come almost at once are seen first: 1 s.
    Film(
        "crowd_gather",
        3,
        hold=("hold", 12.0),
        before=2,
        tail=3.0,
        lead=8,
        after=9,
        early=-1.0,
        late=2.0,
        slack=1.0,
        ends=1.0,
        parameters={"clear_hold": 3.0},
    ),
    # The network sees less than the truth where water is thin, the share is smoothed over 0.6 s, and clear is half.
    Film(
        "water_grow",
        3,
        hold=("hold", 6.0),
        before=2,
        tail=4.0,
        lead=3,
        after=22,
        early=0.5,
        late=1.0,
        slack=0.5,
        ends=2.0,
        parameters={"clear_hold": 4.0},
    ),
    # Who brings it, or takes it, hides its place before; how far they have gone is known to half a step.
    Film(
        "litter_bag",
        9,
        hold=("dwell", 8.0),
        before=6,
        tail=6.0,
        lead=6,
        after=10,
        early=1.0,
        late=0.3,
        slack=1.0,
        ends=1.0,
        parameters={"leave_after": 4.0},
    ),
)
RATES = (0.5, 2.0, 5.0, 25.0)
SIZES = (SMALL, MIDDLE, LARGE)
Answers = dict[tuple[float, tuple[int, int]], Raised]


def _answers(film: Film, detector: Detector, sensing: Sensing, whole: bool) -> Answers:
    """The event at each rate and size; unless the `whole` grid is wanted, each rate at 360p, each size at 2 looks/s."""
    wanted = [(r, s) for r in RATES for s in SIZES if whole or s == SMALL or r == 2.0]
    return {
        (rate, size): seen(film, size, 1 / rate, detector, sensing, to_the_end=whole or (rate <= 2 and size == SMALL))
        for rate, size in wanted
    }


@pytest.mark.timeout(900)
@pytest.mark.parametrize("film", forms(FILMS[:1], FILMS[1:]), ids=lambda film: film.kind)
def test_the_same_event_at_any_look_rate_and_size(
    film: Film, detector: Detector, sensing: Sensing, whole_grid: bool
) -> None:
    """One event; its times lie within one look of the truth, and of what the closest looks say."""
    truth = truth_of(film)
    answers = _answers(film, detector, sensing, whole_grid)
    finest = answers[max(RATES), SMALL]
    for (rate, size), event in answers.items():
        told, look = f"{rate:g} looks/s at {size[1]}p: {event}", 1 / rate + 0.01
        assert -film.early <= event.started - truth.start <= film.late + look, told
        assert event.started == pytest.approx(finest.started, abs=look + film.slack), told
        assert event.opened == pytest.approx(finest.opened, abs=look + film.slack), told
        if event.ended is not None and truth.end is not None:
            assert event.ended == pytest.approx(truth.end - cut_out(film), abs=look + film.ends), told
            if finest.ended is not None:
                assert event.ended == pytest.approx(finest.ended, abs=look + film.slack), told


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
    """The whole parking, a picture a second, and from 6 s before it to 20 s after it."""
    _, truth = watched()
    end = min(street().duration, (truth.end or street().duration) + 20)
    seconds = range(int(truth.start) - 6, int(end))
    return tuple(as_frame(street().picture(float(second)).bgr, float(second)) for second in seconds)


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
