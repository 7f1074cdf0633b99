"""The card of a candidate judged by events: gate, figures by type and slice, speed, and what got worse and better."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from algorithm_repo.judging import page
from algorithm_repo.judging.changes import Change, ClipChange, moments
from algorithm_repo.judging.comparison import Comparison, NetworkTold, Report, TunedTold
from algorithm_repo.judging.events import EventLimits, Growth, Row
from algorithm_repo.judging.speed import ms, speeds
from algorithm_repo.registry.parameters import told

_MOST_PICTURES = 60  # of each section, some 4 MB; what comes after is told without
_HEADS = (
    "",
    "clips",
    "true",
    "found",
    "false alarms",
    "precision",
    "recall",
    "F1",
    "F1 gained, 95 %",
    "false a camera-day",
    "detected after p50, s",
    "later by, s",
)
_WORDS = {
    "found": "found, which production misses",
    "calm": "not raised, which production raises falsely",
    "missed": "missed, which production finds",
    "alarm": "raised falsely, which production does not",
}


def event_card(found: Comparison) -> str:
    """The whole file."""
    report = found.report
    verdict = report.verdict
    title = " beside ".join(_titles(report))
    return page.document(
        title,
        (
            page.outcome(verdict.reasons, _sentence(report)),
            page.table(_facts(report)),
            "<h2>Types and slices</h2><p>Production → candidate. A gain's interval is a paired bootstrap over the "
            "clips.</p>",
            _rows((verdict.whole, *verdict.rows), report.limits),
            "<h2>Speed</h2>",
            speeds(dict(zip(_titles(report), (report.speed_after, report.speed_before), strict=True)), report.machine),
            _changes("Worse", [one for clip in found.changes for one in clip.worse]),
            _changes("Better", [one for clip in found.changes for one in clip.better]),
            "<h2>Clips on which they differ</h2>" if found.changes else "",
            _clips(found.changes),
            "<h2>Clips that could not be run</h2>" if verdict.failed else "",
            page.listed(verdict.failed, "no"),
        ),
    )


def text(report: Report) -> str:
    """The same figures as lines for a terminal."""
    rows = [_cells(row) for row in (report.verdict.whole, *report.verdict.rows)]
    columns = (0, 1, 2, 3, 4, 7, 8, 9)
    lines = [[row[column] for column in columns] for row in (list(_HEADS), *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(columns))]
    told = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    told.append(_sentence(report))
    told += [
        f"{side}: {one.name}, {ms(pace.ms_p50)} ms an inference ({ms(pace.cpu_ms_p50)} CPU-ms),"
        f" {ms(pace.look_ms)} ms a look ({ms(pace.look_cpu_ms)} CPU-ms)"
        for side, one, pace in (
            ("production", report.production, report.speed_before),
            ("candidate", report.candidate, report.speed_after),
        )
    ]
    return "\n".join(told)


def _sentence(report: Report) -> str:
    whole = report.verdict.whole
    gained = "" if whole.f1 is None else f" (gained {_growth(whole.f1)})"
    return (
        f"{whole.clips} clips: F1 {_arrow(whole.before.f1, whole.after.f1)}{gained}; of {whole.before.truths} true"
        f" events {_arrow(whole.before.found, whole.after.found)} were found,"
        f" {_arrow(whole.before.false_alarms, whole.after.false_alarms)} raised falsely."
    )


def _facts(report: Report) -> list[tuple[str, str]]:
    limits = report.limits
    seed = "" if report.seed is None else f", seed {report.seed}"
    least = "" if limits.least_gain is None else f"; F1 of all has to gain surely more than {limits.least_gain:g}"
    return [
        ("candidate", _told(report.candidate)),
        ("in production", _told(report.production)),
        ("role", report.role),
        *([] if report.tuned is None else [("parameters", _parameters(report.tuned))]),
        ("suite", f"{report.suite}{seed}, {report.clips} clips through the whole chain"),
        (
            "gate",
            f"refuses it for a type or slice of {limits.clips} clips or more (a type of fewer: by any fall) whose F1 or"
            f" recall surely fell by more than {limits.fall:g}, whose false alarms surely grew by more than"
            f" {limits.alarms:g} a camera-day, or whose events are opened more than {limits.later_s:g} s later{least}",
        ),
    ]


def _titles(report: Report) -> tuple[str, str]:
    """Candidate and production, told apart also where only their parameters differ."""
    one, other = report.candidate.name, report.production.name
    return (one, other) if one != other else (f"{one}, candidate's parameters", f"{other}, production's")


def _parameters(tuned: TunedTold) -> str:
    changed = told(tuned.production, tuned.candidate)
    return f"{tuned.algorithm}: {changed or 'the same'}; a clip's own stay"


def _told(network: NetworkTold) -> str:
    return f"{network.name}, SHA-256 {network.sha256}, {network.licence}; {network.source}"


def _rows(rows: Sequence[Row], limits: EventLimits) -> str:
    marked = {number: "no" for number, row in enumerate(rows) if row.type and row.falls(limits)}
    return page.table([_cells(row) for row in rows], heads=_HEADS, marked=marked)


def _cells(row: Row) -> list[str]:
    old, new = row.before, row.after
    return [
        row.name if not row.slice else f"· {row.slice}",
        str(row.clips),
        str(old.truths),
        _arrow(old.found, new.found),
        _arrow(old.false_alarms, new.false_alarms),
        _arrow(old.precision, new.precision),
        _arrow(old.recall, new.recall),
        _arrow(old.f1, new.f1),
        "–" if row.f1 is None else _growth(row.f1),
        _arrow(old.false_alarms_per_camera_day, new.false_alarms_per_camera_day),
        _arrow(old.time_to_detect_p50, new.time_to_detect_p50),
        "–" if row.later_s is None else f"{row.later_s:+.1f}",
    ]


def _growth(grown: Growth) -> str:
    return f"{grown.by:+.3f}, {grown.low:+.3f} to {grown.high:+.3f}"


def _arrow(old: float | None, new: float | None) -> str:
    return f"{_number(old)} → {_number(new)}"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _changes(title: str, found: Sequence[Change]) -> str:
    if not found:
        return f"<h2>{title}: nothing</h2>"
    figures = [_figure(one, number < _MOST_PICTURES) for number, one in enumerate(found)]
    return f"<h2>{title}: {len(found)} events</h2>" + "".join(figures)


def _figure(one: Change, shown: bool) -> str:
    found = one.finding
    start, end = moments(found)
    until = "the clip's end" if end is None else f"{end:.1f} s"
    reason = f" It was said: {found.raised.reason}" if found.raised and found.raised.reason else ""
    slices = f" ({', '.join(one.slices)})" if one.slices else ""
    caption = (
        f"{found.type} {found.zone}: {_WORDS[one.kind]}. Clip {found.clip}, {found.file}{slices}, {start:.1f} s to"
        f" {until}.{reason}"
    )
    return page.figure(found.file, caption, found.picture if shown else None)


def _clips(found: Iterable[ClipChange]) -> str:
    rows = [(f"{clip.number}. {clip.file}", str(len(clip.better)), str(len(clip.worse))) for clip in found]
    return page.table(rows, heads=("", "better", "worse")) if rows else ""
