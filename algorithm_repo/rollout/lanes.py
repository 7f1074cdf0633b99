"""The lanes: which ones the ledger wants, which ones were begun, and what is left to bury of those that ended."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, insert, or_, select, true, update

from algorithm_repo.registry import ledger, service
from algorithm_repo.registry.tables import algorithm_versions
from algorithm_repo.registry.types import AlgorithmVersion, LedgerLine, Move, Stage
from algorithm_repo.rollout import networks
from algorithm_repo.rollout.tables import rollout_lanes, shadow_transitions
from algorithm_repo.rollout.types import Lane, LaneKind, Said
from contracts.errors import ConfigError
from contracts.pool import Camera
from contracts.records import Event, Transition
from contracts.rollout import Serving
from events.tables import event_transitions, events
from store.database import at

_l = rollout_lanes.c
_KINDS: Final = {Stage.SHADOW: LaneKind.SHADOW, Stage.CANARY: LaneKind.CANARY}
_DAY_S: Final = 86_400.0
_EARLIER_S: Final = _DAY_S  # so long before it is told, at most, a matter began
_BEGAN: Final = {Stage.SHADOW: Move.SHADOW, Stage.CANARY: Move.CANARY}


def serving(connection: Connection) -> Serving:
    """Production's networks, as the ledger says."""
    versions = {one.id: one for one in service.listed(connection)}
    return networks.production(ledger.lines(connection), versions)


def wanted(connection: Connection) -> list[Lane]:
    """The lanes that there must be now: one for each version in shadow or in canary, by number.

    A version that can no longer run beside production (its rule is another release's) is left out; see `unfit`.
    """
    found = [_lane(connection, version) for version in _rolling(connection)]
    return sorted((lane for lane in found if isinstance(lane, Lane)), key=lambda lane: lane.number)


def unfit(connection: Connection) -> list[tuple[AlgorithmVersion, str]]:
    """Versions in shadow or in canary of which there can be no lane, and why."""
    found = [(version, _lane(connection, version)) for version in _rolling(connection)]
    return [(version, why) for version, why in found if isinstance(why, str)]


def _rolling(connection: Connection) -> list[AlgorithmVersion]:
    return [one for one in service.listed(connection) if one.stage in _KINDS]


def _lane(connection: Connection, version: AlgorithmVersion) -> Lane | str:
    line = begun_by(ledger.of_version(connection, version.id), version.stage)
    before = service.standing(connection, version.algorithm, Stage.PRODUCTION)
    try:
        runs = networks.candidate(version, before, serving(connection))
    except ConfigError as error:
        return str(error)
    return Lane(
        number=line.number,
        version_id=version.id,
        algorithm=version.algorithm,
        version=version.version,
        kind=_KINDS[version.stage],
        cameras=line.grounds.cameras or (),
        serving=runs,
        parameters=version.parameters,
        began_utc=line.utc,
    )


def begun_by(lines: Sequence[LedgerLine], stage: Stage) -> LedgerLine:
    """The line, of a version in shadow or in canary, by which its present stage began."""
    return next(line for line in reversed(lines) if line.move is _BEGAN[stage])


def begin(connection: Connection, lane: Lane) -> None:
    """From here on something of the lane may be left behind; also where it begins anew after it was buried."""
    values = {
        "number": lane.number,
        "version_id": lane.version_id,
        "kind": lane.kind.value,
        "cameras": list(lane.cameras),
        "began": at(lane.began_utc),
    }
    anew = update(rollout_lanes).where(_l.number == lane.number).values(ended=None, buried=None)
    if connection.execute(anew.returning(_l.number)).one_or_none() is None:
        connection.execute(insert(rollout_lanes).values(values))


def unburied(connection: Connection) -> list[int]:
    """Numbers of lanes that were begun and not buried, running ones among them."""
    return list(connection.execute(select(_l.number).where(_l.buried.is_(None)).order_by(_l.number)).scalars())


def was_begun(connection: Connection, number: int) -> bool:
    """Whether there ever was such a lane; the ledger may want one that has not begun."""
    return connection.execute(select(_l.number).where(_l.number == number)).one_or_none() is not None


def kind_of(connection: Connection, number: int) -> LaneKind:
    """Of a lane that was begun."""
    return LaneKind(connection.execute(select(_l.kind).where(_l.number == number)).scalar_one())


def cameras_of(connection: Connection, number: int) -> tuple[str, ...]:
    """Of a lane that was begun."""
    return tuple(connection.execute(select(_l.cameras).where(_l.number == number)).scalar_one())


def end(connection: Connection, number: int, now: float | None = None) -> None:
    """The lane runs no more."""
    ended = at(time.time() if now is None else now)
    connection.execute(update(rollout_lanes).where(_l.number == number, _l.ended.is_(None)).values(ended=ended))


def bury(connection: Connection, number: int) -> None:
    """Nothing of the lane is left but what it said."""
    end(connection, number)
    connection.execute(update(rollout_lanes).where(_l.number == number).values(buried=func.now()))


def cameras_left(lane: Lane, pool: Sequence[Camera]) -> tuple[str, ...]:
    """Those of a lane's cameras that the pool still has, enabled."""
    there = {camera.id for camera in pool if camera.enabled}
    return tuple(name for name in lane.cameras if name in there)


