"""What trainings of the queue may be asked for: by the task of the version of data, what is trained and how.

A version of boxes (`detect`) trains a detector, one of tags (`classify`) a classifier, one of a mask (`segment`) a
decoder on frozen features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from algorithm_repo.training.head_settings import HeadSettings
from algorithm_repo.training.ultra_settings import ClassifySettings, DetectSettings, UltraSettings
from contracts.errors import ConfigError

AnySettings = DetectSettings | ClassifySettings | HeadSettings
ByTask = Mapping[str, dict[str, Any]]
_KINDS: Mapping[str, type[AnySettings]] = {
    "detect": DetectSettings,
    "classify": ClassifySettings,
    "segment": HeadSettings,
}
_CALLED = {"detect": "detectors", "classify": "classifiers", "segment": "decoders"}


def settings_by_task(*given: AnySettings | None) -> ByTask:
    """What was given; where nothing was, the usual of each task."""
    some = [one for one in given if one is not None] or [kind() for kind in _KINDS.values()]
    return {task: asdict(one) for task, kind in _KINDS.items() for one in some if isinstance(one, kind)}


def asked(given: Mapping[str, Any]) -> ByTask:
    """Settings by name: what not every task knows says which it is for, and so does the network.

    Raises:
        ConfigError: a name or network that none has, names that none has together, or a value out of its range.
    """
    fitting = {name: _tasks(name, value) for name, value in given.items()}
    left = set(_KINDS).intersection(*fitting.values())
    if not left:
        narrow = {name: tasks for name, tasks in fitting.items() if len(tasks) < len(_KINDS)}
        told = (f"{name} is of {' and '.join(_CALLED[task] for task in tasks)}" for name, tasks in narrow.items())
        raise ConfigError("; ".join(told), "leave out what is of another")
    return settings_by_task(*(kind(**given) for task, kind in _KINDS.items() if task in left))


def _tasks(name: str, value: object) -> list[str]:
    """Those that know a setting, in order. Raises ConfigError."""
    tasks = [task for task, kind in _KINDS.items() if name in {one.name for one in fields(kind)}]
    if not tasks:
        known = sorted({one.name for kind in _KINDS.values() for one in fields(kind)})
        raise ConfigError(f"{name}: no training has it", f"one of {', '.join(known)}")
    if name != "network":
        return tasks
    networks = {task: kind.NETWORKS for task, kind in _KINDS.items() if issubclass(kind, UltraSettings)}
    tasks = [task for task, known in networks.items() if value in known]
    if not tasks:
        fix = f"write one of {', '.join(one for known in networks.values() for one in known)}"
        raise ConfigError(f"network: {value!r} is not known", fix)
    return tasks
