"""What a run leaves behind: one JSON file (its shape is told in docs/evaluation.md), and a page beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from algorithm_repo.evaluation.metrics import Score, alarm_rate, blind_reasons, by_type
from algorithm_repo.evaluation.outcome import Finding, Outcome


@dataclass(frozen=True, slots=True)
class Run:
    """One evaluation.

    Attributes:
        suite: as it was named.
        seed: of a simulated suite.
        outcomes: a clip each.
        quiet: an hour (or part of it) of the ordinary street each.
        seconds: wall time of everything.
        warnings: what looked odd in the suite.
        model: the detector that was asked for; None: as settings and clips say.
    """

    suite: str
    seed: int | None
    outcomes: tuple[Outcome, ...]
    quiet: tuple[Outcome, ...] = ()
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    model: str | None = None

    @property
    def failed(self) -> list[Outcome]:
        """Clips (and quiet blocks) that could not be run."""
        return [outcome for outcome in (*self.outcomes, *self.quiet) if outcome.failed]


def figures_of(run: Run) -> dict[str, Any]:
    """Everything that goes into the JSON file."""
    scores = [score for outcome in run.outcomes for score in outcome.scores]
    models = {outcome.model for outcome in (*run.outcomes, *run.quiet) if outcome.model}
    return {
        "suite": run.suite,
        "seed": run.seed,
        "model": ", ".join(sorted(models)),
        "clips": len(run.outcomes),
        "failed": sum(bool(outcome.failed) for outcome in run.outcomes),
        "failures": [{"clip": o.number, "file": o.file, "problem": o.failed} for o in run.failed],
        "hours": round(sum(outcome.seconds for outcome in run.outcomes) / 3600, 6),
        "seconds": round(run.seconds, 1),
        "types": by_type(scores, sorted({score.type for score in scores})),
        "quiet": quiet_figures(run.quiet),
        "findings": [_finding(finding) for outcome in run.outcomes for finding in outcome.findings],
        "watching": [_watching(outcome) for outcome in run.outcomes if outcome.scores],
        "warnings": list(run.warnings),
    }


def quiet_figures(blocks: Sequence[Outcome]) -> dict[str, Any]:
    """False alarms on the ordinary street, by type, with every one of them; {} where none was run."""
    if not blocks:
        return {}
    scores: list[Score] = [score for block in blocks for score in block.scores]
    table: dict[str, Any] = {}
    for kind in sorted({score.type for score in scores}):
        mine = [score for score in scores if score.type == kind]
        false_alarms = sum(score.false_alarms for score in mine)
        days = sum(score.seconds for score in mine) / 86_400
        table[kind] = {
            "false_alarms": false_alarms,
            **alarm_rate(false_alarms, days),
            "hours": round(days * 24, 6),
            "blind_seconds": round(sum(score.blind_seconds for score in mine), 3),
            "blind_reasons": blind_reasons(mine),
        }
    return {
        **table,
        "hours": round(sum(block.seconds for block in blocks) / 3600, 6),
        "looks": sum(block.looks for block in blocks),
        "failed": sum(bool(block.failed) for block in blocks),
        "findings": [_finding(finding) for block in blocks for finding in block.findings],
    }


def write_report(run: Run, path: Path) -> Path:
    """Writes the JSON file and the page beside it.

    Returns:
        The page: `path` with `.html`.
    """
    from algorithm_repo.evaluation.page import page_of

    figures = figures_of(run)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    page = path.with_suffix(".html")
    page.write_text(page_of(run, figures), encoding="utf-8")
    return page


def _watching(outcome: Outcome) -> dict[str, Any]:
    """One clip: how long each type watched it, and why it did not for the rest."""
    types = {
        score.type: {
            "watched_seconds": round(score.seconds, 3),
            "blind_seconds": round(score.blind_seconds, 3),
            "blind_reasons": blind_reasons([score]),
        }
        for score in outcome.scores
    }
    return {"clip": outcome.number, "file": outcome.file, "types": types}


def _finding(finding: Finding) -> dict[str, Any]:
    raised = finding.raised
    entry: dict[str, Any] = {
        "verdict": finding.verdict,
        "clip": finding.clip,
        "file": finding.file,
        "type": finding.type,
        "zone": finding.zone,
    }
    if finding.truth is not None:
        entry["truth"] = {"start": round(finding.truth[0], 3), "end": round(finding.truth[1], 3)}
    if raised is not None:
        entry["event"] = {
            "id": raised.id,
            "started": round(raised.started, 3),
            "opened": round(raised.opened, 3),
            "ended": None if raised.ended is None else round(raised.ended, 3),
            "confidence": raised.confidence,
            "numbers": raised.numbers,
            "reason": raised.reason,
        }
    return entry
