"""Chance without state: every number is a function of its keys, so that any moment can be drawn in any order."""

from __future__ import annotations

import zlib

import numpy as np

_MASK = (1 << 64) - 1


def mix(*keys: int | str) -> int:
    """64 bits that depend on all keys and their order (splitmix64)."""
    state = 0x9E3779B97F4A7C15
    for key in keys:
        number = zlib.crc32(key.encode()) if isinstance(key, str) else int(key)
        state = (state ^ (number & _MASK)) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ state >> 27) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state


def unit(*keys: int | str) -> float:
    """A number in 0..1 that depends on the keys alone."""
    return (mix(*keys) >> 11) / float(1 << 53)


def generator(*keys: int | str) -> np.random.Generator:
    """A generator that depends on the keys alone."""
    return np.random.Generator(np.random.PCG64(mix(*keys)))
