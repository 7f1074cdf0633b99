"""Which evidence is past its days, and its deletion: where what it belongs to meets the policy.

A deletion is marked, then the object goes, then its proof is written. Whatever is killed in between, the next sweep
ends it: a mark whose object is there is decided anew, one whose object is gone gets its proof.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, func, not_, select, true, tuple_
from sqlalchemy import case as sql_case
from sqlalchemy.dialects.postgresql import array

from cases.tables import case_lines, cases
from cases.types import OPEN
from cityvision.object_store import object_store
from cityvision.retention_sources import SOURCES, Source
from cityvision.sealing import existing_seal_key
from cityvision.settings import Settings
from contracts.errors import ConfigError
from events import frames
from events.store import mark_deleted
from governance import deletions, holds
from governance.custody import Piece
from governance.deletions import Mark
from governance.retention import FOREVER, SETTING, Policy, Rule, read_policy
from governance.signing import Ed25519Signer, Signer
from store.database import at
from store.objects import ObjectStore, derived_of, is_there

log = logging.getLogger(__name__)

_AT_ONCE = 200
_DAY_S = 86_400.0
_c = cases.c


@dataclass(frozen=True, slots=True)
class Due:
    """An object that is past its days wherever it is evidence.

    Attributes:
        rule: of what kept it longest.
        kept_from_utc: from when its days counted, s since 1970.
        pieces: whose evidence it is.
    """

    key: str
    sha256: str
    size: int
    media_type: str
    rule: Rule
    kept_from_utc: float
    pieces: tuple[Piece, ...]


@dataclass(slots=True)
class Swept:
    """What one sweep did.

    Attributes:
        deleted: objects that are gone, with their proofs; `bytes` of them.
        absent: keys that are past their days and not in the object store: a worker may still hold them.
        kept: marked by a sweep that was cut off, and kept after all (a hold came, a case was opened again).
    """

    deleted: int = 0
    bytes: int = 0
    absent: list[str] = field(default_factory=list)
    kept: int = 0


def _number(policy: Policy, source: Source) -> ColumnElement[Any]:
    """Which rule of the policy fits, as SQL."""
    fits = []
    for number, rule in enumerate(policy.rules):
        events_fit = source.type.in_(rule.events) if rule.events else true()
        case_fits = source.outcome.in_(rule.case) if rule.case else true()
        said_fits = source.verdict.in_(rule.verdict) if rule.verdict else true()
        fits.append((and_(events_fit, case_fits, said_fits), number))
    return sql_case(*fits, else_=len(policy.rules) - 1)


def _past(policy: Policy, source: Source, now: float, *, held: bool) -> ColumnElement[bool]:
    """Whether a row's days are over, as SQL; with `held` of those alone that a hold keeps."""
    days = array([0 if rule.days == FOREVER else rule.days for rule in policy.rules])[_number(policy, source) + 1]
    return and_(
        source.over,
        days > 0,
        source.since + func.make_interval(0, 0, 0, days) <= at(now),
        source.held if held else not_(source.held),
    )


def due(
    connection: Connection,
    policy: Policy,
    source: Source,
    now: float,
    *,
    keys: Collection[str] | None = None,
    after: tuple[float, str] | None = None,
    limit: int = _AT_ONCE,
    held: bool = False,
) -> tuple[list[Due], tuple[float, str] | None]:
    """Objects of a source that are past their days, oldest first.

    Args:
        now: s since 1970 UTC.
        keys: of these alone.
        after: where the page before ended.
        held: those that a hold keeps, instead of those that may go.

    Returns:
        Them, and where this page ended; None: it was the last.
    """
    shortest = min((float(rule.days) for rule in policy.rules if rule.days != FOREVER), default=None)
    if shortest is None:
        return [], None
    r = source.rows.c
    query = (
        select(r.at, r.key)
        .select_from(source.joined)
        .where(r.deleted.is_(None), r.at <= at(now - shortest * _DAY_S), _past(policy, source, now, held=held))
        .order_by(r.at, r.key)
        .limit(limit)
    )
    if keys is not None:
        query = query.where(r.key.in_(keys))
    if after is not None:
        query = query.where(tuple_(r.at, r.key) > (at(after[0]), after[1]))
    page = connection.execute(query).all()
    found = _whole(connection, policy, source, now, {row.key for row in page}, held=held)
    last = (page[-1].at.timestamp(), page[-1].key) if len(page) == limit else None
    return found, last


def _whole(
    connection: Connection, policy: Policy, source: Source, now: float, keys: set[str], *, held: bool
) -> list[Due]:
    """Of these keys the ones that nothing keeps: the same bytes may be evidence of several events."""
    rule, past = _number(policy, source), _past(policy, source, now, held=held)
    query = (
        select(source.rows, source.since.label("since"), rule.label("rule"), past.label("past"))
        .select_from(source.joined)
        .where(source.rows.c.key.in_(keys), source.rows.c.deleted.is_(None))
        .order_by(source.rows.c.at, *source.rows.primary_key)
    )
    rows: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(query):
        rows.setdefault(row.key, []).append(row)
    shown = _shown_by_open_cases(connection, keys)
    going = {key: mine for key, mine in rows.items() if key not in shown and all(row.past for row in mine)}
    return [_due(key, mine, policy, source) for key, mine in going.items()]


