"""What keeps an object of the store: the events that it is evidence of, the cases that it is a picture of, and the
verdict that it was drawn on for. Each claim is a row of SQL, with whether the policy still wants it kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    any_,
    false,
    func,
    literal,
    null,
    select,
    true,
    union_all,
)
from sqlalchemy import case as sql_case
from sqlalchemy.dialects.postgresql import array

from cases.tables import case_decisions, case_pictures, cases
from cases.types import Status
from events.tables import event_verdicts, events, evidence, missed_frames
from governance import holds
from governance.custody import Piece
from governance.retention import FOREVER, CaseRule, Policy, Rule
from store.database import at

_e, _v, _d, _c, _p, _f = evidence.c, events.c, case_decisions.c, cases.c, case_pictures.c, missed_frames.c

_OUTCOME = sql_case(
    (_c.id.is_(None), "none"),
    (_c.status.in_([Status.CLOSED.value, Status.RATED.value]), "closed"),
    (_c.status == Status.VOID.value, "void"),
    else_="open",
)
_JUDGED: Any = (
    select(event_verdicts.c.kind, event_verdicts.c.at)
    .where(event_verdicts.c.event_id == _e.event_id)
    .order_by(event_verdicts.c.id.desc())
    .limit(1)
    .lateral("judged")
)
_VERDICT = func.coalesce(_JUDGED.c.kind, "none")
_EVENTS = (
    evidence.join(events, _v.id == _e.event_id)
    .outerjoin(_JUDGED, true())
    .outerjoin(case_decisions, _d.event_id == _e.event_id)
    .outerjoin(cases, _c.id == _d.case_id)
)
_EVENT_SINCE = func.greatest(_v.updated, _c.updated, _JUDGED.c.at)  # of those that are not null
_ENDED = sql_case((_OUTCOME == "void", _c.updated), else_=func.coalesce(_c.closed, _c.updated))
_CASE_SINCE = func.greatest(_ENDED, _p.at)
_EVENTS_OF_CASE = select(_d.event_id).where(_d.case_id == _p.case_id).correlate(case_pictures).scalar_subquery()


def _number(policy: Policy, kind: ColumnElement[str], outcome: ColumnElement[str], said: ColumnElement[str]) -> Any:
    """Which rule of the policy fits evidence, as SQL."""
    return _first_fit(
        [
            and_(
                kind.in_(rule.events) if rule.events else true(),
                outcome.in_(rule.case) if rule.case else true(),
                said.in_(rule.verdict) if rule.verdict else true(),
            )
            for rule in policy.rules
        ]
    )


def _first_fit(fits: Sequence[ColumnElement[bool]]) -> ColumnElement[Any]:
    """Which of these conditions is the first that holds, as SQL; the last one always does."""
    return sql_case(*((fit, number) for number, fit in enumerate(fits)), else_=len(fits) - 1)


def _over(
    since: ColumnElement[Any], rules: Sequence[Rule] | Sequence[CaseRule], number: ColumnElement[Any], now: float
) -> ColumnElement[bool]:
    """The days of the rule of that number are past, as SQL; those that keep for good (0) never are."""
    days = array([0 if rule.days == FOREVER else rule.days for rule in rules])[number + 1]
    return and_(days > 0, since + func.make_interval(0, 0, 0, days) <= at(now))


def _of_events(policy: Policy, now: float) -> Select[Any]:
    """Pictures and clips of events: their case and what was said of them count too."""
    number = _number(policy, _v.type, _OUTCOME, _VERDICT)
    over = and_(~_v.is_open, _OUTCOME != "open", _over(_EVENT_SINCE, policy.rules, number, now))
    owner = (_e.event_id, null().cast(BigInteger), null().cast(BigInteger))
    return (
        _claim(_e, owner, _EVENT_SINCE, number, over, holds.held(_e.event_id, _d.case_id))
        .select_from(_EVENTS)
        .where(_e.deleted.is_(None))
    )


def _of_cases(policy: Policy, now: float) -> Select[Any]:
    """Pictures of cases. Where no rule speaks of these, a case that has ended keeps nothing that is evidence of an
    event, and its own pictures are never past their days."""
    rules = policy.case_pictures
    number = _first_fit([_OUTCOME.in_(rule.case) if rule.case else true() for rule in rules]) if rules else literal(0)
    over = and_(_OUTCOME != "open", _over(_CASE_SINCE, rules, number, now)) if rules else false()
    owner = (literal(""), _p.case_id, null().cast(BigInteger))
    kept = holds.held(any_(_EVENTS_OF_CASE), _p.case_id)
    claims = _claim(_p, owner, _CASE_SINCE, number + len(policy.rules), over, kept)
    claims = claims.select_from(case_pictures.join(cases, _c.id == _p.case_id)).where(_p.deleted.is_(None))
    return claims if rules else claims.where(_OUTCOME == "open")


def _of_misses(policy: Policy, now: float) -> Select[Any]:
    """Pictures on which people drew what no event told: nothing comes after the verdict, and no hold stands on one."""
    v = event_verdicts.c
    number = _number(policy, v.type, literal("none"), v.kind)
    owner = (literal(""), null().cast(BigInteger), _f.verdict_id)
    return (
        _claim(_f, owner, v.at, number, _over(v.at, policy.rules, number, now), false())
        .select_from(missed_frames.join(event_verdicts, v.id == _f.verdict_id))
        .where(_f.deleted.is_(None))
    )


def _claim(
    row: Any,
    owner: Sequence[ColumnElement[Any]],
    since: ColumnElement[Any],
    number: ColumnElement[Any],
    over: ColumnElement[bool],
    held: ColumnElement[bool],
) -> Select[Any]:
    event, case, verdict = owner
    whose = (event.label("event_id"), case.label("case_id"), verdict.label("verdict_id"))
    what = (row.key, row.sha256, row.size, row.media_type, row.at, row.role)
    return select(*what, *whose, since.label("since"), number.label("rule"), over.label("over"), held.label("held"))


def claims(policy: Policy, now: float) -> Any:
    """All that keeps objects, a row each: of what, since when, by which rule (a number in `policy.all`), whether its
    days are over at `now`, and whether a hold stands on it."""
    return union_all(_of_events(policy, now), _of_cases(policy, now), _of_misses(policy, now)).subquery("claims")


def piece(row: Row[Any]) -> Piece:
    """What a row claims, as custody names it."""
    return Piece(row.event_id, row.sha256, row.role, row.case_id, row.verdict_id)


def pieces(connection: Connection, key: str) -> list[Piece]:
    """Whatever names this object, and has not been told that it is gone."""
    of_events = select(_e.event_id, _e.sha256, _e.role).where(_e.key == key, _e.deleted.is_(None))
    of_cases = select(_p.sha256, _p.role, _p.case_id).where(_p.key == key, _p.deleted.is_(None))
    of_misses = select(_f.sha256, _f.role, _f.verdict_id).where(_f.key == key, _f.deleted.is_(None))
    found = [Piece(*row) for row in connection.execute(of_events)]
    found += [Piece("", *row) for row in connection.execute(of_cases)]
    return found + [Piece("", row.sha256, row.role, verdict_id=row.verdict_id) for row in connection.execute(of_misses)]
