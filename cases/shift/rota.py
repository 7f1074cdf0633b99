"""Who is responsible at a desk: pure. From the first shift on it is always exactly one person.

A shift ends in the same step in which the next one begins: when somebody else confirms the handover that was signed,
or relieves a shift that does not hand over. Until then the former one goes on, however late it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cases.act import CannotAct
from cases.shift.types import Answer
from contracts.errors import Forbidden, StaleRevision

LONGEST_S = 36 * 3600.0


@dataclass(frozen=True, slots=True)
class Duty:
    """Whose shift it is, since when, and until when it should last; s since 1970 UTC."""

    who: str
    since_utc: float
    planned_end_utc: float


@dataclass(frozen=True, slots=True)
class Offer:
    """A handover that waits for somebody to take over; `next_end_utc`: when the next shift should end."""

    signed_by: str
    signed_utc: float
    next_end_utc: float


@dataclass(frozen=True, slots=True)
class Desk:
    """A desk of the centre: nobody's before its first shift."""

    duty: Duty | None = None
    offer: Offer | None = None


def begin(desk: Desk, who: str, until: float, now: float) -> Desk:
    """The first shift of a desk. Every later one begins by taking over.

    Raises:
        StaleRevision: somebody is on shift already.
        CannotAct: it would not end, or last too long.
    """
    if desk.duty is not None:
        raise StaleRevision(f"{desk.duty.who} is on shift since {_told(desk.duty.since_utc)}", "take over from them")
    return Desk(Duty(who, now, _end(until, now)))


def sign(desk: Desk, who: str, until: float, now: float) -> Desk:
    """Whoever is on shift hands it over. They stay responsible until somebody confirms.

    Raises:
        StaleRevision: nobody is on shift, or a handover waits already.
        Forbidden: it is somebody else's shift.
        CannotAct: the next shift would not end, or last too long.
    """
    duty = _on_shift(desk)
    if who != duty.who:
        raise Forbidden(f"it is {duty.who}'s shift", "they sign its handover; where they cannot, relieve them")
    if desk.offer is not None:
        raise StaleRevision("a handover waits to be confirmed", "withdraw it to sign a newer one")
    return replace(desk, offer=Offer(who, now, _end(until, now)))


def answer(desk: Desk, what: Answer, who: str, note: str, now: float) -> Desk:
    """What somebody says to the handover that waits.

    Raises:
        StaleRevision: none waits.
        Forbidden: whoever signed can only withdraw it, and nobody else can.
        CannotAct: a refusal without a note.
    """
    duty, offer = _on_shift(desk), desk.offer
    if offer is None:
        raise StaleRevision("no handover waits", "look at it again")
    if what is Answer.WITHDRAWN:
        if who != offer.signed_by:
            raise Forbidden(f"{offer.signed_by} signed it", "refuse it instead, with a note")
        return Desk(duty)
    if who in (offer.signed_by, duty.who):
        raise Forbidden("nobody takes over from themselves", "somebody else confirms or refuses; you can withdraw it")
    if what is Answer.REFUSED:
        _noted("note: a refusal says why", note)
        return Desk(duty)
    return Desk(Duty(who, max(now, duty.since_utc), _planned(offer, now)))


def relieve(desk: Desk, who: str, note: str, until: float, now: float) -> Desk:
    """Takes over from a shift that does not hand over: whoever had it is ill, or gone.

    Raises:
        StaleRevision: nobody is on shift, or a handover waits to be confirmed.
        Forbidden: it is one's own shift.
        CannotAct: no reason is given, or the shift would not end, or last too long.
    """
    duty = _on_shift(desk)
    if who == duty.who:
        raise Forbidden("it is your own shift", "sign a handover")
    if desk.offer is not None:
        raise StaleRevision(f"{duty.who} has signed a handover", "confirm it, or refuse it with a note")
    _noted("note: taking over without a handover says why", note)
    return Desk(Duty(who, max(now, duty.since_utc), _end(until, now)))


def late_s(planned_end: float, ended: float) -> float:
    """By how much a shift was taken over too late, s."""
    return max(0.0, ended - planned_end)


def _on_shift(desk: Desk) -> Duty:
    if desk.duty is None:
        raise StaleRevision("nobody is on shift", "begin one")
    return desk.duty


def _end(until: float, now: float) -> float:
    if not now < until <= now + LONGEST_S:
        hours = LONGEST_S / 3600
        raise CannotAct("until_utc: a shift ends after now", f"give a time within the next {hours:.0f} hours")
    return until


def _planned(offer: Offer, now: float) -> float:
    """Confirmed after the next shift should have been over: it lasts as long as it was meant to, from now."""
    return offer.next_end_utc if offer.next_end_utc > now else now + offer.next_end_utc - offer.signed_utc


def _noted(complaint: str, note: str) -> None:
    if not note.strip():
        raise CannotAct(complaint, "say it in note")


def _told(utc: float) -> str:
    return datetime.fromtimestamp(utc, UTC).isoformat(sep=" ", timespec="seconds")
