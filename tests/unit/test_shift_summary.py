"""What is handed on by name: every case that needs somebody within the next shift, and none twice."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cases.shift.summary import ShiftCase, marks, summarise
from cases.types import OPEN, Status
from contracts.records import Severity

NOW, UNTIL = 1000.0, 2000.0


def case(number: int = 1, status: Status = Status.DISPATCHED, due: float | None = 5000.0, **more: object) -> ShiftCase:
    about = {
        "category": "0304",
        "severity": Severity.MINOR,
        "address": "",
        "camera": "a",
        "zone": "z",
        "grid": "g",
        "handler": "traffic",
        "opened_utc": 0.0,
        "supervised": False,
        "incident": None,
    }
    return ShiftCase(id=number, status=status, due_utc=due, **(about | more))  # type: ignore[arg-type]


def test_why_a_case_is_named() -> None:
    def said(one: ShiftCase, noted: bool = False) -> tuple[str, ...]:
        return marks(one, NOW, UNTIL, noted)

    assert said(case()) == ()
    assert said(case(due=999.0)) == ("late",)
    assert said(case(due=1000.0)) == ("due",)
    assert said(case(due=2000.0)) == ()  # the shift after the next one's
    assert said(case(due=999.0, supervised=True), noted=True) == ("late", "supervised", "noted")
    assert said(case(status=Status.SUSPENDED, due=1500.0)) == ("resumes",)
    assert said(case(status=Status.SUSPENDED, due=2500.0)) == ()
    assert said(case(status=Status.VERIFYING, look="unseen")) == ("look",)


def test_of_very_many_the_soonest_due_are_named_and_all_with_a_note() -> None:
    found = [case(n, due=1000.0 + n) for n in range(1, 11)]
    seen = summarise(found, {10: "居民来电两次"}, NOW, UNTIL, lambda one: one.camera, most=3)
    assert [one.id for one in seen.cases] == [1, 2, 10]
    assert (seen.left_out, seen.marked["due"], seen.cases[-1].note) == (7, 10, "居民来电两次")


CASES = st.lists(
    st.builds(
        case,
        st.integers(1, 10**6),
        st.sampled_from(sorted(OPEN)),
        st.one_of(st.none(), st.floats(0, 4000)),
        supervised=st.booleans(),
        incident=st.one_of(st.none(), st.integers(1, 3)),
        look=st.sampled_from(["", "waiting", "silent", "unseen"]),
    ),
    unique_by=lambda one: one.id,
    max_size=40,
)


@given(CASES, st.data())
def test_counts_are_of_all_and_the_list_is_of_the_marked(found: list[ShiftCase], data: st.DataObject) -> None:
    ids = [one.id for one in found]
    noted = data.draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
    seen = summarise(found, dict.fromkeys(noted, "说明"), NOW, UNTIL, lambda one: one.zone, most=5)
    assert sum(seen.by_status.values()) == len(found)
    marked = {one.id: marks(one, NOW, UNTIL, one.id in noted) for one in found}
    assert seen.marked == {mark: sum(mark in of for of in marked.values()) for mark in seen.marked}
    listed = [one.id for one in seen.cases]
    assert len(listed) == len(set(listed))
    assert len(listed) + seen.left_out == sum(bool(of) for of in marked.values())
    assert set(noted) <= set(listed) <= {number for number, of in marked.items() if of}
    assert {one.id: one.open for one in seen.incidents} == Counter(
        one.incident for one in found if one.incident is not None
    )
