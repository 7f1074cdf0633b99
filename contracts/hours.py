"""A working calendar: when a subscription is told, when a grant holds."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from contracts.records import Contract

DAY_MIN = 1440
Minute = Annotated[int, Field(ge=0, le=DAY_MIN)]
Spans = Annotated[tuple[tuple[Minute, Minute], ...], Field(max_length=12)]


class Hours(Contract):
    """A working calendar in local time.

    Attributes:
        zone: name of the time zone.
        week: Monday to Sunday, the spans of each as (first minute, minute after the last) of the day; a night is two.
        holidays: days without any.
        workdays: days with `workday_hours`, whatever weekday they are (调休).
    """

    zone: str = "Asia/Shanghai"
    week: Annotated[tuple[Spans, ...], Field(min_length=7, max_length=7)]
    holidays: tuple[date, ...] = Field((), max_length=400)
    workdays: tuple[date, ...] = Field((), max_length=400)
    workday_hours: Spans = ()

    @field_validator("zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"there is no time zone {value!r}; write e.g. Asia/Shanghai") from error
        return value

    @model_validator(mode="after")
    def _forward(self) -> Self:
        for begin, end in (span for spans in (*self.week, self.workday_hours) for span in spans):
            if begin >= end:
                raise ValueError(f"a span ends after it begins, not {begin} to {end}; write a night as two spans")
        return self
