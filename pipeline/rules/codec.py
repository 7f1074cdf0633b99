"""Rule states to JSON and back: frozen dataclasses of numbers, texts, tuples and each other.

Floats keep every bit (JSON carries the shortest text that reads back the same), so a rule that goes on from a
loaded state says exactly what an uninterrupted one says.
"""

from __future__ import annotations

import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, cast

import orjson

StateT = TypeVar("StateT")


def encode(state: Any) -> dict[str, object]:
    """The dataclass as JSON-able data. By orjson, which walks dataclasses some thirty times faster than Python can:
    every camera's state is written every few seconds."""
    return cast("dict[str, object]", orjson.loads(orjson.dumps(state)))


def decode(kind: type[StateT], data: object) -> StateT:
    """Inverse of `encode`. What an older state did not have yet takes its default.

    Raises:
        ValueError: the data is of another shape than `kind`.
    """
    return cast("StateT", _typed(kind, data, kind.__name__))


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _typed(kind: Any, data: Any, where: str) -> Any:
    origin = typing.get_origin(kind)
    if origin in {types.UnionType, typing.Union}:
        inner = [k for k in typing.get_args(kind) if k is not type(None)]
        return None if data is None else _typed(inner[0], data, where)
    if origin is tuple:
        return _tuple(typing.get_args(kind), data, where)
    if is_dataclass(kind):
        return _dataclass(cast("type", kind), data, where)
    if kind is float and isinstance(data, int | float) and not isinstance(data, bool):
        return float(data)
    if kind in {int, str, bool} and type(data) is kind:
        return data
    raise ValueError(f"rule state: {where} is {data!r}, not {kind}")


def _tuple(kinds: tuple[Any, ...], data: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(data, list):
        raise ValueError(f"rule state: {where} is not a list")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_typed(kinds[0], item, where) for item in data)
    if len(kinds) != len(data):
        raise ValueError(f"rule state: {where} has {len(data)} entries, not {len(kinds)}")
    return tuple(_typed(kind, item, where) for kind, item in zip(kinds, data, strict=True))


def _dataclass(kind: type, data: Any, where: str) -> Any:
    names, needed = _fields(kind)
    if not isinstance(data, dict) or not data or not needed <= set(data) <= names:
        raise ValueError(f"rule state: {where} does not have exactly the fields {', '.join(sorted(names))}")
    hints = _hints(kind)
    return kind(**{name: _typed(hints[name], value, f"{where}.{name}") for name, value in data.items()})


@cache
def _fields(kind: type) -> tuple[frozenset[str], frozenset[str]]:
    """Names of all fields, and of those without a default."""
    own = fields(kind)
    needed = [f.name for f in own if f.default is MISSING and f.default_factory is MISSING]
    return frozenset(f.name for f in own), frozenset(needed)
