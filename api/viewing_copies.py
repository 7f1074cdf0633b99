"""Viewing copies of clips that a browser cannot play (H.265): made when somebody opens one, kept, never evidence."""

from __future__ import annotations

import threading
from collections.abc import Callable

from api.derived import keep, kept
from api.masked_copies import Original
from api.problems import ViewingCopyFailed, ViewingCopyLater
from contracts.errors import StreamCorrupt
from store.objects import ObjectStore, derived_key

# An MP4 in, an MP4 in H.264 out. Raises StreamCorrupt (nothing to decode) or TimeoutError.
Convert = Callable[[bytes], bytes]

MAX_BYTES = 256 << 20
_WAITING = 4
_WAIT_S = 20.0


class ViewingCopies:
    """Makes one at a time, in whatever the converter runs. Thread-safe.

    Args:
        convert: injected by the composition root; None: no copies can be made here.
    """

    def __init__(self, objects: ObjectStore, convert: Convert | None) -> None:
        self._objects, self._convert = objects, convert
        self._one = threading.Lock()
        self._places = threading.BoundedSemaphore(_WAITING)

    def key_of(self, ref: Original) -> str:
        """Where the copy is kept. Its own hash is not in the name: it is not evidence, and may be made anew."""
        return derived_key(ref.sha256, "h264.mp4")

    def ensure(self, ref: Original) -> str:
        """The key of the copy, made now where there is none. May take as long as the converter may.

        Raises:
            ViewingCopyFailed: it is no clip, too large, or cannot be decoded.
            ViewingCopyLater: too many wait, or the converter took too long.
            ObjectMissing, ObjectsUnavailable: of the original.
        """
        key = self.key_of(ref)
        if kept(self._objects, key):
            return key
        if self._convert is None or ref.media_type != "video/mp4" or ref.size > MAX_BYTES:
            raise ViewingCopyFailed("no viewing copy can be made of this", "download the original")
        if not self._places.acquire(blocking=False):
            raise ViewingCopyLater("others are being made", "try again in a moment")
        try:
            if not self._one.acquire(timeout=_WAIT_S):
                raise ViewingCopyLater("others are being made", "try again in a moment")
            try:
                if not kept(self._objects, key):  # the one before us may have made this very copy
                    self._make(ref, key, self._convert)
            finally:
                self._one.release()
        finally:
            self._places.release()
        return key

    def _make(self, ref: Original, key: str, convert: Convert) -> None:
        original = self._objects.get(ref.key)
        try:
            copy = convert(original)
        except StreamCorrupt as error:
            raise ViewingCopyFailed(error.message, "download the original") from error
        except TimeoutError as error:
            raise ViewingCopyLater("making the viewing copy took too long", "download the original") from error
        keep(self._objects, ref.key, key, copy, "video/mp4")
