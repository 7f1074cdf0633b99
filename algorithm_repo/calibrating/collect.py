"""Events to fit confidences to: the simulated suite, run as it is and with looser rules.

Rules that are as strict as they should be raise hardly anything false, and nothing could be learnt from that. So every
clip is seen twice: with its own parameters, and with looser ones, under which the queue, the walker, the wet road and
the bag somebody comes back for do become events. Confidence is held back from no event here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from algorithm_repo.calibrating.fit import Labelled, Sample
from algorithm_repo.evaluation.job import Setup
from algorithm_repo.evaluation.outcome import Outcome
from algorithm_repo.evaluation.run import run_jobs
from algorithm_repo.evaluation.simulated import FOUR, Plan, StreetJob, mixture
from contracts.errors import ConfigError
from simulator.street import KINDS

_TELL_ALL: dict[str, object] = {"max_false_alarms": 1000.0}
STRICT = dict.fromkeys(FOUR, _TELL_ALL)
LOOSE: dict[str, dict[str, object]] = {
    "illegal_parking": _TELL_ALL | {"ignore_queues": False, "min_seen": 0.3, "max_move": 0.5},
    "waterlogging": _TELL_ALL | {"min_share": 0.03},
    "crowding": _TELL_ALL | {"linger": 0.0},
    "litter": _TELL_ALL | {"min_litter": 0.15, "attended": 0.3},
}


def collect(seed: int, clips: int, setup: Setup, processes: int) -> dict[str, Labelled]:
    """Labelled events by type, of `clips` simulated clips seen twice."""
    plans = mixture(seed, clips)
    found: list[Outcome] = []
    for title, changes in (("as it is", STRICT), ("with looser rules", LOOSE)):
        jobs = [StreetJob(plan, setup, changes=changes) for plan in plans if KINDS[plan.kind].about in FOUR]
        found += run_jobs(jobs, processes, title=title)
    return {kind: labelled(kind, plans, found) for kind in FOUR}


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


def labelled(event_type: str, plans: Iterable[Plan], outcomes: Iterable[Outcome]) -> Labelled:
    """What a run's outcomes teach about one type. A clip seen twice counts twice, in events, truths and situations."""
    kinds = {plan.number: KINDS[plan.kind] for plan in plans}
    samples: list[Sample] = []
    truths = hard = 0
    for outcome in outcomes:
        kind = kinds[outcome.number]
        hard += kind.about == event_type and not kind.positive
        for finding in outcome.findings:
            if finding.type != event_type:
                continue
            truths += finding.truth is not None
            if finding.raised is not None:
                samples.append(Sample(outcome.file, finding.raised.numbers, finding.truth is not None))
    return Labelled(tuple(samples), truths, hard)
