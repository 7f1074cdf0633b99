"""How long evidence of events and pictures of cases are kept: classes of both, from one YAML file. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
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


Ended = Literal["closed", "void"]
"""How a case ended: 结案 (or 评价), 作废. One that goes on keeps its pictures by itself."""

Judged = Literal["none", "real", "false_alarm", "missed"]
"""What people said of the event, newest verdict: nothing, real, a false alarm; of a picture on which somebody drew
what no event told, that it was missed."""


class Kept(Contract):
    """What is kept alike.

    Attributes:
        name: `class` in the file.
        days: whole days it is kept, 1 to 36,500, or "forever".
    """

    model_config = ConfigDict(populate_by_name=True)

    name: str = Field(alias="class", pattern=r"^[a-z][a-z0-9_]*$", max_length=60)
    days: int | Literal["forever"]

    @field_validator("days", mode="before")
    @classmethod
    def _whole_days(cls, value: object) -> object:
        if value == FOREVER or (type(value) is int and 1 <= value <= _MOST_DAYS):
            return value
        raise ValueError(f"{value!r}: write whole days, 1 to {_MOST_DAYS}, or forever")

    @property
    def text(self) -> str:
        """The rule in one line."""
        return f"{self.name}: {self.how_long}"

    @property
    def how_long(self) -> str:
        return "kept for good" if self.days == FOREVER else f"{self.days} days"


class Rule(Kept):
    """One class of evidence of events.

    Attributes:
        events: event types; empty: any.
        case: what became of the case; empty: whatever.
        verdict: what people said of the event; empty: whatever.
    """

    events: tuple[Annotated[str, Field(min_length=1, max_length=80)], ...] = ()
    case: tuple[Outcome, ...] = ()
    verdict: tuple[Judged, ...] = ()

    @property
    def fits_everything(self) -> bool:
        return not self.events and not self.case and not self.verdict

    @property
    def text(self) -> str:
        """The rule in one line."""
        events, case = ", ".join(self.events) or "any event", " or ".join(self.case) or "any"
        said = f", verdict {' or '.join(self.verdict)}" if self.verdict else ""
        return f"{self.name}: {events}, case {case}{said}: {self.how_long}"


class CaseRule(Kept):
    """One class of pictures of cases: photos from the place, second looks.

    Attributes:
        case: what became of the case; empty: whatever.
    """

    case: tuple[Ended, ...] = ()

    @property
    def fits_everything(self) -> bool:
        return not self.case

    @property
    def text(self) -> str:
        """The rule in one line."""
        return f"{self.name}: pictures of a case, case {' or '.join(self.case) or 'any'}: {self.how_long}"


class CollectedRule(Kept):
    """Pictures that a policy of collection took from streams, which brings the days: no class of the file."""

    @property
    def text(self) -> str:
        """The rule in one line."""
        return f"{self.name}: pictures of streams for labelling: {self.how_long}"


class Policy(Contract):
    """The rules; the first that fits counts.

    Attributes:
        rules: of the evidence of events.
        case_pictures: of the pictures of cases; none: these are kept for good.
    """

    rules: tuple[Rule, ...]
    case_pictures: tuple[CaseRule, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Policy:
        if not self.rules or len(self.all) > _MOST_RULES:
            raise ValueError(f"rules: {len(self.rules)} of them: write 1 to {_MOST_RULES}")
        names = [rule.name for rule in self.all]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"rules: class {min(twice)} is there twice: give each its own name")
        _require_an_end("rules", self.rules, "events, case and verdict")
        if self.case_pictures:
            _require_an_end("case_pictures", self.case_pictures, "case")
        return self

    @property
    def all(self) -> tuple[Rule | CaseRule, ...]:
        """Those of events first."""
        return (*self.rules, *self.case_pictures)

    @cached_property
    def sha256(self) -> str:
        """Of the rules as they are understood, hex: names the policy in proofs."""
        # One that says nothing of cases is what it was before they could be spoken of.
        unsaid = None if self.case_pictures else {"case_pictures"}
        told = json.dumps(self.model_dump(mode="json", exclude=unsaid), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()


def _require_an_end(where: str, rules: Sequence[Rule | CaseRule], limits: str) -> None:
    """Raises ValueError where the last rule leaves something out, or an earlier one leaves it nothing."""
    for before, after in pairwise(rules):
        if before.fits_everything:
            raise ValueError(f"{where}: {before.name} fits everything, so {after.name} never counts: put it last")
    if not rules[-1].fits_everything:
        last = rules[-1].name
        raise ValueError(f"{where}: the last, {last}, does not fit everything: add one without {limits}")


def read_policy(path: Path) -> Policy:
    """The policy of a file.

    Raises:
        ConfigError: it cannot be read or is wrong; names every wrong field.
    """
    return read_yaml(path, Policy, SETTING)


KEPT_FOR_GOOD = Policy(rules=(Rule(name="kept_for_good", days=FOREVER),))
"""Where no policy is set."""
