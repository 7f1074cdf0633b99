"""The cases of the simulated platform, and what it does with them. Pure but for its random numbers; not thread-safe."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

FILED, SENT, HANDLING, DONE = "1", "2", "3", "4"
_NEXT = {SENT: HANDLING, HANDLING: DONE}
# A JPEG of one grey pixel: what its field workers photograph.
PHOTO = (
    "/9j/4AAQSkZJRgABAQEAYABgAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgy"
    "PC4zNDL/wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AVN//2Q=="
)


@dataclass(slots=True)
class Task:
    """One case there, in the words of the shipped mapping.

    Attributes:
        source: the other side's number of it.
        number: its own.
        revision: the newest it was told.
        seq: grows with each of its own changes.
        heard: revisions as they came.
    """

    source: str
    number: str
    revision: int
    state: str
    seq: int = 0
    body: dict[str, Any] = field(default_factory=dict)
    heard: list[int] = field(default_factory=list)

    def said(self) -> dict[str, Any]:
        """As it is listed and called back."""
        out: dict[str, Any] = {"sourceId": self.source, "sourceVersion": self.revision, "taskNum": self.number}
        out |= {"state": self.state, "version": self.seq}
        if self.state == DONE:
            out |= {"photos": [PHOTO], "description": "已处置"}
        return out


class TaskBook:
    """Cases by the other side's number.

    Args:
        seed: of its random choices.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.tasks: dict[str, Task] = {}
        self.keys: dict[str, str] = {}
        self._numbers = 0

    def take(self, key: str, body: dict[str, Any]) -> Task:
        """A case as it is told; with a key that is known nothing happens.

        Raises:
            KeyError, ValueError: names the field that is missing or no number.
        """
        source, revision, state = str(body["sourceId"]), int(body["sourceVersion"]), str(body["state"])
        if key in self.keys and source in self.tasks:
            return self.tasks[source]
        task = self.tasks.get(source)
        if task is None:
            self._numbers += 1
            task = self.tasks[source] = Task(source, f"CG{self._numbers:06d}", -1, state)
        task.heard.append(revision)
        self.keys[key] = source
        if revision >= task.revision:
            task.revision, task.body = revision, body
            if int(body.get("version", 0)) >= task.seq:  # else it was said before our own change was known
                task.state = state
        return task

    def forget(self, source: str) -> None:
        """It is gone, as after a restored backup."""
        self.tasks.pop(source, None)

    def work(self) -> Task | None:
        """One of its cases goes one step further; None: there is nothing to do."""
        able = [task for task in self.tasks.values() if task.state in _NEXT]
        if not able:
            return None
        task = self.random.choice(able)
        task.state = _NEXT[task.state]
        task.seq += 1
        return task

    def page(self, number: int, size: int) -> list[dict[str, Any]]:
        """Of its list, by its own numbers; from 1."""
        every = sorted(self.tasks.values(), key=lambda task: task.number)
        return [task.said() for task in every[(number - 1) * size : number * size]]
