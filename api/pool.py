"""The pool's own contract."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.deps import ViewerDep
from pool.schema import json_schema

router = APIRouter(prefix="/api/pool", tags=["pool"])


class SchemaDocument(JSONResponse):
    """JSON Schema has a media type of its own."""

    media_type = "application/schema+json"


@router.get("/schema", response_model=dict[str, object], response_class=SchemaDocument)
def schema(_viewer: ViewerDep) -> JSONResponse:
    """JSON Schema of `streams.yaml`, for editors."""
    return SchemaDocument(json_schema())
