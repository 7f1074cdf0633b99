"""How many cameras of a process may connect at once, so that a switch that reboots does not cause a storm."""

from __future__ import annotations

import threading


class ConnectGate:
    """Slots for opening connections, shared by every source of a process.

    Args:
        limit: connections being opened at one time.
    """

    def __init__(self, limit: int = 8) -> None:
        self._slots = threading.BoundedSemaphore(limit)
        self._lock = threading.Lock()
        self._open = 0
        self.most = 0
        """The most that were open at one time."""

    def enter(self, timeout: float) -> bool:
        """Waits for a slot up to `timeout` s; False when there was none."""
        if not self._slots.acquire(timeout=timeout):
            return False
        with self._lock:
            self._open += 1
            self.most = max(self.most, self._open)
        return True

    def leave(self) -> None:
        """Gives the slot back; once for each successful `enter`, from any thread."""
        with self._lock:
            self._open -= 1
        self._slots.release()
