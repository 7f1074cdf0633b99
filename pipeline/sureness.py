"""Which events of one camera are sure enough to be told, by the wanted rate of false alarms."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from contracts.algorithms import AlgorithmParameters
from contracts.trace import TracedCondition
from pipeline.confidence import calibration_of
from pipeline.eventbook import Matter, MatterKey
from pipeline.rules.base import Output, Step


class Sureness:
    """Confidence of each event, and whether it suffices; remembers for whom it was weighed, to explain it."""

    def __init__(self) -> None:
        self._weighed: dict[MatterKey, TracedCondition] = {}

    def confidence(self, event_type: str, output: Output, matter: Matter) -> float | None:
        """That the event is real; its end says nothing new about that."""
        if output.step is Step.CLOSED and matter.last is not None:
            return matter.last.confidence
        calibration = calibration_of(event_type)
        return None if calibration is None else calibration.confidence(output.numbers)

    def enough(
        self, event_type: str, output: Output, confidence: float | None, algorithms: Mapping[str, AlgorithmParameters]
    ) -> bool:
        """Whether people are told.

        An event that is not stays a candidate, whatever its rule says; a later look may make it surer.
        """
        calibration = calibration_of(event_type)
        target = algorithms[event_type].max_false_alarms
        if calibration is None or confidence is None or target is None:
            return True
        least = calibration.least(target)
        condition = TracedCondition(event_type, output.zone, output.key, "confidence", round(confidence, 3), least)
        self._weighed[event_type, output.zone, output.key] = condition
        return confidence >= least

    def conditions(self, known: Collection[MatterKey]) -> list[TracedCondition]:
        """What `enough` weighed, of the matters that there still are; the rest is forgotten."""
        self._weighed = {key: condition for key, condition in self._weighed.items() if key in known}
        return list(self._weighed.values())
