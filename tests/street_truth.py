"""What a simulated street's truth looks like to the rules through a poor detector: boxes that tremble, go missing
and come twice, through the real tracker and the real rule, without rendering anything twice.

`python -m tests.street_truth --type illegal_parking --seeds 20` prints precision and recall by kind over seeds;
`--keep FOLDER` keeps what was rendered for the next run.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from contracts.pool import Camera
from contracts.vision import Detections, Look
from pipeline.appearance import K, signatures
from pipeline.rules.base import Output, Rule, Step
from pipeline.rules.registry import build_rules
from pipeline.track import FleetTracker, TrackerInput
from simulator.street import KINDS, TruthBox, TruthEvent, scenario

SIZE = (480, 270)


@dataclass(frozen=True)
class Noise:
    """How poor the detector is.

    Attributes:
        jitter: standard deviation of each edge, shares of the box.
        missed: share of boxes missed in a look; more where much is hidden.
        doubled: share of boxes that come twice.
        least_visible: what is hidden more than this is never seen, 0..1.
    """

    jitter: float = 0.02
    missed: float = 0.15
    doubled: float = 0.05
    least_visible: float = 0.35


@dataclass(frozen=True)
class Seen:
    """A scenario's truth, look by look.

    Attributes:
        every: s between looks.
        looks: (time, boxes, signatures [N, K] of these boxes).
    """

    camera: dict[str, Any]
    truth: tuple[TruthEvent, ...]
    slices: tuple[str, ...]
    every: float
    looks: tuple[tuple[float, tuple[TruthBox, ...], NDArray[np.float32]], ...]


@dataclass
class Score:
    """Of one kind: events found, missed and wrong, and the seeds of the latter two."""

    found: int = 0
    missed: list[int] = field(default_factory=list)
    wrong: list[int] = field(default_factory=list)


def see(kind: str, seed: int, every: float = 1.0, size: tuple[int, int] = SIZE) -> Seen:
    """Renders a scenario once for its truth and colours."""
    street = scenario(seed, kind, size=size)
    scale = np.array([size[0], size[1]] * 2, np.float32)
    looks = []
    for i in range(int(street.duration / every)):
        picture = street.picture(i * every)
        boxes = np.array([b.box for b in picture.boxes], np.float32).reshape(-1, 4)
        looks.append((i * every, picture.boxes, signatures(picture.bgr, boxes * scale)))
    camera = {**street.camera, "algorithms": street.algorithms}
    return Seen(camera, street.truth, street.slices, every, tuple(looks))


def detect(
    boxes: tuple[TruthBox, ...], marks: NDArray[np.float32], noise: Noise, random: Random
) -> tuple[Detections, NDArray[np.float32]]:
    """What the poor detector makes of one look."""
    rows: list[tuple[float, float, float, float]] = []
    scores, classes, shown = [], [], []
    for one, mark in zip(boxes, marks, strict=True):
        if one.visible < noise.least_visible or random.random() < noise.missed + 0.3 * (1 - one.visible):
            continue
        for again in range(1 + (random.random() < noise.doubled)):
            x1, y1, x2, y2 = one.box
            w, h = x2 - x1, y2 - y1
            spread = noise.jitter * (2.5 if again else 1.0)
            x1, y1, x2, y2 = (
                edge + random.gauss(0, spread) * side for edge, side in zip(one.box, (w, h, w, h), strict=True)
            )
            rows.append((x1, y1, max(x2, x1 + 0.2 * w), max(y2, y1 + 0.2 * h)))
            scores.append(random.uniform(0.4, 0.6) if again else random.uniform(0.4, 0.9))
            classes.append(int(one.object_class))
            shown.append(mark)
    found = Detections(
        np.array(rows, np.float32).reshape(-1, 4), np.array(scores, np.float32), np.array(classes, np.int64)
    )
    return found, np.array(shown, np.float32).reshape(-1, K)


def looks_of(seen: Seen, noise: Noise, seed: int, outage: tuple[float, float] | None = None) -> Iterator[Look]:
    """The scenario's looks as the tracker hands them to a rule; after an outage (from, to; s) with a new tracker."""
    tracker, random, aspect = FleetTracker(), Random(seed), SIZE[0] / SIZE[1]
    gap = 0.0
    for time, boxes, marks in seen.looks:
        if outage is not None and outage[0] <= time < outage[1]:
            tracker, gap = FleetTracker(), outage[1] - outage[0]
            continue
        found, shown = detect(boxes, marks, noise, random)
        tracks = tracker.step([TrackerInput("cam", time, found, shown, aspect)])[0]
        yield Look("cam", time, time, tracks, aspect, gap=gap)
        gap = 0.0


