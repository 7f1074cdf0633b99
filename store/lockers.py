"""Folders for a while, which nobody who is killed leaves behind.

A shell waits beside each for its user to end: where that happens without a word, it deletes the folder. What even that
cannot do (the machine stops), the next one of the same kind does.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = "lock"  # held by whoever uses the folder; the system lets go of it when they die
# A word means that all is well; the end of the pipe without one, that whoever held it is no more. What others were just
# writing for them may come after the first try.
_JANITOR = 'read -r _ && exit; for _ in 1 2 3 4 5 6 7 8 9; do [ -d "$1" ] || exit; rm -rf -- "$1"; sleep 0.2; done'


@contextmanager
def private_folder(kind: str) -> Iterator[Path]:
    """A fresh folder that only this account may open, gone afterwards.

    Args:
        kind: what it is for: small letters.
    """
    sweep(kind)
    with tempfile.TemporaryDirectory(prefix=_prefix(kind)) as name, _watched(name):
        folder = Path(name)
        held = os.open(folder / f"{_LOCK}.new", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            (folder / f"{_LOCK}.new").rename(folder / _LOCK)  # nobody sees it without its holder
            yield folder
        finally:
            os.close(held)


@contextmanager
def _watched(folder: str) -> Iterator[None]:
    """With a process that deletes the folder should this one be killed; in a session of its own, so that what kills the
    whole group leaves it."""
    janitor = subprocess.Popen(
        ["/bin/sh", "-c", _JANITOR, "sh", folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
    try:
        yield
    finally:
        janitor.communicate(b"well\n")


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
