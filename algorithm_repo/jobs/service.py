"""Trainings that wait, run and end. Every function works in its caller's transaction.

Whoever holds a job's lease is the only one who runs it. The lease is renewed while it runs; it runs out by itself
where its holder was killed, and the next to claim goes on from the job's checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, Row, and_, func, insert, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert as upsert

from algorithm_repo.archive import service as archive
from algorithm_repo.datasets.types import Name, Sha256
from algorithm_repo.jobs.tables import training_jobs, training_points
from contracts.errors import CityVisionError, ConfigError
from contracts.records import Contract

State = Literal["waiting", "running", "done", "failed", "cancelled"]
MOST_ATTEMPTS = 5
_j = training_jobs.c
# The moment itself, not the one at which the transaction began.
_NOW = func.clock_timestamp()


class LeaseLost(CityVisionError):
    """Another worker has the job by now, or it was ended: what this one does with it no longer counts."""


class MadeWith(Contract):
    """What a training was last started with.

    Attributes:
        code: SHA-256 over the sources of training.
        environment: versions of Python and packages, kind of machine.
        starts: how often it was started.
    """

    code: Sha256
    environment: dict[str, str]
    starts: int


class TrainingJob(Contract):
    """One job.

    Attributes:
        settings: see `training.asked`.
        cancel: somebody asked for its end; the worker has not yet obeyed while it is running.
        attempts: how often it was claimed and not given back.
        told: why it failed, in words.
        result: file to SHA-256 of what it made.
        step, of: how far it is.
        made_with: None: not started yet, or by a release that did not tell.
    """

    id: int
    name: str
    dataset: Sha256
    settings: dict[str, Any]
    author: str
    created_utc: float
    state: State
    cancel: bool
    attempts: int
    ended_utc: float | None
    told: str
    result: dict[str, Sha256]
    step: int = 0
    of: int = 0
    made_with: MadeWith | None = None


class CurvePoint(Contract):
    """One line of a job's curve: after `step` of `of` steps, figures by name."""

    step: int
    of: int
    figures: dict[str, float]


def submit(
    connection: Connection, name: str, dataset: str, settings: Mapping[str, Mapping[str, Any]], author: str
) -> TrainingJob:
    """A job at the end of the queue.

    Args:
        settings: by the task of the version that they are for (`training.asked`); kept as they are.

    Raises:
        ConfigError: the name cannot be used, there is no such version, or there are no settings for its task.
    """
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        raise ConfigError(f"name: {name[:90]!r} is not a name", "write 1 to 80 characters on one line") from error
    version = archive.find(connection, dataset)
    if version is None:
        raise ConfigError(f"dataset: there is no version {dataset}", "look at the list of versions")
    if version.task not in settings:
        fix = f"take a version of task {' or '.join(settings)}, or other settings"
        raise ConfigError(f"dataset: {version.name} is of task {version.task}", fix)
    values = {"name": name, "dataset": dataset, "settings": dict(settings[version.task]), "author": author}
    number = connection.execute(insert(training_jobs).values(values).returning(_j.id)).scalar_one()
    return get(connection, number)


def find(connection: Connection, number: int) -> TrainingJob | None:
    """One job; None where there is none."""
    row = connection.execute(_query().where(_j.id == number)).one_or_none()
    return None if row is None else _job(row)


def get(connection: Connection, number: int) -> TrainingJob:
    """One job.

    Raises:
        ConfigError: there is none.
    """
    found = find(connection, number)
    if found is None:
        raise ConfigError(f"training {number}: there is none", "`cityvision train list` names them")
    return found


def listed(connection: Connection, most: int = 100, before: int | None = None) -> list[TrainingJob]:
    """The newest first.

    Args:
        before: number of the last one of the page before.
    """
    query = _query().order_by(_j.id.desc()).limit(most)
    if before is not None:
        query = query.where(_j.id < before)
    return [_job(row) for row in connection.execute(query)]


def curve(connection: Connection, number: int) -> list[CurvePoint]:
    """What a job has told so far, in order."""
    p = training_points.c
    rows = connection.execute(select(p.step, p.of, p.figures).where(p.job == number).order_by(p.step))
    return [CurvePoint.model_validate(row._asdict()) for row in rows]


