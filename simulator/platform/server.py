"""The simulated platform's server, and the thread in which its people work on cases."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from contracts.errors import NotAuthenticated
from contracts.signing import verified
from simulator.platform.book import TaskBook
from simulator.platform.caller import Caller
from simulator.platform.faults import CALM, Faults

_PATH = "/api/cases"
_MAX = 1 << 20


class SimulatedPlatform:
    """Serves from `start` to `stop`, also as a context manager; may be started again, and then knows what it knew.

    Args:
        secret: that requests to it are signed with.
        callback: address of the other side's door, and the secret that it signs call-backs with; None: it makes none.
        port: to listen on; 0: any free one, kept for the next start.
        pace_s: between two steps of its people.
    """

    def __init__(
        self,
        secret: str,
        callback: tuple[str, str] | None = None,
        *,
        faults: Faults = CALM,
        seed: int = 1,
        port: int = 0,
        pace_s: float = 0.1,
    ) -> None:
        self.book = TaskBook(seed)
        self.lock = threading.Lock()
        self.faults = faults
        self.answers: Counter[int] = Counter()
        self.caller = None if callback is None else Caller(*callback, faults, seed)
        self._secret = secret
        self._port = port
        self._pace_s = pace_s
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Listens, and works."""
        self._stop.clear()
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), partial(_Handler, self))
        self._server.daemon_threads = True
        self._port = self._server.server_port
        self._threads = [threading.Thread(target=self._server.serve_forever, args=(0.05,), name="platform")]
        if self.caller is not None:
            self._threads.append(threading.Thread(target=self._work, args=(self.caller,), name="platform-people"))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Nobody is there any more."""
        self._stop.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        for thread in self._threads:
            thread.join()
        self._server, self._threads = None, []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def chance(self, probability: float) -> bool:
        """One draw."""
        with self.lock:
            return self.book.random.random() < probability

    def told(self, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        """A case comes in; status and answer."""
        try:
            verified(headers, body, [self._secret], time.time())
        except NotAuthenticated as error:
            return 401, {"message": str(error)}
        if self.chance(self.faults.error):
            return 500, {"message": "系统繁忙"}
        if self.chance(self.faults.hang):
            self._stop.wait(self.faults.hang_s)
        try:
            said = json.loads(body)
            with self.lock:
                task = self.book.take(headers["idempotency-key"], said)
                answer = {"taskNum": task.number, "version": task.seq}
        except (KeyError, ValueError) as error:
            return 422, {"message": f"{error}"}
        if self.chance(self.faults.forget):
            with self.lock:
                self.book.forget(task.source)
        return (500, {"message": "应答丢失"}) if self.chance(self.faults.lost) else (200, answer)

    def listed(self, headers: Mapping[str, str], page: int, size: int) -> tuple[int, dict[str, Any]]:
        """A page of its list."""
        try:
            verified(headers, b"", [self._secret], time.time())
        except NotAuthenticated as error:
            return 401, {"message": str(error)}
        with self.lock:
            return 200, {"total": len(self.book.tasks), "items": self.book.page(page, size)}

    def idle(self) -> bool:
        """Whether its people have nothing left to do, and all call-backs were taken."""
        with self.lock:
            busy = any(task.state in ("2", "3") for task in self.book.tasks.values())
            return not busy and (self.caller is None or self.caller.idle())

    def _work(self, caller: Caller) -> None:
        while not self._stop.wait(self._pace_s):
            with self.lock:
                task = self.book.work()
                if task is not None:
                    caller.add(task.said())
            caller.turn(self._stop)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def __init__(self, platform: SimulatedPlatform, *args: Any) -> None:
        self._platform = platform
        super().__init__(*args)

    def do_POST(self) -> None:
        """A case is told."""
        length = self.headers.get("content-length", "")
        if urlsplit(self.path).path != _PATH or not length.isdigit() or int(length) > _MAX:
            self.close_connection = True
            self._answer(404, {"message": "not here, or too much"})
            return
        self._answer(*self._platform.told(self._lower(), self.rfile.read(int(length))))

    def do_GET(self) -> None:
        """The list is asked for."""
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        page, size = (query.get(name, ["1"])[0] for name in ("page", "size"))
        if parts.path != _PATH or not (page.isdigit() and size.isdigit()):
            self._answer(404, {"message": "not here"})
            return
        self._answer(*self._platform.listed(self._lower(), int(page), int(size)))

    def log_message(self, format: str, *args: Any) -> None:  # its name is given
        """Nothing: the counters tell."""

    def _lower(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _answer(self, status: int, said: dict[str, Any]) -> None:
        self._platform.answers[status] += 1
        body = json.dumps(said, ensure_ascii=False).encode()
        try:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # whoever asked has given up
