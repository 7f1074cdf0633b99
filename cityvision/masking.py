"""Masked copies of evidence, made in processes of their own: bytes of a camera are decoded outside the API.

Each way a message is a line of JSON, then as many bytes as it says.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import IO, Any, Literal

from api.masked_copies import Box, MaskedBytes
from cityvision.settings import Settings
from contracts.errors import StreamCorrupt

TIMEOUT_S: Mapping[Literal["picture", "clip"], float] = {"picture": 30.0, "clip": 240.0}
_WAIT_S = 20.0


class MaskingProcess:
    """Asks child processes, one for pictures and one for clips, so that a clip holds up no picture. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        models = {
            "cache": None if settings.cache is None else str(settings.cache),
            "mirror": None if settings.mirror is None else str(settings.mirror),
            "model": settings.model,
        }
        command = (sys.executable, "-m", "cityvision.masking_child", json.dumps(models))
        self._children = {kind: _Child(command, timeout) for kind, timeout in TIMEOUT_S.items()}

    def mask(self, kind: Literal["picture", "clip"], data: bytes, own_vehicle: Box | None) -> MaskedBytes:
        """See `api.masked_copies.Mask`.

        Raises:
            StreamCorrupt: it cannot be decoded, or the child crashed on it.
            TimeoutError: it took too long, or others did.
        """
        return self._children[kind].mask(kind, data, own_vehicle)

    def close(self) -> None:
        """Ends the children."""
        for child in self._children.values():
            child.close()


class _Gone(Exception):
    """The child ended while it was asked."""


class _Child:
    """One of them, one request at a time; started at the first, and again where it died."""

    def __init__(self, command: tuple[str, ...], timeout_s: float) -> None:
        self._command, self._timeout_s = command, timeout_s
        self._one = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def mask(self, kind: str, data: bytes, own_vehicle: Box | None) -> MaskedBytes:
        if not self._one.acquire(timeout=_WAIT_S):
            raise TimeoutError("others are being masked")
        try:
            try:
                return self._ask(kind, data, own_vehicle)
            except _Gone:  # it may have died before it was asked
                return self._ask(kind, data, own_vehicle)
        except _Gone as error:
            raise StreamCorrupt("the masking process ended on it") from error
        finally:
            self._one.release()

    def close(self) -> None:
        with self._one:
            self._end()

    @property
    def pid(self) -> int | None:
        """Of the process that runs; None: none was needed yet."""
        return None if self._child is None else self._child.pid

    def _ask(self, kind: str, data: bytes, own_vehicle: Box | None) -> MaskedBytes:
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
            send(child.stdin, {"kind": kind, "own": own_vehicle}, data)
            told, answer = receive(child.stdout)
        except (OSError, ValueError) as error:  # a pipe that broke, or half an answer: it is gone
            self._end()
            if late.is_set():
                raise TimeoutError(f"masking took longer than {self._timeout_s:.0f} s") from error
            raise _Gone from error
        finally:
            timer.cancel()
        if "error" in told:
            raise StreamCorrupt(str(told["error"]))
        return MaskedBytes(answer, told["how"])

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
                    pipe.close()
            self._child = None


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
