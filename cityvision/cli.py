"""The `cityvision` command. Each subcommand is a module that is imported only when it is used."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import IO, Any

import click

from contracts.errors import CityVisionError

# name -> (module that holds `command: click.Command`, one line for --help)
COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("cityvision.commands.up", "Start everything on this machine and watch over it."),
    "demo": (
        "cityvision.commands.demo",
        "RTSP cameras and their events, within a minute; needs nothing but this machine.",
    ),
    "check": ("cityvision.commands.check", "Check a pool file: every fault with its line and its fix."),
    "cameras": ("cityvision.commands.cameras", "Cameras of a running system and how they are."),
    "replay": ("cityvision.commands.replay", "Run the whole chain on a file, without services."),
    "evaluate": ("cityvision.commands.evaluate", "What the rules are worth, measured on labelled clips."),
    "explain": ("cityvision.commands.explain", "Why an event came, or why none came."),
    "event": ("cityvision.commands.event", "Which version of an algorithm answers for an event."),
    "algo": (
        "cityvision.commands.algo",
        "Versions of algorithms and their ledger; may a model from elsewhere run here?",
    ),
    "label": ("cityvision.commands.label", "Labelling: projects, labels in and out, agreement, freezing."),
    "train": ("cityvision.commands.train", "Train the built-in networks, or a detector by the queue."),
    "simulate": ("cityvision.commands.simulate", "Clips of the simulated street, with what should be reported."),
    "models": ("cityvision.commands.models", "Models and clips of the zoo: list, fetch, verify."),
    "zones": ("cityvision.commands.zones", "Zones that a camera's own tracks suggest."),
    "schema": ("cityvision.commands.schema", "JSON Schema of the pool file, for editors."),
    "subscriptions": (
        "cityvision.commands.subscriptions",
        "Who is told of events, how it goes, redrive and replay.",
    ),
    "exchange": (
        "cityvision.commands.exchange",
        "Cases exchanged with the city's existing platform: how it goes, what differs.",
    ),
    "evidence": (
        "cityvision.commands.evidence",
        "Signed evidence packages: take one out, check one, the key; retention.",
    ),
    "audit": ("cityvision.commands.audit", "Does the audit chain hold, and what is in it."),
    "admin": ("cityvision.commands.admin", "Accounts, the settings in force."),
    "bench": ("cityvision.commands.bench", "Measurements, each beside a peer or a limit."),
}

_EXAMPLE = "\b\nExample:\n  cityvision up --streams streams.yaml\n  cityvision check streams.yaml"


class CommandFailure(click.ClickException):
    """A `CityVisionError` as one line on stderr and exit status 2."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"cityvision: {' '.join(self.message.split())}", file=file or sys.stderr)


class LazyGroup(click.Group):
    """A group whose subcommands are known by name and imported on use, so that `--help` is fast."""

    def __init__(self, *args: Any, lazy: dict[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.lazy:
            return None
        module_name = self.lazy[cmd_name][0]
        try:
            found = import_module(module_name).command
        except ModuleNotFoundError as error:
            if error.name != module_name:
                raise CommandFailure(
                    f"{cmd_name} needs the Python package {error.name!r}, which is not installed; run: make install"
                ) from error
            raise CommandFailure(f"{cmd_name} is not part of this installation") from error
        if not isinstance(found, click.Command):
            raise TypeError(f"{module_name}.command is not a click command")
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.lazy.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CityVisionError as error:
            raise CommandFailure(str(error)) from error
        except ValueError as error:
            told = _fields(error)
            if not told:
                raise
            raise CommandFailure(told) from error


def _fields(error: ValueError) -> str:
    """What pydantic found wrong with what was asked for, by field; "": the error is no such one."""
    from pydantic import ValidationError  # so that --help needs not wait for it

    if not isinstance(error, ValidationError):
        return ""
    faults = error.errors(include_url=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, (error.title, *one['loc'])))}: {one['msg']}" for one in faults[:5])


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=_EXAMPLE,
)
@click.version_option(version("cityvision"), prog_name="cityvision")
def cli() -> None:
    """CityVision 城市智眼: camera streams in, events that stand up out."""


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point of the console script; ends the process with the command's exit status."""
    cli.main(args=None if argv is None else list(argv), prog_name="cityvision")
