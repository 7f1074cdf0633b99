"""Which objects are past their days wherever they are claimed, and their deletion.

A deletion is marked, then the object goes, then its proof is written. Whatever is killed in between, the next sweep
ends it: a mark whose object is there is decided anew, one whose object is gone gets its proof.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, tuple_

from algorithm_repo.labelling import projects
from cases import pictures
from cityvision.object_store import object_store
from cityvision.retention_claims import OWN_DAYS, claims, least_own_days, piece, pieces
from cityvision.sealing import existing_seal_key
from cityvision.settings import Settings
from contracts.errors import ConfigError, ObjectMissing
from events import frames
from events.store import mark_deleted
from governance import deletions, holds
from governance.custody import Piece
from governance.deletions import Mark
from governance.retention import FOREVER, KEPT_FOR_GOOD, SETTING, CollectedRule, Kept, Policy, read_policy
from governance.signing import Ed25519Signer, Signer
from store.database import at
from store.objects import ObjectStore, derived_of, is_there

log = logging.getLogger(__name__)

_AT_ONCE = 200
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Due:
    """An object that is past its days in every event that it is evidence of, and every case that it is a picture of.

    Attributes:
        size: in bytes; 0: not known.
        rule: of the event or case that kept it longest.
        kept_from_utc: from when its days counted, s since 1970.
        pieces: whose it is.
    """

    key: str
    sha256: str
    size: int
    media_type: str
    rule: Kept
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


def due(
    connection: Connection,
    policy: Policy,
    now: float,
    *,
    keys: Collection[str] | None = None,
    after: tuple[float, str] | None = None,
    limit: int = _AT_ONCE,
    held: bool = False,
) -> tuple[list[Due], tuple[float, str] | None]:
    """Objects that are past their days, oldest first.

    Args:
        now: s since 1970 UTC.
        keys: of these alone.
        after: where the page before ended.
        held: those that a hold keeps, instead of those that may go.

    Returns:
        Them, and where this page ended; None: it was the last.
    """
    shortest = _shortest(connection, policy)
    if shortest is None:
        return [], None
    c = claims(policy, now).c
    query = select(c.at, c.key).where(c.over, c.held == held, c.at <= at(now - shortest * _DAY_S))
    if keys is not None:
        query = query.where(c.key.in_(keys))
    if after is not None:
        query = query.where(tuple_(c.at, c.key) > (at(after[0]), after[1]))
    page = connection.execute(query.order_by(c.at, c.key).limit(limit)).all()
    found = _whole(connection, policy, now, {row.key for row in page}, held=held)
    last = (page[-1].at.timestamp(), page[-1].key) if len(page) == limit else None
    return found, last


def _shortest(connection: Connection, policy: Policy) -> float | None:
    """The fewest days that anything is kept; None: all of it is kept for good."""
    own = least_own_days(connection)
    told = [float(rule.days) for rule in policy.all if rule.days != FOREVER]
    return min([*told, *([] if own is None else [float(own)])], default=None)


def _whole(connection: Connection, policy: Policy, now: float, keys: set[str], *, held: bool) -> list[Due]:
    """Of these keys the ones that nothing else keeps: the same bytes may be of several events and cases."""
    all_of = claims(policy, now)
    c = all_of.c
    query = select(all_of).where(c.key.in_(keys)).order_by(c.at, c.event_id, c.case_id, c.verdict_id, c.item_id, c.role)
    rows: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(query):
        rows.setdefault(row.key, []).append(row)
    past = {key: mine for key, mine in rows.items() if all(row.over for row in mine)}
    return [_due(key, mine, policy) for key, mine in past.items() if any(row.held for row in mine) == held]


def _due(key: str, rows: Sequence[Row[Any]], policy: Policy) -> Due:
    longest = max(rows, key=lambda row: row.since.timestamp() + _DAY_S * float(_rule(row, policy).days))
    whose = tuple(piece(row) for row in rows)
    first, size = rows[0], max(row.size for row in rows)
    return Due(key, first.sha256, size, first.media_type, _rule(longest, policy), longest.since.timestamp(), whose)


def _rule(row: Row[Any], policy: Policy) -> Kept:
    return CollectedRule(name="collected", days=row.days) if row.rule == OWN_DAYS else policy.all[row.rule]


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
        done, after = Swept(), None
        with self._engine.begin() as connection:
            begun = deletions.marked(connection)
        self._finish(begun, now, done)
        while not self._stop():
            with self._engine.begin() as connection:
                found, after = due(connection, self._policy, now, after=after)
            there = {one.key: size for one in found if (size := self._size(one.key)) is not None}
            done.absent += sorted({one.key for one in found} - set(there))
            self._finish(self._marked(there, now), now, done)
            if after is None:
                break
        return done

    def _size(self, key: str) -> int | None:
        """Bytes of an object; None: it is not there."""
        try:
            return self._objects.size(key)
        except ObjectMissing:
            return None

    def _marked(self, there: Mapping[str, int], now: float) -> list[Mark]:
        """Marks those of these keys (with their sizes) that are still past their days, in the transaction that says
        so."""
        with self._engine.begin() as connection:
            holds.lock(connection)
            found, _ = due(connection, self._policy, now, keys=there, limit=4 * _AT_ONCE)
            known = {mark.key for mark in deletions.marked(connection, there)}
            deletions.mark(connection, (self._mark(one, there[one.key]) for one in found if one.key not in known), now)
            return deletions.marked(connection, [one.key for one in found])

    def _mark(self, one: Due, size: int) -> Mark:
        return Mark(
            one.key,
            one.sha256,
            size,
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
                    if not due(connection, self._policy, now, keys=[mark.key])[0]:
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
        whose = pieces(connection, mark.key)
        gone = time.time()
        pictures.mark_deleted(connection, mark.key, gone)
        mark_deleted(connection, mark.key, gone)  # rows before the audit chain's lock, in the order of all others
        frames.mark_deleted(connection, mark.key, gone)
        projects.mark_deleted(connection, mark.key, gone)
        deletions.prove(connection, mark, whose, self._signer, gone)


def sweeper_of_collected(settings: Settings, engine: Engine, stop: Callable[[], bool]) -> Sweeper:
    """The sweeper of an installation without a policy of retention: what was collected for labelling has days of its
    own, all else is kept for good.

    Raises:
        ConfigError: the installation's key is not there.
    """
    return Sweeper(engine, object_store(settings), Ed25519Signer(existing_seal_key(settings)), KEPT_FOR_GOOD, stop)


def sweeper(settings: Settings, engine: Engine, stop: Callable[[], bool]) -> Sweeper:
    """The sweeper of an installation.

    Raises:
        ConfigError: no policy is set, it is wrong, or the installation's key is not there.
    """
    if settings.retention is None:
        raise ConfigError("no policy of retention is set: everything is kept", f"name its file in {SETTING}")
    policy = read_policy(settings.retention)
    return Sweeper(engine, object_store(settings), Ed25519Signer(existing_seal_key(settings)), policy, stop)
