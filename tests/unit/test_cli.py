"""The command's frame: lazy, quick, and one line for every error."""

from __future__ import annotations

import importlib.util
import resource
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cityvision.cli import COMMANDS, LazyGroup, cli
from contracts.errors import PortTaken

HERE = [name for name, (module, _) in COMMANDS.items() if importlib.util.find_spec(module)]


def test_help_names_every_command_and_imports_none() -> None:
    code = (
        "import sys; from cityvision.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'sqlalchemy', 'pydantic', 'openvino', 'av', 'fastapi'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)
    assert (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime) < 0.3


@pytest.mark.parametrize("name", HERE)
def test_every_subcommand_shows_an_example(name: str) -> None:
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert f"cityvision {name}" in result.output.split("Example", 1)[1]


@pytest.mark.parametrize("name", HERE)
def test_help_needs_no_running_system(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYVISION_DATA", str(tmp_path))
    found = cli.get_command(click.Context(cli), name)
    below = list(found.commands) if isinstance(found, click.Group) else []
    for words in ([name], *([name, one] for one in below)):
        result = CliRunner().invoke(cli, [*words, "--help"])
        assert result.exit_code == 0, f"{words}: {result.output}"


def test_version() -> None:
    result = CliRunner().invoke(cli, ["--version"])
    assert result.output == "cityvision, version 0.1.0\n"


def _group(error: Exception) -> LazyGroup:
    @click.command()
    def failing() -> None:
        raise error

    class Group(LazyGroup):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
            return failing

    return Group(lazy={"fail": ("nowhere.at_all", "fails")})


def test_our_errors_are_one_line_and_status_2() -> None:
    result = CliRunner().invoke(_group(PortTaken("port 1\nis taken", "choose another")), ["fail"])
    assert result.exit_code == 2
    assert result.stderr == "cityvision: port 1 is taken; choose another\n"
    assert "Traceback" not in result.output


def test_other_errors_are_not_hidden() -> None:
    result = CliRunner().invoke(_group(ZeroDivisionError("a mistake of ours")), ["fail"])
    assert isinstance(result.exception, ZeroDivisionError)


def test_a_missing_module_breaks_only_its_own_command() -> None:
    group = LazyGroup(lazy={"gone": ("cityvision.commands.not_there", "is gone")})
    assert "gone" in CliRunner().invoke(group, ["--help"]).output
    result = CliRunner().invoke(group, ["gone"])
    assert (result.exit_code, result.stderr) == (2, "cityvision: gone is not part of this installation\n")
    assert CliRunner().invoke(group, ["other"]).exit_code == 2
