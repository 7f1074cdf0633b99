"""A YAML file as a checked type: one way to read it, and one way to say what is wrong in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from contracts.errors import ConfigError

Kind = TypeVar("Kind", bound=BaseModel)
_NAMES = ("code", "class")  # by which people know an entry of a list


def read_yaml(path: Path, kind: type[Kind], setting: str) -> Kind:
    """What the file says.

    Args:
        setting: the variable that names the file, for the error.

    Raises:
        ConfigError: it cannot be read, is no YAML, or is wrong; names every wrong field.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}", f"see {setting}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = "" if mark is None else f":{mark.line + 1}"
        raise ConfigError(f"{path}{line}: no YAML: {getattr(error, 'problem', error)}", "correct that line") from error
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        faults = "; ".join(f"{_where(one['loc'], data)}: {one['msg']}" for one in error.errors())
        raise ConfigError(f"{path}: {faults}", "correct these fields") from error


def _where(loc: tuple[int | str, ...], data: Any) -> str:
    """A field as people find it: an entry of a list by its name rather than by its number, where it has one."""
    words = []
    for part in loc:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            data = None
        words.append(f"[{_name(data, part)}]" if isinstance(part, int) else f".{part}")
    return "".join(words).lstrip(".") or "the file"


def _name(entry: Any, number: int) -> object:
    if not isinstance(entry, dict):
        return number
    return next((entry[name] for name in _NAMES if entry.get(name) is not None), number)
