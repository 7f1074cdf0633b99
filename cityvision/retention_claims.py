"""What keeps an object of the store: the events that it is evidence of, the cases that it is a picture of, the verdict
that it was drawn on for, and the project of labelling that it was collected for. Each claim is a row of SQL, with
whether the policy still wants it kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
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

from algorithm_repo.collection.tables import collected_frames, collection_policies
from algorithm_repo.labelling.tables import label_items
from cases.tables import case_decisions, case_pictures, cases
from cases.types import Status
from events.tables import event_verdicts, events, evidence, missed_frames
from governance import holds
from governance.custody import COLLECTED, Piece
from governance.retention import FOREVER, CaseRule, Policy, Rule
from store.database import at

_e, _v, _d, _c, _p, _f = evidence.c, events.c, case_decisions.c, cases.c, case_pictures.c, missed_frames.c
_t, _i = collected_frames.c, label_items.c
_NOBODY = null().cast(BigInteger)
OWN_DAYS = -1
"""The number of the rule where a claim brings days of its own."""

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
    owner = (_e.event_id, _NOBODY, _NOBODY, _NOBODY)
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
    owner = (literal(""), _p.case_id, _NOBODY, _NOBODY)
    kept = holds.held(any_(_EVENTS_OF_CASE), _p.case_id)
    claims = _claim(_p, owner, _CASE_SINCE, number + len(policy.rules), over, kept)
    claims = claims.select_from(case_pictures.join(cases, _c.id == _p.case_id)).where(_p.deleted.is_(None))
    return claims if rules else claims.where(_OUTCOME == "open")


def _of_misses(policy: Policy, now: float) -> Select[Any]:
    """Pictures on which people drew what no event told: nothing comes after the verdict, and no hold stands on one."""
    v = event_verdicts.c
    number = _number(policy, v.type, literal("none"), v.kind)
    owner = (literal(""), _NOBODY, _f.verdict_id, _NOBODY)
    return (
        _claim(_f, owner, v.at, number, _over(v.at, policy.rules, number, now), false())
        .select_from(missed_frames.join(event_verdicts, v.id == _f.verdict_id))
        .where(_f.deleted.is_(None))
    )


def _days() -> ColumnElement[int]:
    """Of the policy of collection as it stands now, whole days."""
    days: ColumnElement[int] = collection_policies.c.body["days"].as_integer()
    return days


def _of_collected(now: float) -> Select[Any]:
    """Pictures collected from streams: kept for the days of their project's policy from the moment that they show. One
    that is just being kept has no item yet, and stays."""
    over = and_(_t.item.is_not(None), _t.at + func.make_interval(0, 0, 0, _days()) <= at(now))
    owner = (literal(""), _NOBODY, _NOBODY, _t.item)
    what = (
        _t.key,
        _t.sha256,
        _t.size,
        literal("image/jpeg").label("media_type"),
        _t.at,
        literal(COLLECTED).label("role"),
    )
    joined = collected_frames.join(collection_policies, collection_policies.c.project == _t.project)
    return (
        _select(what, owner, _t.at, literal(OWN_DAYS), over, false(), _days())
        .select_from(joined.outerjoin(label_items, _i.id == _t.item))
        .where(_i.deleted.is_(None))
    )


def least_own_days(connection: Connection) -> int | None:
    """The fewest days that a claim brings of its own; None: none does."""
    return connection.execute(select(func.min(_days()))).scalar_one()


def _claim(
    row: Any,
    owner: Sequence[ColumnElement[Any]],
    since: ColumnElement[Any],
    number: ColumnElement[Any],
    over: ColumnElement[bool],
    held: ColumnElement[bool],
) -> Select[Any]:
    what = (row.key, row.sha256, row.size, row.media_type, row.at, row.role)
    return _select(what, owner, since, number, over, held, null().cast(Integer))


def _select(
    what: Sequence[ColumnElement[Any]],
    owner: Sequence[ColumnElement[Any]],
    since: ColumnElement[Any],
    number: ColumnElement[Any],
    over: ColumnElement[bool],
    held: ColumnElement[bool],
    days: ColumnElement[Any],
) -> Select[Any]:
    names = ("event_id", "case_id", "verdict_id", "item_id")
    whose = [one.label(name) for one, name in zip(owner, names, strict=True)]
    counted = (since.label("since"), number.label("rule"), days.label("days"))
    return select(*what, *whose, *counted, over.label("over"), held.label("held"))


def claims(policy: Policy, now: float) -> Any:
    """All that keeps objects, a row each: of what, since when, by which rule (a number in `policy.all`, or `OWN_DAYS`
    and its `days`), whether its days are over at `now`, and whether a hold stands on it."""
    of_all = (_of_events(policy, now), _of_cases(policy, now), _of_misses(policy, now), _of_collected(now))
    return union_all(*of_all).subquery("claims")


def piece(row: Row[Any]) -> Piece:
    """What a row claims, as custody names it."""
    return Piece(row.event_id, row.sha256, row.role, row.case_id, row.verdict_id, row.item_id)


def pieces(connection: Connection, key: str) -> list[Piece]:
    """Whatever names this object, and has not been told that it is gone."""
    of_events = select(_e.event_id, _e.sha256, _e.role).where(_e.key == key, _e.deleted.is_(None))
    of_cases = select(_p.sha256, _p.role, _p.case_id).where(_p.key == key, _p.deleted.is_(None))
    of_misses = select(_f.sha256, _f.role, _f.verdict_id).where(_f.key == key, _f.deleted.is_(None))
    of_items = select(_t.sha256, _t.item).join(label_items, _i.id == _t.item).where(_t.key == key, _i.deleted.is_(None))
    found = [Piece(*row) for row in connection.execute(of_events)]
    found += [Piece("", *row) for row in connection.execute(of_cases)]
    found += [Piece("", row.sha256, row.role, verdict_id=row.verdict_id) for row in connection.execute(of_misses)]
    return found + [Piece("", row.sha256, COLLECTED, item_id=row.item) for row in connection.execute(of_items)]
