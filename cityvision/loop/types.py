"""What goes into the loop and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import Field

from algorithm_repo.datasets.types import Sha256
from algorithm_repo.judging.gate import Limits, Verdict
from algorithm_repo.training.head_settings import HeadSettings
from algorithm_repo.training.headjob import Point
from contracts.errors import CityVisionError
from contracts.records import Contract

LEAST_PARENT = 0.60
ALGORITHM = "waterlogging"
ROLE = "water"
# In whose names the loop acts; in a city these are people, and no two of them one.
DISPATCHER, LABELLER, REVIEWER = "demo dispatcher", "demo labeller", "demo reviewer"
ENGINEER, PROMOTER = "demo engineer", "demo promoter"


class LoopStopped(CityVisionError):
    """Somebody asked the loop to stop; what it has reached stays."""


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How the loop is run; the same for all three trainings.

    Attributes:
        photos: of the real ones, so many, drawn by the seed; None: all.
        cameras: of them, so many are shown by cameras and come in by verdicts alone.
        training: of parent, candidate and spoilt one.
        limits: of the gate.
        wrong: share of the spoilt version's labels that are wrong.
        seed: of the split, of the parent's photos and of the wrong labels.
        looks: a candidate has to look so often in shadow and again in canary before it goes on.
        patience_s: for anything that cameras have to show.
    """

    photos: int | None = None
    cameras: int = 2
    training: HeadSettings = field(default_factory=HeadSettings)
    limits: Limits = field(default_factory=Limits)
    wrong: float = 0.3
    seed: int = 1
    looks: int = 10
    patience_s: float = 150.0


@dataclass(frozen=True, slots=True)
class Head:
    """A network that was trained.

    Attributes:
        data: the ONNX file.
        sha256: of it.
        dataset: digest of the version it was trained on.
        run: which training of the queue.
        curve: as its training told it.
    """

    data: bytes
    sha256: str
    dataset: str
    run: str
    curve: tuple[Point, ...]


class Versions(Contract):
    """Digests of the versions of data, and how many photos they have.

    Attributes:
        parent, candidate, spoilt: what each network was trained on.
        without_verdicts: what the candidate's would have been, had nobody said anything.
        parent_photos, candidate_photos, test_photos: trained on by the parent and by the candidate, and judged on.
        wrong_labels: of the spoilt version.
    """

    parent: Sha256
    candidate: Sha256
    spoilt: Sha256
    without_verdicts: Sha256
    parent_photos: int
    candidate_photos: int
    test_photos: int
    wrong_labels: int


class LoopResult(Contract):
    """What the loop came to; measured, every figure.

    Attributes:
        promoted: the candidate is in production.
        spoilt_refused: the gate refused what was trained on wrong labels.
        before, after, gain_ci95: IoU of parent and candidate on the photos of the test side, and the 95 % interval of
            the gain.
        reasons: why the candidate did not go on; empty where it did.
        spoilt_after, spoilt_slices, spoilt_reasons: IoU of the spoilt one, the slices that fell, and the gate's words.
        verdicts: that became pictures of the candidate's data.
        versions: of data.
        ledger_lines: whose chain was recomputed at the end and holds.
        steps: of each training.
        limits: of the gate.
        seconds: since the beginning of this run.
        card: file of the card.
    """

    promoted: bool
    spoilt_refused: bool
    before: float
    after: float
    gain_ci95: tuple[float, float]
    reasons: tuple[str, ...]
    spoilt_after: float
    spoilt_slices: tuple[str, ...]
    spoilt_reasons: tuple[str, ...]
    verdicts: int
    versions: Versions
    ledger_lines: int
    steps: int
    limits: Limits
    seconds: float = Field(ge=0)
    card: str

    def fell_short(self) -> tuple[str, ...]:
        """What the loop should have shown and did not, in words; empty: all of it."""
        differs = self.versions.candidate != self.versions.without_verdicts
        checks = (
            (self.before >= LEAST_PARENT, f"the parent's IoU of {self.before:.3f} is below {LEAST_PARENT:.2f}"),
            (self.gain_ci95[0] > 0, f"the gain is not surely above 0: {self.gain_ci95[0]:+.3f} at the lower end"),
            (self.verdicts > 0 and differs, "no verdict changed the version of data"),
            (self.promoted, "the candidate was not promoted"),
            (self.spoilt_refused, "the spoilt candidate was not refused"),
            (bool(self.spoilt_slices), "no slice of the spoilt candidate surely fell"),
        )
        return tuple(words for holds, words in checks if not holds)


def fallen(verdict: Verdict, limits: Limits) -> tuple[str, ...]:
    """Names of the slices for which the gate refused."""
    return tuple(one.name for one in verdict.slices if one.fell(limits))
