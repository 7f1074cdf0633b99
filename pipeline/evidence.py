"""Evidence has a beginning: what is put aside when a candidate starts, and what goes out with an event.

The shelf is a folder of the worker's spool: `<event>.entry.jpg` and `<event>.entry.mp4` from the moment the
candidate began, `<event>.decision.mp4` from the moment it became an event. Files of candidates that dissolve are
dropped; after a restart whatever is on the shelf still goes out. Which clips are still to come is part of the
camera's state, so it is kept in one piece with the transitions.

No trouble with evidence ever stops an event: what cannot be kept is missing, and the log says so.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from contracts.errors import DiskFull, StoreError
from contracts.records import EvidenceRef
from contracts.vision import Frame
from pipeline.eventbook import Matter
from pipeline.pictures import Spots, density_jpeg, to_jpeg
from pipeline.rules.base import Step
from pipeline.spoollog import replace_file

log = logging.getLogger(__name__)

Role = Literal["entry", "decision", "density", "latest", "closing", "clip"]

_SUFFIX = {"image/jpeg": "jpg", "video/mp4": "mp4"}
_REFUSALS = (OSError, DiskFull, StoreError)  # everything a disk, a full disk or a store says


class BlobKeeper(Protocol):
    """Takes evidence bytes for good; implemented by `pipeline.spool_evidence.EvidenceSpool`."""

    def put(self, key: str, data: bytes, media_type: str) -> bool:
        """Keeps the bytes; True once the object store has them, False while they wait in the spool.

        Raises:
            DiskFull, StoreError: they cannot be kept.
        """
        ...


class Footage(Protocol):
    """Where clips are cut from: the camera's ring."""

    def covers(self, time: float) -> bool:
        """The ring still holds (or already holds) the picture of stream time `time`."""
        ...

    def clip(self, start: float, end: float) -> bytes | None:
        """MP4 remuxed from the GOPs that cover stream times start..end; None where nothing is left of them."""
        ...


@dataclass(frozen=True, slots=True)
class ClipWindow:
    """How much of the stream a clip shows around the decision, s."""

    before: float = 8.0
    after: float = 4.0


@dataclass(frozen=True, slots=True)
class DueClip:
    """The clip of an event that is still to come.

    Attributes:
        due: stream time at which it is complete, s.
        decided_utc: of the decision picture, s since 1970 UTC.
        entry_utc: of the entry picture.
    """

    due: float
    decided_utc: float
    entry_utc: float


