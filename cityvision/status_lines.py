"""What `cityvision up` and `demo` show of their children: a table on a terminal, lines or JSON elsewhere."""

from __future__ import annotations

import json
import sys
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table

from cityvision.supervisor import ChildReport, State

_STYLES = {
    State.STARTING: "yellow",
    State.READY: "green",
    State.BACKOFF: "yellow",
    State.CRASH_LOOP: "bold red",
    State.STOPPED: "dim",
}


class StatusLines:
    """Shows each change of a child's state. Close it before anything else is printed to stay.

    Args:
        as_json: one JSON object a change on standard output.
        out: where to.
    """

    def __init__(self, *, as_json: bool = False, out: TextIO | None = None) -> None:
        self._as_json = as_json
        self._out = out or (sys.stdout if as_json else sys.stderr)
        self._reports: dict[str, ChildReport] = {}
        self._live: Live | None = None
        if not as_json and self._out.isatty():
            # No refresh thread: the supervisor forks from this process, which must have a single thread then.
            self._live = Live(console=Console(file=self._out), auto_refresh=False, transient=True)
            self._live.start()

    def changed(self, report: ChildReport) -> None:
        """To be given to the supervisor as `on_change`."""
        self._reports[report.name] = report
        if self._as_json:
            self._print(
                json.dumps(
                    {
                        "child": report.name,
                        "state": report.state,
                        "pid": report.pid,
                        "restarts": report.restarts,
                        "why": report.why,
                    },
                    ensure_ascii=False,
                )
            )
        elif self._live is not None:
            self._live.update(self._table(), refresh=True)
        else:
            self._print(line(report))

    def close(self) -> None:
        """Ends the table; later changes are printed as lines."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _print(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()

    def _table(self) -> Table:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for report in self._reports.values():
            style = _STYLES[report.state]
            table.add_row(report.name, f"[{style}]{report.state.replace('_', ' ')}[/]", _detail(report))
        return table


def line(report: ChildReport) -> str:
    """One child in one line."""
    return f"{report.name:<14}{report.state.replace('_', ' '):<12}{_detail(report)}".rstrip()


def _detail(report: ChildReport) -> str:
    parts = [f"process {report.pid}"] if report.pid is not None else []
    if report.restarts:
        parts.append(f"restarts {report.restarts}")
    if report.why and report.state in (State.BACKOFF, State.CRASH_LOOP):
        parts.append(report.why)
    return ", ".join(parts)
