"""What a worker publishes of itself while it runs: camera states and live pictures.

Live state is not a record: it may be lost, and the next one replaces it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from contracts.records import ClockSource, Contract

# The detector that ships with the project. It was trained on simulated streets and says little of real ones.
BUILT_IN_DETECTOR = "street"


class CameraState(StrEnum):
    CONNECTING = "connecting"
    RUNNING = "running"
    STALLED = "stalled"
    OFFLINE = "offline"


class CameraStatus(Contract):
    """One camera as its worker sees it now.

    `error` never holds credentials. `looks_failed` counts looks of which an inference failed; `look_ms` is what the
    inferences of one look take, ms, as a moving mean; None before the first.
    """

    camera: str
    worker: str
    state: CameraState
    since_utc: float
    error: str = ""
    codec: str = ""
    width: int = 0
    height: int = 0
    fps: float = 0.0
    kbit_s: float = 0.0
    gop_s: float = 0.0
    reconnects: int = 0
    model: str = ""
    looks: int = 0
    looks_superseded: int = 0
    looks_shed: int = 0
    looks_gated: int = 0
    looks_failed: int = 0
    look_ms: float | None = None
    decode_errors: int = 0
    last_look_utc: float | None = None
    clock_source: ClockSource = ClockSource.ARRIVAL
    clock_error_ms: float = 0.0
    clock_wrong_s: float = 0.0
    ring_bytes: int = 0
    updated_utc: float


class LiveBox(Contract):
    """One track in a live picture; `box` is normalised x1 y1 x2 y2."""

    track: int
    object_class: str
    score: float
    box: tuple[float, float, float, float]
    alarm: bool = False


class LiveHeader(Contract):
    """Header of one live picture; the JPEG follows it (see `encode_live`)."""

    kind: Literal["live"] = "live"
    camera: str
    utc: float
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    boxes: tuple[LiveBox, ...] = ()


def encode_live(header: LiveHeader, jpeg: bytes) -> bytes:
    """One live picture as bytes: 4 bytes big-endian length of the JSON header, the header, the JPEG."""
    head = header.model_dump_json().encode()
    return len(head).to_bytes(4, "big") + head + jpeg


def decode_live(message: bytes) -> tuple[LiveHeader, bytes]:
    """Inverse of `encode_live`. Raises ValueError on anything else."""
    length = int.from_bytes(message[:4], "big")
    if not 0 < length <= len(message) - 4:
        raise ValueError(f"live message: header length {length} of {len(message)} bytes")
    return LiveHeader.model_validate_json(message[4 : 4 + length]), message[4 + length :]
