"""The OpenAPI contract as the console keeps it: `python -m api.contract > console/openapi.json`."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from api.app import create_app
from api.settings import ApiSettings
from store.objects import DiskObjects


def contract() -> str:
    """OpenAPI 3.1 as JSON, keys sorted. Connects to nothing."""
    settings = ApiSettings(database_url="postgresql+psycopg://nowhere/none", redis_url="redis://nowhere")
    with tempfile.TemporaryDirectory() as folder:  # an object store makes its folder
        schema = create_app(settings, DiskObjects(Path(folder))).openapi()
    return json.dumps(schema, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(contract())
