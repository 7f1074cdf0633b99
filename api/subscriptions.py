"""Subscriptions: who is told of what, the log of it, and what can be done about it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, status
from sqlalchemy import Connection

from api.deps import ConnectionDep, DoorsDep, Number, SubscriberDep
from api.problems import Fault, Invalid, NotFound, Problem
from api.schemas import (
    AttemptPage,
    Counted,
    DeliveryPage,
    NewSubscriptionOut,
    PauseBody,
    ReplayBody,
    SecretOut,
    SubscriptionEdit,
)
from governance import access, audit
from governance.access import Viewer
from subscriptions import service, store, trial
from subscriptions.access import sees
from subscriptions.tables import subscriptions
from subscriptions.types import Attempt, NewSubscription, State, Subscription

router = APIRouter(prefix="/api/subscriptions", tags=["subscriptions"])

s = subscriptions.c
Before = Annotated[int | None, Query(ge=1, le=2**62, description="only what is older: `next_before` of the last page")]
Limit = Annotated[int, Query(ge=1, le=500)]
_REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (404, 409, 422)}


def found(connection: Connection, viewer: Viewer, number: int) -> Subscription:
    """The subscription of the viewer's department, or of one below it; else 404."""
    one = store.listed(connection, [s.id == number, access.owns(viewer, s.department)])
    if not one:
        raise NotFound(f"no subscription {number}")
    return one[0]


def require_own(connection: Connection, viewer: Viewer, department: str) -> None:
    """Raises Invalid where somebody acts for a department that is none of theirs."""
    if viewer.everything or department in access.departments(connection, viewer):
        return
    wrong = f"{department!r} is not your department"
    fix = "name your own, or one below it"
    raise Invalid(f"department: {wrong}", fix, [Fault(field="department", message=wrong, fix=fix)])


@router.get("")
def list_subscriptions(connection: ConnectionDep, viewer: SubscriberDep) -> list[Subscription]:
    """Those of one's department and of the ones below it, with what waits and since when an endpoint fails."""
    return store.listed(connection, [access.owns(viewer, s.department)])


@router.post("", status_code=status.HTTP_201_CREATED, responses={422: {"model": Problem}})
def create_subscription(
    body: NewSubscription, connection: ConnectionDep, doors: DoorsDep, viewer: SubscriberDep
) -> NewSubscriptionOut:
    """A new one. The signing secret of a webhook is shown in this answer and never again."""
    require_own(connection, viewer, body.department)
    made, secret = service.create(connection, body, viewer.name, doors.sealer)
    audit.record(connection, viewer.name, "subscription.created", {"subscription": made.id, "name": made.name})
    return NewSubscriptionOut(subscription=made, secret=secret)


@router.get("/{number}", responses={404: {"model": Problem}})
def get_subscription(number: Number, connection: ConnectionDep, viewer: SubscriberDep) -> Subscription:
    """One of them."""
    return found(connection, viewer, number)


@router.put("/{number}", responses=_REFUSED)
def change_subscription(
    number: Number, body: SubscriptionEdit, connection: ConnectionDep, viewer: SubscriberDep
) -> Subscription:
    """New values; what waits is tried at once. `revision` is the one the person saw: who comes second is told (409)."""
    found(connection, viewer, number)
    require_own(connection, viewer, body.subscription.department)
    changed = service.change(connection, number, body.subscription, body.revision)
    audit.record(
        connection, viewer.name, "subscription.changed", {"subscription": number, "revision": changed.revision}
    )
    return changed


@router.delete("/{number}", status_code=status.HTTP_204_NO_CONTENT, responses={404: {"model": Problem}})
def delete_subscription(number: Number, connection: ConnectionDep, viewer: SubscriberDep) -> None:
    """Nothing is collected or sent any more; its log stays."""
    found(connection, viewer, number)
    service.delete(connection, number)
    audit.record(connection, viewer.name, "subscription.deleted", {"subscription": number})


@router.post("/{number}/pause", responses=_REFUSED)
def pause_subscription(
    number: Number, body: PauseBody, connection: ConnectionDep, viewer: SubscriberDep
) -> Subscription:
    """Holds back what comes, which waits meanwhile."""
    found(connection, viewer, number)
    audit.record(connection, viewer.name, "subscription.paused", {"subscription": number, "why": body.why})
    return service.pause(connection, number, body.why)


