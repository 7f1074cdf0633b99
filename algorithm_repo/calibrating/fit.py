"""From labelled events to a `Calibration`: logistic regression, checked on clips that it was not fitted on.

Five folds by clip, never by event: what is stated about a clip comes from a regression that has not seen it. The stated
error and the operating curve are those of the held-out clips, with the rules as people run them; the regression that
ships is fitted on all of them. Reports of other suites can give both instead (`measured_on`).

The rate of false alarms is that of a camera which meets `HARD_A_DAY` hard situations a day (a queue that does not move,
a wet road, a bag somebody comes back for, one person fewer than the limit …), each as often mistaken as the hard
situations among the clips were.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from pipeline.confidence import Calibration, Feature, OperatingPoint

HARD_A_DAY = 20.0
FOLDS = 5
_RIDGE = 1.0  # L2 penalty on standardised weights: few false events must not make certainties
_BINS = 10
_POINTS = 20

FloatArray = NDArray[np.float64]

# What speaks for or against each type, of its numbers; True: by its logarithm.
FEATURES: dict[str, dict[str, bool]] = {
    "illegal_parking": {
        "moved_body_lengths": False,
        "looks_share": False,
        "in_zone_share": False,
        "neighbours_stopped": True,
        "queue_share": False,
        "vehicles_passed": True,
        "hidden_s": True,
    },
    "crowding": {"people": True, "limit": True, "crowded_share": False, "fixtures": True, "peak": True},
    "waterlogging": {
        "standing_share": False,
        "limit_share": False,
        "certainty": False,
        "growth_per_min": False,
        "reference": False,
        "visible_share": False,
    },
    "litter": {"litter": False, "unattended_s": True, "pieces": True, "seen_share": False, "overflowing": False},
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One event as it was opened, and the truth about it.

    Attributes:
        clip: what it was seen in; clips are kept together when they are split.
        numbers: of the event.
        real: it matched a labelled one.
        as_run: raised by rules as people run them; else by looser ones, and it says nothing of how often they err.
    """

    clip: str
    numbers: dict[str, float]
    real: bool
    as_run: bool = True


@dataclass(frozen=True, slots=True)
class Labelled:
    """Everything known of one type.

    Attributes:
        samples: the events.
        truths: labelled events that there were to find by rules as people run them.
        hard: hard situations with nothing of this type to report, likewise.
    """

    samples: tuple[Sample, ...]
    truths: int
    hard: int


def fit(event_type: str, labelled: Labelled, fitted_on: str) -> Calibration:
    """The calibration of one type.

    Raises:
        ValueError: no event, or no feature is known for the type.
    """
    samples = labelled.samples
    if not samples:
        raise ValueError(f"{event_type}: no event to fit to")
    chosen = FEATURES.get(event_type)
    if chosen is None:
        raise ValueError(f"{event_type}: no features are named for it in {__name__}.FEATURES")
    names = {name: log for name, log in chosen.items() if any(name in sample.numbers for sample in samples)}
    real = np.array([sample.real for sample in samples])
    stated = np.zeros(len(samples))
    folds = np.array([_fold(sample.clip) for sample in samples])
    for fold in range(FOLDS):
        held = folds == fold
        if held.any():
            rest = [sample for sample, out in zip(samples, held, strict=True) if not out]
            features, bias = _regress(names, rest)
            stated[held] = [
                _stated(event_type, features, bias, sample) for sample, out in zip(samples, held, strict=True) if out
            ]
    features, bias = _regress(names, samples)
    run = np.array([sample.as_run for sample in samples])
    return Calibration(
        type=event_type,
        features=features,
        bias=round(bias, 4),
        curve=operating_curve(stated[run], real[run], labelled.truths, labelled.hard),
        events=len(samples),
        real=int(real.sum()),
        expected_error=round(expected_error(stated[run], real[run]), 4),
        fitted_on=fitted_on,
    )


