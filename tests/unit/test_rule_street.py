"""Rules on simulated streets: exact truth through a poor detector and the real tracker."""

from __future__ import annotations

import numpy as np
import pytest

from contracts.geometry import iou
from pipeline.rules.base import Step
from tests.street_truth import Noise, Seen, judge, looks_of, rule_of, said_of, see
from tests.unit.scenes import check_protocol, of

PARKING = ("parking_occluded", "parking_row", "parking_after_jam", "parking_jam", "parking_queue", "parking_loading")


def _visible(seen: Seen, time: float, box: tuple[float, float, float, float]) -> float:
    """How much of the vehicle at `box` the picture at `time` shows."""
    boxes = next(boxes for at, boxes, _ in seen.looks if at >= time - 1e-6)
    overlaps = iou(np.array([box]), np.array([one.box for one in boxes]))[0]
    best = int(np.argmax(overlaps))
    assert overlaps[best] > 0.5
    return boxes[best].visible


@pytest.mark.parametrize("kind", PARKING)
def test_parking_is_told_from_queues_and_jams_and_its_pictures_show_it(kind: str) -> None:
    seen = see(kind, 1001)
    said = said_of(rule_of(seen, "illegal_parking"), looks_of(seen, Noise(), 7))
    check_protocol(said)
    truth = tuple(t for t in seen.truth if t.type == "illegal_parking")
    assert judge(said, truth, len(seen.looks) * seen.every) == (len(truth), 0, 0)
    for opened in of(said, Step.OPENED):
        entry = next(o for o in said if o.key == opened.key and o.step is Step.CANDIDATE)
        for picture in (entry, opened):
            assert picture.subject.box is not None
            assert _visible(seen, picture.time, picture.subject.box) >= 0.35


def test_an_outage_with_a_new_tracker_in_the_middle_is_one_event_with_one_clock() -> None:
    seen = see("parking_kerb", 1001)
    truth = next(t for t in seen.truth if t.type == "illegal_parking")
    for begins in (truth.start + 12, truth.start + 36):
        said = said_of(rule_of(seen, "illegal_parking"), looks_of(seen, Noise(), 3, (begins, begins + 10)))
        opened = of(said, Step.OPENED)
        assert len(opened) == 1
        assert abs(opened[0].started - truth.start) <= 3
