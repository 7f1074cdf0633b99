"""The supervisor with real processes that are really killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from cityvision.supervisor import ChildReport, State, Supervisor
from cityvision.supervisor_child import ChildSpec, ProcessChild, RestartPolicy
from contracts.errors import PortTaken, ServiceError

QUICK = RestartPolicy(initial_s=0.05, longest_s=0.2, stable_s=0.3, attempts_alarm=3)
SLEEP = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)


def python(code: str, log: Path, stop_timeout_s: float = 2.0) -> ProcessChild:
    return ProcessChild([sys.executable, "-c", code], log=log, stop_timeout_s=stop_timeout_s)


def until(condition: Callable[[], bool], supervisor: Supervisor | None = None, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "not reached in time"
        if supervisor is not None:
            supervisor.tick()
        time.sleep(0.01)


def gone(pid: int) -> bool:
    """Whether no process runs under this number (one that only waits to be reaped does not run)."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_a_killed_child_comes_back(tmp_path: Path) -> None:
    seen: list[ChildReport] = []
    supervisor = Supervisor(
        [ChildSpec("sleeper", lambda: python(SLEEP, tmp_path / "log"), policy=QUICK)], on_change=seen.append
    )
    supervisor.start()
    pids = set()
    for _ in range(5):
        pid = supervisor.reports()[0].pid
        assert pid is not None
        pids.add(pid)
        os.kill(pid, signal.SIGKILL)
        until(lambda pid=pid: supervisor.all_ready() and supervisor.reports()[0].pid != pid, supervisor)  # type: ignore[misc]
    supervisor.stop()
    assert len(pids) == 5
    assert supervisor.reports()[0].state is State.STOPPED
    assert any(r.why == "killed by SIGKILL" for r in seen)
    assert any(r.state is State.CRASH_LOOP for r in seen), "five deaths in a row are reported as a crash loop"


def test_failures_are_forgotten_after_a_stable_while(tmp_path: Path) -> None:
    seen: list[ChildReport] = []
    spec = ChildSpec("sleeper", lambda: python(SLEEP, tmp_path / "log"), policy=QUICK)
    supervisor = Supervisor([spec], on_change=seen.append)
    supervisor.start()
    for _ in range(4):
        pid = supervisor.reports()[0].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until(lambda pid=pid: supervisor.all_ready() and supervisor.reports()[0].pid != pid, supervisor)  # type: ignore[misc]
        settled = time.monotonic() + QUICK.stable_s + 0.1
        until(lambda settled=settled: time.monotonic() > settled, supervisor)  # type: ignore[misc]
    supervisor.stop()
    assert not [r for r in seen if r.state is State.CRASH_LOOP]


def test_readiness_in_order_of_dependency(tmp_path: Path) -> None:
    order: list[str] = []
    flag = tmp_path / "flag"
    code = f"import time, pathlib; time.sleep(0.3); pathlib.Path({str(flag)!r}).touch(); time.sleep(600)"
    supervisor = Supervisor(
        [
            ChildSpec("second", lambda: python(SLEEP, tmp_path / "2"), depends_on=("first",)),
            ChildSpec("first", lambda: python(code, tmp_path / "1"), ready=lambda _: flag.exists()),
        ],
        on_change=lambda r: order.append(f"{r.name} {r.state}"),
    )
    supervisor.start()
    assert order == ["first starting", "first ready", "second starting", "second ready"]
    supervisor.stop()
    assert order[4:] == ["second stopped", "first stopped"]


def test_a_child_that_never_starts_is_reported_with_its_last_words(tmp_path: Path) -> None:
    code = "raise SystemExit('the model is missing')"
    spec = ChildSpec("worker", lambda: python(code, tmp_path / "log"), ready=lambda _: False, policy=QUICK)
    supervisor = Supervisor([spec])
    with pytest.raises(ServiceError, match="worker does not start: exit status 1: the model is missing"):
        supervisor.start()


def test_a_child_that_says_what_is_wrong_is_not_tried_again(tmp_path: Path) -> None:
    code = "import sys; sys.stderr.write('streams.yaml:3: unknown key\\n'); sys.exit(2)"
    spec = ChildSpec("pool-sync", lambda: python(code, tmp_path / "log"), ready=lambda _: False)
    supervisor = Supervisor([spec])
    with pytest.raises(ServiceError, match=r"pool-sync does not start: streams\.yaml:3: unknown key"):
        supervisor.start()
    assert supervisor.reports()[0].restarts == 0


