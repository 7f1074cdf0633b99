"""The door by which the city's existing platform says what became of a case. It is known by its signature."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from api import pictures
from api.deps import BookDep, ConnectionDep, DoorsDep
from api.problems import Fault, Invalid, NotFound, Problem
from cases import pictures as case_pictures
from cases.exchange.callback import Message, receive
from cases.exchange.mapping import UpdateRefused
from contracts.signing import verified
from governance import audit, custody, holds

router = APIRouter(prefix="/api", tags=["exchange"])
_REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (401, 404, 409, 422)}
_REQUEST = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}


class Taken(BaseModel):
    """What became of a call-back."""

    outcome: Literal["done", "nothing", "older", "known"] = Field(
        description="the case has changed; it stood so already; a newer change was taken before; told again"
    )


async def _body(request: Request) -> bytes:
    """As it came: the signature is over these bytes."""
    return await request.body()


@router.post("/exchange/callbacks", responses=_REFUSED, openapi_extra={"requestBody": _REQUEST})
def exchange_callback(
    request: Request,
    content: Annotated[bytes, Depends(_body)],
    connection: ConnectionDep,
    doors: DoorsDep,
    book: BookDep,
) -> Taken:
    """A change of a case there (1 MB at most), in the words of the mapping and signed as Standard Webhooks 1.0 has it:
    `webhook-id`, `webhook-timestamp`, `webhook-signature`. The same id may come again with a newer time; the very
    message may not."""
    mapping = book.exchange
    if mapping is None:
        raise NotFound("no cases are exchanged here")
    now = time.time()
    id_, stamp = verified(request.headers, content, doors.settings.callback_keys, now)
    try:
        said = mapping.heard(_json(content))
        if said.pictures:
            holds.lock(connection)  # a sweep that deletes the same bytes comes before this, or leaves them
        kept = pictures.keep_texts(doors.objects, said.pictures, mapping.fields.get("pictures", ""))
        message = Message(id_, stamp, hashlib.sha256(content).hexdigest())
        outcome = receive(connection, message, said, tuple(one.key for one in kept), now, book)
    except UpdateRefused as error:
        raise Invalid(error.message, error.fix, [Fault(field=error.field, message=error.message)]) from error
    what = {"case": said.case, "said": said.status, "seq": said.seq, "message": id_, "outcome": outcome}
    told = audit.record(connection, mapping.platform, "exchange.callback", what, now)
    if outcome == "done":
        for one in kept:
            case_pictures.attached(connection, said.case, one.key, one.size, now)
        custody.attached(connection, told, said.case, [one.sha256 for one in kept], case_pictures.PHOTO)
    return Taken(outcome=outcome)


def _json(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UpdateRefused("body", "no JSON", "send one JSON object, UTF-8") from error
