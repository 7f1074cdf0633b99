"""The processes of an evaluation end with it, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from algorithm_repo.evaluation.outcome import Outcome
from algorithm_repo.evaluation.run import run_jobs


@dataclass(frozen=True, slots=True)
class Endless:
    """A job that says where it runs, and goes on."""

    number: int
    folder: str
    name: str = "endless"

    def run(self) -> Outcome:
        (Path(self.folder) / f"{os.getpid()}.pid").touch()
        time.sleep(300)
        return Outcome(self.number, self.name)


def test_they_do_not_outlive_a_killed_run(tmp_path: Path) -> None:
    run = subprocess.Popen([sys.executable, "-m", "tests.contract.test_evaluation_processes", str(tmp_path)])
    try:
        deadline = time.monotonic() + 60
        while len(found := [int(path.stem) for path in tmp_path.glob("*.pid")]) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        processes = [psutil.Process(pid) for pid in found]
        assert len(processes) == 2
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait()
    _, left = psutil.wait_procs(processes, timeout=20)
    for one in left:
        one.kill()
    assert not left


def test_what_an_evaluation_wrote_for_a_while_goes_with_it_however_it_ends(tmp_path: Path) -> None:
    """It and its processes: rendered clips, exports, whatever libraries leave there."""
    code = (
        "import os, subprocess, sys, tempfile\nfrom cityvision.scratch import scratch\n"
        "with scratch('evaluate'):\n"
        "    print(tempfile.mkdtemp(), flush=True)\n"
        "    subprocess.run([sys.executable, '-c', 'import tempfile; print(tempfile.mkdtemp())'], check=True)\n"
        "    os.kill(os.getpid(), int(sys.argv[1]))\n"
    )
    for end in (0, signal.SIGKILL):
        told = {**os.environ, "TMPDIR": str(tmp_path)}
        command = [sys.executable, "-c", code, str(int(end))]
        written = subprocess.run(command, env=told, capture_output=True, text=True, check=False).stdout.split()
        assert len(written) == 2
        assert all(Path(one).is_relative_to(tmp_path) for one in written)
        until = time.monotonic() + 20
        while list(tmp_path.iterdir()):
            assert time.monotonic() < until, "it is still there"
            time.sleep(0.02)


if __name__ == "__main__":
    run_jobs([Endless(number, sys.argv[1]) for number in (1, 2)], 2, quiet=True)
