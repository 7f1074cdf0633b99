"""SPDX licence expressions, and whether what stands under one may be used with an AGPL-3.0-or-later work.

Grammar after SPDX 2.3, annex D: identifiers, `+`, WITH, AND, OR, brackets. An identifier that is not listed here does
not fit: an unknown licence is a question for a person.
"""

from __future__ import annotations

import re

FITTING = frozenset(
    {
        "0BSD", "AGPL-3.0-only", "AGPL-3.0-or-later", "Apache-2.0", "Artistic-2.0", "BSD-2-Clause", "BSD-3-Clause",
        "BSL-1.0", "BlueOak-1.0.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC0-1.0", "EUPL-1.2", "GPL-2.0-or-later",
        "GPL-3.0-only", "GPL-3.0-or-later", "HPND", "ISC", "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only",
        "LGPL-3.0-or-later", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Unlicense", "Zlib",
    }
)  # fmt: skip

_TOKEN = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9.-]*\+?|[()])")
_WORDS = ("AND", "OR", "WITH", "(", ")")
_LONGEST = 200


def unfit(expression: str) -> str | None:
    """Why the expression does not fit; None: it does.

    Of alternatives (OR) one has to fit, of a sum (AND) all; an exception (WITH) only ever adds permissions.

    Raises:
        ValueError: it is no SPDX expression; says where.
    """
    return _Expression(expression).judge()


class _Expression:
    """Recursive descent over the tokens: OR binds weakest, then AND, then WITH."""

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise ValueError(f"longer than {_LONGEST} characters")
        self._tokens = []
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                raise ValueError(f"{text[at:].strip()[:20]!r} is no licence identifier")
            self._tokens.append(match.group(1))
            at = match.end()
        self._at = 0

    def judge(self) -> str | None:
        found = self._any()
        if self._at < len(self._tokens):
            raise ValueError(f"{self._tokens[self._at]!r} is not expected there")
        return found

    def _any(self) -> str | None:
        faults = [self._all()]
        while self._take("OR"):
            faults.append(self._all())
        return None if None in faults else " and ".join(fault for fault in faults if fault)

    def _all(self) -> str | None:
        faults = [self._one()]
        while self._take("AND"):
            faults.append(self._one())
        return next((fault for fault in faults if fault), None)

    def _one(self) -> str | None:
        if self._take("("):
            found = self._any()
            if not self._take(")"):
                raise ValueError("a bracket is not closed")
            return found
        name = self._identifier()
        if self._take("WITH"):
            self._identifier()
        return None if _fits(name) else f"{name} is not known to fit"

    def _identifier(self) -> str:
        if self._at == len(self._tokens) or self._tokens[self._at] in _WORDS:
            raise ValueError("a licence identifier is missing")
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, word: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at] == word
        self._at += found
        return found


def _fits(name: str) -> bool:
    if name.endswith("+"):  # "or any later version", as it was written before SPDX 3
        return name[:-1] in FITTING or f"{name[:-1]}-or-later" in FITTING
    return name in FITTING