def claim(connection: Connection, token: str, lease_s: float) -> TrainingJob | None:
    """The oldest job that waits, or whose worker has gone; None where there is none.

    A job that was claimed too often without getting on is not tried again: it would take its worker with it for ever.
    One whose end somebody asked for is not begun again either.

    Args:
        token: of the claiming worker; another one for every claim.
        lease_s: until it has to be renewed, s.
    """
    gone = and_(_j.state == "running", _j.lease_until < _NOW)
    ended = {"ended": _NOW, "lease": None}
    connection.execute(update(training_jobs).where(gone, _j.cancel).values(state="cancelled", **ended))
    why = f"its worker ended {MOST_ATTEMPTS} times without getting on"
    given_up = update(training_jobs).where(gone, _j.fruitless >= MOST_ATTEMPTS)
    connection.execute(given_up.values(state="failed", told=why, **ended))
    ready = (
        select(_j.id)
        .where(or_(_j.state == "waiting", gone))
        .order_by(_j.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte("ready")
    )
    counted = {"attempts": _j.attempts + 1, "fruitless": _j.fruitless + 1}
    number = connection.execute(
        update(training_jobs)
        .where(_j.id == ready.c.id)
        .values(state="running", lease=token, lease_until=_until(lease_s), **counted)
        .returning(_j.id)
    ).scalar_one_or_none()
    return None if number is None else get(connection, number)


def renew(connection: Connection, number: int, token: str, lease_s: float) -> bool:
    """Keeps the lease.

    Returns:
        Whether somebody asked for the job's end.

    Raises:
        LeaseLost: see there.
    """
    held = update(training_jobs).where(_j.id == number, _j.lease == token, _j.state == "running")
    asked = connection.execute(held.values(lease_until=_until(lease_s)).returning(_j.cancel)).scalar_one_or_none()
    if asked is None:
        raise LeaseLost(f"training {number}: another worker has it", "nothing is to be done")
    return bool(asked)


def tell(connection: Connection, number: int, token: str, point: CurvePoint) -> None:
    """Adds a line to the curve; the same line again, by whoever went on, is that one. A later step is progress.

    Raises:
        LeaseLost: see there.
    """
    _held(connection, number, token)
    reached = select(func.coalesce(func.max(training_points.c.step), -1)).where(training_points.c.job == number)
    if point.step > connection.execute(reached).scalar_one():
        connection.execute(update(training_jobs).where(_j.id == number).values(fruitless=0))
    values = {"job": number, **point.model_dump()}
    one = upsert(training_points).values(values)
    connection.execute(
        one.on_conflict_do_update(index_elements=["job", "step"], set_={"of": point.of, "figures": point.figures})
    )


def started(connection: Connection, number: int, token: str, made_with: MadeWith) -> None:
    """Keeps what a job that this worker holds was started with.

    Raises:
        LeaseLost: see there.
    """
    _held(connection, number, token)
    connection.execute(update(training_jobs).where(_j.id == number).values(made_with=made_with.model_dump()))


def give_back(connection: Connection, number: int, token: str) -> State:
    """Lets go of a job before its end, because this worker is stopped: whoever claims next goes on at once.

    Returns:
        "waiting", or "cancelled" where somebody had asked for that.

    Raises:
        LeaseLost: see there.
    """
    _held(connection, number, token)
    asked = connection.execute(select(_j.cancel).where(_j.id == number)).scalar_one()
    values: dict[str, Any] = {"lease": None, "lease_until": None}
    if asked:
        values |= {"state": "cancelled", "ended": _NOW}
    else:
        fruitless = func.greatest(_j.fruitless - 1, 0)
        values |= {"state": "waiting", "attempts": _j.attempts - 1, "fruitless": fruitless}
    connection.execute(update(training_jobs).where(_j.id == number).values(values))
    return "cancelled" if asked else "waiting"


def end(
    connection: Connection,
    number: int,
    token: str,
    state: State,
    told: str = "",
    result: Mapping[str, str] | None = None,
) -> None:
    """Ends a job that this worker holds.

    Raises:
        LeaseLost: see there.
    """
    _held(connection, number, token)
    values = {"state": state, "told": told[:2000], "result": dict(result or {}), "ended": _NOW, "lease": None}
    connection.execute(update(training_jobs).where(_j.id == number).values(values))


def cancel(connection: Connection, number: int) -> TrainingJob:
    """Asks for a job's end: one that waits, or whose worker is gone, ends at once, one that runs when its worker next
    looks.

    Raises:
        ConfigError: there is none, or it has ended.
    """
    gone = (func.coalesce(_j.lease_until, _NOW) < _NOW).label("gone")
    row = connection.execute(select(_j.state, gone).where(_j.id == number).with_for_update()).one_or_none()
    if row is None or row.state not in ("waiting", "running"):
        raise ConfigError(
            f"training {number}: {'there is none' if row is None else f'it is {row.state}'}", "look again"
        )
    values: dict[str, Any] = {"cancel": True}
    if row.state == "waiting" or row.gone:
        values |= {"state": "cancelled", "ended": _NOW, "lease": None}
    connection.execute(update(training_jobs).where(_j.id == number).values(values))
    return get(connection, number)


def _held(connection: Connection, number: int, token: str) -> None:
    held = select(_j.id).where(_j.id == number, _j.lease == token, _j.state == "running").with_for_update()
    if connection.execute(held).one_or_none() is None:
        raise LeaseLost(f"training {number}: another worker has it", "nothing is to be done")


def _until(lease_s: float) -> Any:
    return _NOW + func.make_interval(0, 0, 0, 0, 0, 0, lease_s)


def _query() -> Any:
    p = training_points.c
    newest = (
        select(p.step, p.of)
        .where(p.job == _j.id)
        .order_by(p.step.desc())
        .limit(1)
        .correlate(training_jobs)
        .lateral("newest")
    )
    columns = (func.coalesce(newest.c.step, 0).label("step"), func.coalesce(newest.c.of, 0).label("of"))
    return select(training_jobs, *columns).select_from(training_jobs.outerjoin(newest, true()))


def _job(row: Row[Any]) -> TrainingJob:
    values = row._asdict()
    for gone in ("lease", "lease_until", "fruitless"):
        values.pop(gone)
    created, ended = values.pop("created"), values.pop("ended")
    return TrainingJob(
        created_utc=created.timestamp(), ended_utc=None if ended is None else ended.timestamp(), **values
    )
