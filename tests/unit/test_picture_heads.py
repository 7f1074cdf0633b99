"""Pictures before they are decoded: their size, how they are turned, and what is too large to be opened."""

from __future__ import annotations

import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithm_repo.datasets.heads import PNG, Head, head_of
from algorithm_repo.datasets.pictures import decode, encode
from tests.effort import examples
from tests.unit.heads_scene import exif, turned_jpeg


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_head(width: int, height: int) -> bytes:
    return PNG + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_size_and_orientation_are_what_opencv_makes_of_them(orientation: int, order: str) -> None:
    data = turned_jpeg(64, 32, orientation, order)
    assert head_of(data) == Head(64, 32, orientation)
    assert decode(data).shape[:2] == ((64, 32) if orientation >= 5 else (32, 64))


def test_of_a_png_too() -> None:
    plain = encode(np.zeros((32, 64, 3), np.uint8), ".png")
    assert head_of(plain) == Head(64, 32)
    after_head = len(png_head(1, 1))
    assert head_of(plain[:after_head] + chunk(b"eXIf", exif(6)) + plain[after_head:]) == Head(64, 32, 6)


def test_what_says_no_size_has_no_head() -> None:
    whole = turned_jpeg(64, 32, 6)
    for data in (b"", b"BM", whole[:2], whole[:30], PNG, PNG + b"\0\0", b"\xff\xd8\xff\xda\0\2"):
        assert head_of(data) is None


@given(st.binary(max_size=400), st.integers(0, 60))
@settings(max_examples=examples(200), deadline=None)
def test_any_bytes_are_read_to_their_end(noise: bytes, keep: int) -> None:
    for start in (b"\xff\xd8\xff", turned_jpeg(8, 8, 3)[: 2 + keep], png_head(4, 4)[: 8 + keep]):
        found = head_of(start + noise)
        assert found is None or 1 <= found.orientation <= 8


def test_a_huge_picture_is_refused_before_memory_is_taken() -> None:
    tracemalloc.start()
    try:
        for width, height in ((60_000, 60_000), (30_000, 30_000)):
            with pytest.raises(ValueError, match=f"{width}x{height} px are more than 35 million"):
                decode(png_head(width, height) + chunk(b"IDAT", b""))
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_an_error_of_opencv_is_one_of_ours() -> None:
    bmp = b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 2**30, 2**30, 1, 24, 0, 0, 0, 0, 0, 0)
    with pytest.raises(cv2.error):
        cv2.imdecode(np.frombuffer(bmp, np.uint8), cv2.IMREAD_COLOR)
    with pytest.raises(ValueError, match="not a picture"):
        decode(bmp)
