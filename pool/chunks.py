"""Cutting a block-style pool file into one piece a camera, so that an edit costs only the cameras it touches.

The cut is textual and careful: where the text could mean anything else than it seems to, the answer is None, and
the file is parsed as a whole. `load` also checks that the rest really has its `cameras:` where the cut assumed it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SECTION = re.compile(r"^cameras:[ ]*(?:#.*)?\r?$", re.MULTILINE)
# An anchor, alias or tag at the beginning of a value may reach across pieces.
_REACHES_ACROSS = re.compile(r"(?:^|[\s\[{,:?-])[&*!][^\s]", re.MULTILINE)
# Document markers and directives at a line's beginning; other characters that YAML takes for line breaks.
_MARKERS = ("---", "...", "%")
_BREAKS = "\x85\u2028\u2029\ufeff"
_TOP_LEVEL = re.compile(r"^[^\s#-]", re.MULTILINE)
_FIRST_ITEM = re.compile(r"^( *)-(?=[ \n])", re.MULTILINE)
_CONTENT = re.compile(r"^( *)[^\s#]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One camera's lines; `line` is the number of the first one in the file, from 0."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Split:
    """A file cut open: `rest` is the file with the cameras' lines blank, so that its line numbers stay right."""

    rest: str
    section_line: int
    chunks: list[Chunk]


def split(text: str) -> Split | None:
    """The pieces of `text`, or None where it is not plainly a block list of cameras."""
    body = text[4:] if text.startswith("---\n") else text
    if not _plain(body):
        return None
    sections = list(_SECTION.finditer(text))
    if len(sections) != 1:
        return None
    start = sections[0].end() + 1
    following = _TOP_LEVEL.search(text, start)
    end = following.start() if following else len(text)
    first = _CONTENT.search(text, start, end)
    item = _FIRST_ITEM.search(text, start, end)
    if first is None or item is None or item.start() != first.start():
        return None
    indent = item[1]
    starts = [found.start() for found in re.compile(rf"^{indent}-(?=[ \n])", re.MULTILINE).finditer(text, start, end)]
    chunks = []
    line = text.count("\n", 0, starts[0])
    for here, there in zip(starts, [*starts[1:], end], strict=True):
        piece = text[here:there]
        chunks.append(Chunk(piece, line))
        line += piece.count("\n")
    rest = text[: starts[0]] + "\n" * text.count("\n", starts[0], end) + text[end:]
    return Split(rest, text.count("\n", 0, sections[0].start()), chunks)


def _plain(text: str) -> bool:
    """Whether nothing in `text` can reach from one camera into another; plain searches first, they are fast."""
    if any(character in text for character in _BREAKS) or text.count("\r") != text.count("\r\n"):
        return False
    if any(text.startswith(marker) or f"\n{marker}" in text for marker in _MARKERS):
        return False
    return not (any(sign in text for sign in "&*!") and _REACHES_ACROSS.search(text))
