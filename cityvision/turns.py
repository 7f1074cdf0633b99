"""Work that is heavy enough to be done one at a time, in whichever thread it is asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


def one_at_a_time(work: Callable[_P, _T], wait_s: float = 20.0) -> Callable[_P, _T]:
    """The same work, but that nobody else is at it; who has waited for so long gets a TimeoutError."""
    turn = threading.Lock()

    @wraps(work)
    def alone(*asked: _P.args, **more: _P.kwargs) -> _T:
        if not turn.acquire(timeout=wait_s):
            raise TimeoutError("others are being served")
        try:
            return work(*asked, **more)
        finally:
            turn.release()

    return alone