def measured_on(calibration: Calibration, labelled: Labelled) -> Calibration:
    """The calibration with the error and the operating curve of events it was not fitted on, raised by the rules as
    they run."""
    stated = np.array([calibration.confidence(sample.numbers) for sample in labelled.samples], np.float64)
    real = np.array([sample.real for sample in labelled.samples], np.bool_)
    curve = operating_curve(stated, real, labelled.truths, labelled.hard)
    error = round(expected_error(stated, real), 4) if len(stated) else calibration.expected_error
    return calibration.model_copy(update={"curve": curve, "expected_error": error})


def expected_error(stated: FloatArray, real: NDArray[np.bool_]) -> float:
    """Expected calibration error (Naeini et al. 2015): ten equal bins, |stated − observed| weighted by their size."""
    bins = np.minimum((stated * _BINS).astype(int), _BINS - 1)
    error = 0.0
    for index in np.unique(bins):
        inside = bins == index
        error += inside.mean() * abs(stated[inside].mean() - real[inside].mean())
    return float(error)


def operating_curve(stated: FloatArray, real: NDArray[np.bool_], truths: int, hard: int) -> tuple[OperatingPoint, ...]:
    """Rates and recall by least confidence: from "tell everything" to "tell only what is surer than any mistake"."""
    mistakes = np.unique(stated[~real])
    thresholds = [0.0, *(round(float(value) + 0.001, 3) for value in mistakes)]
    if len(thresholds) > _POINTS:
        thresholds = [thresholds[round(i)] for i in np.linspace(0, len(thresholds) - 1, _POINTS)]
    points = []
    for threshold in sorted({min(value, 1.0) for value in thresholds}):
        told = stated >= threshold
        points.append(
            OperatingPoint(
                confidence=threshold,
                false_alarms_per_camera_day=round(HARD_A_DAY * int((told & ~real).sum()) / max(hard, 1), 4),
                recall=round(min(1.0, int((told & real).sum()) / max(truths, 1)), 4),
            )
        )
    return tuple(points)


def _fold(clip: str) -> int:
    return hashlib.sha256(clip.encode()).digest()[0] % FOLDS


def _stated(event_type: str, features: tuple[Feature, ...], bias: float, sample: Sample) -> float:
    one = OperatingPoint(confidence=0, false_alarms_per_camera_day=0, recall=1)
    regression = Calibration(
        type=event_type, features=features, bias=bias, curve=(one,), events=0, real=0, expected_error=0, fitted_on=""
    )
    return regression.confidence(sample.numbers)


def _regress(names: dict[str, bool], samples: Sequence[Sample]) -> tuple[tuple[Feature, ...], float]:
    """Standardised features with their weights, and the bias; of one kind alone, Laplace's rule and no weights."""
    real = np.array([sample.real for sample in samples], np.float64)
    neutral = [_standard(name, log, samples) for name, log in names.items()]
    if len(samples) == 0 or real.min() == real.max():
        share = (real.sum() + 1) / (len(samples) + 2)
        return (), float(np.log(share / (1 - share)))
    table = np.array([[feature.term(sample.numbers) for feature in neutral] for sample in samples])
    signed = 2 * real - 1

    def loss(weights: FloatArray) -> tuple[float, FloatArray]:
        margin = signed * (table @ weights[:-1] + weights[-1])
        slope = -signed / (1 + np.exp(margin))
        gradient = np.append(table.T @ slope + _RIDGE * weights[:-1], slope.sum())
        return float(np.logaddexp(0, -margin).sum() + _RIDGE / 2 * weights[:-1] @ weights[:-1]), gradient

    found = minimize(loss, np.zeros(len(neutral) + 1), jac=True, method="L-BFGS-B").x
    weighted = tuple(
        feature.model_copy(update={"weight": round(float(weight), 4)})
        for feature, weight in zip(neutral, found[:-1], strict=True)
    )
    return weighted, float(found[-1])


def _standard(name: str, log: bool, samples: Sequence[Sample]) -> Feature:
    """The feature with weight one."""
    plain = Feature(name=name, log=log, mean=0.0, scale=1.0, weight=1.0)
    values = np.array([plain.transformed(sample.numbers[name]) for sample in samples if name in sample.numbers])
    if len(values) == 0:
        return plain
    scale = float(values.std())
    return plain.model_copy(update={"mean": round(float(values.mean()), 5), "scale": round(scale, 5) or 1.0})
