"""Log lines: form, extra fields, and that secrets never get in."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from cityvision.logs import set_up
from contracts.redact import register_secret


@pytest.fixture(autouse=True)
def _restore_root() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers = []
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers = handlers
    root.setLevel(level)


def test_json_lines_carry_extras_and_errors_but_no_secrets(tmp_path: Path) -> None:
    set_up("worker-1", tmp_path, "info", terminal=False)
    register_secret("corr3ct-horse")
    log = logging.getLogger("pipeline.source")
    log.info("opening %s", "rtsp://user:hunter22@10.0.0.8/main", extra={"camera": "gate-1", "looks": 3})
    log.debug("not worth a line")
    try:
        raise ValueError("login corr3ct-horse refused")
    except ValueError:
        log.exception("failed")
    text = (tmp_path / "worker-1.jsonl").read_text()
    first, second = [json.loads(line) for line in text.splitlines()]
    assert first["message"] == "opening rtsp://***@10.0.0.8/main"
    assert (first["process"], first["level"], first["camera"], first["looks"]) == ("worker-1", "info", "gate-1", 3)
    assert "ValueError" in second["error"]
    assert "hunter22" not in text
    assert "corr3ct-horse" not in text


def test_readable_lines_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("api", None, "warning", terminal=True)
    logging.getLogger("api").warning("cannot reach redis://:topsecret@h:1/0")
    logging.getLogger("api").info("too fine")
    err = capsys.readouterr().err
    assert "WARNING api: cannot reach redis://***@h:1/0" in err
    assert "too fine" not in err
