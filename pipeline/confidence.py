"""How likely an event is real, as a calibrated probability, and how sure one must be for a given rate of false alarms.

A calibration belongs to one event type. It was fitted on events of labelled clips (`algorithm_repo.calibrating`):
logistic regression on the numbers with which the rule explains itself. It carries the operating curve measured on other
clips than it was fitted on, so that an operator names false alarms per camera-day and never a raw score.

Where a type has no calibration its events carry no confidence, and nothing is held back.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from pydantic import Field

from contracts.records import Contract, NetworkUsed

ROLE: Final = "confidence"
_FOLDER = "pipeline.calibration"
_STEEPEST = 30.0  # of the logit: beyond it a probability is 0 or 1 in every figure anybody reads


class Feature(Contract):
    """One number of the explanation as the regression sees it.

    Attributes:
        name: key of `Output.numbers`.
        log: take log(1 + value) first, for numbers that span magnitudes.
        mean, scale: to standardise it; a value further than four scales away counts as four.
        weight: of the standardised value.
    """

    name: str
    log: bool = False
    mean: float
    scale: float = Field(gt=0)
    weight: float

    def term(self, numbers: Mapping[str, float]) -> float:
        """Its part of the logit; 0, the mean's, where the number is missing."""
        if self.name not in numbers:
            return 0.0
        return self.weight * max(-4.0, min(4.0, (self.transformed(numbers[self.name]) - self.mean) / self.scale))

    def transformed(self, value: float) -> float:
        return math.log1p(max(value, 0.0)) if self.log else value


class OperatingPoint(Contract):
    """What was measured with events of at least this confidence alone."""

    confidence: float = Field(ge=0, le=1)
    false_alarms_per_camera_day: float = Field(ge=0)
    recall: float = Field(ge=0, le=1)


class Calibration(Contract):
    """Of one event type.

    Attributes:
        type: the event type's id.
        features, bias: the regression.
        curve: operating points, least confidence first; false alarms never grow along it.
        events, real: how many events it was fitted on, and how many of them were real.
        expected_error: mean distance of stated and observed probability on clips it was not fitted on (ECE), 0..1.
        fitted_on: which suite, for people.
    """

    schema_version: Literal[1] = 1
    type: str
    features: tuple[Feature, ...]
    bias: float
    curve: tuple[OperatingPoint, ...] = Field(min_length=1)
    events: int = Field(ge=0)
    real: int = Field(ge=0)
    expected_error: float = Field(ge=0, le=1)
    fitted_on: str

    def confidence(self, numbers: Mapping[str, float]) -> float:
        """Probability that an event explained by these numbers is real, 0..1, rounded to a thousandth."""
        logit = self.bias + sum(feature.term(numbers) for feature in self.features)
        return round(1.0 / (1.0 + math.exp(-max(-_STEEPEST, min(_STEEPEST, logit)))), 3)

    def least(self, false_alarms_per_camera_day: float) -> float:
        """The confidence from which on there are no more false alarms than that, as measured.

        Where no point of the curve keeps the target, the last one, which comes closest.
        """
        for point in self.curve:
            if point.false_alarms_per_camera_day <= false_alarms_per_camera_day:
                return point.confidence
        return self.curve[-1].confidence


@cache
def calibration_of(event_type: str) -> Calibration | None:
    """The calibration that ships for an event type; None where there is none."""
    data = _shipped(event_type)
    return None if data is None else Calibration.model_validate_json(data)


@cache
def calibration_network(event_type: str) -> NetworkUsed | None:
    """The same as provenance names it."""
    data = _shipped(event_type)
    if data is None:
        return None
    sha256 = hashlib.sha256(data).hexdigest()
    return NetworkUsed(role=ROLE, name=f"{event_type}-{sha256[:8]}", sha256=sha256)


def _shipped(event_type: str) -> bytes | None:
    file = files(_FOLDER).joinpath(f"{event_type}.json")
    return file.read_bytes() if file.is_file() else None
