"""The city's rule book for cases, one YAML file: categories, limits, who handles what, when a case closes.

What ships (`cases/book.yaml`) follows the shape of GB/T 30428; a city puts its own in its place
(`CITYVISION_CASE_BOOK`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, time
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from cases.exchange.mapping import Mapping as Exchange
from cases.types import Clock
from cases.working import ROUND_THE_CLOCK, Calendar, Hours
from contracts.algorithms import Duration
from contracts.errors import ConfigError
from contracts.records import Contract, Severity
from contracts.yaml_file import read_yaml

DEFAULT = Path(__file__).with_name("book.yaml")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
Text = Annotated[str, BeforeValidator(str)]


def _known(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder of them is an OSError
        raise ValueError(f"there is no time zone {value!r}: write one like Asia/Shanghai") from error
    return value


TimeZone = Annotated[str, AfterValidator(_known)]


class CalendarEntry(Contract):
    """Hours that count; without `week` all of them do."""

    timezone: TimeZone = "Asia/Shanghai"
    week: dict[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], tuple[str, ...]] | None = None
    holidays: tuple[date, ...] = ()
    workdays: tuple[date, ...] = ()

    @field_validator("week")
    @classmethod
    def _spans(cls, value: Mapping[str, tuple[str, ...]] | None) -> Mapping[str, tuple[str, ...]] | None:
        for day, spans in (value or {}).items():
            _hours(day, spans)
        if value is not None and not any(value.values()):
            raise ValueError("no hour of the week counts: give at least one day a span like 08:30-12:00")
        return value

    def calendar(self) -> Calendar:
        """As it is used."""
        if self.week is None:
            week: tuple[Hours, ...] = (ROUND_THE_CLOCK,) * 7
        else:
            week = tuple(_hours(day, self.week.get(day, ())) for day in _DAYS)  # type: ignore[call-overload]
        return Calendar(ZoneInfo(self.timezone), week, frozenset(self.holidays), frozenset(self.workdays))


class Limits(Contract):
    """Working time allowed for each clock."""

    file: Duration = Field(1800.0, gt=0)
    dispatch: Duration = Field(1800.0, gt=0)
    handle: Duration = Field(gt=0)
    verify: Duration = Field(7200.0, gt=0)
    rate: Duration = Field(7 * 86_400.0, gt=0)

    def of(self, clock: Clock) -> float:
        """Of a clock that has a limit of its own (挂账 ends at a date), s."""
        found: float = getattr(self, clock.value)
        return found


class Category(Contract):
    """A kind of case.

    Attributes:
        code: the city's number for it.
        name: {"zh": …, "en": …}.
        events: event types that make such a case by themselves.
        min_severity: events below it make none.
        calendar: of `calendars`; "always" counts every second.
        limits: working time for each step.
        handler: department id; "owner" is the department that owns the camera.
        closes: "gone": the camera's second look (or a person, with a note) has to find nothing left; "report": the
            handler's pictures are enough.
        upto: how far the platform goes by itself: "accept", "file" or "dispatch".
        reopen_within: an event at the same place so soon after 结案 opens the old case again.
    """

    code: Text = Field(min_length=1, max_length=20)
    name: dict[Literal["zh", "en"], str]
    events: tuple[str, ...] = ()
    min_severity: Severity = Severity.MINOR
    calendar: str = "always"
    limits: Limits
    handler: str = "owner"
    closes: Literal["gone", "report"] = "gone"
    upto: Literal["accept", "file", "dispatch"] = "dispatch"
    reopen_within: Duration = 0.0


class Route(Contract):
    """Who handles a category in some grids; the first that fits counts, before the category's own handler."""

    categories: tuple[Text, ...] = ()
    grids: tuple[Text, ...] = ()
    department: str
    crew: str = ""

    def fits(self, category: str, grid: str) -> bool:
        return (not self.categories or category in self.categories) and (not self.grids or grid in self.grids)


class Mass(Contract):
    """So many cases of one category within so long are one incident with a parent case."""

    count: int = Field(20, ge=2)
    within: Duration = Field(3600.0, gt=0)


