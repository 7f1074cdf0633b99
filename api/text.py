"""Text that the database cannot hold is refused before any door sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import Request, WebSocketException, status
from fastapi.exceptions import RequestValidationError
from starlette.requests import HTTPConnection

_NUL = "\0"
_TOLD = "text cannot hold the character NUL; take it out"
_NO_TEXT = ("image/", "video/", "multipart/", "application/octet-stream")
_Place = tuple[int | str, ...]


async def without_nul(connection: HTTPConnection) -> None:
    """A dependency of every door: Postgres takes any text but one with the character NUL.

    Raises:
        RequestValidationError: it stands in the path, the query or the JSON of the body; names where.
        WebSocketException: the same of a socket, before it is accepted.
    """
    places: list[_Place] = [("path", name) for name, value in connection.path_params.items() if _NUL in str(value)]
    places += [("query", name) for name, value in connection.query_params.multi_items() if _NUL in name + value]
    if not isinstance(connection, Request):
        if places:
            raise WebSocketException(status.WS_1008_POLICY_VIOLATION, _TOLD)
        return
    if not connection.headers.get("content-type", "").startswith(_NO_TEXT):
        body = await connection.body()
        if b"\\u0000" in body:
            places += _of_json(body)
    _refuse(places)


def no_nul(fields: Mapping[str, str]) -> None:
    """The same of a form's fields, which are not looked at before somebody reads them.

    Raises:
        RequestValidationError: it stands in one of them; names which.
    """
    _refuse([("body", name) for name, value in fields.items() if _NUL in name + value])


def _refuse(places: Sequence[_Place]) -> None:
    if places:
        raise RequestValidationError([{"type": "nul", "loc": place, "msg": _TOLD} for place in places])


def _of_json(body: bytes) -> list[_Place]:
    try:
        return list(_within(json.loads(body), ("body",)))
    except ValueError:
        return []  # that it is no JSON is told by whoever reads it


def _within(value: Any, place: _Place) -> Iterator[_Place]:
    if isinstance(value, str):
        if _NUL in value:
            yield place
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _within(one, (*place, number))
    elif isinstance(value, dict):
        for key, one in value.items():
            if _NUL in key:
                yield place  # the key itself would be no better to print
            else:
                yield from _within(one, (*place, key))
