"""Logs: a JSON line a message into `data/logs/<process>.jsonl`, a readable line on a terminal; no secrets in either.

Fields of a JSON line: `at` (UTC, ISO 8601), `level`, `process`, `pid`, `logger`, `message`, `error` (a traceback, when
there is one) and whatever the caller gave as `extra=`.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from contracts.redact import RedactingFormatter, redact

MAX_BYTES = 10_000_000
KEPT_FILES = 5

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
# Libraries whose ordinary talk is not worth a line.
_QUIET = ("alembic", "asyncio", "httpcore", "httpx", "sqlalchemy", "urllib3", "uvicorn.access", "watchfiles")


class JsonLines(logging.Formatter):
    """One JSON object a message, redacted."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": self._process,
            "pid": os.getpid(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if record.exc_info:
            line["error"] = redact(self.formatException(record.exc_info))
        for name, value in vars(record).items():
            if name not in _STANDARD and name not in line:
                line[name] = value if isinstance(value, int | float | bool | None) else redact(str(value))
        return json.dumps(line, ensure_ascii=False)


class _Readable(RedactingFormatter):
    """For a terminal: local time, level, where from, what."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")


def set_up(process: str, folder: Path | None, level: str, *, terminal: bool) -> None:
    """Directs every log message of this process.

    Args:
        process: names the file and stands in each line, e.g. "worker-1".
        folder: of the log files; None: no file.
        level: "debug", "info", "warning" or "error".
        terminal: also write readable lines to stderr.
    """
    handlers: list[logging.Handler] = []
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{process}.jsonl"
        file = RotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=KEPT_FILES, encoding="utf-8", delay=True)
        file.setFormatter(JsonLines(process))
        handlers.append(file)
    if terminal:
        stream = logging.StreamHandler(sys.stderr)
        stream.setFormatter(_Readable())
        handlers.append(stream)
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
