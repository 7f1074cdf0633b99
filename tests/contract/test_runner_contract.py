"""One suite for every `Runner`: OpenVINO in process, a real Triton server, and the fake.

The real ones run the same weights in f32 and must agree within 1e-3 on real pictures.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from contracts.errors import RunnerError
from models.detector import build_detector, load_detector, version_name
from models.fake_runner import FakeRunner
from models.openvino_runner import OpenVinoRunner
from models.picture import frame_from_bgr
from models.runner import Runner, TensorSpec
from models.triton_control import TritonControl
from models.triton_repository import Serving
from models.triton_runner import TritonRunner
from models.triton_server import TritonServer, embedded_server
from models.zoo import Zoo

MODELS = ["yolox_nano", "person-vehicle-bike-detection-2000", "person-vehicle-bike-detection-2003"]
KINDS = [
    "fake",
    pytest.param("openvino", marks=pytest.mark.media),
    pytest.param("triton", marks=[pytest.mark.media, pytest.mark.triton]),
]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def zoo(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    return Zoo(cache=tmp_path_factory.mktemp("zoo"), mirror=mirror)


@pytest.fixture(scope="module")
def server(zoo: Zoo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    folder = tmp_path_factory.mktemp("triton")
    with embedded_server(
        MODELS,
        zoo,
        venv=ROOT / ".venv-triton",
        repository=folder / "models",
        log=folder / "triton.log",
        serving=Serving(precision="f32"),
    ) as running:
        yield running


def _in_process(zoo: Zoo, name: str, threads: int = 2) -> OpenVinoRunner:
    artefact = zoo.artefact(name)
    return OpenVinoRunner(
        zoo.fetch(name)[0],
        name=version_name(name, artefact),
        sha256=artefact.digest,
        threads=threads,
        precision="f32",
    )


def _served(server: TritonServer, zoo: Zoo, name: str, shared_memory: bool | None = None) -> TritonRunner:
    artefact = zoo.artefact(name)
    return TritonRunner(
        server.url, name=version_name(name, artefact), sha256=artefact.digest, shared_memory=shared_memory
    )


def _fake() -> FakeRunner:
    image = TensorSpec("images", (-1, 3, 8, 8), np.dtype(np.float32))
    mean = TensorSpec("output", (-1, 3, 2), np.dtype(np.float32))
    return FakeRunner(
        (image,),
        (mean,),
        lambda inputs: {"output": np.stack([inputs["images"].mean((2, 3)), inputs["images"].max((2, 3))], axis=-1)},
    )


Make = Callable[[], Runner]


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest) -> Make:
    """Makes a runner of yolox_nano, or of the fake."""
    if request.param == "fake":
        return _fake
    zoo: Zoo = request.getfixturevalue("zoo")
    if request.param == "openvino":
        return lambda: _in_process(zoo, "yolox_nano")
    server: TritonServer = request.getfixturevalue("server")
    return lambda: _served(server, zoo, "yolox_nano")


@pytest.fixture
def runner(make: Make) -> Iterator[Runner]:
    made = make()
    yield made
    made.close()


def _batch(runner: Runner, n: int, seed: int = 0) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(seed)
    return {spec.name: rng.integers(0, 255, (n, *spec.shape[1:])).astype(spec.dtype) for spec in runner.inputs}


def test_says_what_it_takes_and_gives(runner: Runner) -> None:
    assert runner.name.rsplit("-", 1)[1] == runner.sha256[:8]
    assert [spec.name for spec in runner.inputs] == ["images"]
    assert [spec.name for spec in runner.outputs] == ["output"]
    assert runner.inputs[0].shape[:2] == (-1, 3)
    assert runner.inputs[0].dtype == np.float32


@pytest.mark.parametrize("n", [0, 1, 3, 9])
def test_any_batch(runner: Runner, n: int) -> None:
    outputs = runner.infer(_batch(runner, n))
    assert set(outputs) == {spec.name for spec in runner.outputs}
    for spec in runner.outputs:
        assert outputs[spec.name].shape == (n, *spec.shape[1:])
        assert outputs[spec.name].dtype == spec.dtype


def test_each_row_by_itself(runner: Runner) -> None:
    batch = _batch(runner, 3)
    together = runner.infer(batch)["output"]
    alone = [runner.infer({"images": batch["images"][i : i + 1]})["output"][0] for i in range(3)]
    assert np.array_equal(together, np.stack(alone))
    assert not np.array_equal(together[0], together[1])


def test_a_result_stays_as_it_was(runner: Runner) -> None:
    first = runner.infer(_batch(runner, 2, seed=1))["output"]
    copy = first.copy()
    runner.infer(_batch(runner, 2, seed=2))
    assert np.array_equal(first, copy)


def test_a_view_of_a_larger_array(runner: Runner) -> None:
    batch = _batch(runner, 4)["images"]
    assert np.array_equal(
        runner.infer({"images": batch[::2]})["output"], runner.infer({"images": batch})["output"][::2]
    )


def test_many_threads(runner: Runner) -> None:
    batches = [_batch(runner, 2, seed) for seed in range(4)]
    expected = [runner.infer(batch)["output"] for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda batch: runner.infer(batch)["output"], batches * 3))
    for index, output in enumerate(got):
        assert np.array_equal(output, expected[index % 4])


@pytest.mark.parametrize("wrong", ["nothing", "other name", "other shape", "other dtype"])
def test_a_wrong_batch_is_refused_and_does_no_harm(runner: Runner, wrong: str) -> None:
    good = _batch(runner, 1)
    bad: dict[str, NDArray[Any]] = {
        "nothing": {},
        "other name": {"image": good["images"]},
        "other shape": {"images": good["images"][:, :, 1:]},
        "other dtype": {"images": good["images"].astype(np.float64)},
    }[wrong]
    with pytest.raises(RunnerError, match="images"):
        runner.infer(bad)
    assert len(runner.infer(good)["output"]) == 1


def test_closed_is_closed(make: Make) -> None:
    runner = make()
    batch = _batch(runner, 1)
    runner.infer(batch)
    runner.close()
    with pytest.raises(RunnerError, match="closed"):
        runner.infer(batch)


def test_no_thread_is_bound_to_a_core(runner: Runner) -> None:
    """OpenVINO binds threads at work to the first cores, in every process alike: two workers would share one core."""
    batch, everywhere, bound = _batch(runner, 8), os.sched_getaffinity(0), set()
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(lambda: [runner.infer(batch) for _ in range(3)])
        while not working.done():
            bound |= {task for task in _threads() if _cores(task) not in (everywhere, None)}
    assert working.exception() is None
    assert bound == set()


def _threads() -> list[int]:
    """Every thread of this process and of those it started."""
    here = psutil.Process()
    return [task.id for process in (here, *here.children(recursive=True)) for task in process.threads()]


def _cores(thread: int) -> set[int] | None:
    """The cores it may run on; None: it is gone."""
    try:
        return os.sched_getaffinity(thread)
    except ProcessLookupError:
        return None


def test_signals_arrive_when_runners_came_and_went() -> None:
    """A second OpenVINO core that outlives the first used to leave a signal stack of unmapped memory behind."""
    weights = sorted((ROOT / "models" / "weights").glob("*.onnx"))[:2]
    program = f"""