def _due(key: str, rows: Sequence[Row[Any]], policy: Policy, source: Source) -> Due:
    longest = max(rows, key=lambda row: row.since.timestamp() + _DAY_S * float(policy.rules[row.rule].days))
    pieces = tuple(source.piece(row) for row in rows)
    first, rule = rows[0], policy.rules[longest.rule]
    return Due(key, first.sha256, first.size, first.media_type, rule, longest.since.timestamp(), pieces)


def _shown_by_open_cases(connection: Connection, keys: Collection[str]) -> frozenset[str]:
    """Which of these pictures are in the history of a case that goes on, whatever event they came from."""
    pictures = (
        select(func.jsonb_array_elements_text(case_lines.c.body["facts"]["pictures"]).label("key"))
        .join_from(cases, case_lines, case_lines.c.case_id == _c.id)
        .where(_c.status.in_([status.value for status in OPEN]))
        .subquery()
    )
    query = select(pictures.c.key).where(pictures.c.key.in_(keys))
    return frozenset(connection.execute(query).scalars())


class Sweeper:
    """Deletes what is past its days. One at a time is enough; several do no harm.

    Args:
        stop: asked between objects.
    """

    def __init__(
        self, engine: Engine, objects: ObjectStore, signer: Signer, policy: Policy, stop: Callable[[], bool]
    ) -> None:
        self._engine, self._objects, self._signer, self._policy = engine, objects, signer, policy
        self._stop = stop

    def sweep(self, now: float) -> Swept:
        """Ends what was begun, then deletes whatever is past its days at `now` (s since 1970 UTC).

        Raises:
            ObjectsUnavailable, sqlalchemy.exc.OperationalError: a store is away; the next sweep goes on from here.
        """
        done = Swept()
        with self._engine.begin() as connection:
            begun = deletions.marked(connection)
        self._finish(begun, now, done)
        for source in SOURCES:
            self._sweep(source, now, done)
        return done

    def _sweep(self, source: Source, now: float, done: Swept) -> None:
        after = None
        while not self._stop():
            with self._engine.begin() as connection:
                found, after = due(connection, self._policy, source, now, after=after)
            there = [one.key for one in found if is_there(self._objects, one.key)]
            done.absent += sorted({one.key for one in found} - set(there))
            self._finish(self._marked(source, there, now), now, done)
            if after is None:
                break

    def _marked(self, source: Source, keys: Sequence[str], now: float) -> list[Mark]:
        """Marks those of the keys that are still past their days, in the transaction that says so."""
        with self._engine.begin() as connection:
            holds.lock(connection)
            found, _ = due(connection, self._policy, source, now, keys=keys, limit=4 * _AT_ONCE)
            known = {mark.key for mark in deletions.marked(connection, keys)}
            deletions.mark(connection, (self._mark(one) for one in found if one.key not in known), now)
            return deletions.marked(connection, [one.key for one in found])

    def _mark(self, one: Due) -> Mark:
        return Mark(
            one.key,
            one.sha256,
            one.size,
            one.media_type,
            one.rule.name,
            one.rule.text,
            self._policy.sha256,
            one.kept_from_utc,
        )

    def _finish(self, marks: Sequence[Mark], now: float, done: Swept) -> None:
        for mark in marks:
            if self._stop():
                return
            with self._engine.begin() as connection:
                holds.lock(connection)  # until the proof is written: a hold comes before this, or after
                if not deletions.marked(connection, [mark.key]):
                    continue  # another sweep was quicker
                if is_there(self._objects, mark.key):
                    if not any(due(connection, self._policy, one, now, keys=[mark.key])[0] for one in SOURCES):
                        deletions.unmark(connection, mark.key)
                        done.kept += 1
                        continue
                    self._objects.delete(mark.key)
                for key in derived_of(self._objects, mark.sha256):
                    self._objects.delete(key)
                self._prove(connection, mark)
            done.deleted += 1
            done.bytes += mark.size

    def _prove(self, connection: Connection, mark: Mark) -> None:
        pieces = []
        for source in SOURCES:
            r = source.rows.c
            query = select(source.rows).where(r.key == mark.key, r.deleted.is_(None))
            pieces += [source.piece(row) for row in connection.execute(query)]
        gone = time.time()
        mark_deleted(connection, mark.key, gone)  # rows before the audit chain's lock, in the order of all others
        frames.mark_deleted(connection, mark.key, gone)
        deletions.prove(connection, mark, pieces, self._signer, gone)


def sweeper(settings: Settings, engine: Engine, stop: Callable[[], bool]) -> Sweeper:
    """The sweeper of an installation.

    Raises:
        ConfigError: no policy is set, it is wrong, or the installation's key is not there.
    """
    if settings.retention is None:
        raise ConfigError("no policy of retention is set: everything is kept", f"name its file in {SETTING}")
    policy = read_policy(settings.retention)
    return Sweeper(engine, object_store(settings), Ed25519Signer(existing_seal_key(settings)), policy, stop)
