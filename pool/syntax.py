"""libyaml's complaints in plain words."""

from __future__ import annotations

import yaml

# problem or context as libyaml words it (part of it) -> what is wrong, what to write
_WORDS: tuple[tuple[str, str, str], ...] = (
    ("found unexpected end of stream", "a quote is opened and never closed", "close the quote"),
    ("found unexpected document indicator", "a quote is still open at ---", "close the quote"),
    (
        "mapping values are not allowed",
        "a colon stands where no key can be",
        "put the text in quotes, or indent the line like its neighbours",
    ),
    ("did not find expected ',' or ']'", "the list is not closed", "write , between its items and ] at its end"),
    ("did not find expected ',' or '}'", "the mapping is not closed", "write , between its entries and } at its end"),
    (
        "did not find expected '-' indicator",
        "the line is not an item of the list above",
        "begin it with - or indent it like the keys of its item",
    ),
    (
        "did not find expected key",
        "the line does not fit the indentation above it",
        "indent it like its neighbours, and write key: value",
    ),
    ("could not find expected ':'", "a colon is missing after the key", "write key: value"),
    (
        "found character that cannot start any token",
        "a character stands here that no value can begin with (a tab, @, ` or %)",
        "indent with spaces, and put such text in quotes",
    ),
    ("found a tab character", "a tab stands in the indentation", "indent with spaces"),
    ("found undefined alias", "the alias has no anchor of its name above it", "write &name where it is defined"),
    ("found duplicate anchor", "the anchor's name stands twice", "give each anchor a name of its own"),
    ("found unknown escape character", "a backslash in double quotes begins no known escape", "write \\\\ or use '…'"),
    ("control characters are not allowed", "a control character stands here", "delete it"),
    (
        "block sequence entries are not allowed",
        "a list item begins where no list can be",
        "put the - on a line of its own, indented below the key",
    ),
    ("expected a single document", "a second document begins here", "remove the --- line: one document a file"),
    ("but found another document", "a second document begins here", "remove the --- line: one document a file"),
    ("did not find expected <document start>", "text stands after the end of the data", "indent it, or remove it"),
    ("found undefined tag handle", "the tag is unknown", "leave the tag out"),
    (
        "did not find expected node content",
        "a value or a closing bracket is missing",
        "write the value, or close the [ or {",
    ),
)
_OPENED = ("while parsing a flow", "while scanning a quoted", "while scanning a simple key")


def plain_words(error: yaml.MarkedYAMLError) -> tuple[int, str, str]:
    """Line from 1, what is wrong, what to write. The text of the file is never repeated, it may hold secrets."""
    said = f"{error.problem or ''} {error.context or ''}"
    context = error.context or ""
    mark = error.problem_mark or error.context_mark
    # What was opened and never closed, and a key without its colon, are at fault where they begin.
    if error.context_mark is not None and context.startswith(_OPENED):
        mark = error.context_mark
    line = mark.line + 1 if mark is not None else 1
    for part, what, fix in _WORDS:
        if part in said:
            return line, what, fix
    return line, "this is not YAML", "compare it with the example in docs/streams.md"
