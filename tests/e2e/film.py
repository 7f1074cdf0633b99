"""Four simulated scenes, one for each kind of event, cut to what matters so that they are cheap at any look rate.

The middle of the event, in which nothing happens, is cut out: the film goes on with the scene's last seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from algorithm_repo.evaluation.outcome import Raised, raised_events
from algorithm_repo.evaluation.simulated import clip_of_scenario
from algorithm_repo.evaluation.suite import TruthEvent
from contracts.pool import Camera
from contracts.vision import Frame
from models.detector import Detector
from pipeline.evidence import NoEvidence
from pipeline.replay import replay_frames
from pipeline.senses.engine import Sensing
from simulator.street import Scenario, as_frame, scenario

SMALL, MIDDLE, LARGE = (640, 360), (1280, 720), (1920, 1080)


@dataclass(frozen=True)
class Film:
    """One scene with one event.

    Attributes:
        kind, seed: of the scenario, by day.
        hold: name of T among the algorithm's parameters, and T, s.
        parameters: the others that are not the algorithm's own.
        before: the film begins so long before the event, s …
        tail: … goes on so long after T, s …
        lead, after: … and then from so long before its end to so long after it, s.
        early, late: how far before and after the truth the event may begin, s, besides one look: see the tests.
        slack: how far two rates may differ besides one look, s.
        ends: the same for the event's end and the truth, s.
    """

    kind: str
    seed: int
    hold: tuple[str, float]
    before: float
    tail: float
    lead: float
    after: float
    early: float
    late: float
    slack: float
    ends: float
    parameters: Mapping[str, float] = field(default_factory=dict)


@lru_cache(maxsize=4)
def shot(kind: str, seed: int, size: tuple[int, int]) -> Scenario:
    return scenario(seed, kind, size=size, slices=("day",))


def truth_of(film: Film) -> TruthEvent:
    """Of the scene, uncut."""
    (truth,) = clip_of_scenario(1, shot(film.kind, film.seed, SMALL), "film.mp4").truth
    return truth


def _camera(film: Film, every: float) -> Camera:
    seen = clip_of_scenario(1, shot(film.kind, film.seed, SMALL), "film.mp4").camera
    ((name, given),) = seen.algorithms.items()
    changed = given.model_copy(update={"look_every": every, film.hold[0]: film.hold[1], **film.parameters})
    return seen.model_copy(update={"algorithms": {name: changed}})


def _frames(film: Film, size: tuple[int, int], every: float, to_the_end: bool) -> Iterator[Frame]:
    street, truth = shot(film.kind, film.seed, size), truth_of(film)
    assert truth.end is not None
    cut = truth.start + film.hold[1] + film.tail
    skipped = cut_out(film)
    end = truth.end - skipped + film.after if to_the_end else cut
    index = 0
    while (time := truth.start - film.before + index * every) < end:
        yield as_frame(street.picture(time if time < cut else time + skipped).bgr, time)
        index += 1


def cut_out(film: Film) -> float:
    """How much of the scene the film leaves out, s."""
    truth = truth_of(film)
    assert truth.end is not None
    return truth.end - film.lead - (truth.start + film.hold[1] + film.tail)


def seen(
    film: Film, size: tuple[int, int], every: float, detector: Detector, sensing: Sensing, *, to_the_end: bool
) -> Raised:
    """The one event of a film, with a look every `every` s, in the film's own time."""
    truth = truth_of(film)
    pictures = _frames(film, size, every, to_the_end)
    (event,) = raised_events(replay_frames(pictures, _camera(film, every), detector, sensing, NoEvidence()))
    assert (event.type, event.zone) == (truth.type, truth.zone)
    assert (event.ended is not None) is to_the_end
    return event
