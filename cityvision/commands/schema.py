"""`cityvision schema`: the JSON Schema with which editors complete and check `streams.yaml`."""

from __future__ import annotations

import json
from pathlib import Path

import click

_EPILOG = """\b
Editors with yaml-language-server take it from the file's first line:
  # yaml-language-server: $schema=streams.schema.json

\b
Example:
  cityvision schema > streams.schema.json
  cityvision schema --output streams.schema.json
"""


@click.command(epilog=_EPILOG)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file instead of the screen."
)
def command(output: Path | None) -> None:
    """Print the JSON Schema of streams.yaml, every algorithm's parameters included."""
    from pool.schema import json_schema

    text = json.dumps(json_schema(), ensure_ascii=False, indent=2)
    if output is None:
        click.echo(text)
    else:
        output.write_text(text + "\n", encoding="utf-8")
        click.echo(f"{output} written", err=True)
