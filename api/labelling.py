"""Labelling: projects, the queue of somebody who labels, reviews by a second person, agreement, and freezing.

For those who may label, and of pictures that a camera took those whose evidence they may see.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, status
from fastapi.responses import Response
from sqlalchemy import Connection

from algorithm_repo.datasets.types import Source
from algorithm_repo.labelling import answers, candidates, clip_exchange, exchange, freeze, measured, projects
from algorithm_repo.labelling.exchange import Format
from algorithm_repo.labelling.measured import Between
from algorithm_repo.labelling.types import GivenAnswer, Item, ItemState, NewAnswer, NewProject, NewReview, Project
from api import sight
from api.deps import ConnectionDep, CredentialDep, DoorsDep, LabelDep, Number, check_session, viewer_of
from api.doors import Doors
from api.evidence import BYTES, RangeHeader, deletion
from api.labelling_schemas import (
    CandidatesBody,
    CandidatesTaken,
    DraftBody,
    DraftState,
    FreezeBody,
    FrozenOut,
    HiddenBody,
    ItemDetail,
    ItemOut,
    LeftOutOut,
    ProjectOut,
    Task,
)
from api.problems import EvidenceDeleted, NotFound, Problem
from api.stored_pictures import StoredPicture, send_picture
from api.verdict_pictures import pictures_of
from contracts.errors import Forbidden
from events import review
from governance import audit, custody
from governance.access import Access, Viewer, require
from governance.roles import Right
from governance.types import User

ZipFormat = Literal[Format, "cvat-video"]

router = APIRouter(prefix="/api/labelling", tags=["labelling"])

_MEDIA: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {}, "image/png": {}, "video/mp4": {}}, "description": "the picture or clip"}
}
_REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 404, 422)}


@router.get("/projects")
def list_label_projects(connection: ConnectionDep, viewer: LabelDep) -> list[ProjectOut]:
    """All projects, the newest first."""
    return [_project_out(connection, viewer, one) for one in projects.listed(connection)]


@router.post("/projects", status_code=status.HTTP_201_CREATED, responses=_REFUSED)
def create_label_project(body: NewProject, connection: ConnectionDep, viewer: LabelDep) -> ProjectOut:
    """A new project: what is to be labelled, of which classes, by how many people each."""
    made = projects.create(connection, body, viewer.name)
    audit.record(connection, viewer.name, "labels.project", {"project": made.id, "name": made.name})
    return _project_out(connection, viewer, made)


@router.get("/projects/{number}", responses=_REFUSED)
def get_label_project(number: Number, connection: ConnectionDep, viewer: LabelDep) -> ProjectOut:
    """One project."""
    return _project_out(connection, viewer, project_of(connection, number))


@router.post("/projects/{number}/candidates", responses=_REFUSED)
def take_candidates(
    number: Number, body: CandidatesBody, connection: ConnectionDep, doors: DoorsDep, viewer: LabelDep
) -> CandidatesTaken:
    """Verdicts become pictures to be labelled, in a project of tracks or intervals clips, as far as one may see their
    evidence; what was said of them is shown beside as a suggestion. The same verdict again changes nothing."""
    project_of(connection, number)
    found = review.candidates(connection, sight.of_verdicts(viewer, Access.EVIDENCE), body.after, body.limit)
    told = pictures_of(connection, viewer, found)
    pictures = {one: [ref for ref in refs if ref.deleted_utc is None] for one, refs in told.items()}
    taken = candidates.take(connection, doors.objects, number, found, pictures, viewer.name, doors.look_at_clip)
    if taken.added:
        audit.record(connection, viewer.name, "labels.candidates", {"project": number, "added": taken.added})
    return CandidatesTaken(
        added=taken.added,
        known=taken.known,
        without=taken.without,
        next_after=found[-1].id if len(found) == body.limit else None,
    )


@router.get("/projects/{number}/items", responses=_REFUSED)
def list_label_items(
    number: Number,
    connection: ConnectionDep,
    doors: DoorsDep,
    viewer: LabelDep,
    state: ItemState | None = None,
    after: Annotated[int, Query(ge=0, le=2**62, description="id of the last one of the page before")] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[ItemOut]:
    """A project's pictures in the order in which they came."""
    project = project_of(connection, number)
    tested = None if _manages(viewer, project) else viewer.name
    found = projects.items(connection, number, sight.of_label_items(viewer), state, after, limit, tested)
    return _items_out(connection, doors, viewer, project, found)


