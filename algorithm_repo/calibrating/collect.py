"""Events to fit confidences to: the simulated suite, run as it is, at the edge of its limits, and with looser rules.

Rules that are as strict as they should be raise hardly anything false, and nothing could be learnt from that. So clips
are seen several times:

- as they are;
- at the edge: where a rule compares a measure with a limit (people, share of water), the limit is put a little below or
  above what is truly there, and what is to be reported is told anew. Whoever miscounts is found out here;
- with looser rules, under which the queue, the wet road and the bag somebody comes back for become events. These teach
  what speaks against an event and are left out of the operating curve: nobody runs such rules.

Confidence is held back from no event here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from algorithm_repo.calibrating.fit import Labelled, Sample
from algorithm_repo.evaluation.job import Setup
from algorithm_repo.evaluation.outcome import Outcome
from algorithm_repo.evaluation.run import run_jobs
from algorithm_repo.evaluation.simulated import FOUR, Plan, StreetJob, derived, mixture
from contracts.errors import ConfigError
from simulator.street import KINDS, TruthMeasure

_TELL_ALL: dict[str, object] = {"max_false_alarms": 1000.0}
STRICT = dict.fromkeys(FOUR, _TELL_ALL)
LOOSE: dict[str, dict[str, object]] = {
    "illegal_parking": _TELL_ALL | {"ignore_queues": False, "min_seen": 0.3, "max_move": 0.5},
    "waterlogging": _TELL_ALL | {"min_water": 0.2},
    "crowding": _TELL_ALL | {"linger": 0.0},
    "litter": _TELL_ALL | {"min_litter": 0.15, "attended": 0.3},
}
_PEOPLE_OFF = (-1, 0, -2, 0)  # of the people who truly stay: there are more than the limit where it is below 0
_WATER_OFF = (0.85, 1.05, 0.95, 1.15)  # times the share that is truly under water
_EDGES = 2  # different ones a clip
_HOLD_S = {"crowding": 15.0, "waterlogging": 20.0}  # of the scenes
_LEAST_SHARE = 0.01


def collect(seed: int, clips: int, setup: Setup, processes: int) -> dict[str, Labelled]:
    """Labelled events by type, of `clips` simulated clips."""
    plans = [plan for plan in mixture(seed, clips) if KINDS[plan.kind].about in FOUR]
    strict = [StreetJob(plan, setup, changes=STRICT) for plan in plans]
    edge = list(_edges(strict))
    loose = [StreetJob(plan, setup, changes=LOOSE) for plan in plans]
    rounds = (("as it is", strict, True), ("at the edge", edge, True), ("with looser rules", loose, False))
    found = [(jobs, run_jobs(jobs, processes, title=title), as_run) for title, jobs, as_run in rounds]
    return {kind: _joined(labelled(kind, jobs, outcomes, as_run) for jobs, outcomes, as_run in found) for kind in FOUR}


def _edges(jobs: Iterable[StreetJob]) -> Iterator[StreetJob]:
    """The clips that tell a measure, each at some limits about it; numbered anew."""
    number = 0
    for job in jobs:
        for measure in job.street().measures:
            for limit in edges_of(measure, job.plan.seed):
                number += 1
                plan = replace(job.plan, number=number)
                yield replace(job, plan=plan, limits={measure.type: limit})


def edges_of(measure: TruthMeasure, seed: int) -> list[float]:
    """Limits a little below and above what a scene truly keeps up for T: people, or a share of the zone."""
    kept = measure.kept_for(_HOLD_S[measure.type])
    first = derived(seed, "edge")
    if measure.type == "crowding":
        limits = [kept + _PEOPLE_OFF[(first + n) % len(_PEOPLE_OFF)] for n in range(_EDGES)]
        return [limit for limit in limits if limit >= 1]
    shares = [round(kept * _WATER_OFF[(first + n) % len(_WATER_OFF)], 4) for n in range(_EDGES)]
    return [share for share in shares if _LEAST_SHARE <= share <= 1]


def reported(event_type: str, reports: Iterable[Path]) -> Labelled:
    """The same out of reports of `cityvision evaluate events`, with the rules as they ran there.

    Raises:
        ConfigError: a file is no such report.
    """
    samples: list[Sample] = []
    truths = hard = 0
    for path in reports:
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
            figures = report["types"].get(event_type, {"truths": 0, "negative_clips": 0})
            truths, hard = truths + int(figures["truths"]), hard + int(figures["negative_clips"])
            raised = [one for one in report["findings"] if one["type"] == event_type and one["verdict"] != "missed"]
            samples += [Sample(one["file"], one["event"]["numbers"], one["verdict"] == "found") for one in raised]
        except (OSError, ValueError, KeyError, TypeError) as error:
            fix = "name a file that --json of `cityvision evaluate events` wrote"
            raise ConfigError(f"{path.name} is no report of an evaluation ({error})", fix) from error
    return Labelled(tuple(samples), truths, hard)


def labelled(event_type: str, jobs: Iterable[StreetJob], outcomes: Iterable[Outcome], as_run: bool) -> Labelled:
    """What one round's outcomes teach about one type.

    Args:
        as_run: with the rules as people run them: its truths and hard situations count for the operating curve.
    """
    plans: dict[int, Plan] = {job.number: job.plan for job in jobs}
    samples: list[Sample] = []
    truths = hard = 0
    for outcome in outcomes:
        told = [finding for finding in outcome.findings if finding.type == event_type]
        real = sum(finding.truth is not None for finding in told)
        truths += real
        hard += KINDS[plans[outcome.number].kind].about == event_type and real == 0
        samples += [
            Sample(outcome.file, finding.raised.numbers, finding.truth is not None, as_run)
            for finding in told
            if finding.raised is not None
        ]
    return Labelled(tuple(samples), truths if as_run else 0, hard if as_run else 0)


def _joined(parts: Iterable[Labelled]) -> Labelled:
    parts = list(parts)
    samples = tuple(sample for part in parts for sample in part.samples)
    return Labelled(samples, sum(part.truths for part in parts), sum(part.hard for part in parts))
