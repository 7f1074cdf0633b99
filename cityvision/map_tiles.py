"""What an address of map tiles must look like."""

from __future__ import annotations

import re
from string import Formatter
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

_FIX = "write e.g. https://tiles.example/{z}/{x}/{y}.png"
_SERVER = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?")  # it becomes a word of the content security policy


def checked_tiles(value: str) -> str:
    """`value` where it is an address of tiles on one server, without credentials; raises ValueError."""
    try:
        named = sorted(name for _, name, _, _ in Formatter().parse(value) if name is not None)
    except ValueError as error:
        raise ValueError(f"a brace stands alone; {_FIX}") from error
    if named != ["x", "y", "z"]:
        raise ValueError(f"an address of tiles names {{z}}, {{x}} and {{y}}, each once; {_FIX}")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not _SERVER.fullmatch(parts.netloc):
        raise ValueError(f"not an address of a server, without credentials; {_FIX}")
    return value


TilesAddress = Annotated[str, AfterValidator(checked_tiles)]
