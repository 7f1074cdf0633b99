"""Checks the files that are neither Python nor TypeScript: pool files, the zoo, and what is generated from code.

.venv/bin/python scripts/check_data.py          exits 1 and says every fault
.venv/bin/python scripts/check_data.py --write  writes the generated ones again
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from api.contract import contract
from models.zoo import Zoo
from pool.faults import PoolFaults
from pool.load import load_pool
from pool.schema import json_schema

ROOT = Path(__file__).resolve().parent.parent


def streams_schema() -> str:
    """JSON Schema of the pool file."""
    return json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n"


GENERATED: dict[str, Callable[[], str]] = {
    "console/openapi.json": contract,
    "docs/streams.schema.json": streams_schema,
}


def pool_faults() -> list[str]:
    """Faults of the pool files in the checkout."""
    try:
        load_pool(ROOT / "streams.yaml")
    except PoolFaults as refused:
        return [str(fault) for fault in refused.faults]
    return []


def main() -> int:
    faults = pool_faults()
    Zoo()  # reads and checks models/zoo.yaml
    for name, make in GENERATED.items():
        path = ROOT / name
        now = make()
        if path.exists() and path.read_text(encoding="utf-8") == now:
            continue
        if "--write" in sys.argv:
            path.write_text(now, encoding="utf-8")
        else:
            faults.append(f"{name} is out of date; run: .venv/bin/python scripts/check_data.py --write")
    for fault in faults:
        sys.stderr.write(fault + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
