"""The server in a process of its own, so that its work is not counted as ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from contracts.errors import ServiceError


class ServerProcess:
    """`python -m simulator.rtsp` while the `with` block lasts (or from `start` to `stop`).

    Args:
        cameras: file by camera name; files that are not H.264 or H.265 are transcoded once.
        cache: folder for those; None: a folder under the system's temporary one.
        port: 0 picks a free one.
        user, password: Digest authentication when `user` is not empty.
    """

    def __init__(
        self,
        cameras: Mapping[str, Path],
        *,
        cache: Path | None = None,
        port: int = 0,
        user: str = "",
        password: str = "",
    ) -> None:
        self._command = [sys.executable, "-m", "simulator.rtsp", "--port", str(port), "--user", user]
        if cache is not None:
            self._command += ["--cache", str(cache)]
        self._command += [f"{name}={path}" for name, path in cameras.items()]
        self._environment = os.environ | {"CAMERA_PASSWORD": password}
        self._process: subprocess.Popen[str] | None = None
        self._about: dict[str, Any] = {}

    def start(self) -> None:
        """Starts it and waits until it listens.

        Raises:
            ServiceError: it ended instead.
        """
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self._environment
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ServiceError("the RTSP server did not start", "its error is above")
        self._about = json.loads(line)

    def stop(self) -> None:
        """Ends it by closing its standard input; kills it when that takes longer than 5 s."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def url(self, name: str) -> str:
        """Address of a camera, without credentials. Raises KeyError for one that is not served."""
        return str(self._about["cameras"][name]["url"])

    def loop_s(self, name: str) -> float:
        """How long one loop of the camera's clip takes, s."""
        return float(self._about["cameras"][name]["loop_s"])

    def set_faults(self, camera: str, **faults: bool | float) -> None:
        """Sets fields of the camera's `Faults`."""
        self._tell({"camera": camera, "set": faults})

    def drop(self, camera: str) -> None:
        """Cuts the camera's connections, once."""
        self._tell({"camera": camera, "do": "drop"})

    def jump(self, camera: str, seconds: float) -> None:
        """Makes the camera's timestamps jump."""
        self._tell({"camera": camera, "do": "jump", "seconds": seconds})

    def switch(self, camera: str, file: Path) -> None:
        """The camera goes on with another clip within its sessions."""
        self._tell({"camera": camera, "do": "switch", "file": str(file)})

    def loop_at(self, camera: str, utc: float) -> int | None:
        """See `RtspServer.loop_at`."""
        assert self._process is not None
        assert self._process.stdout is not None
        self._tell({"camera": camera, "do": "loop_at", "utc": utc})
        loop: int | None = json.loads(self._process.stdout.readline())["loop"]
        return loop

    def _tell(self, command: Mapping[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
