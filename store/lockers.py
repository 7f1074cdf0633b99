"""Folders for a while: those of processes that were killed are swept by the next one of the same kind."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = "lock"  # held by whoever uses the folder; the system lets go of it when they die


@contextmanager
def private_folder(kind: str) -> Iterator[Path]:
    """A fresh folder that only this account may open, gone afterwards.

    Args:
        kind: what it is for: small letters.
    """
    sweep(kind)
    with tempfile.TemporaryDirectory(prefix=_prefix(kind)) as name:
        folder = Path(name)
        held = os.open(folder / f"{_LOCK}.new", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            (folder / f"{_LOCK}.new").rename(folder / _LOCK)  # nobody sees it without its holder
            yield folder
        finally:
            os.close(held)


def sweep(kind: str) -> None:
    """Removes folders of a kind whose user was killed. One that is only just being made has no lock yet, and is left
    alone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_prefix(kind)}*"):
        try:
            held = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:  # another account's, or not one of these
            continue
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(held)


def _prefix(kind: str) -> str:
    return f"cityvision-{kind}-"
