"""The rule book of cases against the pool: neither room knows the other."""

from __future__ import annotations

from cases.book import Book
from cases.fitting import Misfit, misfits
from contracts.pool import Pool


def fitted(book: Book, pool: Pool) -> tuple[Misfit, ...]:
    """Where the book names what the pool does not have."""
    zones = {f"{camera.id}/{zone.id}" for camera in pool.cameras for zone in camera.zones}
    grids = {camera.grid for camera in pool.cameras}
    return misfits(book, {one.id for one in pool.departments}, grids, zones)
