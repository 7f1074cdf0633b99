"""What trainings of the queue may be asked for: by the task of the version of data, what is trained and how.

A version of boxes (`detect`) trains a detector, one of a mask (`segment`) a decoder on frozen features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from algorithm_repo.training.detectjob import DetectSettings
from algorithm_repo.training.head_settings import HeadSettings
from contracts.errors import ConfigError

ByTask = Mapping[str, dict[str, Any]]
_OF_DETECTORS, _OF_HEADS = ({one.name for one in fields(kind)} for kind in (DetectSettings, HeadSettings))


def settings_by_task(detector: DetectSettings | None, head: HeadSettings | None) -> ByTask:
    """What was given; where nothing was, the usual of each task."""
    if detector is None and head is None:
        detector, head = DetectSettings(), HeadSettings()
    given: dict[str, DetectSettings | HeadSettings | None] = {"detect": detector, "segment": head}
    return {task: asdict(one) for task, one in given.items() if one is not None}


def asked(given: Mapping[str, Any]) -> ByTask:
    """Settings by name: what only one task knows says which it is for.

    Raises:
        ConfigError: a name that neither has, names of both, or a value out of its range.
    """
    for name in given:
        if name not in _OF_DETECTORS | _OF_HEADS:
            raise ConfigError(f"{name}: no training has it", f"one of {', '.join(sorted(_OF_DETECTORS | _OF_HEADS))}")
    detects, heads = set(given) - _OF_HEADS, set(given) - _OF_DETECTORS
    if detects and heads:
        one, other = min(detects), min(heads)
        raise ConfigError(f"{one} is of detectors and {other} of decoders", "leave one of them out")
    return settings_by_task(
        None if heads else DetectSettings(**given),
        None if detects else HeadSettings(**given),
    )
