"""Two versions of a network on the same clips, put together: figures, gate, speed, and what changed, as one report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from algorithm_repo.judging.changes import Change, ClipChange, changed, moments
from algorithm_repo.judging.events import EventLimits, EventVerdict, judged_events, paired
from algorithm_repo.judging.networks import Network
from algorithm_repo.judging.replays import Pair, Replayed, Tuned
from algorithm_repo.judging.speed import Speed, machine, speed
from algorithm_repo.registry.types import Value
from contracts.records import Contract


class NetworkTold(Contract):
    """A version in the report; `name` as provenance records it."""

    name: str
    sha256: str
    licence: str
    source: str


class TunedTold(Contract):
    """Parameters that the versions bring to a rule, where they bring any; what is left out is as released."""

    algorithm: str
    production: dict[str, Value]
    candidate: dict[str, Value]


class ChangeTold(Contract):
    """One event about which they differ.

    Attributes:
        kind: of the candidate: found or calm (better), missed or alarm (worse).
        clip, file, type, zone: of the event.
        start, end: s of stream time; None: to the clip's end.
        reason: what the version that raised it falsely said; "" of a miss.
    """

    kind: str
    clip: int
    file: str
    type: str
    zone: str
    start: float
    end: float | None
    reason: str


class Report(Contract):
    """The whole comparison, without its pictures: the JSON file.

    Attributes:
        suite, seed: as they were named; seed None: of no simulated suite.
        clips: of the suite.
        role: what the networks play.
        production, candidate: the two.
        tuned: what they say of the rule.
        limits, verdict: of the gate.
        machine: where it was measured.
        speed_before, speed_after: of the same replays.
        changes: better and worse, clip by clip.
    """

    suite: str
    seed: int | None
    clips: int
    role: str
    production: NetworkTold
    candidate: NetworkTold
    tuned: TunedTold | None = None
    limits: EventLimits
    verdict: EventVerdict
    machine: str
    speed_before: Speed
    speed_after: Speed
    changes: tuple[ChangeTold, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The report, and what changed with its pictures."""

    report: Report
    changes: tuple[ClipChange, ...]


def compared(
    suite: str,
    seed: int | None,
    networks: tuple[Network, Network],
    pairs: Sequence[Pair],
    limits: EventLimits,
    tuned: Tuned | None = None,
) -> Comparison:
    """What replays of the same clips come to.

    Args:
        suite, seed: as they were named.
        networks: production and candidate.
        pairs: a clip each (`algorithm_repo.judging.replays.replay_pairs`).
        limits: of the gate.
        tuned: what both say of the rule.

    Raises:
        ValueError: no clip could be run with both.
    """
    before, after = ([pair.sides[side] for pair in pairs] for side in (0, 1))
    outcomes = [one.outcome for one in before], [one.outcome for one in after]
    verdict = judged_events(*outcomes, limits)
    changes = tuple(changed(paired(*outcomes)))
    production, candidate = (told(one) for one in networks)
    report = Report(
        suite=suite,
        seed=seed,
        clips=len(pairs),
        role=networks[0].role,
        production=production,
        candidate=candidate,
        tuned=None if tuned is None else _tuned(tuned),
        limits=limits,
        verdict=verdict,
        machine=machine(),
        speed_before=_speed(before),
        speed_after=_speed(after),
        changes=tuple(_change(one) for clip in changes for one in (*clip.better, *clip.worse)),
    )
    return Comparison(report, changes)


def _speed(replays: Sequence[Replayed]) -> Speed:
    """Of one version, from its replays; those that failed are left out."""
    good = [one for one in replays if not one.outcome.failed]
    return speed(
        [one for replay in good for one in replay.taken],
        sum(one.outcome.looks for one in good),
        sum(one.outcome.wall_s for one in good),
        sum(one.cpu_s for one in good),
    )


def _tuned(tuned: Tuned) -> TunedTold:
    return TunedTold(algorithm=tuned.algorithm, production=tuned.before, candidate=tuned.after)


def told(network: Network) -> NetworkTold:
    """A network as reports name it."""
    entry = network.entry
    return NetworkTold(name=network.version, sha256=network.sha256, licence=entry.licence, source=entry.source)


def _change(one: Change) -> ChangeTold:
    found = one.finding
    start, end = moments(found)
    return ChangeTold(
        kind=one.kind,
        clip=found.clip,
        file=found.file,
        type=found.type,
        zone=found.zone,
        start=round(start, 3),
        end=None if end is None else round(end, 3),
        reason="" if found.raised is None else found.raised.reason,
    )
