"""What a rule is: a pure function of (state, look) to (state, outputs).

A rule measures in seconds of stream time and in body lengths or metres, never in frames or pixels, so that it
answers the same at 2 and at 25 looks a second. Its state is a frozen value that goes to JSON and back, because
the worker checkpoints it with every transition.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Generic, Protocol, TypeVar

from contracts.pool import Zone
from contracts.records import Subject
from contracts.senses import Ask
from contracts.vision import Look


class Step(StrEnum):
    """What a rule may say of one matter (`Output.key`).

    CANDIDATE and DISSOLVED never leave the worker: they tell evidence to put the entry picture and GOP aside, or
    to drop them.
    """

    CANDIDATE = "candidate"
    DISSOLVED = "dissolved"
    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Output:
    """One thing a rule says.

    Attributes:
        step: what happened.
        key: names the matter from its CANDIDATE to its CLOSED (or DISSOLVED) within this rule, zone and camera,
            e.g. "track:17"; part of the event's id.
        zone: id of the zone.
        started: stream time at which the condition began, s.
        time: stream time of this step, s.
        subject: what it is about.
        numbers: the explanation in numbers.
        reason: the same as a sentence, {"zh": …, "en": …}; empty for CANDIDATE and DISSOLVED.
        spots: where the people of a crowd stand, for its density picture: x and y of the feet, height; normalised.
    """

    step: Step
    key: str
    zone: str
    started: float
    time: float
    subject: Subject
    numbers: dict[str, float]
    reason: dict[str, str] = field(default_factory=dict)
    spots: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must hold before a matter becomes an event, and how it stands now.

    Attributes:
        zone: id of the zone.
        subject: which matter, `Output.key`; empty where the zone as a whole is meant.
        name: e.g. "still_s"; one of the rule's numbers where it has one.
        value: as it is now.
        needed: what it is compared with.
        at_least: `value` must be at least `needed`; else at most.
    """

    zone: str
    subject: str
    name: str
    value: float
    needed: float
    at_least: bool = True

    @property
    def holds(self) -> bool:
        return self.value >= self.needed - 1e-9 if self.at_least else self.value <= self.needed + 1e-9


StateT = TypeVar("StateT")


class Rule(Protocol, Generic[StateT]):
    """One event algorithm on one camera.

    Attributes:
        type: the event type's id, e.g. "illegal_parking".
    """

    type: ClassVar[str]

    def initial(self) -> StateT: ...

    def step(self, state: StateT, look: Look) -> tuple[StateT, list[Output]]:
        """The next state and what to say; `state` is left untouched."""
        ...

    def wants(self, state: StateT) -> float | None:
        """The longest interval between looks the rule can accept just now, s; None: the gate may decide.

        A matter that is about to be decided needs its looks even when the picture does not change.
        """
        ...

    def asks(self, state: StateT, time: float) -> Ask:
        """What it wants sensed in the look at stream time `time`, besides tracks."""
        ...

    def conditions(self, state: StateT) -> list[Condition]:
        """What each matter still waits for, right after a step: the answer to "why, and why not"."""
        ...

    def rezone(self, state: StateT, zones: tuple[Zone, ...]) -> StateT:
        """The state after the camera's zones were edited: what concerns an unchanged zone is kept.

        Called on the rule built for the edited camera. A matter whose zone is gone, or no longer holds its
        subject, is ended by the next `step`, so every OPENED still has its CLOSED.
        """
        ...

    def dump(self, state: StateT) -> dict[str, object]:
        """The state as JSON-able data."""
        ...

    def load(self, data: dict[str, object]) -> StateT:
        """Inverse of `dump`. Raises ValueError when the data is of another shape."""
        ...
