"""What a roll-out is made of."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pydantic import Field

from contracts.records import Contract
from contracts.rollout import Serving

SPACE_PREFIX: Final = "lane-"


class LaneKind(StrEnum):
    SHADOW = "shadow"  # copies of cameras; nobody is told
    CANARY = "canary"  # whole cameras, for real


class Lane(Contract):
    """One candidate on some cameras, from the move that began it until it ends.

    Attributes:
        number: of the ledger line by which it began; never used again.
        version_id: the candidate.
        algorithm, version: of the candidate, for people.
        kind: what it may do.
        cameras: those it has.
        serving: the networks that it runs, one a role.
        parameters: of its rule, see `registry.parameters`.
        began_utc: s since 1970.
    """

    number: int
    version_id: int
    algorithm: str
    version: str
    kind: LaneKind
    cameras: tuple[str, ...]
    serving: Serving
    parameters: dict[str, str | float | bool | None] = Field(default_factory=dict)
    began_utc: float

    @property
    def worker(self) -> str:
        """Id of its worker, and the name of its folder."""
        return f"{SPACE_PREFIX}{self.number}"

    @property
    def space(self) -> str:
        """Of the bus: a shadow's own, where nobody takes what it says for the city's."""
        return self.worker if self.kind is LaneKind.SHADOW else ""


class Guardrails(Contract):
    """What a candidate may not do. Each is checked twice a second; the first that breaks ends the lane.

    Failures and events are judged over the whole of a lane's time and over each of `recent_s`.

    Attributes:
        load_s: its networks must be loaded and warm by then, s of its processor time.
        load_longest_s: and by then, s, however little of the machine it gets: nothing is taken from production before.
        silent_s: its compute thread must say something at least so often, s of the process's processor time.
        silent_longest_s: and so often, s, however little of the machine it gets; while its networks load it must do
            something at least so often.
        least_looks: fewer looks say nothing about time or failures.
        failed_share: of its looks, that may fail.
        least_failed: so few failures say nothing.
        slower: times as long a look may take as production's, on the same cameras or, of a canary, on others.
        slack_ms: and longer than that by so much, ms.
        events_more: times as many events it may open as production on these cameras in the same time.
        least_events: so few events say nothing.
        events_fewer: times as many events as it opens production may open, where `least_events` are sure.
        recent_s: stretches up to now that are judged by themselves, s.
    """

    load_s: float = Field(25.0, gt=0)
    load_longest_s: float = Field(120.0, gt=0)
    silent_s: float = Field(10.0, gt=0)
    silent_longest_s: float = Field(20.0, gt=0)
    least_looks: int = Field(8, ge=1)
    failed_share: float = Field(0.05, ge=0, le=1)
    least_failed: int = Field(3, ge=1)
    slower: float = Field(4.0, gt=1)
    slack_ms: float = Field(5.0, ge=0)
    events_more: float = Field(4.0, gt=1)
    least_events: int = Field(10, ge=1)
    events_fewer: float = Field(10.0, gt=1)
    recent_s: tuple[float, ...] = Field((60.0, 3600.0), min_length=1)


class Said(Contract):
    """Events since a lane began, as the store knows them.

    Attributes:
        events: opened by the candidate.
        usual_events: expected of production on these cameras in the same time, rather too many than too few.
        sure_events: the same, rather too few than too many.
    """

    events: int = 0
    usual_events: float = 0.0
    sure_events: float = 0.0


class Span(Said):
    """What a lane did in a stretch of its time.

    Attributes:
        lasted_s: how long it is, s.
        looks, failed: tried in it.
    """

    lasted_s: float
    looks: int = 0
    failed: int = 0


class Observed(Said):
    """What is seen of a lane; events are those since it began.

    Attributes:
        running_s: since its process was started, s.
        cpu_s: of processor time that the process has had, s.
        ready: its networks are loaded and warm.
        ended: why its process ended unasked, in words; None while it runs.
        idle_s: for how long the process has had next to nothing of the processor, s.
        silent_s: since its compute thread last said something, s; None before it first did.
        silent_cpu_s: of processor time that the process has had since then, s.
        looks, failed: of its cameras since it was started.
        look_ms, usual_ms: what a look takes, its and production's; None where nothing is known yet.
        recent: what was done in stretches up to now.
    """

    running_s: float = 0.0
    cpu_s: float = 0.0
    ready: bool = False
    ended: str | None = None
    idle_s: float = 0.0
    silent_s: float | None = None
    silent_cpu_s: float = 0.0
    looks: int = 0
    failed: int = 0
    look_ms: float | None = None
    usual_ms: float | None = None
    recent: tuple[Span, ...] = ()
