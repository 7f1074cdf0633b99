"""`cityvision algo inspect`: may a model from elsewhere run here?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from algorithm_repo.intake.types import Report


@click.command("inspect", epilog="\b\nExample:\n  cityvision algo inspect model.onnx card.yaml --json | jq .reasons")
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@click.argument("card", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def inspect_command(model: Path, card: Path, as_json: bool) -> None:
    """Check the ONNX file MODEL and the YAML CARD that describes it, and try the model in a process of its own.

    Nothing is registered or kept. Exit status 0: it may run here; 1: it is refused, with the reasons.
    """
    from algorithm_repo.intake.intake import inspect

    report = inspect(model, card)
    if as_json:
        click.echo(report.model_dump_json(indent=1))
    else:
        click.echo("\n".join(lines(report, model.name)))
    if not report.accepted:
        raise SystemExit(1)


def lines(report: Report, file: str) -> list[str]:
    """The report for people; file is what the upload is called."""
    told = f"{report.name} {report.version} ({report.family}, {report.licence})" if report.name else "its card unread"
    found = [f"{file}: {'accepted' if report.accepted else 'refused'}: {told}"]
    found += [f"  {reason.code}: {reason}" for reason in report.reasons]
    if report.sha256 is not None:
        found.append(f"  sha256      {report.sha256}")
    if report.static is not None:
        static = report.static
        found.append(f"  graph       {static.parameters:,} parameters in {static.nodes:,} nodes")
        found.append(f"  format      opset {static.opset}, IR version {static.ir_version}")
    if report.trial is not None:
        trial = report.trial
        found.append(f"  speed       {trial.ms_per_picture:g} ms a picture on one thread")
        found.append(f"  memory      {trial.peak_memory_bytes / 1e6:,.0f} MB at most, Python and OpenVINO included")
    return found
