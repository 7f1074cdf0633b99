"""Pictures that people and systems attach to cases, kept by their hash."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
from collections.abc import Sequence

from PIL import Image, ImageOps

from api.problems import Fault, Invalid
from store.objects import ObjectStore

MAX_PIXELS = 50_000_000
_SIDE = 2560
_QUALITY = 88
# What Pillow says of bytes that are no picture, of broken ones, and of ones made to exhaust memory.
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)


def keep(objects: ObjectStore, content: bytes, field: str) -> tuple[str, str]:
    """Key and SHA-256 of a picture, in the object store. The same bytes always get the same key.

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
    return key, digest


def digest_of(key: str) -> str:
    """SHA-256 of a picture, hex, by its key."""
    return key.rpartition("/")[2].partition(".")[0]


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


def keep_texts(objects: ObjectStore, texts: Sequence[str], field: str) -> tuple[str, ...]:
    """Keys of pictures that came as base64.

    Raises:
        Invalid: one is none; names it as `field[number]`.
    """
    keys = []
    for number, text in enumerate(texts):
        name = f"{field}[{number}]"
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            faults = [Fault(field=name, message="no base64")]
            raise Invalid(f"{name}: no base64", "write base64 of a JPEG or PNG", faults) from error
        keys.append(keep(objects, content, name)[0])
    return tuple(keys)