class Book(Contract):
    """The whole rule book.

    Attributes:
        centre: department id of the dispatch centre.
        timezone: the city's, by which statistics count days; calendars name their own.
        overlaps: groups of "camera/zone" that show one and the same place.
        exchange: what is told to the city's existing platform, from a file of its own; None: nothing.
    """

    centre: str = Field(min_length=1)
    timezone: TimeZone = "Asia/Shanghai"
    calendars: dict[str, CalendarEntry] = Field(default_factory=dict)
    categories: tuple[Category, ...] = Field(min_length=1)
    routes: tuple[Route, ...] = ()
    mass: Mass = Mass()
    overlaps: tuple[tuple[str, ...], ...] = ()
    exchange: Exchange | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Book:
        codes = [category.code for category in self.categories]
        if twice := {code for code in codes if codes.count(code) > 1}:
            raise ValueError(f"categories: code {min(twice)} is used twice: give each its own")
        claimed = [event for category in self.categories for event in category.events]
        if twice := {event for event in claimed if claimed.count(event) > 1}:
            raise ValueError(f"categories: event {min(twice)} belongs to two categories: leave it in one")
        for category in self.categories:
            if category.calendar != "always" and category.calendar not in self.calendars:
                known = ", ".join(["always", *self.calendars])
                raise ValueError(f"category {category.code}: no calendar {category.calendar!r}: write one of {known}")
        for number, route in enumerate(self.routes):
            if unknown := set(route.categories) - set(codes):
                raise ValueError(f"routes[{number}].categories: there is no category {min(unknown)}")
        return self

    @cached_property
    def _by_code(self) -> dict[str, Category]:
        return {category.code: category for category in self.categories}

    @cached_property
    def _by_event(self) -> dict[str, Category]:
        return {event: category for category in self.categories for event in category.events}

    @cached_property
    def _calendars(self) -> dict[str, Calendar]:
        return {"always": Calendar()} | {name: entry.calendar() for name, entry in self.calendars.items()}

    def knows(self, code: str) -> bool:
        """Whether the book has this category: a new case can be of it."""
        return code in self._by_code

    def category(self, code: str) -> Category:
        """The category of a case. One that the city took out of its book since is judged as the one with the longest
        time to handle, so that its cases go on; people alone look at these, and no event makes another."""
        found = self._by_code.get(code)
        if found is not None:
            return found
        longest = max(self.categories, key=lambda one: one.limits.handle)
        return longest.model_copy(
            update={"code": code, "name": {"zh": code, "en": code}, "events": (), "closes": "gone"}
        )

    def for_event(self, event_type: str) -> Category | None:
        """The category whose cases this event makes; None: it makes none."""
        return self._by_event.get(event_type)

    def calendar(self, code: str) -> Calendar:
        """By which a category's limits count."""
        return self._calendars[self.category(code).calendar]

    @cached_property
    def _places(self) -> dict[str, str]:
        """Place of every camera/zone of an overlap: the first by name of all that hang together."""
        groups: list[set[str]] = []
        for members in self.overlaps:
            touching = [group for group in groups if group & set(members)]
            groups = [group for group in groups if group not in touching]
            groups.append(set(members).union(*touching))
        return {member: min(group) for group in groups for member in group}

    def place(self, camera: str, zone: str) -> str:
        """Names the place that a zone shows: the same for all zones that show it."""
        name = f"{camera}/{zone}"
        return self._places.get(name, name)

    def handler(self, code: str, grid: str, owner: str) -> tuple[str, str]:
        """Department and crew that handle a category in a grid; `owner` owns the camera."""
        for route in self.routes:
            if route.fits(code, grid):
                return route.department, route.crew
        department = self.category(code).handler
        return (owner if department == "owner" else department), ""


def read_book(path: Path = DEFAULT, exchange: Path | None = None) -> Book:
    """The rule book of a file, with the mapping of another one where cases are exchanged.

    Raises:
        ConfigError: one cannot be read or is wrong; names every wrong field.
    """
    book = read_yaml(path, Book, "CITYVISION_CASE_BOOK")
    if book.exchange is not None:
        raise ConfigError(f"{path}: exchange: stands in a file of its own", "see CITYVISION_EXCHANGE_MAPPING")
    if exchange is None:
        return book
    mapping = read_yaml(exchange, Exchange, "CITYVISION_EXCHANGE_MAPPING")
    if unknown := set(mapping.categories) - {category.code for category in book.categories}:
        raise ConfigError(
            f"{exchange}: categories: the rule book has no {min(unknown)}", "take it out, or add it to the book"
        )
    return book.model_copy(update={"exchange": mapping})


def _hours(day: str, spans: tuple[str, ...]) -> Hours:
    hours = []
    for span in spans:
        found = _SPAN.fullmatch(span)
        if found is None:
            raise ValueError(f"{day}: {span!r} is no span: write it like 08:30-12:00")
        a, b, c, d = (int(part) for part in found.groups())
        try:
            begin, end = time(a, b), time(0) if (c, d) == (24, 0) else time(c, d)
        except ValueError as error:
            raise ValueError(f"{day}: {span!r}: there is no such time of day") from error
        if end != time(0) and end <= begin:
            raise ValueError(f"{day}: {span!r} ends before it begins")
        hours.append((begin, end))
    hours.sort()
    for (_, end), (begin, _) in pairwise(hours):
        if end == time(0) or begin < end:
            raise ValueError(f"{day}: spans overlap")
    return tuple(hours)
