"""`cityvision bench`: measurements, each beside a peer or a limit."""

from __future__ import annotations

from pathlib import Path

import click

from bench.result import BENCHES, BenchResult, measure, update_table

_LIST = "\n".join(f"  {name:<15}{what}" for name, (_, what) in BENCHES.items())


@click.command(
    epilog=f"\b\nMeasurements:\n{_LIST}\n\n"
    "\b\nExample:\n  cityvision bench tracker --json tracker.json\n  cityvision bench all"
)
@click.argument("name", type=click.Choice([*BENCHES, "all"]))
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Also write JSON here.")
@click.option(
    "--table",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("docs/benchmarks.md"),
    show_default=True,
    help="Markdown table that `all` keeps up to date.",
)
def command(name: str, json_file: Path | None, table: Path) -> None:
    """Measure NAME and print its figures."""
    names = list(BENCHES) if name == "all" else [name]
    results: list[BenchResult] = []
    for one in names:
        click.echo(f"measuring {one}: {BENCHES[one][1]} …", err=True)
        results.append(measure(one))
        click.echo(results[-1].to_markdown())
    if json_file is not None:
        text = results[0].to_json() if len(results) == 1 else "[" + ",".join(r.to_json() for r in results) + "]"
        json_file.write_text(text)
    if name == "all":
        update_table(table, results)
        click.echo(f"{table} is up to date", err=True)
