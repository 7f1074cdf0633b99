"""Folders for a while: nobody who is killed leaves one behind, and one that is in use stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from store.lockers import private_folder

_HOLDER = (
    "import os, signal, sys\nfrom store.lockers import private_folder\n"
    "with private_folder('tests') as folder:\n    (folder / 'model.onnx').write_bytes(b'x')\n"
    "    print(folder, flush=True)\n    os.killpg(os.getpgrp(), signal.SIGKILL)\n"
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_a_folder_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    with private_folder("tests") as folder:
        assert (folder.parent, folder.stat().st_mode & 0o777) == (tmp_path, 0o700)
        (folder / "file").write_bytes(b"x")
    with pytest.raises(ZeroDivisionError), private_folder("tests"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_whoever_is_killed_with_all_of_their_group_leaves_nothing(tmp_path: Path) -> None:
    told = {**os.environ, "TMPDIR": str(tmp_path)}
    killed = subprocess.run(
        [sys.executable, "-c", _HOLDER], env=told, capture_output=True, text=True, check=False, start_new_session=True
    )
    assert killed.returncode == -signal.SIGKILL
    folder = Path(killed.stdout.strip())
    assert folder.parent == tmp_path
    end = time.monotonic() + 20
    while folder.exists():
        assert time.monotonic() < end, "it is still there"
        time.sleep(0.02)


def test_what_a_machine_that_stopped_has_left_is_swept_and_what_is_in_use_stays(tmp_path: Path) -> None:
    left, young = tmp_path / "cityvision-tests-left", tmp_path / "cityvision-tests-young"
    for folder in (left, young):
        folder.mkdir()
    (left / "lock").touch()
    with private_folder("tests") as mine:
        assert (left.exists(), young.exists()) == (False, True)
        with private_folder("tests"), private_folder("others"):
            assert mine.is_dir()
