"""Pictures that people and systems attach to cases, kept by their hash."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence

from api.problems import Fault, Invalid
from store.objects import ObjectStore

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_SUFFIX = {"image/jpeg": "jpg", "image/png": "png"}


def keep(objects: ObjectStore, content: bytes, field: str) -> tuple[str, str]:
    """Key and SHA-256 of a JPEG or PNG, in the object store.

    Raises:
        Invalid: it is none; names `field`.
    """
    media_type = "image/jpeg" if content.startswith(_JPEG) else "image/png" if content.startswith(_PNG) else None
    if media_type is None:
        raise Invalid(f"the {field} is no picture", "send JPEG or PNG", [Fault(field=field, message="no JPEG or PNG")])
    digest = hashlib.sha256(content).hexdigest()
    key = f"cases/{digest[:2]}/{digest}.{_SUFFIX[media_type]}"
    objects.put(key, content, media_type)
    return key, digest


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
