"""The port that deliveries leave by, with a fake that passes the same contract suite as the real ones."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple, Protocol

from contracts.redact import redact
from subscriptions.message import Message

SEND_TIMEOUT_S = 10.0  # of one attempt, all in all
_DETAIL = 300


class Sent(NamedTuple):
    """How an attempt went.

    Attributes:
        ok: the receiver has it: it said so.
        status: HTTP status or MQTT reason code, where there was one.
        detail: what went wrong, in one line, without secrets.
        retry_after_s: how long the receiver asked us to wait.
        gone: the receiver wants nothing more, ever.
    """

    ok: bool
    status: int | None = None
    detail: str = ""
    retry_after_s: float | None = None
    gone: bool = False


class Channel(Protocol):
    """The way to one subscriber. One message at a time."""

    async def send(self, message: Message) -> Sent:
        """Tries once, for `SEND_TIMEOUT_S` at most; whatever goes wrong is an answer, not an error."""
        ...

    async def close(self) -> None:
        """Lets go of its connections."""
        ...


def failed(detail: str, status: int | None = None, retry_after_s: float | None = None) -> Sent:
    """An attempt that failed; `detail` is cut, made one line and cleaned of secrets."""
    line = " ".join("".join(c if c.isprintable() else " " for c in detail).split())
    return Sent(False, status, redact(line)[:_DETAIL], retry_after_s)


class FakeChannel:
    """Keeps what it is sent; `answers` are given first, one an attempt."""

    def __init__(self, answers: tuple[Sent, ...] = ()) -> None:
        self.answers = deque(answers)
        self.got: list[Message] = []

    async def send(self, message: Message) -> Sent:
        answer = self.answers.popleft() if self.answers else Sent(True)
        if answer.ok:
            self.got.append(message)
        return answer

    async def close(self) -> None:
        self.answers.clear()
