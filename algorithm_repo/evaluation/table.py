"""The figures of a run as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_COLUMNS = (
    ("precision", "precision", 9),
    ("recall", "recall", 7),
    ("truths", "true", 5),
    ("found", "found", 6),
    ("false_alarms", "false", 6),
    ("false_alarms_per_camera_day", "per day", 8),
    ("false_alarms_upper95", "<= 95 %", 8),
    ("time_to_detect_p50", "p50 s", 7),
    ("time_to_detect_p95", "p95 s", 7),
    ("hours", "hours", 8),
    ("blind_seconds", "blind s", 8),
)


def text_table(figures: Mapping[str, Any]) -> str:
    """A line a type, and a line a type of the quiet street."""
    lines = [f"{'':<18}" + "".join(f"{title:>{width}}" for _, title, width in _COLUMNS)]
    lines += [_line(kind, one) for kind, one in figures["types"].items()]
    quiet = figures["quiet"]
    if quiet:
        lines += ["", f"ordinary street, {quiet['hours']:.2f} h"]
        lines += [_line(kind, one) for kind, one in quiet.items() if isinstance(one, Mapping)]
    lines += [f"{where} was not watched for {kind}: {reasons}" for where, kind, reasons in blind_clips(figures)]
    lines.append(
        f"{figures['clips']} clips, {figures['failed']} failed, {figures['hours']:.2f} h, detector {figures['model']}"
    )
    return "\n".join(lines)


def blind_clips(figures: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Clip, type, and for how long and why that type did not watch that clip; for those that did not all the time."""
    for clip in figures["watching"]:
        for kind, one in clip["types"].items():
            if one["blind_reasons"]:
                yield clip["file"], kind, ", ".join(f"{why} {s:.1f} s" for why, s in one["blind_reasons"].items())


def _line(name: str, figures: Mapping[str, Any]) -> str:
    return f"{name:<18}" + "".join(f"{_cell(figures.get(key)):>{width}}" for key, _, width in _COLUMNS)


def _cell(value: float | int | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.3f}" if value < 100 else f"{value:.0f}"
