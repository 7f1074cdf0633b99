"""The frame of every card and page of the warehouse: one HTML file with everything in it, to be mailed and kept."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from algorithm_repo.training.headjob import Point

_WIDE, _TALL = 640, 200  # of the curves, px
_STYLE = """
body{font:15px/1.5 system-ui,"Noto Sans","Noto Sans CJK SC",sans-serif;max-width:78rem;margin:2rem auto;
padding:0 1rem;color:#222}
section{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
td,th{padding:.2rem .7rem .2rem 0;text-align:left;border-bottom:1px solid #ddd}
table.wide td{white-space:nowrap}
figure{display:inline-block;margin:0 1rem 1rem 0;vertical-align:top;max-width:min(100%,37rem)}
img{display:block;max-width:100%}code{font-size:.85em;word-break:break-all}
pre{white-space:pre-wrap}.no{color:#a00}.yes{color:#060}
"""


def document(title: str, parts: Iterable[str]) -> str:
    """The whole file: `parts` are HTML, the empty ones left out; the title is text."""
    name = escape(title)
    head = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body><h1>{name}</h1>'
    )
    return "\n".join((head, *filter(None, parts), "</body></html>\n"))


def paragraph(text: str) -> str:
    """A text of its own."""
    return f"<p>{escape(text)}</p>"


def listed(entries: Iterable[str], kind: str = "") -> str:
    """A list of texts; "" without any. `kind` is a class of the style."""
    mark = f' class="{kind}"' if kind else ""
    items = "".join(f"<li>{escape(entry)}</li>" for entry in entries)
    return f"<ul{mark}>{items}</ul>" if items else ""


def outcome(reasons: Sequence[str], told: str) -> str:
    """What the gate says: it lets go on what it has no reason against. `told` is text, the figures in a sentence."""
    words = paragraph(told)
    if not reasons:
        return '<p class="yes">The gate lets it go on.</p>' + words
    return '<p class="no">The gate refuses it:</p>' + listed(reasons, "no") + words


def table(rows: Sequence[Sequence[str]], *, heads: Sequence[str] = (), marked: Mapping[int, str] | None = None) -> str:
    """Texts in rows; with `heads` above, cells stay on one line. `marked`: index of a row -> a class of the style."""
    marked = marked or {}
    head = f"<tr>{''.join(f'<th>{escape(one)}</th>' for one in heads)}</tr>" if heads else ""
    body = "".join(
        f"<tr{f' class={marked[number]}' if number in marked else ''}>"
        f"{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
        for number, row in enumerate(rows)
    )
    return f"<section><table{' class=wide' if heads else ''}>{head}{body}</table></section>"


def figure(name: str, caption: str, jpeg: bytes | None) -> str:
    """A picture with text below it; the text alone where there is no picture."""
    image = ""
    if jpeg:
        image = f'<img alt="{escape(name)}" src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}">'
    return f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>"


def curves(found: Mapping[str, Sequence[Point]]) -> str:
    """Losses of two trainings at most, by name, in one drawing."""
    colours = ("#888", "#0a58ca")
    highest = max((point.loss for points in found.values() for point in points), default=1.0) or 1.0
    lines, names = [], []
    for (name, points), colour in zip(found.items(), colours, strict=False):
        way = " ".join(
            f"{_WIDE * point.step / max(point.of, 1):.1f},{_TALL * (1 - point.loss / highest):.1f}" for point in points
        )
        lines.append(f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>')
        last = f", {points[-1].loss:.3f} at step {points[-1].step}" if points else ""
        names.append(f'<span style="color:{colour}">■</span> {escape(name)}{last}')
    return (
        f'<svg viewBox="0 0 {_WIDE} {_TALL}" width="{_WIDE}" style="border:1px solid #ddd">{"".join(lines)}</svg>'
        f"<p>Loss from {highest:.2f} down: {' &nbsp; '.join(names)}</p>"
    )
