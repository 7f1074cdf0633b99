"""The pool as a `streams.yaml` again: the same pool gives the same bytes, and reading them gives the same pool."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from contracts.pool import Camera, Department, Pool

_FLOW_KEYS = {"polygon", "image", "ground_m", "position", "parameters"}
_PLAIN = re.compile(r"^[A-Za-z\u4e00-\u9fff_][A-Za-z0-9\u4e00-\u9fff_./-]*$")
_TAKEN = {"true", "false", "null", "y", "n", "yes", "no", "on", "off"}


class _Flow(list[Any]):
    """A list to be written on one line."""


class _FlowMap(dict[str, Any]):
    """A mapping to be written on one line."""


class _Quoted(str):
    """A text to be written in double quotes."""

    __slots__ = ()


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        """Equal values are written out each time: a camera's lines stand for themselves."""
        return True


_Dumper.add_representer(_Flow, lambda d, v: d.represent_sequence("tag:yaml.org,2002:seq", v, flow_style=True))
_Dumper.add_representer(_FlowMap, lambda d, v: d.represent_mapping("tag:yaml.org,2002:map", v.items(), flow_style=True))
_Dumper.add_representer(_Quoted, lambda d, v: d.represent_scalar("tag:yaml.org,2002:str", str(v), style='"'))


def export(pool: Pool) -> str:
    """`streams.yaml` of the pool: block style, in the order of ids, what is at its default left out."""
    head = "version: 1\n"
    departments = [_plain(department) for department in sorted(pool.departments, key=lambda item: item.id)]
    cameras = [_plain(camera) for camera in sorted(pool.cameras, key=lambda item: item.id)]
    return head + _section("departments", departments) + _section("cameras", cameras)


def _section(key: str, entries: Sequence[Mapping[str, Any]]) -> str:
    if not entries:
        return f"{key}: []\n"
    text = yaml.dump(
        list(entries), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000, default_flow_style=False
    )
    indented = "".join(f"  {line}\n" if line else "\n" for line in text.split("\n")[:-1])
    return f"{key}:\n{indented}"


def _plain(item: Camera | Department) -> dict[str, Any]:
    data: dict[str, Any] = item.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if isinstance(item, Camera):
        # Algorithms at their defaults are still algorithms.
        data["algorithms"] = {name: data.get("algorithms", {}).get(name, {}) for name in item.algorithms}
        if not item.algorithms:
            del data["algorithms"]
    return {key: _shaped(key, value) for key, value in data.items()}


def _shaped(key: str, value: Any) -> Any:
    if isinstance(value, str):
        return value if _PLAIN.match(value) and value.lower() not in _TAKEN else _Quoted(value)
    if isinstance(value, dict):
        inner = {name: _shaped(name, one) for name, one in value.items()}
        return _FlowMap(inner) if key in _FLOW_KEYS or not inner else inner
    if isinstance(value, list):
        flow = key in _FLOW_KEYS or all(not isinstance(one, dict) for one in value)
        shaped = [_shaped(key, one) for one in value]
        return _Flow(shaped) if flow else shaped
    return value
