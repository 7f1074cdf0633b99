"""A collector that is killed where it is told:
`python -m tests.contract.collector_killed WHERE FOLDER DATABASE_URL BUS_URL UTC`.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from cityvision.collecting import Collector
from store.bus import Bus
from store.database import make_engine
from store.objects import DiskObjects


class Deadly(DiskObjects):
    """Dies when it is to keep something: before, or behind it and before the project has the picture."""

    where = ""

    def put(self, key: str, data: bytes, media_type: str) -> None:
        if self.where == "behind":
            super().put(key, data, media_type)
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    where, folder, database_url, bus_url, utc = sys.argv[1:]
    Deadly.where = where
    objects = Deadly(Path(folder) / "objects")
    Collector(make_engine(database_url), Bus(bus_url), objects, lambda: False, float(utc) - 1).turn(float(utc) + 1)


if __name__ == "__main__":
    main()
