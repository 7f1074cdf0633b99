"""Working calendars: adding and measuring agree, whatever the hours."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.working import Calendar, Hours

ZONE = ZoneInfo("Asia/Shanghai")
OFFICE: Hours = ((time(8, 30), time(12)), (time(14), time(18)))
WORK = Calendar(
    ZONE, (OFFICE,) * 5 + ((), ()), frozenset({date(2026, 10, 1), date(2026, 10, 2)}), frozenset({date(2026, 10, 10)})
)


def utc(day: int, hour: int, minute: int = 0, month: int = 11) -> float:
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE).timestamp()


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        (utc(26, 9), 2, utc(26, 11)),
        (utc(26, 11), 2, utc(26, 15)),  # over lunch
        (utc(27, 17), 4, utc(30, 11, 30)),  # over a weekend
        (utc(28, 12), 1, utc(30, 9, 30)),  # begins on a Saturday
        (utc(26, 17, 30), 0.5, utc(26, 18)),  # ends with the day, not on the next
        (utc(30, 17, month=9), 2, utc(5, 9, 30, month=10)),  # a holiday on a Thursday and a Friday
        (utc(9, 17, month=10), 2, utc(10, 9, 30, month=10)),  # a Saturday that counts
    ],
)
def test_limits_end_in_working_hours(start: float, hours: float, end: float) -> None:
    assert WORK.add(start, hours * 3600) == end
    assert WORK.between(start, end) == hours * 3600


def test_round_the_clock_is_plain_time() -> None:
    assert Calendar().add(1_795_000_000.25, 86_400 * 3) == 1_795_000_000.25 + 86_400 * 3


def test_a_calendar_on_which_nothing_counts_is_refused() -> None:
    with pytest.raises(ValueError, match="hours on at least one"):
        Calendar(ZONE, ((),) * 7)


@given(start=st.integers(1_780_000_000, 1_810_000_000), first=st.integers(0, 400_000), then=st.integers(0, 400_000))
def test_adding_and_measuring_agree(start: int, first: int, then: int) -> None:
    for calendar in (WORK, Calendar()):
        end = calendar.add(start, first)
        assert calendar.between(start, end) == pytest.approx(first, abs=1e-3)
        assert calendar.between(end, start) == pytest.approx(-first, abs=1e-3)
        assert calendar.between(calendar.back(start, first), start) == pytest.approx(first, abs=1e-3)
        if first and then:
            assert calendar.add(end, then) == pytest.approx(calendar.add(start, first + then), abs=1e-3)
