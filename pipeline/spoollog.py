"""The spool's files: frames with length and checksum in segment files, and where each record lies.

A frame is `length, crc32 (u32 each, little-endian), payload`; a payload is
`kind u8, position u64, body length u32, body, count u16, count x (name length u16, state length u32, name, state)`.
Every segment begins with the state of every camera. So a segment that another follows needs no states any more: it is
kept as its records alone, or not at all where it holds none (`without_states`).
"""

from __future__ import annotations

import logging
import os
import struct
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import IO

from contracts.errors import StoreError

log = logging.getLogger(__name__)

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

    def open(self) -> IO[bytes]:
        """The file this segment describes; stays so when the segment is thinned meanwhile."""
        return self.path.open("rb", buffering=0)

    def read(self, file: IO[bytes], position: int, count: int, max_bytes: int) -> list[bytes]:
        """Bodies of up to `count` records from `position` on, at least one, else about `max_bytes` at most."""
        bodies: list[bytes] = []
        total = 0
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


def create_segment(path: Path, first: int, states: Mapping[str, bytes]) -> Segment:
    """A new segment that begins with `states`; it appears under its name only when that is on disk."""
    snapshot = b"".join(Frame(STATE, first, b"", {camera: state}).encode() for camera, state in states.items())
    replace_file(path, snapshot)
    return Segment(path, first, size=len(snapshot))


def thinned(segment: Segment) -> Segment:
    """Rewrites a segment that another follows as its records alone, whole or not at all.

    Raises:
        OSError: the disk failed or is full, or the segment cannot be read back; it stays as it was.
    """
    data = segment.path.read_bytes()
    records = [replace(frame, states={}).encode() for _, frame in frames(data) if frame.kind != STATE]
    if len(records) != len(segment.offsets):
        raise OSError(f"{len(records)} of its {len(segment.offsets)} records can be read back")
    size = sum(len(record) for record in records)
    if size == len(data):
        return segment
    replace_file(segment.path, b"".join(records))
    small = Segment(segment.path, segment.first)
    small.note(accumulate((len(record) for record in records[:-1]), initial=0), size)
    return small


def without_states(segment: Segment) -> list[Segment]:
    """What a segment that another follows is kept as: its records alone, nothing where it holds none."""
    try:
        if segment.offsets:
            return [thinned(segment)]
        segment.path.unlink()
    except OSError as error:
        log.warning("spool %s stays as large as it is: %s", segment.path.name, error)
        return [segment]
    return []


def place(path: Path) -> tuple[int, int]:
    """First position and serial number of a segment's file: the order of the log."""
    first, serial, _ = path.name.split(".")
    return int(first), int(serial)


def scan_log(folder: Path, states: dict[str, bytes]) -> list[Segment]:
    """The segments in `folder`, in order, and the states in them into `states`; a torn end is cut off.

    Raises:
        StoreError: the log is damaged in its middle.
    """
    segments: list[Segment] = []
    paths = sorted(folder.glob("*.log"), key=place)
    for path in paths:
        segment, torn = Segment.scan(path, states)
        if (torn and path != paths[-1]) or (segments and segment.first != segments[-1].next):
            raise StoreError(
                f"spool {path.name} is damaged at byte {segment.size}",
                f"move {folder} aside to start afresh; what was not yet consumed in it is lost",
            )
        if torn:
            log.warning("spool %s: %d bytes of an unfinished write cut off", path.name, torn)
        if path == paths[-1]:
            _settle_file(path, segment.size)
        segments.append(segment)
    return segments


def _settle_file(path: Path, size: int) -> None:
    """Cuts what follows the last whole frame and waits for the disk: the last run may have died before its fsync."""
    with path.open("r+b") as file:
        file.truncate(size)
        os.fsync(file.fileno())


def replace_file(path: Path, data: bytes, *, wait: bool = True) -> None:
    """Writes `path` whole or not at all.

    Args:
        path: in a folder that exists.
        data: what it holds then.
        wait: until it is on disk. Without, a power cut may leave the file empty, but a killed process never half.

    Raises:
        OSError: the disk failed or is full; nothing is left behind.
    """
    fresh = path.with_name(path.name + ".tmp")
    try:
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            if wait:
                os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise
    if wait:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Waits until names made or removed in `folder` are on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
