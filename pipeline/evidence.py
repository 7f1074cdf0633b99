"""Evidence has a beginning: what is put aside when a candidate starts, and what goes out with an event.

The shelf is a folder of the worker's spool: `<event>.entry.jpg` and `<event>.entry.mp4` from the moment the
candidate began, `<event>.decision.mp4` from the moment it became an event. Files of candidates that dissolve are
dropped; after a restart whatever is on the shelf still goes out.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from contracts.records import EvidenceRef
from contracts.vision import Frame
from pipeline.eventbook import Matter
from pipeline.pictures import to_jpeg
from pipeline.rules.base import Step

Role = Literal["entry", "decision", "latest", "closing", "clip"]

_SUFFIX = {"image/jpeg": "jpg", "video/mp4": "mp4"}


class BlobKeeper(Protocol):
    """Takes evidence bytes for good; implemented by `pipeline.spool.EvidenceSpool`."""

    def put(self, key: str, data: bytes, media_type: str) -> bool:
        """Keeps the bytes; True once the object store has them, False while they wait in the spool."""
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
        shelf.mkdir(parents=True, exist_ok=True)
        self._due: dict[str, tuple[float, float]] = self._load_due()

    def candidate(self, matter: Matter, frame: Frame) -> None:
        """Puts the entry picture and the GOP it is in aside, on disk."""
        self._file(matter.id, "entry.jpg").write_bytes(to_jpeg(frame))
        self._file(matter.id, "entry.utc").write_text(repr(frame.utc))
        clip = self._footage.clip(frame.time - 1.0, frame.time)
        if clip is not None:
            self._file(matter.id, "entry.mp4").write_bytes(clip)

    def dissolve(self, matter: Matter) -> None:
        """Drops what was put aside."""
        self._drop(matter.id)

    def picture(self, matter: Matter, step: Step, frame: Frame) -> tuple[EvidenceRef, ...]:
        """Entry and decision pictures on OPENED (the clip follows), a closing one on CLOSED, none on UPDATED."""
        if step is Step.OPENED:
            entry = self._file(matter.id, "entry.jpg")
            if not entry.exists():
                self.candidate(matter, frame)
            entry_utc = float(self._file(matter.id, "entry.utc").read_text())
            so_far = self._footage.clip(frame.time - self._window.before, frame.time)
            if so_far is not None:
                self._file(matter.id, "decision.mp4").write_bytes(so_far)
            self._due[matter.id] = (frame.time + self._window.after, frame.utc)
            self._save_due()
            return (
                self._keep("entry", entry.read_bytes(), "image/jpeg", entry_utc),
                self._keep("decision", to_jpeg(frame), "image/jpeg", frame.utc),
            )
        if step is Step.CLOSED:
            self._drop(matter.id)
            return (self._keep("closing", to_jpeg(frame), "image/jpeg", frame.utc),)
        return ()

    def late(self, time: float, closing: str | None = None) -> list[tuple[str, tuple[EvidenceRef, ...]]]:
        """Clips whose time after the decision has passed, or whose event closes just now."""
        ready = [event for event, (due, _) in self._due.items() if time >= due or event == closing]
        result = []
        for event in ready:
            due, utc = self._due.pop(event)
            refs = self._clips(event, due, utc)
            if refs:
                result.append((event, refs))
        if ready:
            self._save_due()
        return result

    def forget(self, keep: frozenset[str]) -> None:
        """Drops everything put aside for matters other than `keep`."""
        for path in self._shelf.iterdir():
            if path.name != "due.json" and path.name.split(".", 1)[0] not in keep:
                path.unlink()
        self._due = {event: due for event, due in self._due.items() if event in keep}
        self._save_due()

    def _clips(self, event: str, due: float, utc: float) -> tuple[EvidenceRef, ...]:
        span = self._window.before + self._window.after
        decision = self._file(event, "decision.mp4")
        # After a restart the ring no longer holds the decision: what was put aside then is what there is.
        covered = self._footage.covers(due - self._window.after)
        whole = self._footage.clip(due - span, due) if covered else None
        if whole is None and decision.exists():
            whole = decision.read_bytes()
        refs = []
        entry = self._file(event, "entry.mp4")
        if entry.exists():
            entry_utc = float(self._file(event, "entry.utc").read_text())
            if entry_utc < utc - self._window.before:
                refs.append(self._keep("clip", entry.read_bytes(), "video/mp4", entry_utc))
        if whole is not None:
            refs.append(self._keep("clip", whole, "video/mp4", utc - self._window.before))
        return tuple(refs)

    def _keep(self, role: Role, data: bytes, media_type: str, utc: float) -> EvidenceRef:
        digest = hashlib.sha256(data).hexdigest()
        key = f"evidence/{digest[:2]}/{digest}.{_SUFFIX[media_type]}"
        stored = self._blobs.put(key, data, media_type)
        return EvidenceRef(
            role=role,
            key=key,
            sha256=digest,
            media_type=media_type,
            size=len(data),
            utc=round(utc, 3),
            stored=stored,
        )

    def _file(self, event: str, name: str) -> Path:
        return self._shelf / f"{event}.{name}"

    def _drop(self, event: str) -> None:
        for path in self._shelf.glob(f"{event}.*"):
            path.unlink(missing_ok=True)
        if self._due.pop(event, None) is not None:
            self._save_due()

    def _save_due(self) -> None:
        (self._shelf / "due.json").write_text(json.dumps(self._due))

    def _load_due(self) -> dict[str, tuple[float, float]]:
        path = self._shelf / "due.json"
        if not path.exists():
            return {}
        return {str(k): (float(v[0]), float(v[1])) for k, v in json.loads(path.read_text()).items()}


class NoEvidence:
    """`EvidenceKeeper` of a replay that is asked for transitions alone."""

    def candidate(self, matter: Matter, frame: Frame) -> None:
        """Keeps nothing."""

    def dissolve(self, matter: Matter) -> None:
        """Keeps nothing."""

    def picture(self, matter: Matter, step: Step, frame: Frame) -> tuple[EvidenceRef, ...]:
        """No references."""
        return ()

    def late(self, time: float, closing: str | None = None) -> list[tuple[str, tuple[EvidenceRef, ...]]]:
        """No clips."""
        return []

    def forget(self, keep: frozenset[str]) -> None:
        """Nothing to drop."""
