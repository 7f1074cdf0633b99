"""What can be done to all cases of a mass incident at once."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from cases.flow import TABLE, offered
from cases.incident import BulkOffer, Group, bulk_offers
from cases.types import Action, Duty, Status

GROUPS = st.lists(
    st.builds(Group, status=st.sampled_from(Status), handler=st.sampled_from(["a", "b"]), cases=st.integers(1, 9)),
    max_size=6,
    unique_by=lambda group: (group.status, group.handler),
)


def _offers(groups: Sequence[Group], *duties: Duty) -> dict[Action, BulkOffer]:
    return {offer.action: offer for offer in bulk_offers(groups, lambda _: duties)}


def test_the_centre_may_what_a_department_may_not() -> None:
    groups = [Group(status=Status.HANDLING, handler="a", cases=20)]
    assert _offers(groups, Duty.CENTRE)[Action.SUSPEND].needs == ("until", "note")
    assert Action.SUSPEND not in _offers(groups, Duty.HANDLER)


def test_an_action_counts_the_cases_that_allow_it() -> None:
    groups = [
        Group(status=Status.HANDLING, handler="a", cases=20),
        Group(status=Status.DISPATCHED, handler="b", cases=3),
        Group(status=Status.CLOSED, handler="b", cases=5),
    ]
    found = _offers(groups, Duty.CENTRE)
    assert (found[Action.SUSPEND].cases, found[Action.REOPEN].cases) == (23, 5)


def test_nothing_is_offered_where_one_case_is_with_another_department() -> None:
    groups = [Group(status=Status.DISPATCHED, handler=name, cases=1) for name in ("a", "b")]

    def held(handlers: Sequence[str]) -> set[Duty]:
        return {Duty.HANDLER} if set(handlers) <= {"a"} else set()

    assert bulk_offers(groups, held) == ()
    assert bulk_offers(groups[:1], held) != ()


@given(groups=GROUPS, duties=st.sets(st.sampled_from([Duty.CENTRE, Duty.HANDLER])))
def test_what_is_offered_for_all_is_offered_for_each(groups: list[Group], duties: set[Duty]) -> None:
    for offer in bulk_offers(groups, lambda _: duties):
        allowing = [one for one in groups if any((s.source, s.action) == (one.status, offer.action) for s in TABLE)]
        assert offer.cases == sum(one.cases for one in allowing) > 0
        assert "pictures" not in offer.needs
        for one in allowing:
            assert offer.action in {step.action for step in offered(one.status, duties)}