import gc, signal
from pathlib import Path
from models.openvino_runner import OpenVinoRunner
signal.signal(signal.SIGTERM, lambda *_: print("asked to stop"))
one, other = (OpenVinoRunner(Path(path), name="n", sha256="") for path in {[str(path) for path in weights]})
del one; gc.collect()
del other; gc.collect()
signal.raise_signal(signal.SIGTERM)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stdout) == (0, "asked to stop\n"), done.stderr


@pytest.mark.media
@pytest.mark.triton
@pytest.mark.parametrize(("name", "shared_memory"), [*((name, None) for name in MODELS), ("yolox_nano", False)])
def test_openvino_and_triton_agree(
    server: TritonServer, zoo: Zoo, mirror: Path, name: str, shared_memory: bool | None
) -> None:
    frames = []
    for picture in ("bus", "crowd", "pedestrians", "truck", "zidane"):
        read = cv2.imread(str(mirror / "images" / f"{picture}.jpg"))
        assert read is not None
        frames.append(frame_from_bgr(np.asarray(read, np.uint8)))
    here, there = _in_process(zoo, name), _served(server, zoo, name, shared_memory)
    detector = build_detector(zoo.artefact(name), here)
    batch = detector.slots(len(frames))
    for frame, slot in zip(frames, batch, strict=True):
        detector.prepare(frame, slot)
    image = here.inputs[0].name
    ours, theirs = here.infer({image: batch}), there.infer({image: batch})
    assert set(ours) == set(theirs)
    for key, array in ours.items():
        assert np.abs(array.astype(np.float64) - theirs[key]).max() <= 1e-3
    assert there.shares_memory == (shared_memory is None)
    served = build_detector(zoo.artefact(name), there)
    for left, right in zip(detector.detect_frames(frames, 0.3), served.detect_frames(frames, 0.3), strict=True):
        assert np.array_equal(left.classes, right.classes)
        assert np.abs(left.boxes - right.boxes).max(initial=0) <= 1e-3
    detector.close()
    served.close()


@pytest.mark.media
@pytest.mark.triton
def test_a_detector_by_address(server: TritonServer, zoo: Zoo, mirror: Path) -> None:
    detector = load_detector("yolox_nano", zoo, triton_url=server.url)
    picture = cv2.imread(str(mirror / "images" / "zidane.jpg"))
    assert picture is not None
    assert len(detector.detect_frames([frame_from_bgr(np.asarray(picture, np.uint8))], 0.35)[0]) == 2
    detector.close()


@pytest.mark.media
@pytest.mark.triton
def test_requests_of_several_clients_are_merged(server: TritonServer, zoo: Zoo) -> None:
    runners = [_served(server, zoo, "person-vehicle-bike-detection-2000") for _ in range(4)]
    batch = {"image": _batch(runners[0], 1)["image"]}
    with ThreadPoolExecutor(4) as pool:
        for _ in range(10):
            list(pool.map(lambda runner: runner.infer(batch), runners))
    with TritonControl(server.url) as control:
        statistics = control.statistics(runners[0].name)
    for runner in runners:
        runner.close()
    assert statistics.pictures >= 40
    assert statistics.executions < statistics.pictures
