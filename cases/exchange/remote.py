"""The city's existing platform over HTTP: told of cases, asked for its list. Signed as Standard Webhooks has it."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlencode

from cases.exchange.mapping import Mapping, Update, UpdateRefused
from cases.exchange.outbox import Waiting
from contracts.errors import CityVisionError
from contracts.redact import redact
from contracts.signing import signed
from store.guard import Guard
from store.outbound import FAILURES, Answer, Outbound

_ANSWER = 16 * 1024
_PAGE = 8 << 20
_PAGES = 10_000
_SHOWN = 200
_AT_ONCE = 8
_FIX = "see CITYVISION_EXCHANGE_URL, and whether the platform is there"


class PlatformAway(CityVisionError):
    """The city's existing platform gave no answer that can be used."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where it is and how it knows us.

    Attributes:
        url: http or https, without a path's last slash.
        keys: secrets that our requests are signed with, the newest first.
    """

    url: str
    keys: Sequence[str] = field(repr=False)
    guard: Guard


class Told(NamedTuple):
    """How an attempt went.

    Attributes:
        status: of HTTP; None: no answer.
        theirs: their number of the case, where they said it.
        error: in one line; "" where they have it.
    """

    status: int | None
    theirs: str = ""
    error: str = ""


class Platform:
    """The way there; to be closed after use."""

    def __init__(self, link: Link, mapping: Mapping) -> None:
        self._link = link
        self._mapping = mapping
        self._server = Outbound(link.url, link.guard, connections=_AT_ONCE)

    async def tell(self, one: Waiting) -> Told:
        """Tries once; whatever goes wrong is an answer, not an error."""
        body = json.dumps(one.body, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"content-type": "application/json", "idempotency-key": one.key}
        try:
            answer = await self._ask("POST", "", headers, body, one.key, _ANSWER)
        except PlatformAway as error:
            return Told(None, error=error.message)
        if not 200 <= answer.status < 300:
            return Told(answer.status, error=_line(f"HTTP {answer.status} {_text(answer)}"))
        return Told(answer.status, _number(answer.body, self._mapping.fields["theirs"]))

    async def listed(self) -> tuple[list[Update], list[str]]:
        """All cases there that came from here, and what of their list cannot be read, in one line each.

        Raises:
            PlatformAway: a page cannot be had.
        """
        listing, found, unread = self._mapping.listing, [], []
        for page in range(1, _PAGES):
            query = urlencode({listing.page: page, listing.size: listing.at_once})
            answer = await self._ask("GET", f"?{query}", {}, b"", secrets.token_hex(16), _PAGE)
            items = _items(answer, listing.items)
            for place, item in enumerate(items):
                if isinstance(item, dict) and not item.get(self._mapping.fields["case"]):
                    continue  # a case of its own
                try:
                    found.append(self._mapping.heard(item))
                except UpdateRefused as error:
                    unread.append(f"page {page}, item {place + 1}: {error}")
            if len(items) < listing.at_once:
                break
        return found, unread

    async def close(self) -> None:
        """Lets go of its connections."""
        await self._server.close()

    async def _ask(self, method: str, query: str, headers: dict[str, str], body: bytes, id_: str, limit: int) -> Answer:
        url = f"{self._link.url}{self._mapping.path}{query}"
        known = {"user-agent": "CityVision", "accept": "application/json"} | headers
        known |= signed(id_, int(time.time()), body, self._link.keys)
        try:
            async with asyncio.timeout(self._mapping.timeout):
                return await self._server.request(method, url, known, body, limit=limit)
        except TimeoutError as error:
            raise PlatformAway(f"no answer within {self._mapping.timeout:g} s", _FIX) from error
        except CityVisionError as error:
            raise PlatformAway(_line(str(error))) from error
        except FAILURES as error:
            raise PlatformAway(_line(f"{type(error).__name__}: {error}"), _FIX) from error


def _items(answer: Answer, name: str) -> list[Any]:
    if answer.status != 200:
        raise PlatformAway(_line(f"its list: HTTP {answer.status} {_text(answer)}"))
    try:
        said = json.loads(answer.body)
    except ValueError as error:
        raise PlatformAway("its list is no JSON") from error
    items = said.get(name) if isinstance(said, dict) else None
    if not isinstance(items, list):
        raise PlatformAway(f"its list has no {name}", "see listing.items of the mapping")
    return items


def _number(body: bytes, name: str) -> str:
    try:
        said = json.loads(body)
    except ValueError:
        return ""
    value = said.get(name) if isinstance(said, dict) else None
    return str(value)[:100].replace("\x00", "") if isinstance(value, str | int) else ""


def _text(answer: Answer) -> str:
    return answer.body[:_SHOWN].decode(errors="replace")


def _line(text: str) -> str:
    return redact(" ".join(_printable(text).split()))[:300]


def _printable(text: Iterable[str]) -> str:
    return "".join(one if one.isprintable() else " " for one in text)
