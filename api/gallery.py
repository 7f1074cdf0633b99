"""算法展示: what the algorithms can do, tried on one's own picture or clip, and asked for on one's own cameras."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, status
from fastapi import Body as HttpBody
from pydantic import Field

from algorithm_repo.gallery import requests
from algorithm_repo.gallery.requests import AlgorithmRequest
from algorithm_repo.gallery.types import ON_A_PICTURE, Trial, TrialAnswer
from algorithm_repo.registry import service as registry
from algorithm_repo.rollout import lanes
from api.deps import Allowed, ConnectionDep, DoorsDep, LabelDep, Number, PoolDep, ViewerDep
from api.problems import CannotTry, Fault, Invalid, NotFound, Problem, TryLater
from api.schemas import Body
from contracts.algorithms import ALGORITHMS
from contracts.errors import ModelMissing, ObjectsUnavailable, SourceError
from governance import access, audit
from governance.access import Viewer
from governance.roles import Right

router = APIRouter(prefix="/api/gallery", tags=["algorithms"])

AskerDep = Annotated[Viewer, Depends(Allowed(Right.ASK))]


class Exhibit(Body):
    """One algorithm of the gallery.

    Attributes:
        on_picture: a single picture tells something; a clip always does.
        zone: it watches a zone; else the whole picture.
        version: that is in production, "" where none is entered.
        about: what its parameters say of it.
    """

    algorithm: str
    on_picture: bool
    zone: bool
    version: str
    about: str


class TrialOut(Body):
    """The answer, with its pictures as base64 of JPEG."""

    answer: TrialAnswer
    pictures: list[str]


class RequestBody(Body):
    """An algorithm for some cameras of one's own department."""

    algorithm: str = Field(max_length=64)
    cameras: list[Annotated[str, Field(max_length=64)]] = Field(min_length=1, max_length=500)
    note: str = Field("", max_length=2000)


class RequestAnswer(Body):
    """What the algorithm team says to it."""

    answer: Literal["accepted", "refused"]
    note: str = Field(min_length=1, max_length=2000)


@router.get("")
def gallery(connection: ConnectionDep, _viewer: ViewerDep) -> list[Exhibit]:
    """The algorithms that can be tried."""
    standing = {one.algorithm: one.version for one in registry.listed(connection) if one.stage == "production"}
    return [
        Exhibit(
            algorithm=name,
            on_picture=name in ON_A_PICTURE,
            zone=bool(parameters.zone_kinds),
            version=standing.get(name, ""),
            about=(parameters.__doc__ or "").strip().split("\n")[0],
        )
        for name, parameters in sorted(ALGORITHMS.items())
    ]


@router.post("/{algorithm}/trials", responses={422: {"model": Problem}, 503: {"model": Problem}})
def try_algorithm(
    algorithm: str,
    content: Annotated[bytes, HttpBody(media_type="application/octet-stream")],
    doors: DoorsDep,
    viewer: ViewerDep,
    kind: Annotated[Literal["picture", "clip"], Query()],
    polygon: Annotated[
        list[float] | None, Query(description="x, y of each corner, 0..1: polygon=0.1&polygon=0.2&…", max_length=64)
    ] = None,
    after_s: Annotated[float, Query(ge=2, le=120, description="T of the trial, s")] = 10.0,
    people: Annotated[int, Query(ge=1, le=10_000, description="limit of the zone, of crowding")] = 10,
) -> TrialOut:
    """A picture (JPEG, PNG) or clip (what libav reads, three minutes, 24 MB at most) as the body; nothing of it is
    kept."""
    if algorithm not in ALGORITHMS:
        raise NotFound(f"there is no algorithm {algorithm!r}")
    trial = Trial(algorithm=algorithm, kind=kind, after_s=after_s, people=people)
    if polygon is not None:
        trial = trial.model_copy(update={"polygon": _corners(polygon)})
    if doors.attempt is None:
        raise TryLater("nothing can be tried here", "start the API by cityvision up")
    told = {"algorithm": algorithm, "kind": kind, "sha256": hashlib.sha256(content).hexdigest()}
    with doors.engine.begin() as connection:  # of its own: the chain must not wait for the trial
        audit.record(connection, viewer.name, "gallery.tried", told, time.time())
        trial = trial.model_copy(update={"serving": lanes.serving(connection).models})
    try:
        answer, pictures = doors.attempt(trial, content)
    except SourceError as error:
        raise CannotTry(error.message, error.fix or "send another one") from error
    except TimeoutError as error:
        raise TryLater(str(error), "try again in a minute") from error
    except (ModelMissing, ObjectsUnavailable) as error:
        raise TryLater(error.message, "tell the algorithm team") from error
    return TrialOut(answer=answer, pictures=[base64.b64encode(one).decode() for one in pictures])


@router.get("/requests")
def list_requests(connection: ConnectionDep, viewer: ViewerDep) -> list[AlgorithmRequest]:
    """What was asked for: by one's own departments; the algorithm team sees all."""
    everything = viewer.everything or viewer.can(Right.LABEL)
    return requests.listed(connection, None if everything else access.departments(connection, viewer))


@router.post("/requests", status_code=status.HTTP_201_CREATED, responses={422: {"model": Problem}})
def request_algorithm(
    body: RequestBody, connection: ConnectionDep, pool: PoolDep, viewer: AskerDep
) -> AlgorithmRequest:
    """Asks the algorithm team to run an algorithm on cameras of one's own department."""
    if body.algorithm not in ALGORITHMS:
        faults = [Fault(field="algorithm", message="there is none of that name")]
        raise Invalid(f"no algorithm {body.algorithm!r}", "see GET /api/gallery", faults)
    own = set(access.departments(connection, viewer))
    cameras = [pool.cameras.get(one) for one in body.cameras]
    faults = [
        Fault(field=f"cameras[{n}]", message="no camera of your department")
        for n, camera in enumerate(cameras)
        if camera is None or not (viewer.everything or camera.department in own)
    ]
    if faults:
        raise Invalid("some cameras are not yours", "name cameras of your own department", faults)
    department = viewer.department or next(camera.department for camera in cameras if camera is not None)
    now = time.time()
    made = requests.ask(connection, body.algorithm, department, body.cameras, body.note, viewer.name, now)
    audit.record(connection, viewer.name, "gallery.requested", {"request": made.id, "algorithm": body.algorithm}, now)
    return made


@router.post("/requests/{number}/answer", responses={422: {"model": Problem}})
def answer_request(
    number: Number, body: RequestAnswer, connection: ConnectionDep, viewer: LabelDep
) -> AlgorithmRequest:
    """The algorithm team's answer, with its reason."""
    now = time.time()
    done = requests.answered(connection, number, body.answer, body.note, viewer.name, now)
    audit.record(connection, viewer.name, "gallery.answered", {"request": number, "answer": body.answer}, now)
    return done


def _corners(values: list[float]) -> tuple[tuple[float, float], ...]:
    if len(values) < 6 or len(values) % 2 or not all(0 <= value <= 1 for value in values):
        faults = [Fault(field="polygon", message="not three or more corners x, y between 0 and 1")]
        raise Invalid("the zone is no polygon", "send x and y of each corner", faults)
    return tuple(zip(values[::2], values[1::2], strict=True))