def test_a_service_error_at_the_first_start_is_raised_and_the_rest_is_stopped(tmp_path: Path) -> None:
    class Taken:
        def start(self) -> None:
            raise PortTaken("port 5432 is taken", "choose another")

        def stop(self) -> None: ...

        def alive(self) -> bool:
            return False

    sleeper = python(SLEEP, tmp_path / "log")
    supervisor = Supervisor(
        [ChildSpec("sleeper", lambda: sleeper), ChildSpec("postgres", Taken, depends_on=("sleeper",))]
    )
    with pytest.raises(PortTaken):
        supervisor.start()
    assert not sleeper.alive()


def test_not_ready_in_time_is_restarted(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    code = f"open({str(starts)!r}, 'a').write('x'); import time; time.sleep(600)"
    spec = ChildSpec(
        "slow",
        lambda: python(code, tmp_path / "log"),
        ready=lambda _: starts.exists() and len(starts.read_text()) >= 2,
        ready_timeout_s=0.5,
        policy=QUICK,
    )
    supervisor = Supervisor([spec])
    supervisor.start()
    assert supervisor.reports()[0].restarts >= 1
    supervisor.stop()


def test_a_stubborn_child_is_killed_with_its_group(tmp_path: Path) -> None:
    log = tmp_path / "log"
    grandchild = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); {STUBBORN}"
    child = python(grandchild, log, stop_timeout_s=0.3)
    child.start()
    until(lambda: log.read_text().count("up") == 2)
    assert child.pid is not None
    grandchildren = psutil.Process(child.pid).children(recursive=True)
    started = time.monotonic()
    child.stop()
    assert time.monotonic() - started < 1.5
    psutil.wait_procs(grandchildren, timeout=2)
    assert not [p for p in grandchildren if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert child.ending() == "killed by SIGKILL"


def test_what_a_dead_child_left_running_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); print(p.pid)"
    child = python(code, log)
    child.start()
    until(lambda: not child.alive())
    left = int(log.read_text())
    until(lambda: gone(left))


def test_stop_request_ends_run(tmp_path: Path) -> None:
    supervisor = Supervisor([ChildSpec("sleeper", lambda: python(SLEEP, tmp_path / "log"))])
    supervisor.start()
    threading.Timer(0.2, supervisor.stop_requested.set).start()
    supervisor.run()
    assert supervisor.reports()[0].state is State.STOPPED


SUPERVISOR_PROGRAM = """
import sys
from pathlib import Path
from cityvision.supervisor import Supervisor
from cityvision.supervisor_child import ChildSpec, ProcessChild
folder = Path(sys.argv[1])
def make(name):
    return lambda: ProcessChild([sys.executable, "-c", sys.argv[2]], log=folder / name)
supervisor = Supervisor([ChildSpec(name, make(name)) for name in ("a", "b", "c")])
supervisor.start()
print(*(report.pid for report in supervisor.reports()), flush=True)
supervisor.run()
"""


def test_no_orphans_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR_PROGRAM, str(tmp_path), STUBBORN], stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    pids = [int(pid) for pid in supervisor.stdout.readline().split()]
    assert len(pids) == 3
    assert all(psutil.pid_exists(pid) for pid in pids)
    supervisor.kill()
    supervisor.communicate()
    until(lambda: all(gone(pid) for pid in pids), timeout_s=3)


def test_a_stop_request_interrupts_a_start_that_blocks(tmp_path: Path) -> None:
    class Recovering:
        stopped = False

        def start(self) -> None:
            signal.raise_signal(signal.SIGUSR1)
            time.sleep(60)

        def stop(self) -> None:
            self.stopped = True

        def alive(self) -> bool:
            return True

    service = Recovering()
    supervisor = Supervisor([ChildSpec("postgres", lambda: service)])
    before = signal.signal(signal.SIGUSR1, lambda *_: supervisor.request_stop())
    try:
        started = time.monotonic()
        supervisor.start()
        supervisor.run()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert time.monotonic() - started < 1
    assert service.stopped
