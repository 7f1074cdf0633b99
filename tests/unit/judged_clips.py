"""Clips with events as two versions of a network would raise them, judged as the evaluation judges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from algorithm_repo.evaluation.outcome import Outcome, Raised, judge, scored
from algorithm_repo.evaluation.suite import Clip, TruthEvent
from tests.unit.scenes import camera, rectangle

LONG = 100.0
KIND, ZONE = "waterlogging", "road"
ROAD = {"id": ZONE, "kind": "road", "polygon": rectangle(0.1, 0.4, 0.9, 0.9)}
KERB = {"id": "kerb", "kind": "no_parking", "polygon": rectangle(0.1, 0.1, 0.3, 0.3)}


@dataclass(frozen=True, slots=True)
class Said:
    """An event that a version raised: when it was opened and ended (None: it stays), s."""

    opened: float
    ended: float | None = None
    type: str = KIND
    zone: str = ZONE


def clip(number: int, *truth: tuple[float, float], slices: Sequence[str] = ()) -> Clip:
    """A clip of `LONG` seconds with these floods, on which parking is watched too."""
    return Clip(
        number=number,
        file=f"{number}.mp4",
        camera=camera(ROAD, KERB, waterlogging={"hold": 20}, illegal_parking={"dwell": 30}),
        slices=tuple(slices),
        truth=tuple(TruthEvent(type=KIND, zone=ZONE, start=start, end=end) for start, end in truth),
    )


def outcome(of: Clip, *said: Said) -> Outcome:
    """What the clip comes to when these are raised; each wrong one has a picture."""
    raised = [
        Raised(f"e{n}", one.type, one.zone, one.opened - 5, one.opened, one.ended, None, {}, "it shines <wet>", None)
        for n, one in enumerate(said)
    ]
    findings = judge(of, raised, LONG)
    pictured = tuple(one if one.verdict == "found" else replace(one, picture=b"jpeg") for one in findings)
    return Outcome(of.number, of.file, LONG, 20, 2.0, scored(of, findings, LONG), pictured, model="water-1")
