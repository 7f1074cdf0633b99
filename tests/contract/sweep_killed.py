"""A sweep that is killed where it is told: `python -m tests.contract.sweep_killed WHERE FOLDER DATABASE_URL RULES`."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from cityvision.retention import Sweeper
from store.database import make_engine
from store.objects import DiskObjects
from tests.contract.retention_scene import SIGNER, policy_in


class Deadly(DiskObjects):
    """Dies at the first deletion: before it, or behind it and before anything is committed of it."""

    where = ""

    def delete(self, key: str) -> None:
        if self.where == "behind":
            super().delete(key)
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    where, folder, database_url, rules = sys.argv[1:]
    Deadly.where = where
    objects = Deadly(Path(folder) / "objects")
    sweeper = Sweeper(make_engine(database_url), objects, SIGNER, policy_in(Path(folder), rules), lambda: False)
    sweeper.sweep(time.time())


if __name__ == "__main__":
    main()
