"""The application: every door, the guard before them, and the console behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from algorithm_repo.labelling.clips import LookAtClip
from api import (
    accounts,
    algorithms,
    api_keys,
    audit_log,
    cameras,
    case_counts,
    case_evidence,
    case_pictures,
    case_silences,
    cases,
    city_map,
    collection,
    console,
    coverage,
    custody,
    datasets,
    doors,
    events,
    evidence,
    exchange,
    exchange_desk,
    explain,
    exposition,
    field,
    gallery,
    grants,
    health,
    holds,
    labelling,
    live,
    misses,
    oidc,
    packaging,
    people,
    pool,
    problems,
    proposals,
    review,
    rollout,
    second_factor,
    shifts,
    silences,
    stream,
    subscription_stream,
    subscriptions,
    trainings,
    uploads,
    weather,
)
from api.bringing import Bring
from api.guard import Guard
from api.masked_copies import Mask, MaskedCopies
from api.metrics import RequestMetrics, RequestTimer
from api.settings import ApiSettings
from api.text import without_nul
from api.trials import Try
from api.viewing_copies import Convert, ViewingCopies
from store.objects import ObjectStore

_ABOUT = """What cameras saw, what follows from it, and what nobody watched.

Log in with `POST /api/login`: the session is an HttpOnly cookie. Other systems show an API key instead
(`Authorization: Bearer cvk_…`); docs/accounts.md says which doors take one. Errors are
`application/problem+json` (RFC 9457) with `code`, `fix` and `faults`.
Times are seconds since 1970 UTC; coordinates are shares of the picture, 0..1.
"""


def create_app(
    settings: ApiSettings,
    objects: ObjectStore,
    make_viewing_copy: Convert | None = None,
    mask: Mask | None = None,
    attempt: Try | None = None,
    look_at_clip: LookAtClip | None = None,
    bring: Bring | None = None,
) -> FastAPI:
    """The ASGI application. Nothing is connected before its lifespan starts.

    Args:
        make_viewing_copy: makes an MP4 that browsers play from one that they do not; without it none is made.
        mask: makes faces and plates in evidence unrecognisable; without it evidence is shown unmasked only.
        attempt: tries algorithms for the gallery; without it none can be tried.
        look_at_clip: opens clips that are to be labelled; without it none is taken in.
        bring: makes versions of new networks; without it none is entered.

    The database must be migrated and the bus and object store be there; where one is away, requests that need it
    answer 503 and `/api/health/ready` says which.
    """
    metrics = RequestMetrics()
    viewing_copies = ViewingCopies(objects, make_viewing_copy)
    masked_copies = MaskedCopies(objects, mask)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with doors.opened(
            settings, objects, metrics, viewing_copies, masked_copies, attempt, look_at_clip, bring
        ) as shared:
            app.state.doors = shared
            yield

    app = FastAPI(
        title="CityVision 城市智眼",
        version=version("cityvision"),
        description=_ABOUT,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    problems.install(app)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]  # FastAPI's own way to change it
    app.router.routes.extend(_doors())
    if settings.console_dist is not None:
        console.mount(app, settings.console_dist)
    tile_server = settings.tiles.source if settings.tiles else None
    app.add_middleware(Guard, trusted_origins=settings.trusted_origins, picture_source=tile_server)
    app.add_middleware(RequestTimer, metrics=metrics)
    return app


@cache
def _doors() -> tuple[BaseRoute, ...]:
    """Every door's routes. What FastAPI makes of them, at their first request, takes a second of processor time, and is
    the same for all applications of a process: they hold no state."""
    app = FastAPI(
        openapi_url=None,
        generate_unique_id_function=_operation_id,
        dependencies=[Depends(without_nul)],
        responses={"4XX": {"model": problems.Problem}, "5XX": {"model": problems.Problem}},
    )
    for door in (
        accounts,
        second_factor,
        oidc,
        api_keys,
        people,
        grants,
        audit_log,
        algorithms,
        uploads,
        gallery,
        rollout,
        cameras,
        explain,
        live,
        city_map,
        proposals,
        stream,
        subscriptions,
        subscription_stream,
        silences,
        events,
        evidence,
        review,
        misses,
        labelling,
        collection,
        datasets,
        trainings,
        custody,
        holds,
        packaging,
        coverage,
        case_silences,
        case_counts,
        cases,
        case_pictures,
        case_evidence,
        shifts,
        weather,
        field,
        exchange,
        exchange_desk,
        pool,
        health,
        exposition,
    ):
        app.include_router(door.router)
    return tuple(app.router.routes)


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document with errors as they are sent: problems, of their own media type."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)  # made once, and kept by the application
        for operation in (one for path in document["paths"].values() for one in path.values()):
            for response in operation["responses"].values():
                content = response.get("content", {})
                schema = content.get("application/json", {}).get("schema", {}).get("$ref", "")
                if schema.endswith(("/Problem", "/HTTPValidationError")):
                    content.pop("application/json")
                    content[problems.MEDIA_TYPE] = {"schema": {"$ref": "#/components/schemas/Problem"}}
        for unused in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(unused, None)
    return FastAPI.openapi(app)


def _operation_id(route: APIRoute) -> str:
    return route.name
