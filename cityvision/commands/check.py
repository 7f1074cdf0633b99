"""`cityvision check`: is the camera pool's file right, and if not, every fault at once."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from contracts.pool import Pool
    from pool.faults import PoolFaults

_EPILOG = """\b
Each fault is one line, FILE:LINE: path: what is wrong; what to write.
Exit status: 0 the pool is right, 2 it is not.

\b
Example:
  cityvision check streams.yaml
  cityvision check streams.yaml --json | jq -r '.faults[].path'
"""


@click.command(epilog=_EPILOG)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder in which checked cameras are kept, so that the next check only reads what changed.",
)
@click.option(
    "--cases",
    "book",
    envvar="CITYVISION_CASE_BOOK",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Rule book of cases: the departments, grids and zones that it names have to exist.",
)
def command(file: Path, as_json: bool, cache: Path | None, book: Path | None) -> None:
    """Check FILE (streams.yaml, joined by the files of streams.d beside it) and say all that is wrong with it."""
    from pool.faults import PoolFaults
    from pool.load import load_pool

    try:
        pool = load_pool(file, cache)
        if book is not None:
            _fit(pool, book)
    except PoolFaults as refused:
        _refuse(refused, as_json)
    else:
        _accept(file, pool, as_json)


def _fit(pool: Pool, book: Path) -> None:
    """Raises PoolFaults: the rule book names what the pool does not have."""
    from cases.book import read_book
    from cityvision.case_fitting import fitted
    from pool.faults import Fault, PoolFaults

    found = fitted(read_book(book), pool)
    if found:
        raise PoolFaults([Fault("", 0, f"{book}: {one.path}", one.what, one.fix) for one in found])


def _refuse(refused: PoolFaults, as_json: bool) -> None:
    if as_json:
        faults = [
            {"file": one.file, "line": one.line, "path": one.path, "what": one.what, "fix": one.fix}
            for one in refused.faults
        ]
        click.echo(json.dumps({"ok": False, "faults": faults}, ensure_ascii=False))
    else:
        for fault in refused.faults:
            click.echo(str(fault))
        count = len(refused.faults)
        click.echo(f"{count} fault{'' if count == 1 else 's'}", err=True)
    raise SystemExit(2)


def _accept(file: Path, pool: Pool, as_json: bool) -> None:
    algorithms = Counter(name for camera in pool.cameras for name in camera.algorithms)
    counts = {
        "cameras": len(pool.cameras),
        "zones": sum(len(camera.zones) for camera in pool.cameras),
        "departments": len(pool.departments),
    }
    if as_json:
        click.echo(json.dumps({"ok": True, **counts, "algorithms": dict(sorted(algorithms.items()))}))
        return
    sums = ", ".join(f"{count} {name if count != 1 else name[:-1]}" for name, count in counts.items())
    watched = ", ".join(f"{name} on {count}" for name, count in sorted(algorithms.items())) or "no algorithm"
    click.echo(f"{file}: right: {sums}; {watched}")
