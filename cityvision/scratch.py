"""Where a command and all of its processes write what they need for a while: one folder, gone with it.

Libraries and processes take the folder of the system for such files, so that is what is set.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from store.lockers import private_folder

_NAMED = "TMPDIR"


@contextmanager
def scratch(kind: str) -> Iterator[None]:
    """For the time of a command.

    Args:
        kind: of command: small letters.
    """
    with private_folder(kind) as folder:
        before = os.environ.get(_NAMED)
        os.environ[_NAMED], tempfile.tempdir = str(folder), None  # None: asked anew
        try:
            yield
        finally:
            tempfile.tempdir = None
            if before is None:
                del os.environ[_NAMED]
            else:
                os.environ[_NAMED] = before
