"""What was measured with two networks on the same pictures, by the slices that these are in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar


class _Sliced(Protocol):
    @property
    def slices(self) -> tuple[str, ...]: ...


T = TypeVar("T", bound=_Sliced)


def by_slice(before: Sequence[T], after: Sequence[T]) -> dict[str, tuple[list[T], list[T]]]:
    """Both sides of each slice, by its name and in the order of names.

    Raises:
        ValueError: they are not as many.
    """
    found: dict[str, tuple[list[T], list[T]]] = {}
    for old, new in zip(before, after, strict=True):
        for name in old.slices:
            olds, news = found.setdefault(name, ([], []))
            olds.append(old)
            news.append(new)
    return dict(sorted(found.items()))
