"""The pool's own contract."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.deps import ViewerDep
from pool.schema import json_schema

router = APIRouter(prefix="/api/pool", tags=["pool"])


@router.get("/schema", response_model=dict[str, object])
def schema(_viewer: ViewerDep) -> JSONResponse:
    """JSON Schema of `streams.yaml`, for editors."""
    return JSONResponse(json_schema(), media_type="application/schema+json")
