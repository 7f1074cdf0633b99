"""H.264 (RFC 6184) and H.265 (RFC 7798) access units to RTP payloads. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Codec = Literal["h264", "hevc"]
# RTP payload that still fits an Ethernet frame beside IP, UDP and RTP headers.
MAX_PAYLOAD: Final = 1400
_START_CODE = re.compile(rb"\x00\x00\x01")

_H264_STAP_A, _H264_FU_A = 24, 28
_H265_AP, _H265_FU = 48, 49
_H264_PARAMETER_SETS: Final = frozenset({7, 8})
_H265_PARAMETER_SETS: Final = frozenset({32, 33, 34})


@dataclass(frozen=True, slots=True)
class Payload:
    """One RTP payload; `marker` is set on the last of an access unit."""

    data: bytes
    marker: bool


def split_annex_b(data: bytes) -> list[bytes]:
    """The NAL units of an Annex B byte stream, without start codes and trailing zero bytes."""
    starts = [m.end() for m in _START_CODE.finditer(data)]
    ends = [s - 3 for s in starts[1:]] + [len(data)]
    units = [data[start:end].rstrip(b"\x00") for start, end in zip(starts, ends, strict=True)]
    return [unit for unit in units if unit]


def nal_type(codec: Codec, unit: bytes) -> int:
    return unit[0] & 0x1F if codec == "h264" else (unit[0] >> 1) & 0x3F


def is_parameter_set(codec: Codec, unit: bytes) -> bool:
    """SPS or PPS, and VPS in H.265."""
    return nal_type(codec, unit) in (_H264_PARAMETER_SETS if codec == "h264" else _H265_PARAMETER_SETS)


def packetise(codec: Codec, units: Sequence[bytes], max_payload: int = MAX_PAYLOAD) -> list[Payload]:
    """RTP payloads of one access unit: small units aggregated, large ones fragmented.

    Args:
        codec: of the units.
        units: NAL units in decoding order.
        max_payload: bytes; at least 16.
    """
    payloads: list[bytes] = []
    small: list[bytes] = []

    def flush() -> None:
        if small:
            payloads.append(small[0] if len(small) == 1 else _aggregate(codec, small))
            small.clear()

    for unit in units:
        if sum(len(s) + 2 for s in small) + len(unit) + 4 > max_payload:
            flush()
        if len(unit) <= max_payload - 4:
            small.append(unit)
        else:
            payloads.extend(_fragment(codec, unit, max_payload))
    flush()
    return [Payload(data, marker=i == len(payloads) - 1) for i, data in enumerate(payloads)]


def _aggregate(codec: Codec, units: Sequence[bytes]) -> bytes:
    if codec == "h264":
        importance = max(unit[0] & 0x60 for unit in units)
        header = bytes([importance | _H264_STAP_A])
    else:
        # Layer id 0, and the lowest temporal id of the aggregated units.
        temporal = min(unit[1] & 0x07 for unit in units)
        header = bytes([_H265_AP << 1, temporal])
    return header + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)


def _fragment(codec: Codec, unit: bytes, max_payload: int) -> list[bytes]:
    if codec == "h264":
        prefix, kind, body = bytes([unit[0] & 0xE0 | _H264_FU_A]), unit[0] & 0x1F, unit[1:]
    else:
        prefix = bytes([unit[0] & 0x81 | _H265_FU << 1, unit[1]])
        kind, body = (unit[0] >> 1) & 0x3F, unit[2:]
    step = max_payload - len(prefix) - 1
    fragments = []
    for at in range(0, len(body), step):
        first, last = at == 0, at + step >= len(body)
        fragments.append(prefix + bytes([first << 7 | last << 6 | kind]) + body[at : at + step])
    return fragments
