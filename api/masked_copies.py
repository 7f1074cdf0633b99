"""Masked copies of evidence: faces, and plates of others than the event's own vehicle, made unrecognisable.

Made at the first view and kept beside the original, which stays as it is. What could only be masked coarsely, because a
network cannot be had, is made anew each time: another day it may be had.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal, Protocol

from api.derived import keep, kept
from api.problems import MaskingFailed, MaskingLater
from contracts.errors import StreamCorrupt
from store.objects import ObjectStore, derived_key

Box = tuple[float, float, float, float]
How = Literal["fine", "coarse", "whole"]

MAX_BYTES = 256 << 20
_VERSION = "masked1"  # of what masking does: a better one makes its copies anew
_OWN_VEHICLES = frozenset({"car", "bus", "truck", "vehicle"})


@dataclass(frozen=True, slots=True)
class MaskedBytes:
    """A masked picture (JPEG) or clip (MP4, H.264).

    Attributes:
        how: "fine": faces and plates; "coarse": persons and vehicles whole; "whole": all of it.
    """

    data: bytes
    how: How


class Mask(Protocol):
    """Masks; injected by the composition root."""

    def __call__(self, kind: Literal["picture", "clip"], data: bytes, own_vehicle: Box | None) -> MaskedBytes:
        """`own_vehicle`: normalised; its plate stays.

        Raises:
            StreamCorrupt: it cannot be decoded.
            TimeoutError: it took too long.
        """
        ...


class Original(Protocol):
    """What is kept in the object store: the evidence of an event or a look, or a picture from the place."""

    @property
    def key(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def media_type(self) -> str: ...
    @property
    def size(self) -> int: ...


@dataclass(frozen=True, slots=True)
class MaskedCopy:
    """Where a copy is (`key`), or its bytes where it is not kept."""

    media_type: str
    how: How
    key: str | None = None
    data: bytes = b""


class MaskedCopies:
    """Makes and keeps them. Thread-safe.

    Args:
        mask: None: nothing can be masked here, so nothing is shown.
    """

    def __init__(self, objects: ObjectStore, mask: Mask | None) -> None:
        self._objects, self._mask = objects, mask

    def ensure(self, ref: Original, object_class: str | None, box: Box | None) -> MaskedCopy:
        """The copy, made now where there is none.

        Args:
            object_class, box: of the event's subject in this picture.

        Raises:
            MaskingFailed: it cannot be masked: neither picture nor clip, too large, or damaged.
            MaskingLater: it took too long, or others did.
            ObjectMissing, ObjectsUnavailable: of the original.
        """
        clip = ref.media_type.startswith("video/")
        media_type = "video/mp4" if clip else "image/jpeg"
        own = box if object_class in _OWN_VEHICLES else None
        key = derived_key(ref.sha256, f"{_VERSION}-{_tag(own)}.{'mp4' if clip else 'jpg'}")
        if kept(self._objects, key):
            return MaskedCopy(media_type, "fine", key)
        if self._mask is None or ref.size > MAX_BYTES or not (clip or ref.media_type.startswith("image/")):
            raise MaskingFailed("this cannot be masked, so it is not shown")
        made = self._made(self._mask, "clip" if clip else "picture", self._objects.get(ref.key), own)
        if made.how != "fine":
            return MaskedCopy(media_type, made.how, None, made.data)
        keep(self._objects, ref.key, key, made.data, media_type)
        return MaskedCopy(media_type, "fine", key)

    def picture(self, jpeg: bytes) -> MaskedBytes:
        """A picture that is kept nowhere, masked. Raises MaskingFailed, MaskingLater."""
        if self._mask is None:
            raise MaskingFailed("this cannot be masked, so it is not shown")
        return self._made(self._mask, "picture", jpeg, None)

    @staticmethod
    def _made(mask: Mask, kind: Literal["picture", "clip"], data: bytes, own: Box | None) -> MaskedBytes:
        try:
            return mask(kind, data, own)
        except StreamCorrupt as error:
            raise MaskingFailed(error.message) from error
        except TimeoutError as error:
            raise MaskingLater(str(error), "try again in a moment") from error


def _tag(own: Box | None) -> str:
    """Tells copies apart by whose plate they leave: the same bytes may be evidence of several events."""
    return "all" if own is None else hashlib.sha256(repr(own).encode()).hexdigest()[:12]