@router.get("/projects/{number}/queue", responses=_REFUSED)
def label_queue(
    number: Number,
    connection: ConnectionDep,
    doors: DoorsDep,
    viewer: LabelDep,
    work: Literal["label", "review"] = "label",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[Task]:
    """What one has to do next: to label, or to review what others labelled."""
    project = project_of(connection, number)
    found = projects.queue(connection, number, viewer.name, sight.of_label_items(viewer), work == "review", limit)
    numbers = [one.id for one in found]
    drafts = answers.drafts(connection, numbers, viewer.name)
    said = (answers.waiting if work == "review" else answers.newest)(connection, numbers)
    told = zip(found, _items_out(connection, doors, viewer, project, found), strict=True)
    return [
        Task(
            item=out,
            draft=drafts.get(item.id),
            answers=[one for one in said if one.item == item.id and (one.who == viewer.name) != (work == "review")],
        )
        for item, out in told
    ]


@router.get("/items/{number}", responses=_REFUSED)
def get_label_item(number: Number, connection: ConnectionDep, doors: DoorsDep, viewer: LabelDep) -> ItemDetail:
    """One picture with who said what of it, and when; of one that people still label on their own, only one's own. Of
    one that was collected from a stream also when it was taken and deleted."""
    item = _item(connection, viewer, number)
    project = project_of(connection, item.project)
    said = answers.of_item(connection, number)
    if (item.hidden or item.state is ItemState.OPEN) and not _manages(viewer, project):
        said = [one for one in said if one.who == viewer.name]
    shown = _items_out(connection, doors, viewer, project, [item])[0]
    return ItemDetail(item=shown, answers=said, custody=custody.of_item(connection, number))


@router.get(
    "/items/{number}/picture",
    response_class=Response,
    responses=BYTES | _MEDIA,
)
def label_picture(
    request: Request, number: Number, doors: DoorsDep, shown: CredentialDep, range_header: RangeHeader = None
) -> Response:
    """The picture or clip to be labelled: with faces and plates made unrecognisable where its source may show people;
    of a clip a copy in H.264."""
    item, source = _admit(doors, check_session(doors, shown), number)
    kept = StoredPicture(item.key, item.content, item.media_type, doors.objects.size(item.key))
    return send_picture(request, doors, kept, source.personal, range_header)


@router.put("/items/{number}/draft", responses=_REFUSED)
def save_label_draft(number: Number, body: DraftBody, connection: ConnectionDep, viewer: LabelDep) -> DraftState:
    """Keeps labels that are not finished; only whoever drew them sees them."""
    _item(connection, viewer, number)
    return DraftState(kept=answers.save_draft(connection, number, viewer.name, body.labels, body.stamp))


@router.post("/items/{number}/answers", status_code=status.HTTP_201_CREATED, responses=_REFUSED)
def answer_item(number: Number, body: NewAnswer, connection: ConnectionDep, viewer: LabelDep) -> GivenAnswer:
    """The labels of a whole picture; none at all says that there is nothing to see."""
    _item(connection, viewer, number)
    return answers.submit(connection, number, body, viewer.name)


@router.post("/items/{number}/reviews", status_code=status.HTTP_201_CREATED, responses=_REFUSED)
def review_item(number: Number, body: NewReview, connection: ConnectionDep, viewer: LabelDep) -> GivenAnswer:
    """What a second person says of somebody's labels: they count, they count as corrected, or they are to be done
    again, and why."""
    _item(connection, viewer, number)
    return answers.review(connection, number, body, viewer.name)


@router.put("/items/{number}/hidden", responses=_REFUSED)
def hide_item(
    number: Number, body: HiddenBody, connection: ConnectionDep, doors: DoorsDep, viewer: LabelDep
) -> ItemOut:
    """Makes an accepted picture a hidden test for everybody who has had nothing to do with it, or ends that."""
    project = managed(connection, viewer, _item(connection, viewer, number).project)
    projects.hide(connection, number, body.hidden)
    audit.record(connection, viewer.name, "labels.hidden", {"item": number, "hidden": body.hidden})
    return _items_out(connection, doors, viewer, project, [_item(connection, viewer, number)])[0]


@router.get("/projects/{number}/agreement", responses=_REFUSED)
def label_agreement(number: Number, connection: ConnectionDep, viewer: LabelDep) -> list[Between]:
    """How far people agree: with each other, with hidden tests, with what a review made of their labels. Whoever does
    not manage the project sees only their own lines."""
    project = project_of(connection, number)
    found = measured.measured(connection, number, sight.of_label_items(viewer))
    manages = _manages(viewer, project)
    own = [one for one in found if viewer.name in (one.one, one.other) and one.of != "test"]
    return found if manages else own


@router.post("/projects/{number}/freeze", status_code=status.HTTP_201_CREATED, responses=_REFUSED)
def freeze_labels(
    number: Number, body: FreezeBody, connection: ConnectionDep, doors: DoorsDep, viewer: LabelDep
) -> FrozenOut:
    """What is accepted becomes a version of training data: split without leakage, kept for good. Where nothing changed
    since the newest version, that one is the answer."""
    managed(connection, viewer, number)
    seen = sight.of_label_items(viewer)
    done = freeze.freeze(connection, doors.objects, number, seen, viewer.name, note=body.note, seed=body.seed)
    if not done.unchanged:
        what = {"project": number, "version": done.version.digest, "items": done.version.items}
        audit.record(connection, viewer.name, "labels.frozen", what)
    return FrozenOut(
        digest=done.version.digest,
        items=done.version.items,
        parent=done.version.parent,
        left_out=[LeftOutOut(name=one.item.name, why=one.why) for one in done.left_out],
        empty=list(done.empty),
        unchanged=done.unchanged,
    )


@router.get(
    "/projects/{number}/export",
    response_class=Response,
    responses=_REFUSED | {200: {"content": {"application/zip": {}}, "description": "labels, without the pictures"}},
)
def export_labels(
    number: Number,
    connection: ConnectionDep,
    viewer: LabelDep,
    form: Annotated[ZipFormat, Query(alias="format")] = "coco",
) -> Response:
    """What is accepted, as COCO, CVAT's XML or YOLO in a ZIP, tracks of clips as `cvat-video`; pictures and clips stay
    here. Hidden tests are in it only for those who manage the project; a line of the audit chain."""
    project = project_of(connection, number)
    seen = sight.of_label_items(viewer)
    if not _manages(viewer, project):
        seen = projects.without_tests(seen)
    if form == "cvat-video":
        files = clip_exchange.exported(connection, number, seen)
    else:
        files = exchange.exported(connection, number, seen, form)
    audit.record(connection, viewer.name, "labels.exported", {"project": number, "format": form, "pictures": False})
    headers = {"Content-Disposition": f'attachment; filename="labels-{number}-{form}.zip"', "Cache-Control": "no-store"}
    return Response(exchange.zipped(files.texts), media_type="application/zip", headers=headers)


def project_of(connection: Connection, number: int) -> Project:
    """Raises NotFound."""
    found = projects.find(connection, number)
    if found is None:
        raise NotFound(f"no project {number}")
    return found


def _admit(doors: Doors, user: User, number: int) -> tuple[Item, Source]:
    """A picture that somebody may label, noted in the audit chain where a camera took it, and where it comes from.

    A transaction of its own: none may stand open while a picture is masked or sent.

    Raises:
        Forbidden, NotFound, EvidenceDeleted.
    """
    viewer = viewer_of(user)
    require(viewer, Right.LABEL)
    reading = f"label item {number}"
    note = doors.readings.due(user, reading)
    with doors.engine.begin() as connection:
        item = _item(connection, viewer, number)
        if item.deleted_utc is not None:
            raise EvidenceDeleted(deletion(connection, item.key), "what people said of it stays")
        source = project_of(connection, item.project).sources[item.source]
        if note and item.taken.camera:
            what = {"item": number, "camera": item.taken.camera, "sha256": item.content}
            audit.record(connection, user.name, "labels.picture", what)
    if note:
        doors.readings.noted(user, reading)
    return item, source


def managed(connection: Connection, viewer: Viewer, number: int) -> Project:
    """Raises Forbidden, NotFound."""
    project = project_of(connection, number)
    if not _manages(viewer, project):
        raise Forbidden(f"project {project.name} is managed by {project.author}", "ask them")
    return project


def _manages(viewer: Viewer, project: Project) -> bool:
    return viewer.everything or viewer.name == project.author


def _project_out(connection: Connection, viewer: Viewer, project: Project) -> ProjectOut:
    counts = projects.counts(connection, project.id, sight.of_label_items(viewer))
    return ProjectOut(**project.model_dump(), counts=counts, manages=_manages(viewer, project))


def _item(connection: Connection, viewer: Viewer, number: int) -> Item:
    """Raises NotFound where there is none, or its picture is not for this viewer."""
    found = projects.item(connection, number, sight.of_label_items(viewer))
    if found is None:
        raise NotFound(f"no picture {number}")
    return found


def _items_out(
    connection: Connection, doors: Doors, viewer: Viewer, project: Project, found: list[Item]
) -> list[ItemOut]:
    answered = answers.answered(connection, [one.id for one in found], viewer.name)
    manages = _manages(viewer, project)
    cameras = doors.pool.view(connection).cameras if any(one.clip is not None for one in found) else {}
    zones = {one.id: cameras[one.taken.camera].zones for one in found if one.taken.camera in cameras}
    return [ItemOut.of(one, manages, one.id in answered, zones.get(one.id, ())) for one in found]
