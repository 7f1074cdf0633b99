"""What a source yields: compressed packets and the parameters they need to be decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class StreamParameters:
    """How to decode a run of packets; a change of codec, parameter sets or size starts a new generation.

    Attributes:
        generation: 0, 1, … within one source.
        codec: libav's name: "h264", "hevc", "mpeg4", …
        extradata: for H.264 and H.265 the parameter sets as Annex B (4-byte start codes), else as the container
            had it; may be empty while none has been seen.
        width, height: pixels; 0 while unknown.
    """

    generation: int
    codec: str
    extradata: bytes
    width: int
    height: int

    @property
    def annex_b(self) -> bool:
        """Packets are Annex B byte streams."""
        return self.codec in ("h264", "hevc")


class StreamPacket(NamedTuple):
    """One coded picture. A tuple because 25 a second and camera are made.

    Attributes:
        time: stream time at which it is shown, s (see `clock`); not increasing where there are B frames.
        utc: the same moment, s since 1970 UTC.
        keyframe: decoding can start here.
        size: bytes.
        data: the coded bytes (H.264 and H.265 as Annex B); empty while they lie in a spill file.
    """

    time: float
    utc: float
    keyframe: bool
    size: int
    data: bytes
