"""The spool's files: frames with length and checksum in segment files, and where each record lies.

A frame is `length, crc32 (u32 each, little-endian), payload`; a payload is
`kind u8, position u64, body length u32, body, count u16, count x (name length u16, state length u32, name, state)`.
Every segment begins with the state of every camera, so older segments may go without taking state along.
"""

from __future__ import annotations

import os
import struct
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

RECORD = 1
STATE = 2
PART = 3  # a record whose group goes on: it counts only together with the RECORD that ends the group

_FRAME = struct.Struct("<II")
_HEAD = struct.Struct("<BQI")
_COUNT = struct.Struct("<H")
_STATE = struct.Struct("<HI")
_MAX_FRAME = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: a record with the states that go with it, or states alone (`body` empty).

    Attributes:
        kind: RECORD, PART or STATE.
        position: the record's number in the log; for STATE, of the record that comes next.
        body: JSON of the record's body.
        states: camera -> its state; empty bytes: forgotten.
    """

    kind: int
    position: int
    body: bytes
    states: Mapping[str, bytes]

    def encode(self) -> bytes:
        parts = [_HEAD.pack(self.kind, self.position, len(self.body)), self.body, _COUNT.pack(len(self.states))]
        for camera, state in self.states.items():
            name = camera.encode()
            parts += [_STATE.pack(len(name), len(state)), name, state]
        payload = b"".join(parts)
        return _FRAME.pack(len(payload), zlib.crc32(payload)) + payload

    @classmethod
    def decode(cls, payload: bytes) -> Frame:
        """Raises ValueError when the payload is not one."""
        try:
            kind, position, length = _HEAD.unpack_from(payload)
            at = _HEAD.size + length
            body = payload[_HEAD.size : at]
            (count,) = _COUNT.unpack_from(payload, at)
            at += _COUNT.size
            states: dict[str, bytes] = {}
            for _ in range(count):
                name_length, state_length = _STATE.unpack_from(payload, at)
                at += _STATE.size
                name = payload[at : at + name_length].decode()
                at += name_length
                states[name] = payload[at : at + state_length]
                at += state_length
        except struct.error as error:
            raise ValueError(f"frame cut short: {error}") from error
        if at != len(payload) or kind not in (RECORD, STATE, PART):
            raise ValueError(f"frame of kind {kind}: {len(payload)} bytes, {at} described")
        return cls(kind, position, body, states)


def frames(data: bytes) -> Iterator[tuple[int, Frame]]:
    """(end of the frame, frame) of each whole frame from the beginning on; stops at the first that is not."""
    at = 0
    while len(data) - at >= _FRAME.size:
        length, checksum = _FRAME.unpack_from(data, at)
        start, end = at + _FRAME.size, at + _FRAME.size + length
        # Length 0 is no frame of ours but passes the checksum: a file the crash left full of zeros.
        if not 0 < length <= _MAX_FRAME or end > len(data):
            return
        payload = data[start:end]
        if zlib.crc32(payload) != checksum:
            return
        try:
            frame = Frame.decode(payload)
        except ValueError:
            return
        yield end, frame
        at = end


@dataclass
class Segment:
    """One file of the log.

    Attributes:
        path: `<first position, 20 digits>.<serial, 6 digits>.log`.
        first: position of its first record (which may not be there yet).
        offsets: where in the file each record's frame begins.
        size: bytes of whole frames.
    """

    path: Path
    first: int
    size: int = 0
    offsets: array[int] = field(default_factory=lambda: array("Q"))

    @property
    def next(self) -> int:
        """Position after its last record."""
        return self.first + len(self.offsets)

    @classmethod
    def scan(cls, path: Path, states: dict[str, bytes]) -> tuple[Segment, int]:
        """Reads a segment, and the states in it into `states`.

        Returns:
            The segment up to its last whole frame, and how many bytes follow that are none.
        """
        segment = cls(path, int(path.name.split(".", 1)[0]))
        data = path.read_bytes()
        group: list[Frame] = []
        starts: list[int] = []
        begin = 0
        for end, frame in frames(data):
            if frame.position != segment.next + len(starts) or (frame.kind == STATE and group):
                break
            group.append(frame)
            if frame.kind != STATE:
                starts.append(begin)
            begin = end
            if frame.kind != PART:
                segment.note(starts, end)
                for one in group:
                    states.update(one.states)
                group, starts = [], []
        return segment, len(data) - segment.size

    def note(self, starts: Iterable[int], end: int) -> None:
        """Records that begin at `starts` are whole now; the last frame ends at `end`."""
        self.offsets.extend(starts)
        self.size = end

    def read(self, position: int, count: int, max_bytes: int) -> list[bytes]:
        """Bodies of up to `count` records from `position` on, at least one, else about `max_bytes` at most."""
        bodies: list[bytes] = []
        total = 0
        with self.path.open("rb", buffering=0) as file:
            for index in range(position - self.first, min(position - self.first + count, len(self.offsets))):
                header = os.pread(file.fileno(), _FRAME.size, self.offsets[index])
                length, checksum = _FRAME.unpack(header)
                payload = os.pread(file.fileno(), length, self.offsets[index] + _FRAME.size)
                if len(payload) != length or zlib.crc32(payload) != checksum:
                    raise OSError(f"{self.path.name}: record {self.first + index} cannot be read back")
                bodies.append(Frame.decode(payload).body)
                total += length
                if total >= max_bytes:
                    break
        return bodies


def create_segment(folder: Path, first: int, serial: int, states: Mapping[str, bytes]) -> Segment:
    """A new segment that begins with `states`; it appears under its name only when that is on disk."""
    path = folder / f"{first:020d}.{serial:06d}.log"
    snapshot = b"".join(Frame(STATE, first, b"", {camera: state}).encode() for camera, state in states.items())
    replace_file(path, snapshot)
    return Segment(path, first, size=len(snapshot))


def replace_file(path: Path, data: bytes) -> None:
    """Writes `path` whole or not at all, and waits until it is on disk."""
    fresh = path.with_name(path.name + ".tmp")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Waits until names made or removed in `folder` are on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
