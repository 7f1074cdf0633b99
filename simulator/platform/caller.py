"""Call-backs of the simulated platform: signed, sent until they are taken, with the faults that were asked for."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass
from typing import Any

from contracts.signing import new_secret, signed
from simulator.platform.faults import Faults

log = logging.getLogger(__name__)
_TIMEOUT_S = 5.0
_TRIES = 40
_RETRY_S = 0.25
_HELD_TURNS = 20


@dataclass(frozen=True, slots=True)
class Call:
    """One message."""

    id: str
    source: str
    body: bytes


class Caller:
    """Sends what is queued, from the thread that calls `turn`.

    Args:
        url: of the other side's door.
        secret: that it signs with.
    """

    def __init__(self, url: str, secret: str, faults: Faults, seed: int) -> None:
        self.answers: Counter[str] = Counter()
        self._url = url
        self._secret = secret
        self._faults = faults
        self._random = random.Random(seed + 1)
        self._numbers = 0
        self._queue: list[Call] = []
        self._held: list[tuple[Call, int]] = []

    def add(self, said: dict[str, Any]) -> None:
        """A message about a case, as it stands."""
        self._numbers += 1
        call = Call(f"cg-{self._numbers}", str(said["sourceId"]), json.dumps(said, ensure_ascii=False).encode())
        if self._random.random() < self._faults.reorder:
            self._held.append((call, _HELD_TURNS))
            return
        self._queue.append(call)
        self._let_go({call.source})

    def idle(self) -> bool:
        """Whether all was sent."""
        return not self._queue and not self._held

    def turn(self, stop: threading.Event) -> None:
        """Sends all that is queued; what nobody takes stays, and is tried at the next turn."""
        self._held = [(call, left - 1) for call, left in self._held]
        self._let_go({call.source for call, left in self._held if left <= 0})
        while self._queue and not stop.is_set():
            call = self._queue[0]
            if self._random.random() < self._faults.forge:
                self.answers[f"forged {self._post(call, new_secret())}"] += 1
            status = self._sent(call, stop)
            self.answers[f"{status}"] += 1
            if status is None or status >= 500:
                return
            if self._random.random() < self._faults.duplicate:
                self.answers[f"twice {self._post(call, self._secret)}"] += 1
            self._queue.pop(0)

    def _let_go(self, sources: set[str]) -> None:
        """What was held back of these cases goes out."""
        self._queue += [call for call, _ in self._held if call.source in sources]
        self._held = [(call, left) for call, left in self._held if call.source not in sources]

    def _sent(self, call: Call, stop: threading.Event) -> int | None:
        for _ in range(_TRIES):
            status = self._post(call, self._secret)
            if status is not None and status < 500:
                return status
            if stop.wait(_RETRY_S):
                break
        return None

    def _post(self, call: Call, secret: str) -> int | None:
        headers = signed(call.id, int(time.time()), call.body, [secret]) | {"content-type": "application/json"}
        request = urllib.request.Request(self._url, call.body, headers, method="POST")  # our own address
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            log.info("call-back %s: HTTP %d %s", call.id, error.code, error.read(300).decode(errors="replace"))
            return error.code
        except OSError as error:
            log.info("call-back %s: %s", call.id, error)
            return None
