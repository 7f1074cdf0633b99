"""What one picture's measurements say of its camera: which ailment it shows, if any. By `PictureHealth` alone."""

from __future__ import annotations

import math

from contracts.senses import PictureHealth

# A scene at night has lamps, or at least contrast; what is black has neither.
_BLACK, _BLACK_HIGHLIGHT = 20.0, 32.0
# Headlights blow out a part; an overexposed picture is bright all over, and burnt out in places, unlike one in fog.
_BLOWN_OUT, _BLOWN_OUT_CONTRAST, _BURNT = 190.0, 100.0, 250.0
# Of the usual detail. Measured on three real streets: fog that takes 70 % of the contrast leaves 0.84 and more, noise
# 0.93, a Gaussian blur of 1/640 of the picture's width 0.52 .. 0.86, of 1/320 0.25 .. 0.46, of 1/160 0.08 .. 0.17.
_BLURRED = 0.55
# Of the usual texture. Fog as above leaves 0.3; a covered lens keeps hardly any, and nothing is where it was.
_COVERED = 0.2
_COVERED_PART = 0.5  # where the learnt scene is known to be gone, and little is seen of what is there instead:
_COVERED_DETAIL = 0.75  # of the usual detail (measured: nine tenths of a lens covered 0.6, another view 0.87 ..)
_GONE = (
    0.38  # likeness below which the learnt scene is not there (measured: another view 0.04 .. 0.35, the same 0.7 ..)
)
_DARK = 40.0  # luma below which it is night
_THERE = 0.5  # and from which it is, however faint


def ailment_of(health: PictureHealth, max_shift: float) -> str | None:
    """black, overexposed, covered, moved or blurred; None where the picture is well.

    Args:
        health: of one picture.
        max_shift: shift of the whole scene from which it has moved, picture widths.
    """
    if health.brightness < _BLACK and health.highlight < _BLACK_HIGHLIGHT:
        return "black"
    bright = health.brightness >= _BLOWN_OUT and health.contrast <= _BLOWN_OUT_CONTRAST
    if bright and health.highlight >= _BURNT:
        return "overexposed"
    likeness = health.likeness
    gone = likeness is not None and likeness < _GONE
    texture = None if not health.usual_texture else health.texture / health.usual_texture
    # In the dark, under a light that was never learnt, it may be the light that has gone.
    known = health.brightness >= _DARK if likeness is None else likeness < _THERE
    detail = None if not health.usual_detail else health.detail / health.usual_detail
    plain = gone and (detail is None or detail < _COVERED_DETAIL)
    if texture is not None and known and texture < (_COVERED_PART if plain else _COVERED):
        return "covered"
    blurred = detail is not None and likeness is not None and detail < _BLURRED
    if health.shift is not None and math.hypot(*health.shift) >= max_shift:
        return "moved"
    if gone and not blurred:
        return "moved"
    return "blurred" if blurred else None
