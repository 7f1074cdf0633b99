"""Processes of ours that train."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import psutil


def trainers() -> Iterator[psutil.Process]:
    """Our children that train a network of ultralytics."""
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if "algorithm_repo.training.ultra" in child.cmdline():
                yield child
