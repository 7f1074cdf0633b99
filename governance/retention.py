"""How long evidence is kept: classes by event type and by what became of the case, from one YAML file. Pure."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from contracts.records import Contract
from contracts.yaml_file import read_yaml

SETTING = "CITYVISION_RETENTION"
EXAMPLE = Path(__file__).with_name("retention.yaml")
FOREVER = "forever"
_MOST_DAYS = 36_500
_MOST_RULES = 200

Outcome = Literal["none", "closed", "void"]
"""What became of the event's case: there was none, 结案 (or 评价), 作废. An open case keeps its evidence by itself."""


Judged = Literal["none", "real", "false_alarm", "missed"]
"""What people said of the event, newest verdict: nothing, real, a false alarm; of a picture on which somebody drew
what no event told, that it was missed."""


class Rule(Contract):
    """One class of evidence.

    Attributes:
        name: `class` in the file.
        events: event types; empty: any.
        case: what became of the case; empty: whatever.
        verdict: what people said of the event; empty: whatever.
        days: whole days it is kept, 1 to 36,500, or "forever".
    """

    model_config = ConfigDict(populate_by_name=True)

    name: str = Field(alias="class", pattern=r"^[a-z][a-z0-9_]*$", max_length=60)
    events: tuple[Annotated[str, Field(min_length=1, max_length=80)], ...] = ()
    case: tuple[Outcome, ...] = ()
    verdict: tuple[Judged, ...] = ()
    days: int | Literal["forever"]

    @field_validator("days", mode="before")
    @classmethod
    def _whole_days(cls, value: object) -> object:
        if value == FOREVER or (type(value) is int and 1 <= value <= _MOST_DAYS):
            return value
        raise ValueError(f"{value!r}: write whole days, 1 to {_MOST_DAYS}, or forever")

    @property
    def fits_everything(self) -> bool:
        return not self.events and not self.case and not self.verdict

    @property
    def text(self) -> str:
        """The rule in one line."""
        events, case = ", ".join(self.events) or "any event", " or ".join(self.case) or "any"
        kept = "kept for good" if self.days == FOREVER else f"{self.days} days"
        said = f", verdict {' or '.join(self.verdict)}" if self.verdict else ""
        return f"{self.name}: {events}, case {case}{said}: {kept}"


class Policy(Contract):
    """The rules; the first that fits counts."""

    rules: tuple[Rule, ...]

    @model_validator(mode="after")
    def _whole(self) -> Policy:
        if not 1 <= len(self.rules) <= _MOST_RULES:
            raise ValueError(f"rules: {len(self.rules)} of them: write 1 to {_MOST_RULES}")
        names = [rule.name for rule in self.rules]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"rules: class {min(twice)} is there twice: give each its own name")
        for before, after in zip(self.rules, self.rules[1:], strict=False):
            if before.fits_everything:
                raise ValueError(f"rules: {before.name} fits everything, so {after.name} never counts: put it last")
        if not self.rules[-1].fits_everything:
            last = self.rules[-1].name
            raise ValueError(
                f"rules: the last, {last}, does not fit everything: add one without events, case and verdict"
            )
        return self

    @cached_property
    def sha256(self) -> str:
        """Of the rules as they are understood, hex: names the policy in proofs."""
        told = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()


def read_policy(path: Path) -> Policy:
    """The policy of a file.

    Raises:
        ConfigError: it cannot be read or is wrong; names every wrong field.
    """
    return read_yaml(path, Policy, SETTING)
