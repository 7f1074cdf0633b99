"""Arrays as text, so that a rule's frozen state can hold them.

A bit a value says whether it is there at all, then come those that are not 0, little-endian; all in base 64. Nothing
but zeros is "".
"""

from __future__ import annotations

import binascii

import numpy as np
from numpy.typing import NDArray


def pack(values: NDArray[np.float32]) -> str:
    """float32 [n]; `unpack` gives back every bit."""
    return _packed(values, values.astype("<f4", copy=False))


def unpack(text: str, count: int) -> NDArray[np.float32]:
    """Inverse of `pack`, float32 [count].

    Raises:
        ValueError: the text is none of `pack`'s, or of another length.
    """
    return _unpacked(text, count, np.dtype("<f4")).astype(np.float32, copy=False)


def pack_shares(values: NDArray[np.float32]) -> str:
    """Shares 0..1, float32 [n], in steps of 1/255."""
    steps = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    return _packed(steps, steps)


def unpack_shares(text: str, count: int) -> NDArray[np.float32]:
    """Inverse of `pack_shares`; raises as `unpack` does."""
    return _unpacked(text, count, np.dtype(np.uint8)).astype(np.float32) / np.float32(255)


def _packed(values: NDArray[np.generic], stored: NDArray[np.generic]) -> str:
    present = values != 0
    if not present.any():
        return ""
    raw = np.packbits(present).tobytes() + stored[present].tobytes()
    return binascii.b2a_base64(raw, newline=False).decode()


def _unpacked(text: str, count: int, kind: np.dtype[np.generic]) -> NDArray[np.generic]:
    values: NDArray[np.generic] = np.zeros(count, kind)
    if not text:
        return values
    bits = (count + 7) // 8
    try:
        raw = binascii.a2b_base64(text, strict_mode=True)
        if len(raw) < bits:
            raise ValueError(f"{len(raw)} bytes for {count} values")
        present = np.unpackbits(np.frombuffer(raw[:bits], np.uint8), count=count).astype(np.bool_)
        values[present] = np.frombuffer(raw[bits:], kind)
    except ValueError as error:
        raise ValueError(f"rule state: packed values cannot be read ({error})") from error
    return values
