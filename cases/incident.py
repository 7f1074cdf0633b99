"""What can be done to all cases of a mass incident at once, by whoever asks: pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from cases.flow import TABLE, Need, office
from cases.types import Action, Duty, Status
from contracts.records import Contract


class Group(Contract):
    """How many cases of an incident have this status and are with this department."""

    status: Status
    handler: str
    cases: int


class BulkOffer(Contract):
    """An action that somebody can take on so many cases of an incident, and of `Facts` what it needs."""

    action: Action
    needs: tuple[Need, ...]
    cases: int


def bulk_offers(groups: Sequence[Group], duties: Callable[[Sequence[str]], Collection[Duty]]) -> tuple[BulkOffer, ...]:
    """What can be done to the cases that allow it, all of them, in the order of the table.

    What needs pictures is left out: they are of one place, so it is done case by case.

    Args:
        duties: the offices that whoever asks holds towards cases that these departments have.
    """
    found = []
    for action in dict.fromkeys(step.action for step in TABLE):
        steps = {step.source: step for step in TABLE if step.action is action}
        allowing = [group for group in groups if group.status in steps]
        taken = [steps[group.status] for group in allowing]
        needs = tuple(dict.fromkeys(need for step in taken for need in step.needs))
        if not taken or "pictures" in needs:
            continue
        duty = office(action, duties(sorted({group.handler for group in allowing})))
        if duty is not None and all(duty in step.who for step in taken):
            found.append(BulkOffer(action=action, needs=needs, cases=sum(group.cases for group in allowing)))
    return tuple(found)
