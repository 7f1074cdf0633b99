"""The built console: its files, and its one page for every address that is a room of it."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.exceptions import HTTPException

_NOT_BUILT = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>CityVision 城市智眼</title>
<p>控制台尚未构建。请运行 make demo，或在 console/ 中运行 npm ci 和 npm run build。</p>
<p>The console is not built. Run make demo, or npm ci and npm run build in console/.</p></html>"""


def mount(app: FastAPI, dist: Path) -> None:
    """Serves `dist`; hashed assets are cached for good, the page itself never."""
    root = dist.resolve()

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str) -> Response:
        if path == "api" or path.startswith("api/"):
            raise HTTPException(404, "no such address")
        file = (root / path).resolve()
        if path and file.is_relative_to(root) and file.is_file():
            age = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
            return FileResponse(file, headers={"Cache-Control": age})
        if path.startswith("assets/"):
            raise HTTPException(404, "no such file; the console was rebuilt, load the page again")
        index = root / "index.html"
        if not index.is_file():
            return HTMLResponse(_NOT_BUILT, 503)
        return FileResponse(index, headers={"Cache-Control": "no-cache"})
