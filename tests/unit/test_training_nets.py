"""The networks and their losses. Needs torch, so it runs in .venv-train (`make train` makes it), not elsewhere:

PYTHONPATH=. .venv-train/bin/python -m pytest -o addopts= tests/unit/test_training_nets.py
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from algorithm_repo.training import courses  # noqa: E402
from algorithm_repo.training.augment import colours, move_boxes, move_pictures, moves  # noqa: E402
from algorithm_repo.training.export import export, save_weights  # noqa: E402
from algorithm_repo.training.losses import assign, cells, decode_boxes, street_loss, water_loss  # noqa: E402
from algorithm_repo.training.nets import KINDS, CropNet, StreetNet, WaterNet  # noqa: E402
from algorithm_repo.training.pool import Chunks, Pool  # noqa: E402
from algorithm_repo.training.samples import (  # noqa: E402
    EMPTY,
    IGNORED,
    MAX_BOXES,
    STREET_SIZE,
    WATER_FULL,
    WATER_SIZE,
    WATER_UNKNOWN,
)
from algorithm_repo.training.trainer import Course, train  # noqa: E402

CPU = torch.device("cpu")


def _rows(*boxes: tuple[float, float, float, float, int]) -> Any:
    rows = torch.full((1, MAX_BOXES, 5), float(EMPTY))
    for number, row in enumerate(boxes):
        rows[0, number] = torch.tensor(row, dtype=torch.float32)
    return rows


def _saying(box: tuple[float, float, float, float], label: int) -> Any:
    """An output that says exactly one box, with certainty, in the cells near its centre."""
    corners, strides = cells(*STREET_SIZE, CPU)
    centre = torch.tensor([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    size = torch.tensor([box[2] - box[0], box[3] - box[1]])
    output = torch.full((1, len(strides), 11), -8.0)
    output[0, :, :2] = (centre - corners) / strides[:, None]
    output[0, :, 2:4] = (size / strides[:, None]).log()
    near = ((corners + strides[:, None] / 2 - centre).abs() < 1.2 * strides[:, None]).all(1) & (strides == 16)
    output[0, near, 4] = 8.0
    output[0, near, 5 + label] = 8.0
    return output


def test_the_right_answer_costs_less_than_any_wrong_one() -> None:
    box = (100.0, 80.0, 180.0, 130.0)
    truth = _rows((*box, 2))
    right = float(street_loss(_saying(box, 2), truth, STREET_SIZE))
    assert right < float(street_loss(_saying(box, 0), truth, STREET_SIZE))
    assert right < float(street_loss(_saying((140.0, 80.0, 220.0, 130.0), 2), truth, STREET_SIZE))
    assert right < float(street_loss(_saying(box, 2), _rows(), STREET_SIZE))
    assert decode_boxes(_saying(box, 2), *STREET_SIZE)[0, 0].tolist() == pytest.approx(box, abs=0.01)


def test_what_is_not_judged_costs_nothing() -> None:
    box = (100.0, 80.0, 180.0, 130.0)
    unjudged, nothing = _rows((*box, IGNORED)), _rows()
    assert float(street_loss(_saying(box, 2), unjudged, STREET_SIZE)) < 0.5 * float(
        street_loss(_saying(box, 2), nothing, STREET_SIZE)
    )
    output = _saying(box, 2)
    index, _, grey = assign(output, decode_boxes(output, *STREET_SIZE), unjudged, STREET_SIZE)
    assert (index == -1).all()
    assert grey.any()


def test_water_loss_looks_at_known_cells_only() -> None:
    masks = torch.zeros((1, 96, 160), dtype=torch.uint8)
    masks[:, 48:] = WATER_FULL
    right = torch.where(masks[:, None] > 0, 9.0, -9.0)
    assert float(water_loss(right, masks)) < 0.05 < float(water_loss(-right, masks))
    masks[:, :48] = WATER_UNKNOWN
    assert float(water_loss(torch.full_like(right, 9.0), masks)) < 0.05


def test_boxes_move_with_their_pictures() -> None:
    torch.manual_seed(3)
    picture = torch.full((16, STREET_SIZE[1], STREET_SIZE[0], 3), 114, dtype=torch.uint8)
    picture[:, 100:140, 150:230] = 255
    rows = _rows((150, 100, 230, 140, 2)).repeat(16, 1, 1)
    move = moves(16, STREET_SIZE, CPU, scale=(0.7, 1.5), still=0.2, squeeze=0.1)
    moved, boxes = move_pictures(picture, move, STREET_SIZE), move_boxes(rows, move, STREET_SIZE)
    for one, row in zip(moved, boxes[:, 0], strict=True):
        bright = (one[0] > 200).nonzero()
        if row[4] < 0 or not len(bright):
            continue
        found = [bright[:, 1].min(), bright[:, 0].min(), bright[:, 1].max() + 1, bright[:, 0].max() + 1]
        assert [float(value) for value in found] == pytest.approx(row[:4].tolist(), abs=2.5)


def test_colours_stay_pictures() -> None:
    torch.manual_seed(1)
    varied = colours(torch.rand(8, 3, 32, 32) * 255)
    assert varied.shape == (8, 3, 32, 32)
    assert 0 <= float(varied.min()) <= float(varied.max()) <= 255


def test_a_pool_grows_and_then_writes_over_the_oldest(tmp_path: Path) -> None:
    pool = Pool("litter", 6, CPU)
    with pytest.raises(ValueError, match="empty"):
        pool.draw(1)
    for number in range(4):
        chunk = {
            "crops": np.full((3, 80, 80, 3), number, np.uint8),
            "things": np.full(3, number, np.int8),
            "bins": np.full(3, -1, np.int8),
        }
        np.savez(tmp_path / f"train-{number}.npz", **chunk)  # type: ignore[arg-type]
    assert Chunks(tmp_path).take("train", {"litter": pool}) == 4
    assert len(pool) == 6
    assert set(pool.all()[1].tolist()) == {2, 3}
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", list(KINDS))
def test_an_exported_network_says_the_same(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    torch.manual_seed(2)
    net = KINDS[kind].make()
    save_weights(net, tmp_path / "net.npz")
    assert export(kind, tmp_path / "net.npz", tmp_path / "net.onnx") < 0.02
    assert (tmp_path / "net.onnx").stat().st_size < (3e6 if kind == "street" else 1e6)


def test_a_network_learns_and_the_time_is_kept() -> None:
    torch.manual_seed(0)
    pool = Pool("water", 8, CPU)
    pictures = np.full((8, WATER_SIZE[1], WATER_SIZE[0], 3), 60, np.uint8)
    masks = np.zeros((8, WATER_SIZE[1] // 2, WATER_SIZE[0] // 2), np.uint8)
    pictures[:, 100:], masks[:, 50:] = 200, WATER_FULL
    pool.add({"water": pictures, "water_masks": masks})
    started = time.monotonic()
    course = Course(seconds=12, batch=4, rate=3e-3)
    run = train(WaterNet(), course, lambda net, n: courses.water_step(net, n, pool, pool), lambda: None, lambda _: None)
    assert 12 <= time.monotonic() - started < 150
    assert run.steps > 3
    assert run.loss < 1.5
    assert courses.judge_water(run.net, pool)["pictures"] == 8


def test_shapes() -> None:
    with torch.no_grad():
        assert StreetNet()(torch.zeros(1, 3, 256, 416)).shape == (1, 2184, 11)
        assert WaterNet().eval()(torch.zeros(1, 3, 192, 320)).shape == (1, 1, 96, 160)
        assert {k: v.shape[1] for k, v in CropNet().eval()(torch.zeros(1, 3, 64, 64)).items()} == {"thing": 4, "bin": 2}
