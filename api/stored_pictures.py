"""Pictures and clips to be labelled and trained on as they go out: masked where their source may show people."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import Response

from algorithm_repo.labelling.clips import CLIP_TYPE
from api.doors import Doors
from api.evidence import Served, send, send_masked


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """Where its bytes are in the object store, and what they are."""

    key: str
    sha256: str
    media_type: str
    size: int


def send_picture(
    request: Request, doors: Doors, picture: StoredPicture, personal: bool, range_header: str | None
) -> Response:
    """The picture or clip, with faces and plates made unrecognisable where it is `personal`. Of a clip it is always a
    copy that browsers play.

    Raises:
        MaskingFailed, MaskingLater, ViewingCopyFailed, ViewingCopyLater, ObjectMissing, ObjectsUnavailable.
    """
    if not personal:
        told = {"Cache-Control": "private, max-age=86400"}
        name = picture.key.rpartition("/")[2]
        key, tag = picture.key, picture.sha256
        if picture.media_type == CLIP_TYPE:
            key, tag = doors.viewing_copies.ensure(picture), f"{picture.sha256}-h264"
        served = Served(key, f'"{tag}"', picture.media_type, name, told)
        return send(request, doors.objects, served, range_header)
    copy = doors.masked_copies.ensure(picture, None, None)
    return send_masked(request, doors.objects, picture.sha256, copy, range_header)
