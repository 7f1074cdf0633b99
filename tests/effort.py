"""How much is tried: `make test` takes the short forms, `make thorough` (and CITYVISION_THOROUGH=1) all of it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final, TypeVar

THOROUGH: Final = os.environ.get("CITYVISION_THOROUGH") == "1"
T = TypeVar("T")


def examples(many: int) -> int:
    """Of a property that Hypothesis is to try so often: a quarter of them in the short form."""
    return many if THOROUGH else max(2, many // 4)


def forms(short: Iterable[T], long: Iterable[T]) -> list[T]:
    """Values that a test is run with: each behaviour has one in `short`; `long` repeats it where that takes long."""
    return [*short, *(long if THOROUGH else ())]
