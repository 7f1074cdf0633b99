"""Processes that do not outlive who started them."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int, death_signal: int) -> Callable[[], None]:
    """A function for the child, between fork and exec or first thing: it is sent `death_signal` when its parent dies.

    The kernel ties this to the parent's *thread* that made the child: that one has to stay.
    """
    prctl = _LIBC.prctl  # looked up before the fork: between fork and exec as little as possible may happen

    def arm() -> None:
        prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the kernel was told
            os._exit(1)

    return arm
