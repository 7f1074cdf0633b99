"""The water sense around a network of which the outputs are known, and without its weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from contracts.errors import RunnerError
from contracts.senses import NOTHING, UNSENSED, Ask
from contracts.vision import Frame, Tracks
from models.fake_runner import FakeRunner
from models.picture import frame_from_bgr
from models.runner import Tensors, TensorSpec
from models.segmenter import WaterSegmenter
from models.zoo import Zoo
from pipeline.senses.engine import Sensing, Wish
from pipeline.senses.memory import SceneMemory
from pipeline.senses.water import WaterSense


def bright_net() -> tuple[WaterSegmenter, FakeRunner]:
    """Takes for water what is bright."""

    def bright(inputs: Tensors) -> dict[str, np.ndarray]:
        image = inputs["images"].mean(axis=1, keepdims=True) / 255
        n, _, height, width = image.shape
        return {"water": image.reshape(n, 1, height // 4, 4, width // 4, 4).mean(axis=(3, 5)).astype(np.float32)}

    float32 = np.dtype(np.float32)
    specs = TensorSpec("images", (-1, 3, 192, 320), float32), TensorSpec("water", (-1, 1, 48, 80), float32)
    runner = FakeRunner((specs[0],), (specs[1],), bright)
    return WaterSegmenter(runner), runner


def _frame(grey: int, size: tuple[int, int] = (640, 360)) -> Frame:
    return frame_from_bgr(np.full((size[1], size[0], 3), grey, np.uint8))


def test_all_pictures_go_in_one_batch_and_keep_their_order() -> None:
    net, runner = bright_net()
    sense = WaterSense(lambda: net)
    for greys in ([40, 200, 90], [250], [10, 20, 30, 40], []):
        maps = sense.sense([_frame(grey) for grey in greys])
        assert [round(float(one.probability.mean())) for one in maps] == pytest.approx(greys, abs=3)
    assert runner.batches == [3, 1, 4]


def test_a_batch_of_different_sizes_leaves_nothing_of_the_batch_before() -> None:
    net, _ = bright_net()
    sense = WaterSense(lambda: net)
    sense.sense([_frame(250), _frame(250)])
    tall, wide = sense.sense([_frame(10, (360, 640)), _frame(10, (1280, 720))])
    assert tall.probability.max() < 20
    assert wide.probability.max() < 20
    assert tall.probability.shape[0] > tall.probability.shape[1]


def test_the_network_is_loaded_once_and_only_when_a_picture_comes() -> None:
    loaded = []

    def load() -> WaterSegmenter:
        loaded.append(1)
        return bright_net()[0]

    sense = WaterSense(load)
    sense.sense([])
    assert loaded == []
    sense.sense([_frame(1)])
    sense.sense([_frame(1)])
    assert loaded == [1]


def test_weights_that_cannot_be_had_are_asked_for_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    tried, now = [], [1000.0]

    def load() -> WaterSegmenter:
        tried.append(1)
        raise RunnerError("no such weights", "fetch them")

    monkeypatch.setattr("pipeline.senses.lazy.time.monotonic", lambda: now[0])
    sense = WaterSense(load)
    for seconds in (0, 30, 59, 60, 61):
        now[0] = 1000.0 + seconds
        with pytest.raises(RunnerError, match="no such weights; fetch them"):
            sense.sense([_frame(1)])
    assert len(tried) == 2


def test_who_does_not_ask_needs_no_network(tmp_path: Path) -> None:
    sensing = Sensing(Zoo(cache=tmp_path, mirror=None))
    wish = Wish("cam", _frame(1), Tracks.empty(), NOTHING, (), SceneMemory())
    assert sensing.sense([wish, wish]) == [UNSENSED, UNSENSED]
    assert not Ask().water