def rule_of(seen: Seen, event_type: str, **parameters: Any) -> Rule[Any]:
    """The rule under test, alone on the scenario's camera."""
    given = {**seen.camera["algorithms"][event_type], **parameters}
    return build_rules(Camera.model_validate({**seen.camera, "algorithms": {event_type: given}}))[0]


def said_of(rule: Rule[Any], looks: Iterator[Look]) -> list[Output]:
    """Everything a rule says of the looks; its state goes to JSON and back now and then, as at restarts."""
    state, said = rule.initial(), []
    for i, look in enumerate(looks):
        state, outputs = rule.step(state, look)
        said += outputs
        if i % 17 == 16:
            state = rule.load(rule.dump(state))
    return said


def judge(said: list[Output], truth: tuple[TruthEvent, ...], duration: float) -> tuple[int, int, int]:
    """Events found, missed, wrong: the same zone, overlapping in time, one to one."""
    ends = {(o.zone, o.key): o.time for o in said if o.step is Step.CLOSED}
    told = [(o.zone, o.started, ends.get((o.zone, o.key), duration)) for o in said if o.step is Step.OPENED]
    left = list(truth)
    found = 0
    for zone, start, end in told:
        fitting = [t for t in left if t.zone == zone and t.start <= end and start <= t.end]
        if fitting:
            left.remove(min(fitting, key=lambda t: abs(t.start - start)))
            found += 1
    return found, len(left), len(told) - found


def kept(kind: str, seed: int, every: float, folder: Path | None) -> Seen:
    """`see`, or what an earlier run kept of it."""
    if folder is None:
        return see(kind, seed, every)
    path = folder / f"{kind}-{seed}-{every}.pickle"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(see(kind, seed, every)))
    seen: Seen = pickle.loads(path.read_bytes())
    return seen


def score(kind: str, event_type: str, seeds: range, every: float, noise: Noise, folder: Path | None = None) -> Score:
    """Over seeds, each with its own noise."""
    total = Score()
    for seed in seeds:
        seen = kept(kind, seed, every, folder)
        said = said_of(rule_of(seen, event_type), looks_of(seen, noise, seed))
        truth = tuple(t for t in seen.truth if t.type == event_type)
        found, missed, wrong = judge(said, truth, len(seen.looks) * every)
        total.found += found
        total.missed += [seed] * missed
        total.wrong += [seed] * wrong
    return total


@click.command()
@click.option("--type", "event_type", default="illegal_parking")
@click.option("--kind", "only", default="")
@click.option("--seeds", default=10)
@click.option("--first", default=1000)
@click.option("--every", default=1.0)
@click.option("--jitter", default=0.02)
@click.option("--missed", default=0.15)
@click.option("--keep", type=click.Path(path_type=Path), default=None)
def main(
    event_type: str, only: str, seeds: int, first: int, every: float, jitter: float, missed: float, keep: Path | None
) -> None:
    """Precision and recall of one rule by kind of scenario."""
    sums: Counter[str] = Counter()
    for kind in [k for k, one in KINDS.items() if one.about == event_type and only in k]:
        one = score(kind, event_type, range(first, first + seeds), every, Noise(jitter, missed), keep)
        click.echo(f"{kind:18} found {one.found:3} missed {one.missed} wrong {one.wrong}")
        sums += Counter(found=one.found, missed=len(one.missed), wrong=len(one.wrong))
    told, due = sums["found"] + sums["wrong"], sums["found"] + sums["missed"]
    click.echo(f"precision {sums['found'] / max(told, 1):.3f} recall {sums['found'] / max(due, 1):.3f}")


if __name__ == "__main__":
    main()
