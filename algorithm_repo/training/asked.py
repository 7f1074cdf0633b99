"""What trainings of the queue may be asked for: by the task of the version of data, what is trained and how.

A version of boxes (`detect`) trains a detector, one of tags (`classify`) a classifier, one of a mask (`segment`) a
decoder on frozen features or a whole network of ultralytics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from algorithm_repo.training.head_settings import HeadSettings
from algorithm_repo.training.ultra_settings import ClassifySettings, DetectSettings, SegmentSettings, UltraSettings
from contracts.errors import ConfigError

AnySettings = DetectSettings | ClassifySettings | HeadSettings | SegmentSettings
ByTask = Mapping[str, dict[str, Any]]
# Of two that train versions of one task, the first is the usual.
_KINDS: Mapping[type[AnySettings], tuple[str, str]] = {
    DetectSettings: ("detect", "detectors"),
    ClassifySettings: ("classify", "classifiers"),
    HeadSettings: ("segment", "decoders"),
    SegmentSettings: ("segment", "segmenters"),
}


def settings_by_task(*given: AnySettings | None) -> ByTask:
    """What was given; where nothing was, the usual of each task.

    Raises:
        ConfigError: two were given for one task.
    """
    some = [one for one in given if one is not None]
    tasks = [_KINDS[type(one)][0] for one in some]
    if len(set(tasks)) != len(tasks):
        told = " and ".join(_KINDS[type(one)][1] for one in some)
        raise ConfigError(f"settings of {told} are for the same versions", "leave one of them out")
    return _by_task(some or [kind() for kind in _KINDS])


def asked(given: Mapping[str, Any]) -> ByTask:
    """Settings by name: what not every kind of training knows says which it is for, and so does the network.

    Raises:
        ConfigError: a name or network that none has, names that none has together, or a value out of its range.
    """
    fitting = {name: _kinds(name, value) for name, value in given.items()}
    left = [kind for kind in _KINDS if all(kind in kinds for kinds in fitting.values())]
    if not left:
        narrow = {name: kinds for name, kinds in fitting.items() if len(kinds) < len(_KINDS)}
        told = (f"{name} is of {', '.join(_KINDS[kind][1] for kind in kinds)}" for name, kinds in narrow.items())
        raise ConfigError("; ".join(told), "leave out what is of another")
    return _by_task([kind(**given) for kind in left])


def _by_task(some: Sequence[AnySettings]) -> ByTask:
    """The first of each task."""
    found: dict[str, dict[str, Any]] = {}
    for one in some:
        found.setdefault(_KINDS[type(one)][0], asdict(one))
    return found


def _kinds(name: str, value: object) -> list[type[AnySettings]]:
    """Those that know a setting, in order. Raises ConfigError."""
    kinds = [kind for kind in _KINDS if name in {one.name for one in fields(kind)}]
    if not kinds:
        known = sorted({one.name for kind in _KINDS for one in fields(kind)})
        raise ConfigError(f"{name}: no training has it", f"one of {', '.join(known)}")
    if name != "network":
        return kinds
    networks = {kind: kind.NETWORKS for kind in _KINDS if issubclass(kind, UltraSettings)}
    if not any(value in known for known in networks.values()):
        fix = f"write one of {', '.join(one for known in networks.values() for one in known)}"
        raise ConfigError(f"network: {value!r} is not known", fix)
    return [kind for kind, known in networks.items() if value in known]
