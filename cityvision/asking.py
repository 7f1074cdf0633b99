"""Asking a child process: bytes from outside are decoded there, never in the API. One request at a time.

Each way a message is a line of JSON, then as many bytes as it says.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

from cityvision.settings import Settings
from contracts.errors import StreamCorrupt

_WAIT_S = 20.0


class _Gone(Exception):
    """The child ended while it was asked."""


class AskedProcess:
    """A child process that answers; started at the first request, and again where it died. Thread-safe.

    Args:
        command: starts it.
        timeout_s: for one answer; a child that takes longer is killed.
        what: it does, for errors, e.g. "masking".
    """

    def __init__(self, command: tuple[str, ...], timeout_s: float, what: str) -> None:
        self._command, self._timeout_s, self._what = command, timeout_s, what
        self._one = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def ask(self, told: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        """Its answer.

        Raises:
            StreamCorrupt: the child crashed on it, twice.
            TimeoutError: it took too long, or others did.
        """
        if not self._one.acquire(timeout=_WAIT_S):
            raise TimeoutError(f"{self._what}: others are being served")
        try:
            try:
                return self._ask(told, data)
            except _Gone:  # it may have died before it was asked
                return self._ask(told, data)
        except _Gone as error:
            raise StreamCorrupt(f"the process of {self._what} ended on it") from error
        finally:
            self._one.release()

    def close(self) -> None:
        """Ends the child."""
        with self._one:
            self._end()

    @property
    def pid(self) -> int | None:
        """Of the process that runs; None: none was needed yet."""
        return None if self._child is None else self._child.pid

    def _ask(self, told: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        child = self._running()
        assert child.stdin is not None
        assert child.stdout is not None
        late = threading.Event()

        def give_up() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(self._timeout_s, give_up)
        timer.start()
        try:
            send(child.stdin, told, data)
            return receive(child.stdout)
        except (OSError, ValueError) as error:  # a pipe that broke, or half an answer: it is gone
            self._end()
            if late.is_set():
                raise TimeoutError(f"{self._what} took longer than {self._timeout_s:.0f} s") from error
            raise _Gone from error
        finally:
            timer.cancel()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self._end()
            self._child = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self._child

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):  # what it had not read yet goes with it
                        pipe.close()
            self._child = None


def models_of(settings: Settings) -> str:
    """Where the networks are, as JSON for a child process."""
    return json.dumps(
        {
            "cache": None if settings.cache is None else str(settings.cache),
            "mirror": None if settings.mirror is None else str(settings.mirror),
            "model": settings.model,
        }
    )


def serve(answer: Callable[[dict[str, Any], bytes], tuple[dict[str, Any], bytes]]) -> int:
    """The child's side: answers until stdin ends. What libraries print does not get between the answers."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        try:
            told, data = receive(sys.stdin.buffer)
        except ValueError:  # whoever asked is gone
            return 0
        send(answers, *answer(told, data))


def send(target: IO[bytes], told: dict[str, Any], data: bytes) -> None:
    """Writes one message."""
    target.write(json.dumps(told | {"size": len(data)}).encode() + b"\n")
    target.write(data)
    target.flush()


def receive(source: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    """Reads one message. Raises ValueError: it ended before all was said."""
    told: dict[str, Any] = json.loads(source.readline())
    data = source.read(told["size"])
    if len(data) != told["size"]:
        raise ValueError("half an answer")
    return told, data
