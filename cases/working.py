"""A working calendar: which seconds count towards a limit."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

Hours = tuple[tuple[time, time], ...]
ROUND_THE_CLOCK: Hours = ((time(0), time(0)),)
_DAYS = 3700  # of walking: a limit that is not over in ten years never is


@dataclass(frozen=True)
class Calendar:
    """Hours by weekday, in local time; a span that ends at 00:00 ends with its day.

    Attributes:
        zone: of the local time.
        week: Monday to Sunday, the spans of each.
        holidays: days on which nothing counts.
        workdays: days that count as `workday_hours` whatever weekday they are (调休).
        workday_hours: of these days.
    """

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    week: tuple[Hours, ...] = (ROUND_THE_CLOCK,) * 7
    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()
    workday_hours: Hours = ()

    def __post_init__(self) -> None:
        if len(self.week) != 7 or not any(self.week):
            raise ValueError("a calendar has seven days, and hours on at least one of them")

    def add(self, start_utc: float, working_s: float) -> float:
        """When `working_s` ≥ 0 of working time are over, counted from `start_utc`, s since 1970 UTC.

        Raises:
            ValueError: not within ten years.
        """
        left = working_s
        for begin, end in self._spans(start_utc):
            span = end - max(begin, start_utc)
            if span >= left > 0 or (left <= 0 < span):
                return max(begin, start_utc) + left
            left -= max(span, 0.0)
        raise ValueError(f"{working_s} s of working time are not over in ten years")

    def back(self, end_utc: float, working_s: float) -> float:
        """The latest moment from which `working_s` ≥ 0 of working time go by until `end_utc`, s since 1970 UTC.

        Raises:
            ValueError: not within ten years.
        """
        left, last = working_s, datetime.fromtimestamp(end_utc, self.zone).date()
        for number in range(1, -_DAYS, -1):
            for begin, end in reversed(_day(self, last + timedelta(days=number))):
                stop = min(end, end_utc)
                if stop - begin >= left and stop > begin:
                    return stop - left
                left -= max(0.0, stop - begin)
        raise ValueError(f"{working_s} s of working time were not over in ten years")

    def between(self, start_utc: float, end_utc: float) -> float:
        """Working seconds from the one to the other; negative where the end lies before the start."""
        if end_utc < start_utc:
            return -self.between(end_utc, start_utc)
        total = 0.0
        for begin, end in self._spans(start_utc):
            if begin >= end_utc:
                break
            total += max(0.0, min(end, end_utc) - max(begin, start_utc))
        return total

    def _spans(self, start_utc: float) -> Iterator[tuple[float, float]]:
        """Working spans that end after `start_utc`, in order, s since 1970 UTC."""
        first = datetime.fromtimestamp(start_utc, self.zone).date()
        for number in range(-1, _DAYS):
            spans = _day(self, first + timedelta(days=number))
            later = bisect_right([end for _, end in spans], start_utc)
            yield from spans[later:]

    def hours(self, day: date) -> Hours:
        """The spans of one day, local time."""
        if day in self.workdays:
            return self.workday_hours or next(hours for hours in self.week if hours)
        return () if day in self.holidays else self.week[day.weekday()]


@lru_cache(maxsize=4096)
def _day(calendar: Calendar, day: date) -> tuple[tuple[float, float], ...]:
    return tuple(
        (_utc(day, begin, calendar.zone), _utc(day + timedelta(days=end == time(0)), end, calendar.zone))
        for begin, end in calendar.hours(day)
    )


def _utc(day: date, at: time, zone: ZoneInfo) -> float:
    return datetime.combine(day, at, zone).astimezone(UTC).timestamp()
