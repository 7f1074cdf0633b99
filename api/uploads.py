"""A network from elsewhere, sent as a form: it is checked, tried, and becomes a version, or is refused with reasons."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, status
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError
from starlette.datastructures import FormData, UploadFile

from algorithm_repo.intake.reasons import Refusal
from algorithm_repo.intake.types import StaticFigures, TrialFigures
from algorithm_repo.registry.types import AlgorithmVersion, Version
from api.deps import DoorsDep, LabelDep
from api.problems import Fault, NetworkRefused, Problem, TryLater, wrong
from api.schemas import Body
from api.text import no_nul
from contracts.errors import RunnerError
from governance import audit

router = APIRouter(prefix="/api/algorithms", tags=["algorithms"])

_REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 422, 503)}
_FILES = {"model": "the ONNX file", "card": "the YAML file that describes it"}


class UploadedVersion(Body):
    """The form's fields beside its files."""

    algorithm: str = Field(max_length=64)
    version: Version
    note: str = Field("", max_length=2000)


class UploadAnswer(Body):
    """The version, what its graph says of itself, and what running it took."""

    version: AlgorithmVersion
    static: StaticFigures
    trial: TrialFigures


@dataclass(frozen=True, slots=True)
class Sent:
    """A form, read to its end."""

    asked: UploadedVersion
    model: bytes
    card: bytes


_FIELDS = {
    name: {key: value for key, value in told.items() if key != "title"}
    for name, told in UploadedVersion.model_json_schema()["properties"].items()
}
_BINARY = {"type": "string", "format": "binary"}
_FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [*_FILES, "algorithm", "version"],
                "properties": _FIELDS | {name: _BINARY | {"description": told} for name, told in _FILES.items()},
            }
        }
    },
}


async def sent(request: Request, _viewer: LabelDep) -> Sent:
    """The form. Nothing of it is read before it is known who sends it: the files are large."""
    async with request.form(max_files=len(_FILES), max_fields=len(_FIELDS)) as form:
        texts = {name: value for name, value in form.multi_items() if isinstance(value, str)}
        no_nul(texts)
        files = {name: await _bytes(form, name) for name in _FILES}
    try:
        return Sent(UploadedVersion.model_validate(texts), **files)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_input=False)) from error


async def _bytes(form: FormData, name: str) -> bytes:
    file = form.get(name)
    if not isinstance(file, UploadFile):
        raise wrong(name, "no file was sent", f"send {_FILES[name]} as the form's part `{name}`")
    return await file.read()


@router.post("/uploads", status_code=status.HTTP_201_CREATED, responses=_REFUSED, openapi_extra={"requestBody": _FORM})
def upload_version(form: Annotated[Sent, Depends(sent)], doors: DoorsDep, viewer: LabelDep) -> UploadAnswer:
    """A version like the one in production, but for a network from elsewhere: ONNX (128 MiB at most) and its card.

    It is looked at and tried in processes of their own first, for up to two minutes; docs/intake.md says how. Nothing
    runs it yet."""
    if doors.bring is None:
        raise TryLater("no version can be entered here", "start the API by cityvision up")
    asked = form.asked
    try:
        version, report = doors.bring.of_upload(
            doors.engine.begin,
            doors.objects,
            form.model,
            form.card,
            asked.algorithm,
            asked.version,
            viewer.name,
            asked.note,
        )
    except Refusal as refusal:
        told = {
            "algorithm": asked.algorithm,
            "version": asked.version,
            "sha256": hashlib.sha256(form.model).hexdigest(),
            "reasons": [one.code for one in refusal.reasons],
        }
        with doors.engine.begin() as connection:  # of its own: the door's is taken back
            audit.record(connection, viewer.name, "algorithm.refused", told, time.time())
        faults = [Fault(field=one.field, message=one.what, fix=one.fix, code=one.code) for one in refusal.reasons]
        raise NetworkRefused(refusal.message, refusal.fix, faults) from refusal
    except (TimeoutError, RunnerError) as error:
        raise TryLater(str(error), "try again in a minute") from error
    assert report.static is not None
    assert report.trial is not None  # it was accepted
    return UploadAnswer(version=version, static=report.static, trial=report.trial)
