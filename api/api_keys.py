"""API keys: made, listed, revoked by an administrator."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Path, status

from api.account_schemas import NewKeyOut
from api.deps import ConnectionDep, PeopleDep, PoolDep
from api.problems import Fault, Invalid, NotFound, Problem
from governance import api_keys
from governance.api_keys import ApiKey, NewKey

router = APIRouter(prefix="/api/keys", tags=["keys"])


@router.get("", name="list_api_keys")
def list_keys(connection: ConnectionDep, _user: PeopleDep) -> list[ApiKey]:
    """Every key that ever was, newest first, also those that have ended."""
    return api_keys.listed(connection)


@router.post("", name="create_api_key", status_code=status.HTTP_201_CREATED, responses={422: {"model": Problem}})
def create_key(body: NewKey, connection: ConnectionDep, pool: PoolDep, user: PeopleDep) -> NewKeyOut:
    """A new key. Its text is shown in this answer and never again."""
    if body.department is not None and body.department not in pool.departments:
        message, fix = f"there is no department {body.department!r}", "name one of the pool"
        raise Invalid(message, fix, [Fault(field="department", message=message, fix=fix)])
    made, text = api_keys.create(connection, body, user.name, time.time())
    return NewKeyOut(key=made, text=text)


@router.post("/{number}/revoke", name="revoke_api_key", responses={404: {"model": Problem}})
def revoke_key(number: Annotated[int, Path(ge=1, le=2**62)], connection: ConnectionDep, user: PeopleDep) -> ApiKey:
    """It is good for nothing any more, from the next request on; open streams end at their next check."""
    ended = api_keys.revoke(connection, number, user.name, time.time())
    if ended is None:
        raise NotFound(f"no API key {number}")
    return ended
