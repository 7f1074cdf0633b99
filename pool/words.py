"""Pydantic's complaints in plain words: what is wrong, and what to write, with the range from the schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from contracts.pool import SLUG_PATTERN, TEXT_PATTERN
from contracts.problems import UNFIT, Location, Problem
from contracts.relations import did_you_mean, listed
from pool.schema import Schema, schema_at

_SLUG_FIX = "write lower-case letters, digits, - and _ (64 at most, first a letter or digit)"
_SECRET_KEYS = {"password", "passwd", "pwd", "pass", "user", "username", "secret", "token"}
_UNSHOWN = {"url", "credentials", "token"}  # a mistyped value here may be a secret
_LISTED_KEYS = 24
_HIDDEN = "this value"


def problems_of(error: ValidationError, prefix: Location = ()) -> list[Problem]:
    """Every error of a validation of the value at `prefix` (a path from the pool), in plain words."""
    errors = [one for one in error.errors(include_url=False) if not _follows(one)]
    return [_problem(one, (*prefix, *one["loc"])) for one in errors]


def _follows(error: ErrorDetails) -> bool:
    """A list is not too short when only its faulty items, reported by themselves, were not counted."""
    value = error["input"]
    return error["type"] == "too_short" and isinstance(value, list) and len(value) >= error["ctx"]["min_length"]


def _problem(error: ErrorDetails, location: Location) -> Problem:
    location = tuple(step for step in location if step != "[key]")
    context: Mapping[str, Any] = error.get("ctx", {})
    if error["type"] == UNFIT:
        return Problem(location, context["what"], context["fix"])
    if error["type"] == "extra_forbidden":
        return _unknown_key(location)
    if error["type"] == "missing":
        return _missing(location)
    value = error["input"]
    bad = _Bad(schema_at(location), context, _shown(value, location), value)
    what, fix = _BY_TYPE.get(error["type"], _wrong_type)(bad)
    return Problem(location, what, fix)


def _unknown_key(location: Location) -> Problem:
    name = str(location[-1])
    known = list(schema_at(location[:-1]).get("properties", {}))
    if name.lower() in _SECRET_KEYS:
        fix = "write credentials: NAME in the stream, and keep the secret in the secrets file"
        return Problem(location, "secrets are never written in this file", fix)
    what = f"there is no key {name[:64]!r} here{did_you_mean(name, known)}"
    return Problem(location, what, f"write one of {listed(known, _LISTED_KEYS)}")


def _missing(location: Location) -> Problem:
    if isinstance(location[-1], int):
        parent = schema_at(location[:-1])
        return Problem(location[:-1], "a value is missing", f"write {_expected(parent)}")
    return Problem(location, "is missing", f"write {location[-1]}: and {_expected(schema_at(location))}")


def _shown(value: object, location: Location) -> str:
    """The value as the text may repeat it."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if any(step in _UNSHOWN for step in location):
        return "a text" if isinstance(value, str) else _HIDDEN
    if isinstance(value, bool):
        return str(value).lower()
    text = value if isinstance(value, str) else f"{value:.10g}" if isinstance(value, float) else str(value)
    text = text if len(text) <= 40 else text[:37] + "…"
    return repr(text) if isinstance(value, str) else text


def _number(value: float) -> str:
    return f"{value:,.10g}".replace(",", " ") if abs(value) >= 10_000 else f"{value:.10g}"


def _duration(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:.10g}{unit}"
    return "0s" if seconds == 0 else f"{seconds * 1000:.10g}ms"


def _duration_side(schema: Schema) -> Schema | None:
    """The number's side of a duration (a number of seconds or a text with a unit)."""
    sides = schema.get("anyOf", [])
    if any("pattern" in side for side in sides):
        return next((side for side in sides if side.get("type") == "number"), None)
    return None


