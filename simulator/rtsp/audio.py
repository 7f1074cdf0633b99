"""A G.711 µ-law sound track: a quiet tone, so that cameras with a microphone can be tried."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np

AUDIO_PAYLOAD_TYPE = 0
_RATE = 8000
_FRAME = 160  # samples of 20 ms


def mu_law(samples: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bytes:
    """Samples in -1..1 as G.711 µ-law bytes (ITU-T G.711)."""
    linear = np.clip(samples * 32635, -32635, 32635).astype(np.int64)
    sign = np.where(linear < 0, 0x80, 0)
    magnitude = np.abs(linear) + 132
    exponent = np.clip(np.floor(np.log2(magnitude)).astype(np.int64) - 7, 0, 7)
    mantissa = magnitude >> (exponent + 3) & 0x0F
    return bytes((~(sign | exponent << 4 | mantissa) & 0xFF).astype(np.uint8))


class AudioTrack:
    """Sends the tone in real time.

    Args:
        send: called with (RTP timestamp, payload of 20 ms).
    """

    def __init__(self, send: Callable[[int, bytes], None]) -> None:
        self._send = send
        # 400 Hz has a whole number of periods in 20 ms: one frame repeats without a click.
        self._payload = mu_law(0.1 * np.sin(2 * np.pi * 400 * np.arange(_FRAME) / _RATE))

    async def run(self) -> None:
        clock = asyncio.get_running_loop().time
        started, count = clock(), 0
        while True:
            self._send(count * _FRAME & 0xFFFFFFFF, self._payload)
            count += 1
            await asyncio.sleep(max(0.0, started + count * _FRAME / _RATE - clock()))
