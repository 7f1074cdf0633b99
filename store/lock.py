"""One process a folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from contracts.errors import AlreadyRunning


class FolderLock:
    """An exclusive lock on a folder, held by this process until `release` or its death.

    The lock file stands beside the folder (`<folder>.lock`), because a service may insist on an empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder.with_name(folder.name + ".lock")
        self._folder = folder
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Raises AlreadyRunning when another process (or another object of this one) holds the folder."""
        if self._file is not None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise AlreadyRunning(
                f"{self._folder} is in use by process {holder}", "stop that one, or give this one another data folder"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