class ShelfKeeper:
    """`EvidenceKeeper` of one camera on a folder. Belongs to the compute thread.

    Args:
        shelf: folder of this camera, made when missing.
        blobs: where evidence goes for good.
        footage: the camera's ring.
        window: see `ClipWindow`.
    """

    def __init__(self, shelf: Path, blobs: BlobKeeper, footage: Footage, window: ClipWindow | None = None) -> None:
        self._shelf = shelf
        self._blobs = blobs
        self._footage = footage
        self._window = window or ClipWindow()
        self._due: dict[str, DueClip] = {}
        self._ended: set[str] = set()
        self._trouble = False

    def candidate(self, matter: Matter, frame: Frame) -> None:
        """Puts the entry picture and the GOP it is in aside, on disk."""
        self._put_aside(matter.id, "entry.utc", repr(frame.utc).encode())
        self._put_aside(matter.id, "entry.jpg", to_jpeg(frame))
        self._put_aside(matter.id, "entry.mp4", self._cut(frame.time - 1.0, frame.time))

    def ended(self, matter: Matter) -> None:
        """The matter dissolved or closed: what was put aside goes with the next `settle`, and no clip follows."""
        self._due.pop(matter.id, None)
        self._ended.add(matter.id)

    def snapshot(self, frame: Frame) -> tuple[EvidenceRef, ...]:
        """The picture as it is now."""
        return _kept(self._keep("latest", to_jpeg(frame), "image/jpeg", frame.utc))

    def settle(self) -> None:
        """Everything said so far is in the spool: files of what ended may go."""
        for event in self._ended:
            self._remove([path for path in self._files() if path.name.startswith(f"{event}.")])
        self._ended.clear()

    def picture(self, matter: Matter, step: Step, frame: Frame, spots: Spots = ()) -> tuple[EvidenceRef, ...]:
        """Entry and decision pictures on OPENED (the clip follows), a closing one on CLOSED, none on UPDATED.

        Where people stand (`spots`), OPENED also brings a density picture: derived, the decision picture is the proof.
        """
        if step is Step.OPENED:
            refs = self._opened(matter, frame)
            if not spots:
                return refs
            heat = density_jpeg(frame, spots)
            return refs + _kept(self._keep("density", heat, "image/jpeg", frame.utc, derived=True))
        if step is Step.CLOSED:
            return _kept(self._keep("closing", to_jpeg(frame), "image/jpeg", frame.utc))
        return ()

    def late(self, time: float, closing: str | None = None) -> list[tuple[str, tuple[EvidenceRef, ...]]]:
        """Clips whose time after the decision has passed, or whose event closes just now."""
        result = []
        for event in [event for event, clip in self._due.items() if time >= clip.due or event == closing]:
            refs = self._clips(event, self._due.pop(event))
            if refs:
                result.append((event, refs))
        return result

    def dump(self) -> dict[str, object]:
        """JSON-able state: the clips still to come."""
        return {"due": {event: [clip.due, clip.decided_utc, clip.entry_utc] for event, clip in self._due.items()}}

    def load(self, data: dict[str, Any], keep: frozenset[str]) -> None:
        """Inverse of `dump`; drops everything put aside for matters other than `keep`.

        Raises:
            ValueError: the data is of another shape; no clip is to come then.
        """
        self._due, self._ended = {}, set()
        self._remove([path for path in self._files() if path.name.split(".", 1)[0] not in keep])
        try:
            due = {str(event): DueClip(*(float(value) for value in clip)) for event, clip in data["due"].items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"evidence: not a state ({error})") from error
        self._due = {event: clip for event, clip in due.items() if event in keep}

    def _opened(self, matter: Matter, frame: Frame) -> tuple[EvidenceRef, ...]:
        decision = to_jpeg(frame)
        entry, entry_utc = self._taken(matter.id, "entry.jpg"), self._entry_utc(matter)
        if entry is None:
            entry, entry_utc = decision, frame.utc
        so_far = self._cut(frame.time - self._window.before, frame.time)
        self._put_aside(matter.id, "decision.mp4", so_far, wait=True)
        self._due[matter.id] = DueClip(frame.time + self._window.after, frame.utc, entry_utc)
        return _kept(
            self._keep("entry", entry, "image/jpeg", entry_utc),
            self._keep("decision", decision, "image/jpeg", frame.utc),
        )

    def _clips(self, event: str, clip: DueClip) -> tuple[EvidenceRef, ...]:
        begin = clip.decided_utc - self._window.before
        entry = self._taken(event, "entry.mp4") if clip.entry_utc < begin else None
        # After a restart the ring no longer holds the decision: what was put aside then is what there is.
        whole = None
        if self._footage.covers(clip.due - self._window.after):
            whole = self._cut(clip.due - self._window.before - self._window.after, clip.due)
        whole = whole or self._taken(event, "decision.mp4")
        return _kept(
            self._keep("clip", entry, "video/mp4", clip.entry_utc) if entry else None,
            self._keep("clip", whole, "video/mp4", begin) if whole else None,
        )

    def _keep(
        self, role: Role, data: bytes, media_type: str, utc: float, *, derived: bool = False
    ) -> EvidenceRef | None:
        digest = hashlib.sha256(data).hexdigest()
        key = f"evidence/{digest[:2]}/{digest}.{_SUFFIX[media_type]}"
        try:
            stored = self._blobs.put(key, data, media_type)
        except _REFUSALS as error:
            self._say(error)
            return None
        self._trouble = False
        return EvidenceRef(
            role=role,
            key=key,
            sha256=digest,
            media_type=media_type,
            size=len(data),
            utc=round(utc, 3),
            stored=stored,
            derived=derived,
        )

    def _cut(self, start: float, end: float) -> bytes | None:
        try:
            return self._footage.clip(start, end)
        except OSError as error:
            self._say(error)
            return None

    def _entry_utc(self, matter: Matter) -> float:
        try:
            return float(self._taken(matter.id, "entry.utc") or b"")
        except ValueError:
            return matter.started_utc

    def _put_aside(self, event: str, name: str, data: bytes | None, *, wait: bool = False) -> None:
        if data is None:
            return
        try:
            self._shelf.mkdir(parents=True, exist_ok=True)
            replace_file(self._shelf / f"{event}.{name}", data, wait=wait)
        except OSError as error:
            self._say(error)

    def _taken(self, event: str, name: str) -> bytes | None:
        """What was put aside; None where it was not, or a power cut emptied it."""
        try:
            return (self._shelf / f"{event}.{name}").read_bytes() or None
        except FileNotFoundError:
            return None
        except OSError as error:
            self._say(error)
            return None

    def _files(self) -> list[Path]:
        return list(self._shelf.glob("*")) if self._shelf.is_dir() else []

    def _remove(self, paths: list[Path]) -> None:
        for path in paths:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                self._say(error)

    def _say(self, error: Exception) -> None:
        """Once for each stretch of trouble, not for every picture."""
        if not self._trouble:
            log.error("%s: evidence is missing, events go on without: %s", self._shelf.name, error)
        self._trouble = True


def _kept(*refs: EvidenceRef | None) -> tuple[EvidenceRef, ...]:
    return tuple(ref for ref in refs if ref is not None)


class NoEvidence:
    """`EvidenceKeeper` of a replay that is asked for transitions alone."""

    def candidate(self, matter: Matter, frame: Frame) -> None:
        """Keeps nothing."""

    def ended(self, matter: Matter) -> None:
        """Keeps nothing."""

    def snapshot(self, frame: Frame) -> tuple[EvidenceRef, ...]:
        """No references."""
        return ()

    def settle(self) -> None:
        """Keeps nothing."""

    def picture(self, matter: Matter, step: Step, frame: Frame, spots: Spots = ()) -> tuple[EvidenceRef, ...]:
        """No references."""
        return ()

    def late(self, time: float, closing: str | None = None) -> list[tuple[str, tuple[EvidenceRef, ...]]]:
        """No clips."""
        return []

    def dump(self) -> dict[str, object]:
        """Nothing to go on from."""
        return {}

    def load(self, data: dict[str, Any], keep: frozenset[str]) -> None:
        """Nothing to go on from."""
