"""What each stage saw and which condition held: the answer to "why, and why not" some time later.

A trace is live state: bounded, may be lost, and never part of a record. Only changes are written (`pipeline.trace`),
so a value holds from its line until the next one.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import Field

from contracts.records import Contract

StepName = Literal["candidate", "dissolved", "opened", "updated", "closed"]


class TracedCondition(NamedTuple):
    """One condition of one matter as it stood; a list in JSON, so that a line stays short.

    Attributes:
        type: the algorithm.
        zone, subject, name, value, needed, at_least: see `pipeline.rules.base.Condition`.
    """

    type: str
    zone: str
    subject: str
    name: str
    value: float
    needed: float
    at_least: bool = True

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names it from line to line."""
        return self.type, self.zone, self.subject, self.name

    @property
    def holds(self) -> bool:
        return self.value >= self.needed - 1e-9 if self.at_least else self.value <= self.needed + 1e-9


class TracedStep(NamedTuple):
    """Something a rule said of one matter; `event` is the event's id (a candidate has the id it would get)."""

    type: str
    zone: str
    subject: str
    step: StepName
    event: str


class ZoneCount(NamedTuple):
    """How many tracks stood in a zone (the middle of the lower edge), at most, since the line before."""

    zone: str
    people: int
    vehicles: int
    others: int


class TraceLine(Contract):
    """One look at one camera, as its stages saw it.

    Attributes:
        time, utc: of the look, s of stream time and s since 1970 UTC.
        why: why it was looked at (`pipeline.gate.Why`; "ungated" where no gate was asked).
        every: the promised interval between looks, s.
        looks: how many looks there were since the line before, this one included.
        gated: how many the gate sent away in that time.
        gap: s not watched right before this look.
        tracks: in the whole picture.
        zones: who stood where.
        senses: what else was sensed, in numbers.
        conditions: what each matter waited for, after this look.
        steps: what the rules said since the line before.
        open: (type, zone, subject) of the events that were open after it.
        paused: algorithm -> why it did not judge.
    """

    time: float
    utc: float
    why: str
    every: float
    looks: int = Field(1, ge=1)
    gated: int = Field(0, ge=0)
    gap: float = 0.0
    tracks: int = Field(0, ge=0)
    zones: tuple[ZoneCount, ...] = ()
    senses: dict[str, float] = Field(default_factory=dict)
    conditions: tuple[TracedCondition, ...] = ()
    steps: tuple[TracedStep, ...] = ()
    open: tuple[tuple[str, str, str], ...] = ()
    paused: dict[str, str] = Field(default_factory=dict)

    def to_json(self) -> bytes:
        """Compact: what is as usual is left out."""
        return self.model_dump_json(exclude_defaults=True).encode()