def newest(connection: Connection, version_id: int, kind: LaneKind) -> Row[Any] | None:
    """The row of a version's last lane of a kind."""
    query = select(rollout_lanes).where(_l.version_id == version_id, _l.kind == kind.value)
    return connection.execute(query.order_by(_l.number.desc()).limit(1)).one_or_none()


# What shadows say


def mark(connection: Connection, number: int) -> tuple[int, int]:
    """(epoch, offset) of the last record of a shadow that was taken in; (0, -1): none."""
    row = connection.execute(select(_l.epoch, _l.offset).where(_l.number == number)).one()
    return row.epoch, row.offset


def take_in(connection: Connection, number: int, said: Sequence[Event], mark: tuple[int, int]) -> None:
    """What a shadow said, and up to which record, in one transaction; what is known already is passed over."""
    s = shadow_transitions.c
    for event in said:
        known = select(s.seq).where(s.lane == number, s.event_id == event.id, s.seq == event.seq)
        if connection.execute(known).one_or_none() is None:
            connection.execute(insert(shadow_transitions).values(_row(number, event)))
    connection.execute(update(rollout_lanes).where(_l.number == number).values(epoch=mark[0], offset=mark[1]))


def past_shadows(connection: Connection) -> list[int]:
    """Buried shadows of versions that are retired, of which something is still kept."""
    query = (
        select(_l.number)
        .join(algorithm_versions, algorithm_versions.c.id == _l.version_id)
        .where(
            _l.kind == LaneKind.SHADOW.value,
            _l.buried.is_not(None),
            _l.forgotten.is_(None),
            algorithm_versions.c.stage == Stage.RETIRED.value,
        )
    )
    return list(connection.execute(query).scalars())


def forget(connection: Connection, number: int) -> None:
    """Deletes what a shadow said; its evidence is gone already."""
    connection.execute(shadow_transitions.delete().where(shadow_transitions.c.lane == number))
    connection.execute(update(rollout_lanes).where(_l.number == number).values(forgotten=func.now()))


def _row(number: int, event: Event) -> dict[str, object]:
    return {
        "lane": number,
        "event_id": event.id,
        "seq": event.seq,
        "transition": event.transition.value,
        "camera": event.camera,
        "zone": event.zone,
        "type": event.type,
        "started": at(event.started_utc),
        "at": at(event.utc),
        "body": event.model_dump(mode="json"),
    }


def said(connection: Connection, lane: Lane, now: float) -> Said:
    """Events of a lane so far, and what is expected of production."""
    return Said(
        events=opened_by(connection, lane),
        usual_events=usual(connection, lane, now),
        sure_events=sure(connection, lane, now),
    )


def opened_by(connection: Connection, lane: Lane) -> int:
    """How many events the candidate has opened."""
    if lane.kind is LaneKind.SHADOW:
        s = shadow_transitions.c
        query = select(func.count()).where(s.lane == lane.number, s.transition == Transition.OPENED.value)
        return int(connection.execute(query).scalar_one())
    own = _opened(lane, since=lane.began_utc - _EARLIER_S).where(event_transitions.c.worker == lane.worker)
    return int(connection.execute(own).scalar_one())


def usual(connection: Connection, lane: Lane, now: float, days: float = 7.0) -> float:
    """How many events of the candidate's algorithm production is expected to open on the lane's cameras in its time:
    what it did open there meanwhile (a shadow's), or at the rate of the days before, whichever is more.
    """
    meanwhile = _production(connection, lane, [(lane.began_utc, None)], days)
    before = _production(connection, lane, [(lane.began_utc - days * _DAY_S, lane.began_utc)], days)
    return max(float(meanwhile), before / (days * _DAY_S) * (now - lane.began_utc))


def sure(connection: Connection, lane: Lane, now: float, days: int = 7) -> float:
    """How many events production surely opens on the lane's cameras in the lane's time, rather too few than too many:
    what it did open there meanwhile (a shadow's), or (a canary's) what it opened in the same hours of the days before.
    """
    if lane.kind is LaneKind.SHADOW:
        return float(_production(connection, lane, [(lane.began_utc, None)], days))
    whole, part = divmod(max(now - lane.began_utc, 0.0), _DAY_S)
    starts = [lane.began_utc - day * _DAY_S for day in range(1, days + 1)]
    same = _production(connection, lane, [(start, start + part) for start in starts], days)
    every = _production(connection, lane, [(starts[-1], lane.began_utc)], days) if whole else 0
    return (whole * every + same) / days


def _production(
    connection: Connection, lane: Lane, stretches: Sequence[tuple[float, float | None]], days: float
) -> int:
    """Events that production opened on the lane's cameras in these stretches of time, none of them before `days`."""
    t = event_transitions.c
    query = _opened(lane, since=lane.began_utc - days * _DAY_S - _EARLIER_S).where(t.worker != lane.worker)
    if lane.kind is LaneKind.SHADOW:
        query = query.where(events.c.type == lane.algorithm)
    times = [(t.at >= at(since)) & (true() if until is None else t.at < at(until)) for since, until in stretches]
    return int(connection.execute(query.where(or_(*times))).scalar_one())


def _opened(lane: Lane, since: float) -> Select[int]:
    """Counts events of the lane's cameras that began after `since` and were opened, by whatever worker."""
    t, e = event_transitions.c, events.c
    return (
        select(func.count())
        .select_from(event_transitions.join(events, t.event_id == e.id))
        .where(e.camera.in_(lane.cameras), e.started >= at(since), t.transition == Transition.OPENED.value)
    )