def _range(schema: Schema, spell: Callable[[float], str]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    start = f"from {spell(low)}" if low is not None else f"above {spell(above)}" if above is not None else ""
    end = f"to {spell(high)}" if high is not None else f"below {spell(below)}" if below is not None else ""
    if above is not None and high is not None:
        end = f"up to {spell(high)}"
    return " ".join(part for part in (start, end) if part)


def _expected(schema: Schema) -> str:  # noqa: PLR0911 - one line a kind of value
    """What may stand here, as a noun phrase."""
    duration = _duration_side(schema)
    if duration is not None:
        return f"a duration {_range(duration, _duration)}, e.g. 90s or 3min"
    if "enum" in schema:
        values = [str(value) for value in schema["enum"]]
        return f"one of {', '.join(values)}"
    if "const" in schema:
        return str(schema["const"])
    kind = schema.get("type")
    if kind in ("number", "integer"):
        return " ".join(filter(None, ["a whole number" if kind == "integer" else "a number", _range(schema, _number)]))
    if kind == "boolean":
        return "true or false"
    if kind == "string":
        about = schema.get("description")
        return about or ("an id such as gate-3" if schema.get("pattern") == SLUG_PATTERN else "a text")
    if kind == "array":
        return _list(schema)
    known = schema.get("properties", {})
    return f"a mapping with the keys {listed(schema.get('required') or known, _LISTED_KEYS)}" if known else "a value"


def _list(schema: Schema) -> str:
    low, high = schema.get("minItems"), schema.get("maxItems")
    about = f" ({schema['description']})" if "description" in schema else ""
    if low is not None and low == high:
        return f"a list of exactly {low} values{about}"
    if low is not None and high is not None:
        return f"a list of {low} to {high} values{about}"
    return f"a list{about}, [] for none" if not low else f"a list{about}"


class _Bad(NamedTuple):
    """A value that does not fit: the schema of its place, pydantic's context, the value as it may be shown, itself."""

    schema: Schema
    context: Mapping[str, Any]
    shown: str
    value: object


Said = tuple[str, str]


def _wrong_type(bad: _Bad) -> Said:
    if bad.value is None and "default" in bad.schema:
        return "nothing is written after the key", f"write {_expected(bad.schema)}, or leave the key out"
    return f"{bad.shown} does not fit here", f"write {_expected(bad.schema)}"


def _not_text(bad: _Bad) -> Said:
    if isinstance(bad.value, int) and not isinstance(bad.value, bool) and bad.shown != _HIDDEN:
        return f"the number {bad.shown} stands where a text is expected", f'put it in quotes: "{bad.value}"'
    if isinstance(bad.value, int | float):
        return f"{bad.shown} stands where a text is expected", "put it in quotes"
    return _wrong_type(bad)


def _out_of_range(bad: _Bad) -> Said:
    shown = bad.shown
    if _duration_side(bad.schema) is not None and isinstance(bad.value, int | float):
        shown = _duration(float(bad.value))
    return f"{shown} is out of range", f"write {_expected(bad.schema)}"


def _not_one_of(bad: _Bad) -> Said:
    known = [str(one) for one in bad.schema.get("enum", [])]
    return f"{bad.shown} is not known here{did_you_mean(str(bad.value), known)}", f"write {_expected(bad.schema)}"


def _pattern(bad: _Bad) -> Said:
    if bad.context.get("pattern") == SLUG_PATTERN:
        return f"{bad.shown} is not an id", _SLUG_FIX
    if bad.context.get("pattern") == TEXT_PATTERN:
        return "a line break or control character stands in the text", "write it on one line"
    return _wrong_type(bad)


def _text_length(bad: _Bad) -> Said:
    low, high = bad.schema.get("minLength", 0), bad.schema.get("maxLength")
    size = f"{low} to {high} characters" if low and high else f"at most {high} characters" if high else "a text"
    length = len(bad.value) if isinstance(bad.value, str) else 0
    return "the text is empty" if length == 0 else f"the text has {length} characters", f"write {size}"


def _list_length(bad: _Bad) -> Said:
    count = bad.context.get("actual_length", len(bad.value) if isinstance(bad.value, list | tuple) else None)
    many = "the list is empty" if count == 0 else f"the list has {count} value{'' if count == 1 else 's'}"
    return many, f"write {_expected(bad.schema)}"


def _fraction(bad: _Bad) -> Said:
    return f"{bad.shown} is not a whole number", f"write {_expected(bad.schema)}"


def _not_finite(bad: _Bad) -> Said:
    return f"{bad.shown} is not a finite number", f"write {_expected(bad.schema)}"


_BY_TYPE: dict[str, Callable[[_Bad], Said]] = {
    "string_type": _not_text,
    "greater_than": _out_of_range,
    "greater_than_equal": _out_of_range,
    "less_than": _out_of_range,
    "less_than_equal": _out_of_range,
    "literal_error": _not_one_of,
    "enum": _not_one_of,
    "string_pattern_mismatch": _pattern,
    "string_too_short": _text_length,
    "string_too_long": _text_length,
    "too_short": _list_length,
    "too_long": _list_length,
    "int_from_float": _fraction,
    "finite_number": _not_finite,
}


def misplaced_booleans(booleans: list[Location], prefix: Location) -> list[Problem]:
    """true and false where a number is expected: pydantic would take them for 1 and 0."""
    problems = []
    for location in booleans:
        schema = schema_at((*prefix, *location))
        kinds = {schema.get("type")} | {side.get("type") for side in schema.get("anyOf", [])}
        if kinds & {"number", "integer"}:
            what = "true or false stands where a number is expected"
            problems.append(Problem((*prefix, *location), what, f"write {_expected(schema)}"))
    return problems
