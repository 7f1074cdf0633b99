"""What is told to the city's existing platform in which words, and what its words mean here: one YAML file."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingType
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from cases.types import FINAL, Action, Case, Duty, Facts, Line, Status
from contracts.algorithms import Duration
from contracts.errors import CityVisionError
from contracts.records import Contract

DEFAULT = Path(__file__).with_name("mapping.yaml")
Text = Annotated[str, BeforeValidator(str)]
Name = Literal[
    "case", "revision", "action", "category", "status", "severity", "address", "grid", "department", "handler",
    "note", "started", "due", "theirs", "seq", "pictures", "until",
]  # fmt: skip
_NEEDED: tuple[Name, ...] = ("case", "revision", "category", "status", "theirs", "seq")
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9._@-]*")
_UNKEPT = re.compile("[\x00\ud800-\udfff]")  # what Postgres and UTF-8 cannot hold, and JSON can name
_MAX_SEQ = 2**53
_MAX_CASE = 2**62


class UpdateRefused(CityVisionError):
    """What the platform says of a case cannot be taken; `field` names the field as it writes it."""

    def __init__(self, field: str, message: str, fix: str = "") -> None:
        super().__init__(f"{field}: {message}", fix)
        self.field = field


class Update(Contract):
    """What the platform says of a case.

    Attributes:
        case: our number.
        status: its word.
        seq: its count of changes of this case.
        revision: of ours, the newest it knows; None where it does not say.
        theirs: its own number of the case.
        pictures: as they came.
        until_utc: s since 1970.
    """

    case: int = Field(ge=1)
    status: str
    seq: int = Field(ge=0)
    revision: int | None = None
    theirs: str = ""
    note: str = ""
    pictures: tuple[str, ...] = ()
    until_utc: float | None = None


class Listing(Contract):
    """How their list is asked for by page (from 1), and where its items stand in the answer."""

    page: str = "page"
    size: str = "size"
    items: str = "items"
    at_once: int = Field(100, ge=1, le=1000)


class Do(Contract):
    """One action of a call-back, with what it needs where the platform says nothing."""

    action: Action
    duty: Duty
    note: str = ""
    verdict: Literal["gone", "still_there", "unseen"] | None = None
    overridden: bool = False

    def facts(self, update: Update, pictures: tuple[str, ...]) -> Facts:
        return Facts(
            note=update.note or self.note,
            until_utc=update.until_utc if self.action in (Action.SUSPEND, Action.EXTEND) else None,
            pictures=pictures if self.action is Action.REPORT else (),
            verdict=self.verdict,
            overridden=self.overridden,
        )


class Retry(Contract):
    """After a failure: waits by number of attempts (the last one goes on), and HTTP statuses that end it."""

    delays: tuple[Duration, ...] = Field((1.0, 2.0, 5.0, 15.0, 30.0, 60.0), min_length=1)
    jitter: float = Field(0.3, ge=0, le=1)
    permanent: tuple[int, ...] = (400, 403, 404, 410, 413, 422)


class Mapping(Contract):
    """The whole file; see the one that ships."""

    platform: str = Field(min_length=1, max_length=64)
    path: str = Field("/api/cases", pattern=r"^(/[A-Za-z0-9._~-]+)+$")
    listing: Listing = Listing()
    timeout: Duration = Field(10.0, gt=0, le=60)
    fields: dict[Name, str]
    categories: dict[Text, Text] = Field(min_length=1)
    statuses: dict[Status, Text] = Field(min_length=1)
    also: tuple[Action, ...] = ()
    callbacks: dict[Text, tuple[Do, ...]] = Field(default_factory=dict)
    retry: Retry = Retry()

    @field_validator("platform")
    @classmethod
    def _no_account(cls, value: str) -> str:
        if _ACCOUNT.fullmatch(value):
            raise ValueError("somebody's account could be called so: write e.g. 城管平台")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Mapping:
        if lacking := [name for name in _NEEDED if name not in self.fields]:
            raise ValueError(f"fields: {lacking[0]} has no name there: each of {', '.join(_NEEDED)} needs one")
        names = list(self.fields.values())
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"fields: {min(twice)} is used twice: give each its own")
        if Status.DISPATCHED not in self.statuses:
            raise ValueError("statuses: dispatched has no word: a case that somebody has to handle must be told")
        if unheard := set(self.statuses.values()) - set(self.callbacks) if self.callbacks else set():
            raise ValueError(f"callbacks: {min(unheard)!r} is told but would not be understood: say what it does")
        return self

    def wants(self, category: str, line: Line) -> bool:
        """Whether this line of a case's history is told."""
        after, before = self.statuses.get(line.after), self.statuses.get(line.before)
        if category not in self.categories or line.who == self.platform or after is None:
            return False
        if before is None and line.after in FINAL:
            return False  # it was never heard of there
        return after != before or line.action is Action.ACCEPT or line.action in self.also

    def told(self, case: Case, line: Line, seq: int) -> dict[str, Any]:
        """A case in their words; `seq`: the newest of their changes that we know."""
        said: dict[Name, Any] = {
            "case": str(case.id),
            "revision": case.revision,
            "action": line.action.value,
            "category": self.categories[case.category],
            "status": self.statuses[case.state.status],
            "severity": case.severity.value,
            "address": case.address or case.place,
            "grid": case.grid,
            "department": case.department,
            "handler": case.state.handler,
            "note": line.facts.note or case.note,
            "started": _iso(case.started_utc),
            "due": None if case.state.clock is None else _iso(case.state.clock.due_utc),
            "seq": seq,
        }
        return {self.fields[name]: value for name, value in said.items() if name in self.fields}

    def heard(self, body: object) -> Update:
        """What they say of a case, in our words.

        Raises:
            UpdateRefused: names their field.
        """
        if not isinstance(body, dict):
            raise UpdateRefused("body", "not a JSON object", "send one object a call-back")
        status = self._text(body, "status")
        if status not in self.callbacks:
            known = ", ".join(self.callbacks)
            raise UpdateRefused(
                self.fields["status"], "an unknown word", f"send one of {known}, or add it to callbacks"
            )
        revision = self._get(body, "revision")
        return Update(
            case=self._count(body, "case", _MAX_CASE, least=1),
            status=status,
            seq=self._count(body, "seq", _MAX_SEQ),
            revision=None if revision is None else self._count(body, "revision", _MAX_SEQ),
            theirs="" if self._get(body, "theirs") is None else self._text(body, "theirs"),
            note="" if self._get(body, "note") is None else self._text(body, "note", 2000),
            pictures=self._pictures(body),
            until_utc=self._moment(body, "until"),
        )

    def _get(self, body: MappingType[str, Any], name: Name) -> Any:
        return body.get(self.fields[name]) if name in self.fields else None

    def _text(self, body: MappingType[str, Any], name: Name, most: int = 100) -> str:
        value = self._get(body, name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or len(value) > most or _UNKEPT.search(value):
            raise UpdateRefused(self.fields[name], "missing, or not a text", f"write {most} letters at most")
        return value

    def _count(self, body: MappingType[str, Any], name: Name, most: int, least: int = 0) -> int:
        text = self._text(body, name)
        if not (text.isascii() and text.isdigit() and least <= int(text) < most):
            raise UpdateRefused(self.fields[name], "not a whole number in range", f"write {least} or more")
        return int(text)

    def _pictures(self, body: MappingType[str, Any]) -> tuple[str, ...]:
        value = self._get(body, "pictures") or []
        if not isinstance(value, list) or len(value) > 20 or not all(isinstance(one, str) for one in value):
            raise UpdateRefused(self.fields["pictures"], "not a list of pictures", "write base64 texts, 20 at most")
        return tuple(value)

    def _moment(self, body: MappingType[str, Any], name: Name) -> float | None:
        if self._get(body, name) is None:
            return None
        try:
            moment = datetime.fromisoformat(self._text(body, name))
        except ValueError as error:
            raise UpdateRefused(self.fields[name], "not a moment", "write e.g. 2026-11-26T08:00:00+08:00") from error
        if moment.tzinfo is None or not 1971 < moment.year < 2500:
            raise UpdateRefused(self.fields[name], "without its offset, or out of range", "write e.g. …T08:00:00+08:00")
        return moment.timestamp()


def _iso(utc: float) -> str:
    return datetime.fromtimestamp(utc, UTC).isoformat(timespec="seconds")
