"""Versions of training data, for those who label and train: what each holds, where it comes from, what changed.

Of pictures that a camera took only those whose evidence somebody may see, and of hidden tests none but to those who
manage their project.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from algorithm_repo.archive import media
from algorithm_repo.archive import service as archive
from algorithm_repo.archive.service import DatasetVersion
from algorithm_repo.datasets.alike import pairs
from algorithm_repo.datasets.diff import Diff, diff
from algorithm_repo.datasets.split import across, hours_across
from algorithm_repo.datasets.statistics import statistics
from algorithm_repo.datasets.types import Item, Manifest
from algorithm_repo.labelling import contents
from algorithm_repo.labelling.contents import Eyes
from api import sight
from api.dataset_schemas import (
    ChangedItem,
    ChangedPage,
    ChangeKind,
    DatasetDetail,
    DatasetDifference,
    DatasetStatistics,
    LeakageCheck,
)
from api.deps import ConnectionDep, CredentialDep, DoorsDep, LabelDep, check_session, viewer_of
from api.doors import Doors
from api.evidence import BYTES, RangeHeader, Sha256
from api.problems import Invalid, NotFound, Problem
from api.stored_pictures import StoredPicture, send_picture
from governance import access, audit
from governance.access import Viewer, require
from governance.roles import Right
from governance.types import User

router = APIRouter(prefix="/api/datasets", tags=["datasets"])

_REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 404, 422)}
_MOST_COMPARED = 1000  # each with each, and views of each: two seconds of one core
_TYPES = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


@router.get("", responses={403: {"model": Problem}})
def list_datasets(
    connection: ConnectionDep,
    _viewer: LabelDep,
    name: Annotated[str | None, Query(max_length=80, description="versions of this name alone")] = None,
) -> list[DatasetVersion]:
    """Every version, the newest first; `parent` makes a tree of them."""
    return archive.listed(connection, name)


@router.get("/{digest}", responses=_REFUSED)
def get_dataset(digest: Sha256, connection: ConnectionDep, doors: DoorsDep, viewer: LabelDep) -> DatasetDetail:
    """One version, counted by side, class, slice, source, licence and camera, and its leakage check."""
    version, manifest = _opened(connection, doors, digest)
    return DatasetDetail(
        version=version,
        classes=list(manifest.classes),
        statistics=DatasetStatistics.of(statistics(manifest), access.cameras(connection, viewer)),
        leakage=_leakage(connection, manifest),
    )


def two_versions(
    digest: Sha256,
    connection: ConnectionDep,
    doors: DoorsDep,
    _viewer: LabelDep,
    before: Annotated[
        str | None, Query(alias="from", pattern=r"^[0-9a-f]{64}$", description="digest; without: the parent")
    ] = None,
) -> tuple[str, Manifest, Manifest]:
    """The digest of the older one, and both.

    Raises:
        NotFound: there is no such version.
        Invalid: it has no parent, and none is named to compare it with.
    """
    version, manifest = _opened(connection, doors, digest)
    older = before or version.parent
    if older is None:
        raise Invalid("from: this version has no parent", "name the version that it is compared with")
    return older, _opened(connection, doors, older)[1], manifest


TwoDep = Annotated[tuple[str, Manifest, Manifest], Depends(two_versions)]


@router.get("/{digest}/difference", responses=_REFUSED)
def dataset_difference(digest: Sha256, two: TwoDep) -> DatasetDifference:
    """What changed since its parent, or since any other version: in words and in numbers."""
    older, before, after = two
    return DatasetDifference.of(older, digest, diff(before, after))


@router.get("/{digest}/difference/items", responses=_REFUSED)
def dataset_changes(
    digest: Sha256,
    two: TwoDep,
    connection: ConnectionDep,
    viewer: LabelDep,
    kind: ChangeKind,
    after: Annotated[int, Query(ge=0, le=2**31, description="how many came on the pages before")] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 24,
) -> ChangedPage:
    """The pictures that changed in one way, with their labels before and after."""
    older, before, newer = two
    found = _changes(diff(before, newer), kind)
    page = found[after : after + limit]
    seen = contents.visible(connection, [one.item for one in page], _eyes(viewer))
    shown = [one for one in page if one.item.content in seen]
    more = after + len(page)
    return ChangedPage(
        items=[ChangedItem.of(digest if one.after else older, one.item, one.before, one.after) for one in shown],
        withheld=len(page) - len(shown),
        next_after=more if more < len(found) else None,
    )


@router.get(
    "/{digest}/pictures/{content}",
    response_class=Response,
    responses=BYTES | {200: {"content": {"image/jpeg": {}, "image/png": {}}, "description": "the picture"}},
)
def dataset_picture(
    request: Request,
    digest: Sha256,
    content: Sha256,
    doors: DoorsDep,
    shown: CredentialDep,
    range_header: RangeHeader = None,
) -> Response:
    """A picture of a version: with faces and plates made unrecognisable where its source may show people."""
    key, personal = _admit(doors, check_session(doors, shown), digest, content)
    media_type = _TYPES.get(key.rpartition(".")[2].lower(), "application/octet-stream")
    kept = StoredPicture(key, content, media_type, doors.objects.size(key))
    return send_picture(request, doors, kept, personal, range_header)


def _admit(doors: Doors, user: User, digest: str, content: str) -> tuple[str, bool]:
    """Where a picture is that somebody may see, and whether it may show people; noted in the audit chain where a
    camera took it.

    A transaction of its own: none may stand open while a picture is masked or sent.

    Raises:
        Forbidden, NotFound.
    """
    viewer = viewer_of(user)
    require(viewer, Right.LABEL)
    reading = f"dataset picture {content}"
    note = doors.readings.due(user, reading)
    with doors.engine.begin() as connection:
        _, manifest = _opened(connection, doors, digest)
        item = _item(manifest, content)
        if item is None or item.media != "image" or not contents.visible(connection, [item], _eyes(viewer)):
            raise NotFound(f"no picture {content[:12]}… in this version")
        key = contents.key_of(connection, content)
        if note and item.camera:
            what = {"version": digest, "camera": item.camera, "sha256": content}
            audit.record(connection, user.name, "datasets.picture", what)
    if note:
        doors.readings.noted(user, reading)
    key = key or media.key_of(doors.objects, content)
    if key is None:
        raise NotFound(f"picture {content[:12]}… is not in the store", "it may have been deleted")
    return key, manifest.sources[item.source].personal


def _opened(connection: Connection, doors: Doors, digest: str) -> tuple[DatasetVersion, Manifest]:
    """Raises NotFound."""
    version = archive.find(connection, digest)
    if version is None:
        raise NotFound(f"no dataset version {digest[:12]}…")
    return version, doors.datasets.manifest(connection, digest)


def _item(manifest: Manifest, content: str) -> Item | None:
    """Items stand in the order of their content."""
    at = bisect_left(manifest.items, content, key=lambda one: one.content)
    found = manifest.items[at] if at < len(manifest.items) else None
    return found if found is not None and found.content == content else None


def _eyes(viewer: Viewer) -> Eyes:
    return contents.eyes_of(viewer.name, sight.of_label_items(viewer), viewer.everything)


@dataclass(frozen=True, slots=True)
class _Change:
    """An item as both versions have it; None: that one does not."""

    before: Item | None
    after: Item | None
    item: Item


def _changes(found: Diff, kind: ChangeKind) -> list[_Change]:
    if kind == "added":
        return [_Change(None, item, item) for item in found.added]
    if kind == "removed":
        return [_Change(item, None, item) for item in found.removed]
    changed = found.relabelled if kind == "relabelled" else found.told_otherwise
    return [_Change(one.before, one.after, one.after) for one in changed]


def _leakage(connection: Connection, manifest: Manifest) -> LeakageCheck:
    many = len(manifest.items) > _MOST_COMPARED
    looks = {} if many else contents.signatures(connection, [item.content for item in manifest.items])
    sides = {item.content: item.side for item in manifest.items if item.side is not None}
    alike = pairs(looks, sides=sides)
    return LeakageCheck(
        compared=len(looks),
        pairs=len(alike),
        across=len(across(manifest, alike)),
        hours_across=hours_across(manifest),
    )
