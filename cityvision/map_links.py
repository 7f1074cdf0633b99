"""Links into map applications, as settings name them: made with the place, and nothing that a browser would run."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

_SCRIPTS = ("javascript", "data", "vbscript")


def _to_a_place(value: str) -> str:
    try:
        made = value.format(lat="31.23", lon="121.47", name="x")
    except (AttributeError, IndexError, KeyError, ValueError) as error:
        raise ValueError("a link may name {lat}, {lon} and {name} alone") from error
    if not _links(made) or "31.23" not in made or "121.47" not in made:
        raise ValueError("not a link to a place; write e.g. geo:{lat},{lon} or https://maps.example/?at={lat},{lon}")
    return value


def _to_an_address(value: str) -> str:
    try:
        made = value.format(name="x8y")
    except (AttributeError, IndexError, KeyError, ValueError) as error:
        raise ValueError("a link that looks for an address may name {name} alone") from error
    if not _links(made) or "x8y" not in made:
        raise ValueError("no link that looks for {name}; write e.g. geo:0,0?q={name} or https://maps.example/?q={name}")
    return value


def _links(made: str) -> bool:
    scheme = urlsplit(made).scheme
    return bool(scheme) and scheme not in _SCRIPTS


MapLink = Annotated[str, AfterValidator(_to_a_place)]
MapSearchLink = Annotated[str, AfterValidator(_to_an_address)]
