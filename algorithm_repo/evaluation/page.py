"""The page a person reads after a run: figures first, then every miss and every false alarm with its picture.

One file with everything in it, so that it can be mailed and kept.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from algorithm_repo.evaluation.explained import command_for
from algorithm_repo.evaluation.outcome import Finding, Outcome
from algorithm_repo.evaluation.report import Run
from algorithm_repo.evaluation.table import blind_clips

_MOST_PICTURES = 400  # some 25 MB; beyond that the findings are listed without
_NAMES = {
    "illegal_parking": "违停",
    "crowding": "拥挤",
    "waterlogging": "积水",
    "litter": "垃圾暴露",
    "camera_health": "摄像机健康",
}
_COLUMNS: tuple[tuple[str, str], ...] = (
    ("precision", "precision"),
    ("recall", "recall"),
    ("f1", "F1"),
    ("truths", "true"),
    ("found", "found"),
    ("false_alarms", "false alarms"),
    ("false_alarms_per_camera_day", "a camera-day"),
    ("false_alarms_upper95", "≤ (95 %)"),
    ("time_to_detect_p50", "detected p50, s"),
    ("time_to_detect_p95", "p95, s"),
    ("delay_p50", "after T p50, s"),
    ("delay_p95", "p95, s"),
    ("clips", "clips"),
    ("negative_clips", "negative"),
    ("hours", "hours"),
    ("blind_seconds", "blind, s"),
)
_STYLE = """
:root { --ink: #1c2733; --soft: #64727f; --line: #dde3e8; --bad: #b3261e; --miss: #9a5b00; --good: #1b7a3d; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1400px; padding: 28px 32px 60px; background: #f6f8fa; color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", sans-serif; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 36px 0 10px; }
p.about, .soft { color: var(--soft); } p.about { margin: 0 0 18px; }
section.table { overflow-x: auto; background: #fff; border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 8px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { font-weight: 600; font-size: 12px; color: var(--soft); white-space: normal; vertical-align: bottom; }
tr:last-child td { border-bottom: 0; }
th:first-child, td:first-child { text-align: left; }
tr.slice td { font-size: 13px; color: #47545f; background: #fafbfc; }
tr.slice td:first-child { padding-left: 28px; } tr.type td { font-weight: 600; }
td.bad { color: var(--bad); } td.good { color: var(--good); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(390px, 1fr)); gap: 16px; }
article { background: #fff; border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
article img { display: block; width: 100%; } article div { padding: 10px 14px 14px; }
article code { word-break: break-all; font-size: 12px; }
article h3 { margin: 0 0 4px; font-size: 15px; } article p { margin: 4px 0; }
.tag { border-radius: 5px; padding: 1px 7px; font-size: 12px; color: #fff; background: var(--bad); margin-right: 6px; }
.tag.missed { background: var(--miss); }
dl { display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 8px 0 0; font-size: 13px; }
dl { font-variant-numeric: tabular-nums; }
dl div { padding: 0; } dt { display: inline; color: var(--soft); } dt::after { content: " "; }
dd { display: inline; margin: 0; }
ul { padding-left: 20px; }
.none { padding: 14px 16px; background: #fff; border: 1px solid var(--line); border-radius: 10px; }
@media print { body { background: #fff; } article { break-inside: avoid; } }
"""


def page_of(run: Run, figures: Mapping[str, Any]) -> str:
    """The whole page as HTML.

    Args:
        run: with the pictures.
        figures: of `figures_of(run)`.
    """
    wrong = [f for outcome in (*run.outcomes, *run.quiet) for f in outcome.findings if f.verdict != "found"]
    shown = {id(finding) for finding in [f for f in wrong if f.picture][:_MOST_PICTURES]}
    parts = [
        _head(run, figures),
        _types(figures["types"]),
        _quiet(figures["quiet"]),
        _findings(run, "Misses", [f for f in wrong if f.verdict == "missed"], shown, "Every true event was found."),
        _findings(
            run, "False alarms", [f for f in wrong if f.verdict == "false_alarm"], shown, "Nothing was raised in vain."
        ),
        _list("Clips that could not be run", (f"{o.file}: {o.failed}" for o in run.failed)),
        _list("Not watched", (f"{file}: {kind} {reasons}" for file, kind, reasons in blind_clips(figures))),
        _list("Odd in the suite", run.warnings),
        _clips(run.outcomes),
    ]
    title = f"Events: {escape(run.suite)}"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>\n'
        + "\n".join(filter(None, parts))
        + "\n</body></html>\n"
    )


def _head(run: Run, figures: Mapping[str, Any]) -> str:
    seed = "" if run.seed is None else f", seed {run.seed}"
    failed = f", <b>{figures['failed']} failed</b>" if figures["failed"] else ""
    return (
        f"<h1>Event evaluation: {escape(run.suite)}{seed}</h1><p class=about>{figures['clips']} clips{failed},"
        f" {figures['hours']:.2f} h of stream time in {figures['seconds']:.0f} s; detector {escape(figures['model'])}."
        " An event is found when one of its type and zone shares a moment with it, one to one.</p>"
    )


def _types(types: Mapping[str, Mapping[str, Any]]) -> str:
    if not types:
        return ""
    rows: list[str] = []
    for kind, figures in types.items():
        rows.append(_row("type", _named(kind), figures))
        rows += [_row("slice", escape(name), one) for name, one in figures["slices"].items()]
    head = "".join(f"<th>{title}</th>" for _, title in _COLUMNS)
    return (
        "<h2>By type and slice</h2><section class=table><table><thead><tr><th></th>"
        f"{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></section>"
    )


def _row(kind: str, name: str, figures: Mapping[str, Any]) -> str:
    cells = []
    for key, _ in _COLUMNS:
        value = figures[key]
        mark = ""
        if kind == "type" and key in ("precision", "recall") and value is not None:
            mark = ' class="good"' if value >= 0.95 else ' class="bad"'
        cells.append(f"<td{mark}>{_number(value)}</td>")
    return f"<tr class={kind}><td>{name}</td>{''.join(cells)}</tr>"


def _quiet(quiet: Mapping[str, Any]) -> str:
    if not quiet:
        return ""
    rows = "".join(
        f"<tr class=type><td>{_named(kind)}</td><td>{one['false_alarms']}</td>"
        f"<td>{_number(one['false_alarms_per_camera_day'])}</td><td>{_number(one['false_alarms_upper95'])}</td></tr>"
        for kind, one in quiet.items()
        if isinstance(one, Mapping)
    )
    return (
        f"<h2>An ordinary street with nothing to report, {quiet['hours']:.1f} h</h2><section class=table><table><thead>"
        "<tr><th></th><th>false alarms</th><th>per camera-day</th><th>≤ (95 %)</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></section>"
    )


def _findings(run: Run, title: str, findings: Sequence[Finding], shown: set[int], none: str) -> str:
    if not findings:
        return f"<h2>{title}: none</h2><p class=none>{none}</p>"
    files = [outcome.file for outcome in run.outcomes]
    cards = "".join(
        _card(finding, id(finding) in shown, command_for(finding, run.suite, files, run.model)) for finding in findings
    )
    left = sum(1 for f in findings if f.picture and id(f) not in shown)
    more = f"<p class=soft>{left} pictures were left out to keep this page small.</p>" if left else ""
    return f"<h2>{title}: {len(findings)}</h2>{more}<div class=cards>{cards}</div>"


def _card(finding: Finding, with_picture: bool, command: str | None) -> str:
    raised, image = finding.raised, ""
    if finding.picture and with_picture:
        data = base64.b64encode(finding.picture).decode()
        image = f'<img loading=lazy alt="{escape(finding.file)}" src="data:image/jpeg;base64,{data}">'
    words = "missed" if finding.verdict == "missed" else "false alarm"
    when = ""
    if finding.truth is not None:
        when = f"true from {finding.truth[0]:.1f} s to {finding.truth[1]:.1f} s; the picture is from the middle"
    elif raised is not None:
        until = "the clip's end" if raised.ended is None else f"{raised.ended:.1f} s"
        when = f"opened at {raised.opened:.1f} s, said to last from {raised.started:.1f} s to {until}"
    reason = f"<p>{escape(raised.reason)}</p>" if raised is not None and raised.reason else ""
    numbers = (
        ""
        if raised is None
        else "".join(f"<div><dt>{escape(key)}</dt><dd>{value:.4g}</dd></div>" for key, value in raised.numbers.items())
    )
    why = f"<p class=soft>Why: <code>{escape(command)}</code></p>" if command else ""
    return (
        f"<article>{image}<div><h3><span class='tag {finding.verdict}'>{words}</span>{_named(finding.type)}"
        f" <span class=soft>{escape(finding.zone)}</span></h3><p class=soft>clip {finding.clip}, {escape(finding.file)}"
        f"<br>{when}</p>{reason}{f'<dl>{numbers}</dl>' if numbers else ''}{why}</div></article>"
    )


def _clips(outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return ""
    rows = "".join(
        f"<tr><td>{o.number}. {escape(o.file)}</td><td>{escape(', '.join(_slices(o))) or '–'}</td>"
        f"<td>{o.seconds:.1f}</td>"
        f"<td>{o.looks}</td>{''.join(f'<td>{_count(o, v)}</td>' for v in ('found', 'missed', 'false_alarm'))}"
        f"<td>{o.wall_s:.1f}</td></tr>"
        for o in outcomes
    )
    return (
        "<h2>Clips</h2><section class=table><table><thead><tr><th></th><th>slices</th>"
        "<th>stream time, s</th><th>looks</th>"
        "<th>found</th><th>missed</th><th>false alarms</th><th>took, s</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></section>"
    )


def _slices(outcome: Outcome) -> tuple[str, ...]:
    return outcome.scores[0].slices if outcome.scores else ()


def _count(outcome: Outcome, verdict: str) -> int:
    return sum(finding.verdict == verdict for finding in outcome.findings)


def _list(title: str, entries: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(entry)}</li>" for entry in entries)
    return f"<h2>{title}</h2><ul>{items}</ul>" if items else ""


def _named(kind: str) -> str:
    return f"{_NAMES[kind]} <span class=soft>{escape(kind)}</span>" if kind in _NAMES else escape(kind)


def _number(value: float | int | None) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
