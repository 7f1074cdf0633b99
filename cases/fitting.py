"""Does a rule book fit the city: do the departments, grids and zones that it names exist."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from cases.book import Book

_SHOWN = 20  # of what exists, so that a line stays a line


@dataclass(frozen=True, slots=True)
class Misfit:
    """One place of the book: `path` like ``routes[0].department``, what is wrong, and what to write."""

    path: str
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}; {self.fix}"


def misfits(
    book: Book, departments: Collection[str], grids: Collection[str], zones: Collection[str]
) -> tuple[Misfit, ...]:
    """All of them, in the book's order; the dispatch centre need be no department of the pool.

    Args:
        zones: as "camera/zone".
    """
    return tuple(_found(book, {*departments, book.centre}, grids, zones))


def _found(
    book: Book, departments: Collection[str], grids: Collection[str], zones: Collection[str]
) -> Iterator[Misfit]:
    for n, category in enumerate(book.categories):
        if category.handler != "owner" and category.handler not in departments:
            yield _misfit(f"categories[{n}].handler", "department", category.handler, departments)
    for n, route in enumerate(book.routes):
        for m, grid in enumerate(route.grids):
            if grid not in grids:
                yield _misfit(f"routes[{n}].grids[{m}]", "grid", grid, grids)
        if route.department not in departments:
            yield _misfit(f"routes[{n}].department", "department", route.department, departments)
    for n, group in enumerate(book.overlaps):
        for m, zone in enumerate(group):
            if zone not in zones:
                yield _misfit(f"overlaps[{n}][{m}]", "camera/zone", zone, zones)


def _misfit(path: str, kind: str, named: str, there: Collection[str]) -> Misfit:
    known = sorted(one for one in there if one)
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return Misfit(path, f"there is no {kind} {named!r}", f"one of: {', '.join(known[:_SHOWN]) or 'none'}{more}")
