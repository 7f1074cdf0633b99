"""Planes to small BGR pictures: the right colours in every range and matrix, nothing shifted, nothing aliased."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from contracts.vision import Frame
from models.picture import frame_from_bgr, small_bgr, write_chw

_LUMA = {False: (0.299, 0.587, 0.114), True: (0.2126, 0.7152, 0.0722)}  # of R, G, B: BT.601, BT.709
_COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 120, 40), (30, 90, 160)]


def _encode(rgb: tuple[int, int, int], full_range: bool, bt709: bool, size: tuple[int, int] = (64, 48)) -> Frame:
    """A frame of one colour, by the standard's own formula."""
    kr, kg, kb = _LUMA[bt709]
    r, g, b = (value / 255 for value in rgb)
    luma = kr * r + kg * g + kb * b
    cb, cr = (b - luma) / (2 * (1 - kb)), (r - luma) / (2 * (1 - kr))
    y, u, v = (luma * 255, cb * 255, cr * 255) if full_range else (16 + luma * 219, cb * 224, cr * 224)
    width, height = size

    def plane(value: float, w: int, h: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
        return np.full((h, w), np.clip(round(value), 0, 255), np.uint8)

    half = (width // 2, height // 2)
    return Frame(plane(y, width, height), plane(u + 128, *half), plane(v + 128, *half), 0.0, 0.0, full_range, bt709)


@pytest.mark.parametrize(("full_range", "bt709"), list(itertools.product([False, True], repeat=2)))
@pytest.mark.parametrize("rgb", _COLOURS)
def test_colours(rgb: tuple[int, int, int], full_range: bool, bt709: bool) -> None:
    bgr = small_bgr(_encode(rgb, full_range, bt709), (32, 24))
    assert bgr.shape == (24, 32, 3)
    # One step of 8-bit chroma is up to two steps of blue.
    assert np.abs(bgr.astype(int) - np.array(rgb[::-1])).max() <= 3


@pytest.mark.parametrize("source", [(64, 48), (1280, 720), (1918, 1078), (352, 288), (100, 400)])
@pytest.mark.parametrize("size", [(416, 234), (160, 90), (64, 48), (30, 22)])
def test_every_size_to_every_size(source: tuple[int, int], size: tuple[int, int]) -> None:
    frame = _encode((200, 120, 40), False, False, source)
    bgr = small_bgr(frame, size)
    assert bgr.shape == (size[1], size[0], 3)
    assert np.abs(bgr.astype(int) - (40, 120, 200)).max() <= 3


def test_nothing_is_shifted() -> None:
    picture = np.zeros((720, 1280, 3), np.uint8)
    picture[180:540, 320:960] = 255
    small = small_bgr(frame_from_bgr(picture), (416, 234))[:, :, 1].astype(float)
    rows, columns = np.flatnonzero(small.mean(1) > 60), np.flatnonzero(small.mean(0) > 60)
    assert columns[0] == pytest.approx(416 / 4, abs=1)
    assert columns[-1] == pytest.approx(416 * 3 / 4, abs=1)
    assert rows[0] == pytest.approx(234 / 4, abs=1)
    assert rows[-1] == pytest.approx(234 * 3 / 4, abs=1)


def test_fine_texture_becomes_grey_not_stripes() -> None:
    stripes = np.zeros((1080, 1920, 3), np.uint8)
    stripes[:, ::2] = 255
    small = small_bgr(frame_from_bgr(stripes), (416, 234))
    assert small.std() < 3
    assert small.mean() == pytest.approx(127, abs=4)


def test_close_to_converting_first() -> None:
    # Muted colours: where conversion clips, scaling before and after it differ by nature.
    noise = np.random.default_rng(7).integers(90, 166, (45, 80, 3), dtype=np.uint8)
    picture = np.asarray(cv2.resize(noise, (1280, 720), interpolation=cv2.INTER_LINEAR), np.uint8)
    first = cv2.resize(picture, (416, 234), interpolation=cv2.INTER_AREA)
    ours = small_bgr(frame_from_bgr(picture), (416, 234))
    assert np.abs(ours.astype(int) - first).mean() < 2.5


def test_write_chw_leaves_the_rest_alone() -> None:
    slot = np.full((3, 6, 8), -1, np.float32)
    bgr = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3)
    write_chw(bgr, slot)
    assert np.array_equal(slot[:, :2, :4], bgr.transpose(2, 0, 1))
    assert (slot[:, 2:, :] == -1).all()
    assert (slot[:, :, 4:] == -1).all()
