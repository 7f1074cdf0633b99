"""The card of a candidate judged by labelled pictures: gate, figures, speed, and the pictures that changed most."""

from __future__ import annotations

from collections.abc import Sequence

from algorithm_repo.judging import page
from algorithm_repo.judging.comparison import NetworkTold
from algorithm_repo.judging.picture_comparison import PictureChange, PictureComparison, PictureReport
from algorithm_repo.judging.picture_gate import PictureRow
from algorithm_repo.judging.speed import ms, speeds
from contracts.rollout import DETECTOR

_IN_TERMINAL = 4  # figures of a row; the card has all


def picture_card(found: PictureComparison) -> str:
    """The whole file."""
    report = found.report
    rows = report.verdict.rows
    marked = {number: "no" for number, row in enumerate(rows) if row.falls(report.limits)}
    paces = {report.production.name: report.speed_before, report.candidate.name: report.speed_after}
    parts = (
        page.outcome(report.verdict.reasons, _sentence(report)),
        page.table(_facts(report)),
        "<h2>Classes, slices and sizes</h2><p>Production → candidate. A gain's interval is a paired bootstrap over the "
        "pictures.</p>",
        page.table([_cells(row) for row in rows], heads=_heads(rows), marked=marked),
        "<h2>Speed</h2>",
        speeds(paces, report.machine),
        "<h2>Better and worse</h2>",
        page.paragraph(
            f"Left production, right the candidate. Green: by the label; blue: by the network. {_worth(report)}"
        ),
        _pictures("Worse", report.worse, found.pictures),
        _pictures("Better", report.better, found.pictures),
        "<h2>Pictures that could not be compared</h2>" if report.verdict.failed else "",
        page.listed(report.verdict.failed, "no"),
    )
    return page.document(f"{report.candidate.name} beside {report.production.name}", parts)


def picture_text(report: PictureReport) -> str:
    """The same figures as lines for a terminal."""
    rows = report.verdict.rows
    lines = [_short(line) for line in (_heads(rows), *(_cells(row) for row in rows))]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    told = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    told.append(_sentence(report))
    told += [
        f"{side}: {one.name}, {ms(pace.ms_p50)} ms an inference ({ms(pace.cpu_ms_p50)} CPU-ms)"
        for side, one, pace in (
            ("production", report.production, report.speed_before),
            ("candidate", report.candidate, report.speed_after),
        )
    ]
    return "\n".join(told)


def _short(line: Sequence[str]) -> list[str]:
    return [*line[: 3 + _IN_TERMINAL]]


def _sentence(report: PictureReport) -> str:
    whole = report.verdict.rows[0]
    first = next(iter(whole.before))
    return (
        f"{whole.pictures} pictures of {report.name} ({report.side}): {first}"
        f" {_arrow(whole.before[first], whole.after[first])}, gained {_gained(whole)}."
    )


def _facts(report: PictureReport) -> list[tuple[str, str]]:
    limits = report.limits
    least = "" if limits.least_gain is None else f"; all together have to gain surely more than {limits.least_gain:g}"
    first = next(iter(report.verdict.rows[0].before))
    return [
        ("candidate", _told(report.candidate)),
        ("in production", _told(report.production)),
        ("role", report.role),
        ("data", f"{report.name}, version {report.dataset}, {report.pictures} pictures of side {report.side}"),
        (
            "gate",
            f"refuses it where {first} of a row of {limits.pictures} pictures or more surely fell by more than"
            f" {limits.fall:g}{least}",
        ),
    ]


def _told(network: NetworkTold) -> str:
    return f"{network.name}, SHA-256 {network.sha256}, {network.licence}; {network.source}"


def _worth(report: PictureReport) -> str:
    if report.role == DETECTOR:
        return "The figure of one picture is F1 of the boxes that are surer than 0.4, at an IoU of one half."
    return "The figure of one picture is its IoU."


def _heads(rows: Sequence[PictureRow]) -> list[str]:
    first, *more = rows[0].before
    return ["", "pictures", f"{first} gained, 95 %", first, *more]


def _cells(row: PictureRow) -> list[str]:
    figures = [_arrow(old, row.after[name]) for name, old in row.before.items()]
    return [row.title, str(row.pictures), _gained(row), *figures]


def _gained(row: PictureRow) -> str:
    grown = row.gained
    return "–" if grown is None else f"{grown.by:+.3f}, {grown.low:+.3f} to {grown.high:+.3f}"


def _arrow(old: float | None, new: float | None) -> str:
    return " → ".join("–" if one is None else f"{one:.3f}" for one in (old, new))


def _pictures(title: str, changes: Sequence[PictureChange], pictures: dict[str, bytes]) -> str:
    if not changes:
        return f"<h3>{title}: nothing</h3>"
    return f"<h3>{title}</h3>" + "".join(
        page.figure(one.name, _caption(one), pictures.get(one.content)) for one in changes
    )


def _caption(one: PictureChange) -> str:
    slices = f" ({', '.join(one.slices)})" if one.slices else ""
    return f"{one.name}{slices}: {one.before:.2f} → {one.after:.2f}"
