"""Versions of training data that were opened of late: what one holds never changes, and is long to read."""

from __future__ import annotations

import threading
from collections import OrderedDict

from sqlalchemy import Connection

from algorithm_repo.archive import service as archive
from algorithm_repo.datasets.types import Manifest
from store.objects import ObjectStore


class DatasetShelf:
    """Thread-safe.

    Args:
        most: how many stay open; one of 100,000 pictures takes a few hundred MB.
    """

    def __init__(self, objects: ObjectStore, most: int = 4) -> None:
        self._objects, self._most = objects, most
        self._open: OrderedDict[str, Manifest] = OrderedDict()
        self._lock = threading.Lock()

    def manifest(self, connection: Connection, digest: str) -> Manifest:
        """What a version holds.

        Raises:
            ConfigError: there is none.
            StoreError: it was changed, or cannot be read now.
        """
        with self._lock:
            if digest in self._open:
                self._open.move_to_end(digest)
                return self._open[digest]
        found = archive.load(connection, self._objects, digest)
        with self._lock:
            self._open[digest] = found
            while len(self._open) > self._most:
                self._open.popitem(last=False)
        return found
