"""Pictures of cameras that somebody was shown of late: each is masked once, and at hand for whoever saw it."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from weakref import WeakValueDictionary

from api.masked_copies import MaskedBytes, MaskedCopies

KEPT_S = 1800.0
_MOST_EACH = 4  # of one person: whoever asks again and again takes no other's place
_MOST = 256


class Masking:
    """One picture masked once, however many ask for it at the same time. Thread-safe."""

    def __init__(self, copies: MaskedCopies, jpeg: bytes) -> None:
        self._copies, self._jpeg = copies, jpeg
        self._lock = threading.Lock()
        self._made: MaskedBytes | None = None

    def get(self) -> MaskedBytes:
        """Raises MaskingFailed, MaskingLater."""
        with self._lock:
            if self._made is None:
                self._made = self._copies.picture(self._jpeg)
            return self._made


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a camera showed at one moment.

    Attributes:
        utc: when it was taken, s since 1970.
        sha256: of `jpeg`, hex: names it.
        jpeg: as the camera's worker published it, unmasked.
    """

    camera: str
    utc: float
    sha256: str
    jpeg: bytes
    masking: Masking


class Snapshots:
    """What people were shown, in this process. Thread-safe; bounded, the oldest is forgotten first.

    Of the evidence of events these are no part: nothing is written anywhere.
    """

    def __init__(self, copies: MaskedCopies) -> None:
        self._copies = copies
        self._shown: OrderedDict[tuple[str, str], tuple[float, Snapshot]] = OrderedDict()
        self._maskings: WeakValueDictionary[str, Masking] = WeakValueDictionary()
        self._lock = threading.Lock()

    def add(self, who: str, camera: str, utc: float, jpeg: bytes, now: float | None = None) -> Snapshot:
        """A picture that is about to be shown to somebody.

        Args:
            now: monotonic clock, s; by default the present.
        """
        moment = time.monotonic() if now is None else now
        digest = hashlib.sha256(jpeg).hexdigest()
        with self._lock:
            masking = self._maskings.get(digest)
            if masking is None:
                masking = self._maskings[digest] = Masking(self._copies, jpeg)
            fresh = Snapshot(camera, utc, digest, jpeg, masking)
            self._shown[who, digest] = moment, fresh
            self._shown.move_to_end((who, digest))
            self._forget(who, moment)
        return fresh

    def find(self, who: str, sha256: str, now: float | None = None) -> Snapshot | None:
        """The picture by its SHA-256, if this person was shown it within the last `KEPT_S`."""
        moment = time.monotonic() if now is None else now
        with self._lock:
            at, found = self._shown.get((who, sha256), (moment, None))
        return found if moment - at < KEPT_S else None

    def _forget(self, who: str, now: float) -> None:
        mine = [key for key in self._shown if key[0] == who]
        old = [key for key, (at, _) in self._shown.items() if now - at >= KEPT_S]
        for key in {*mine[:-_MOST_EACH], *old}:
            del self._shown[key]
        while len(self._shown) > _MOST:
            self._shown.popitem(last=False)