@router.post("/{number}/resume", responses={404: {"model": Problem}})
def resume_subscription(number: Number, connection: ConnectionDep, viewer: SubscriberDep) -> Subscription:
    """Goes on with what waits."""
    found(connection, viewer, number)
    audit.record(connection, viewer.name, "subscription.resumed", {"subscription": number})
    return service.pause(connection, number, None)


@router.post("/{number}/secret", responses=_REFUSED)
def rotate_secret(number: Number, connection: ConnectionDep, doors: DoorsDep, viewer: SubscriberDep) -> SecretOut:
    """A new signing secret, shown this once. Both sign until `settle`, so that no message is refused meanwhile."""
    found(connection, viewer, number)
    audit.record(connection, viewer.name, "subscription.secret", {"subscription": number})
    return SecretOut(secret=service.rotate(connection, number, doors.sealer))


@router.post("/{number}/secret/settle", responses={404: {"model": Problem}})
def settle_secret(number: Number, connection: ConnectionDep, viewer: SubscriberDep) -> Subscription:
    """The receiver knows the new secret: the old one no longer signs."""
    found(connection, viewer, number)
    service.settle(connection, number)
    audit.record(connection, viewer.name, "subscription.settled", {"subscription": number})
    return found(connection, viewer, number)


@router.post("/{number}/test", responses=_REFUSED)
def test_subscription(number: Number, doors: DoorsDep, viewer: SubscriberDep) -> Attempt:
    """Sends one message now, past the queue, and says how it went."""
    with doors.engine.begin() as connection:  # not held while the receiver takes its time
        found(connection, viewer, number)
        lease = trial.prepared(connection, number)
    attempt = asyncio.run(trial.fire(lease, doors.ways()))
    with doors.engine.begin() as connection:
        trial.keep(connection, number, attempt)
        audit.record(connection, viewer.name, "subscription.test", {"subscription": number, "outcome": attempt.outcome})
    return attempt


@router.get("/{number}/deliveries", responses={404: {"model": Problem}, 422: {"model": Problem}})
def list_deliveries(
    number: Number,
    connection: ConnectionDep,
    viewer: SubscriberDep,
    state: Annotated[list[State] | None, Query()] = None,
    event: Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")] = None,
    before: Before = None,
    limit: Limit = 100,
) -> DeliveryPage:
    """The log, newest first, with how many stand in each state. Dead letters: `state=dead`."""
    found(connection, viewer, number)
    page = store.log(connection, number, states=state or (), event=event, before=before, limit=limit)
    return DeliveryPage(
        deliveries=page,
        counts=store.counts(connection, number),
        next_before=page[-1].number if len(page) == limit else None,
    )


@router.get("/{number}/attempts", responses={404: {"model": Problem}, 422: {"model": Problem}})
def list_attempts(
    number: Number,
    connection: ConnectionDep,
    viewer: SubscriberDep,
    delivery: Annotated[str | None, Query(pattern=r"^msg_[0-9a-f]{32}$")] = None,
    before: Before = None,
    limit: Limit = 100,
) -> AttemptPage:
    """Each attempt, newest first: of one delivery, or all with the tests among them."""
    found(connection, viewer, number)
    page = store.attempts(connection, number, delivery=delivery, before=before, limit=limit)
    return AttemptPage(
        attempts=[attempt for _, attempt in page], next_before=page[-1][0] if len(page) == limit else None
    )


@router.post("/{number}/redrive", responses=_REFUSED)
def redrive(number: Number, connection: ConnectionDep, viewer: SubscriberDep) -> Counted:
    """Dead letters go to the end of the queue."""
    found(connection, viewer, number)
    count = service.redrive(connection, number)
    audit.record(connection, viewer.name, "subscription.redriven", {"subscription": number, "count": count})
    return Counted(count=count)


@router.post("/{number}/replay", responses=_REFUSED)
def replay(number: Number, body: ReplayBody, connection: ConnectionDep, viewer: SubscriberDep) -> Counted:
    """What was recorded in a window goes out (again), with the same ids, as the subscription stands now."""
    found(connection, viewer, number)
    count = service.replay(connection, number, body.since_utc, body.until_utc, sees)
    what = {"subscription": number, "count": count, "since": body.since_utc, "until": body.until_utc}
    audit.record(connection, viewer.name, "subscription.replayed", what)
    return Counted(count=count)
