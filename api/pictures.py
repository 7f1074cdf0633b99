"""Pictures that people and systems attach to cases, kept by their hash."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageOps

from api.problems import Fault, Invalid
from store.objects import ObjectStore

MAX_PIXELS = 50_000_000
_SIDE = 2560
_QUALITY = 88
# What Pillow says of bytes that are no picture, of broken ones, and of ones made to exhaust memory.
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture in the object store; `size` in bytes."""

    key: str
    sha256: str
    size: int


def keep(objects: ObjectStore, content: bytes, field: str) -> Kept:
    """A picture goes into the object store. The same bytes always get the same key.

    What is kept is drawn anew from the pixels: a file that is a picture and something else besides stays outside, and
    so does what a telephone writes into it (where it was taken, by which device).

    Args:
        content: JPEG or PNG by its bytes, whatever it is called.

    Raises:
        Invalid: it is none, is broken, or has too many pixels; names `field`.
    """
    try:
        fresh = _redrawn(content)
    except _UNREADABLE as error:
        faults = [Fault(field=field, message="no JPEG or PNG that can be read")]
        raise Invalid(f"the {field} is no picture", "send JPEG or PNG", faults) from error
    digest = hashlib.sha256(fresh).hexdigest()
    key = f"cases/{digest[:2]}/{digest}.jpg"
    objects.put(key, fresh, "image/jpeg")
    return Kept(key, digest, len(fresh))


def _redrawn(content: bytes) -> bytes:
    """The picture as JPEG: upright, its longer side `_SIDE` pixels at most, and nothing but pixels."""
    with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as image:
        if image.width * image.height > MAX_PIXELS:  # told by the header, before anything is decoded
            raise ValueError("too many pixels")
        image.draft("RGB", (_SIDE, _SIDE))
        upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.thumbnail((_SIDE, _SIDE))
    target = io.BytesIO()
    bare = Image.new("RGB", upright.size)
    bare.paste(upright)
    bare.save(target, "JPEG", quality=_QUALITY)
    return target.getvalue()


def keep_texts(objects: ObjectStore, texts: Sequence[str], field: str) -> tuple[Kept, ...]:
    """The same of pictures that came as base64.

    Raises:
        Invalid: one is none; names it as `field[number]`.
    """
    kept = []
    for number, text in enumerate(texts):
        name = f"{field}[{number}]"
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            faults = [Fault(field=name, message="no base64")]
            raise Invalid(f"{name}: no base64", "write base64 of a JPEG or PNG", faults) from error
        kept.append(keep(objects, content, name))
    return tuple(kept)
