"""What goes wrong with cameras, done for real: silence, refusals, damage, storms, wrong passwords."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Iterator

import pytest

from contracts.errors import ConfigError, StreamCorrupt
from contracts.live import CameraState
from contracts.redact import RedactingFormatter
from pipeline.source.decode import DecoderPool
from pipeline.source.source import CameraSource, SourceTimings
from pipeline.source.supervisor import SourceSupervisor
from simulator.rtsp import ServedCamera, ServerProcess, ServerThread
from simulator.rtsp.clips import Encoding
from simulator.rtsp.media import LoopedClip
from store.secrets import Credentials
from tests.contract.source_scene import Scene, eventually, number, rendered

CONNECTING, RUNNING = CameraState.CONNECTING, CameraState.RUNNING
STALLED, OFFLINE = CameraState.STALLED, CameraState.OFFLINE
SECRET = "s3cr:t/@?pass word"
STORM = [f"cam{i}" for i in range(9)]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> LoopedClip:
    return rendered(tmp_path_factory.mktemp("clips"), "clip", 4, Encoding((320, 192), 25, 10))


@pytest.fixture
def server(clip: LoopedClip) -> Iterator[ServerThread]:
    locked = ServedCamera("locked", clip, user="admin", password=SECRET)
    with ServerThread([*(ServedCamera(name, clip) for name in STORM), locked]) as server:
        yield server


@pytest.fixture
def scene(server: ServerThread) -> Iterator[Scene]:
    scene = Scene(server)
    yield scene
    scene.close()


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_silence_is_stalled_then_offline_then_back(transport: str, scene: Scene, server: ServerThread) -> None:
    source = scene.watch("cam0", transport=transport)
    scene.running(source)
    faults = server.faults("cam0")
    faults.stall = True
    eventually(lambda: source.state is OFFLINE, "offline")
    assert source.status().error in ("nothing new for 1.5 s", "timed out")
    before = source.ring.newest_time
    faults.stall = False
    eventually(lambda: source.state is RUNNING, "back")
    assert scene.states_of("cam0") == [RUNNING, STALLED, OFFLINE, RUNNING]
    assert before is not None
    eventually(lambda: (source.ring.newest_time or 0) > before + 1.0, "stream time counts the silence")
    assert source.status().reconnects == 1
    assert source.status().error == ""


def test_a_short_silence_is_only_stalled(scene: Scene, server: ServerThread) -> None:
    source = scene.watch("cam0")
    scene.running(source)
    server.faults("cam0").stall = True
    eventually(lambda: source.state is STALLED, "stalled")
    server.faults("cam0").stall = False
    eventually(lambda: source.state is RUNNING, "running")
    assert source.status().reconnects == 0
    assert source.jumps == 0, "the camera's own clock confirms the gap"


def test_a_stream_whose_time_stands_still_is_no_stream(scene: Scene, server: ServerThread) -> None:
    source = scene.watch("cam0")
    scene.running(source)
    server.faults("cam0").freeze_clock = True
    eventually(lambda: STALLED in scene.states_of("cam0"), "stalled")
    eventually(lambda: source.status().reconnects >= 1 or source.state is OFFLINE, "given up")
    server.faults("cam0").freeze_clock = False
    eventually(lambda: source.state is RUNNING, "back")


def test_a_cut_connection_is_made_again_with_the_same_generation(scene: Scene, server: ServerThread) -> None:
    source = scene.watch("cam0")
    scene.running(source)
    parameters = source.parameters
    for count in (1, 2):
        server.faults("cam0").drop()
        eventually(lambda count=count: source.status().reconnects == count and source.state is RUNNING, "back")  # type: ignore[misc]
    assert OFFLINE not in scene.states_of("cam0")
    assert source.parameters == parameters
    times = [p.time for s in source.ring.packets(0, 1e12) for p in s.packets]
    assert all(b > a for a, b in itertools.pairwise(times))


def test_broken_and_missing_packets_are_survived(scene: Scene, server: ServerThread) -> None:
    source, pool = scene.watch("cam0"), DecoderPool()
    scene.running(source)
    faults = server.faults("cam0")
    faults.corrupt, faults.lose = 0.3, 0.2
    until = time.monotonic() + 1.2
    unusable = 0
    while time.monotonic() < until:
        gop = source.ring.latest_keyframe()
        assert gop is not None
        try:
            pool.frame_at(gop, gop.newest)
        except StreamCorrupt:
            unusable += 1
        time.sleep(0.02)
    stats = pool.stats()
    assert stats.errors + stats.corrupt + unusable > 0, "the damage was real"
    assert scene.states_of("cam0") == [RUNNING]
    faults.corrupt = faults.lose = 0.0
    last = source.ring.latest_keyframe()
    assert last is not None
    eventually(lambda: (g := source.ring.latest_keyframe()) and g.uid >= last.uid + 2, "clean GOPs")
    clean = source.ring.latest_keyframe()
    assert clean is not None
    decoded = pool.keyframe(clean)
    assert not decoded.corrupt
    assert number(decoded) % 10 == 0


def test_right_password(scene: Scene) -> None:
    source = scene.watch("locked", credentials=lambda: Credentials("admin", SECRET))
    scene.running(source)


@pytest.mark.parametrize("password", ["wr0ng:p@ss/word", ""])
def test_a_wrong_password_is_refused_and_told_nowhere(
    password: str,
    scene: Scene,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    credentials = Credentials("admin", password) if password else None
    source = scene.watch("locked", credentials=(lambda: credentials) if credentials else None)
    eventually(lambda: scene.states_of("locked"), "a verdict")
    assert scene.states_of("locked") == [OFFLINE]
    assert "refused the credentials" in source.status().error
    formatter = RedactingFormatter()
    told = capfd.readouterr()
    everything = "\n".join(
        [
            source.status().model_dump_json(),
            repr(scene.states),
            repr(credentials),
            repr(vars(source)),
            told.out,
            told.err,
            *(formatter.format(record) + repr(record.__dict__) for record in caplog.records),
        ]
    )
    for secret in filter(None, (password, "wr0ng", SECRET)):
        assert secret not in everything


def test_after_a_switch_reboots_there_is_no_storm(clip: LoopedClip) -> None:
    with ServerThread([ServedCamera(name, clip) for name in STORM]) as server:
        scene = Scene(server, SourceSupervisor(connects=3))
        for name in STORM:
            server.faults(name).answer_delay = 0.02
        sources = [scene.watch(name) for name in STORM]
        scene.running(*sources)
        for name in STORM:
            server.faults(name).drop()
        eventually(lambda: all(s.status().reconnects == 1 for s in sources), "all are back", 15)
        scene.running(*sources)
        assert scene.supervisor.gate.most == 3
        assert server.server.connections == 2 * len(STORM), "one attempt each time"
        scene.close()


def test_retries_become_rarer_and_are_spread(clip: LoopedClip) -> None:
    with ServerThread([ServedCamera("dead", clip)]) as server:
        server.faults("dead").refuse = True
        scene = Scene(server)
        timings = SourceTimings(open_deadline=2.0, backoff_first=0.1, backoff_most=5.0)
        source = scene.watch("dead", timings=timings)
        eventually(lambda: source.state is OFFLINE, "offline")
        time.sleep(1.2)
        few = server.server.connections
        assert 1 <= few <= 25
        waits = [source._backoff() for _ in range(200)]
        assert max(waits) - min(waits) > 0.5, "full jitter"
        assert max(waits) <= 5.0
        scene.close()


def test_dead_hanging_and_slow_cameras_do_not_slow_another(scene: Scene, server: ServerThread) -> None:
    server.faults("cam1").refuse = True
    server.faults("cam2").hang = True
    server.faults("cam3").answer_delay = 0.4
    server.faults("cam4").speed = 0.3
    others = [scene.watch(f"cam{i}") for i in range(1, 5)]
    good = scene.watch("cam0")
    scene.running(good)
    begun = time.monotonic()
    gop = good.ring.latest_keyframe()
    assert gop is not None
    start = gop.start
    longest = 0.0
    while time.monotonic() - begun < 2.5:
        newest = good.ring.newest_time
        assert newest is not None
        longest = max(longest, time.time() - newest)
        time.sleep(0.02)
    assert longest < 1.5
    times = sorted(p.time for s in good.ring.packets(start, 1e12) for p in s.packets)
    assert len(times) > 2.2 * 25
    assert max(b - a for a, b in itertools.pairwise(times)) < 0.05
    assert scene.states_of("cam0") == [RUNNING]
    assert others[0].state is OFFLINE
    server.faults("cam2").hang = False


def test_a_thread_that_hangs_in_opening_is_abandoned_and_counted(scene: Scene, server: ServerThread) -> None:
    """Here libav itself would come back after 3 s; the deadline plus margin declares it hanging after 0.5 s."""
    server.faults("cam0").hang = True
    timings = SourceTimings(open_deadline=3.0, hang_margin=-2.5, backoff_first=0.05, backoff_most=0.05)
    source = scene.watch("cam0", timings=timings)
    eventually(lambda: scene.supervisor.abandoned >= 2, "abandoned threads are counted")
    assert source.state is OFFLINE
    assert "hung" in source.status().error
    server.faults("cam0").hang = False
    eventually(lambda: source.state is RUNNING, "a later attempt succeeds")
    eventually(lambda: scene.supervisor.abandoned == 0, "those that came back are not counted any more")
    assert scene.supervisor.gate.enter(0)
    scene.supervisor.gate.leave()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_is_replaced(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    source = scene.watch("cam0")
    scene.running(source)

    class Full(Exception):
        """Something nobody expected."""

    def fail(*_: object) -> None:
        source.ring.append = keep  # type: ignore[method-assign]
        raise Full

    keep = source.ring.append
    source.ring.append = fail  # type: ignore[assignment, method-assign]
    eventually(lambda: "cam0: its thread died; another begins" in caplog.messages, "noticed")
    eventually(lambda: source.state is RUNNING, "back")


def test_sources_come_and_go(scene: Scene) -> None:
    first, second = scene.watch("cam0"), scene.watch("cam1")
    scene.running(first, second)
    scene.supervisor.remove("cam0")
    replaced = scene.watch("cam1")
    scene.running(replaced)
    frozen = first.ring.newest_time
    time.sleep(0.4)
    assert first.ring.newest_time == frozen
    assert set(scene.supervisor.statuses()) == {"cam1"}
    assert isinstance(scene.supervisor.get("cam1"), CameraSource)


def test_the_server_as_a_process(clip: LoopedClip) -> None:
    with ServerProcess({"cam": clip.path}, user="admin", password=SECRET) as process:
        assert process.loop_s("cam") == pytest.approx(4.0)
        supervisor = SourceSupervisor()
        timings = SourceTimings(stall_after=0.5, dead_after=1.0, backoff_first=0.1)
        with ServerThread([]) as none:
            scene = Scene(none, supervisor)
            source = scene.watch(
                "cam", url=process.url("cam"), credentials=lambda: Credentials("admin", SECRET), timings=timings
            )
            scene.running(source)
            now = time.time()
            assert [process.loop_at("cam", now + later) for later in (-10, 0, 4.1, 8.1)] == [None, 0, 1, 2]
            process.set_faults("cam", stall=True)
            eventually(lambda: source.state is OFFLINE, "offline")
            process.set_faults("cam", stall=False)
            process.drop("cam")
            eventually(lambda: source.state is RUNNING, "back")
            scene.close()


def test_a_password_that_changes_counts_from_the_next_connection(scene: Scene) -> None:
    known = [Credentials("admin", "not yet")]
    source = scene.watch("locked", credentials=lambda: known[0])
    eventually(lambda: source.state is OFFLINE, "refused")
    known[0] = Credentials("admin", SECRET)
    scene.running(source)


def test_credentials_nobody_knows_are_one_more_reason_to_be_offline(scene: Scene) -> None:
    known: list[Credentials] = []

    def resolve() -> Credentials:
        if not known:
            raise ConfigError("no credentials are called 'vendor'")
        return known[0]

    source = scene.watch("locked", credentials=resolve)
    eventually(lambda: source.state is OFFLINE, "a verdict")
    assert "vendor" in source.status().error
    known.append(Credentials("admin", SECRET))
    scene.running(source)


def test_placeholders_in_the_address_are_filled_in(scene: Scene, server: ServerThread) -> None:
    # The camera takes them where the address says, here where they would stand anyway.
    url = server.url("locked").replace("rtsp://", "rtsp://{user}:{password}@")
    source = scene.watch("locked", url=url, credentials=lambda: Credentials("admin", SECRET))
    scene.running(source)
