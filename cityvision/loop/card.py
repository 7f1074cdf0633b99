"""The card of a candidate: curves, figures, slices, and the photos on which it got better and worse. One HTML file."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from algorithm_repo.datasets.photos import mask_of
from algorithm_repo.datasets.pictures import ByteArray, Read, decode, encode
from algorithm_repo.datasets.types import Item
from algorithm_repo.judging.gate import Verdict
from algorithm_repo.judging.masks import Overlap, iou
from algorithm_repo.training.headjob import Point
from models.picture import frame_from_bgr
from models.segmenter import WaterSegmenter

_WIDE, _TALL = 640, 200  # of the curves, px
_PHOTO = 300  # width, px
_TRUTH, _SAID = (0, 200, 0), (220, 60, 30)  # BGR
_HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>
body{{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#222}}
table{{border-collapse:collapse}}td,th{{padding:.2rem .8rem .2rem 0;text-align:left;border-bottom:1px solid #ddd}}
figure{{display:inline-block;margin:0 1rem 1rem 0}}img{{display:block}}code{{font-size:.85em;word-break:break-all}}
.no{{color:#a00}}.yes{{color:#060}}</style><h1>{title}</h1>"""


@dataclass(frozen=True, slots=True)
class Change:
    """A photo on which the network says something else now. `before`, `after`: IoU of it alone."""

    item: Item
    before: float
    after: float


def card(
    title: str,
    facts: Mapping[str, str],
    verdict: Verdict,
    curves: Mapping[str, Sequence[Point]],
    pictures: Sequence[tuple[Change, bytes]],
) -> bytes:
    """The whole file.

    Args:
        facts: what is told of it in a line each.
        curves: losses by the network's name.
        pictures: of photos, as JPEG, each with its figures.
    """
    parts = [
        _HEAD.format(title=html.escape(title)),
        _outcome(verdict),
        _table([(name, value) for name, value in facts.items()]),
        "<h2>Training</h2>",
        _curves(curves),
        "<h2>Slices</h2>",
        _slices(verdict),
        "<h2>Better and worse</h2><p>Left the version in production, right this one. Green: water by the label;"
        " blue: water by the network.</p>",
        *(_figure(change, data) for change, data in pictures),
    ]
    return "\n".join(parts).encode()


def changes(items: Sequence[Item], before: Sequence[Overlap], after: Sequence[Overlap], each: int) -> list[Change]:
    """The photos that gained most, then those that lost most; `each` of both at most, and none that did not."""
    found = [Change(item, iou([old]), iou([new])) for item, old, new in zip(items, before, after, strict=True)]
    ordered = sorted(found, key=lambda one: one.before - one.after)
    better = [one for one in ordered[:each] if one.after > one.before]
    worse = [one for one in reversed(ordered[-each:]) if one.after < one.before]
    return better + worse


def picture(item: Item, segmenters: Sequence[WaterSegmenter], read: Read) -> bytes:
    """A photo once for each network, side by side, with the label's outline and the network's; JPEG."""
    photo, mask = decode(read(item.content)), mask_of(item, read)
    shown = [_drawn(photo, mask, segmenter.segment_frames([frame_from_bgr(photo)])[0]) for segmenter in segmenters]
    return encode(np.hstack(shown), quality=80)


def _drawn(photo: ByteArray, mask: ByteArray | None, chances: ByteArray) -> ByteArray:
    size = (_PHOTO, round(photo.shape[0] * _PHOTO / photo.shape[1]))
    small = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
    said = cv2.resize(chances, size, interpolation=cv2.INTER_LINEAR)
    for shape, colour in ((mask, _TRUTH), (said, _SAID)):
        if shape is None:
            continue
        area = np.asarray(cv2.resize(shape, size, interpolation=cv2.INTER_NEAREST) > 127, np.uint8)
        outlines, _ = cv2.findContours(area, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(small, outlines, -1, colour, 2)
    return small


def _outcome(verdict: Verdict) -> str:
    low, high = verdict.gain_ci95
    told = (
        f"<p>IoU before {verdict.before:.3f}, after {verdict.after:.3f}; the gain lies between {low:+.3f} and"
        f" {high:+.3f} (95 %, paired bootstrap over the photos).</p>"
    )
    if verdict.passed:
        return '<p class="yes">The gate lets it go on.</p>' + told
    reasons = "".join(f"<li>{html.escape(reason)}</li>" for reason in verdict.reasons)
    return f'<p class="no">The gate refuses it:</p><ul class="no">{reasons}</ul>' + told


def _table(rows: Sequence[Sequence[str]]) -> str:
    cells = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows)
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"


def _slices(verdict: Verdict) -> str:
    rows = [("slice", "photos", "before", "after", "gain, 95 %")]
    rows += [
        (one.name, str(one.photos), f"{one.before:.3f}", f"{one.after:.3f}", f"{one.low:+.3f} to {one.high:+.3f}")
        for one in verdict.slices
    ]
    return _table(rows)


def _curves(curves: Mapping[str, Sequence[Point]]) -> str:
    colours = ("#888", "#0a58ca")
    highest = max((point.loss for points in curves.values() for point in points), default=1.0) or 1.0
    lines, names = [], []
    for (name, points), colour in zip(curves.items(), colours, strict=False):
        way = " ".join(
            f"{_WIDE * point.step / max(point.of, 1):.1f},{_TALL * (1 - point.loss / highest):.1f}" for point in points
        )
        lines.append(f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>')
        last = f", {points[-1].loss:.3f} at step {points[-1].step}" if points else ""
        names.append(f'<span style="color:{colour}">■</span> {html.escape(name)}{last}')
    return (
        f'<svg viewBox="0 0 {_WIDE} {_TALL}" width="{_WIDE}" style="border:1px solid #ddd">{"".join(lines)}</svg>'
        f"<p>Loss from {highest:.2f} down: {' &nbsp; '.join(names)}</p>"
    )


def _figure(change: Change, data: bytes) -> str:
    source = base64.b64encode(data).decode()
    return (
        f'<figure><img alt="{html.escape(change.item.name)}" src="data:image/jpeg;base64,{source}">'
        f"<figcaption>{html.escape(change.item.name)}: {change.before:.2f} → {change.after:.2f}</figcaption></figure>"
    )
