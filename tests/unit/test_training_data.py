"""Training without torch: the split, samples, composed pictures, figures, and how weights are installed."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from algorithm_repo.datasets.alike import signature
from algorithm_repo.datasets.pictures import decode, encode
from algorithm_repo.training import figures, samples
from algorithm_repo.training.compose import add_piece, add_puddle
from algorithm_repo.training.install import artefact_of, install, table, with_entry
from algorithm_repo.training.packed import PackedFile
from algorithm_repo.training.splits import flood_split, make_split
from contracts.vision import ObjectClass
from models.zoo import Catalogue
from simulator.street.types import Picture, TruthBox

ROOT = Path(__file__).resolve().parents[2]


def _noise(height: int, width: int, seed: int = 1) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).integers(40, 200, (height // 20 + 2, width // 20 + 2, 3), np.uint8)
    smooth = np.empty((height, width, 3), np.uint8)
    cv2.resize(coarse, (width, height), dst=smooth, interpolation=cv2.INTER_CUBIC)
    return smooth


def test_the_flood_split_is_whole_and_its_sides_share_nothing() -> None:
    split = flood_split()
    names = [name for side in split.values() for name in side]
    assert len(names) == len(set(names)) == 243
    assert [len(split[side]) for side in ("train", "val", "test")] == [169, 25, 49]


@pytest.mark.media
def test_photos_of_one_scene_are_on_one_side(mirror: Path) -> None:
    side_of = {name: side for side, names in flood_split().items() for name in names}
    names = sorted(side_of, key=int)
    greys = [cv2.imread(str(mirror / "truth/flood/images" / f"{n}.jpg"), cv2.IMREAD_GRAYSCALE) for n in names]
    signatures = np.stack([signature(np.asarray(grey, np.uint8)) for grey in greys])
    for row, column in np.argwhere(signatures @ signatures.T > 0.85):
        assert side_of[names[row]] == side_of[names[column]]


def test_a_split_keeps_alike_photos_together_and_is_the_same_every_time() -> None:
    rng = np.random.default_rng(5)
    base = rng.normal(size=(60, 40)).astype(np.float32)
    twins = np.concatenate([base, base + rng.normal(0, 0.05, base.shape).astype(np.float32)])
    unit = twins / np.linalg.norm(twins, axis=1, keepdims=True)
    names = [str(number) for number in range(120)]
    split = make_split(unit, names)
    side_of = {name: side for side, ones in split.items() for name in ones}
    assert all(side_of[str(number)] == side_of[str(number + 60)] for number in range(60))
    assert 24 <= len(split["test"]) <= 26
    assert split == make_split(unit, names)


def test_average_precision() -> None:
    truth = figures.Boxes(np.array([[0, 0, 10, 10], [20, 0, 30, 10.0]]), np.ones(2), np.array([1, 1]))
    wrong = np.array([[50, 50, 60, 60.0]])
    right = figures.Boxes(truth.boxes, np.array([0.9, 0.8]), truth.labels)
    assert figures.average_precision([right], [truth], 1) == (1.0, 2)
    worse = figures.Boxes(np.vstack([wrong, truth.boxes[:1]]), np.array([0.9, 0.8]), np.array([1, 1]))
    assert figures.average_precision([worse], [truth], 1)[0] == pytest.approx(0.25)
    twice = figures.Boxes(np.vstack([truth.boxes[:1]] * 2), np.array([0.9, 0.8]), np.array([1, 1]))
    assert figures.average_precision([twice], [truth], 1)[0] == pytest.approx(0.5)
    unjudged = figures.Boxes(np.vstack([truth.boxes, wrong]), np.ones(3), np.array([1, 1, -1]))
    beside = figures.Boxes(np.vstack([wrong, truth.boxes]), np.array([0.95, 0.9, 0.8]), np.array([1, 1, 1]))
    assert figures.average_precision([beside], [unjudged], 1)[0] == 1.0


def test_suppression_keeps_the_best_of_a_group_and_other_groups() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [1, 0, 11, 10.0]])
    found = figures.Boxes(boxes, np.array([0.5, 0.9, 0.4]), np.array([2, 5, 0]))
    kept = figures.suppress(found, np.array([0, 1, 2, 3, 2, 2]))
    assert kept.labels.tolist() == [5, 0]


def test_mask_iou_and_accuracy() -> None:
    a, b = np.array([True, True, False]), np.array([True, False, False])
    assert figures.mask_iou([a], [b]) == 0.5
    found = figures.accuracy(np.array([0, 0, 1]), np.array([0, 1, 1]), 0)
    assert [found[name] for name in ("precision", "recall", "accuracy")] == pytest.approx([0.5, 1.0, 2 / 3])


def test_a_puddle_changes_the_picture_where_its_mask_says() -> None:
    ground, photo = _noise(360, 640), _noise(288, 480, 2)
    water = np.full((288, 480), 255, np.uint8)
    found = add_puddle(np.random.default_rng(4), ground, photo, water)
    assert found is not None
    picture, mask = found
    changed = np.asarray((np.abs(picture.astype(int) - ground) > 8).any(axis=2))
    near = cv2.dilate(mask, np.ones((41, 41), np.uint8)) > 0
    assert mask.any()
    assert not (changed & ~near).any()
    assert changed[mask > 0].mean() > 0.5
    assert add_puddle(np.random.default_rng(4), ground, photo, np.zeros_like(water)) is None


def test_a_piece_lies_in_its_box() -> None:
    ground = np.full((360, 640, 3), 120, np.uint8)
    piece = np.full((96, 96, 3), 250, np.uint8)
    mask = np.zeros((96, 96), np.uint8)
    cv2.circle(mask, (48, 48), 30, 255, -1)
    found = add_piece(np.random.default_rng(2), ground, piece, mask)
    assert found is not None
    picture, (x1, y1, x2, y2) = found
    bright = np.argwhere((picture > 140).all(axis=2))
    assert len(bright) > 20
    rows, columns = bright[:, 0] / 360, bright[:, 1] / 640
    assert y1 - 0.01 <= rows.min() <= rows.max() <= y2 + 0.01
    assert x1 - 0.01 <= columns.min() <= columns.max() <= x2 + 0.01


def test_what_a_picture_teaches_the_detector() -> None:
    boxes = (
        TruthBox(1, ObjectClass.CAR, (0.1, 0.5, 0.3, 0.7), 1.0),
        TruthBox(2, ObjectClass.PERSON, (0.5, 0.5, 0.52, 0.6), 0.1),
        TruthBox(3, ObjectClass.OTHER, (0.6, 0.5, 0.7, 0.6), 1.0),
    )
    batch = samples.Batch()
    samples.add_street(batch, Picture(_noise(360, 640), boxes, None, (), ()))
    canvas, rows = batch.street[0], batch.street_boxes[0]
    assert canvas.shape == (256, 416, 3)
    assert (canvas[234:] == 114).all()
    assert rows[0] == pytest.approx([41.6, 117, 124.8, 163.8, 2])
    assert rows[1:3, 4].tolist() == [samples.IGNORED, samples.IGNORED]
    assert (rows[3:, 4] == samples.EMPTY).all()


def test_a_water_mask_is_unknown_where_there_is_no_picture() -> None:
    batch = samples.Batch()
    mask = np.zeros((90, 160), np.uint8)
    mask[45:] = 255
    samples.add_water(batch, _noise(360, 640), mask)
    labels = batch.water_masks[0]
    assert labels.shape == (96, 160)
    assert (labels[90:] == samples.WATER_UNKNOWN).all()
    assert (labels[46:90] == samples.WATER_FULL).all()
    assert (labels[:44] == 0).all()
    assert set(batch.arrays()) == {"water", "water_masks"}


def test_packed_lists_come_back(tmp_path: Path) -> None:
    file = PackedFile()
    picture = _noise(40, 60)
    file.put("a", [b"one", b"", encode(picture, ".png")])
    file.put_array("b", np.arange(3))
    file.save(tmp_path / "x.npz")
    again = PackedFile.load(tmp_path / "x.npz")
    assert again.get("a")[:2] == [b"one", b""]
    assert (decode(again.get("a")[2]) == picture).all()
    assert again.array("b").tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="not a picture"):
        decode(b"nothing")


def test_a_new_network_gets_an_entry_and_a_later_one_its_hash(tmp_path: Path) -> None:
    text = "schema: 1\nartefacts:\n"
    for kind in ("street", "water", "litter"):
        assert artefact_of(kind, "a" * 64).files[0].builtin
        text = with_entry(text, kind, "a" * 64)
    again = with_entry(text, "water", "b" * 64)
    (tmp_path / "zoo.yaml").write_text(again)
    found = Catalogue.read(tmp_path / "zoo.yaml").artefacts
    assert {name: one.digest[0] for name, one in found.items()} == {"street": "a", "water": "b", "litter": "a"}
    assert found["litter"].classifier is not None
    assert found["litter"].classifier.heads["bin"] == ("ok", "overflowing")


def test_installing_copies_weights_and_figures(tmp_path: Path) -> None:
    out, root = tmp_path / "out", tmp_path / "root"
    for folder in (out, root / "models" / "weights", root / "docs"):
        folder.mkdir(parents=True)
    (root / "models" / "weights" / "measured.json").write_text('{"water": {"old": 1}, "street": {"ap50": 0.9}}')
    (root / "models" / "zoo.yaml").write_text("schema: 1\nartefacts:\n")
    (root / "docs" / "training.md").write_text("a\n<!-- figures -->\nold\n<!-- end of figures -->\nz\n")
    (out / "water.onnx").write_bytes(b"net")
    (out / "measured.json").write_text('{"water": {"flood_iou": 0.8, "dry": {"rain": 0.01}}}')
    assert install(out, root) == ["water"]
    assert (root / "models" / "weights" / "water.onnx").read_bytes() == b"net"
    page = (root / "docs" / "training.md").read_text()
    assert "| water | dry rain | 0.01 |" in page
    assert "| street | ap50 | 0.9 |" in page, "what was not trained again keeps its figures"
    assert "old" not in page
    assert page.endswith("z\n")
    (out / "water.onnx").write_bytes(b"x" * 1_000_001)
    with pytest.raises(ValueError, match="at most"):
        install(out, root)


def test_the_page_has_a_place_for_figures() -> None:
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    assert "<!-- figures -->" in page
    assert "<!-- end of figures -->" in page
    assert table({"street": {"ms": 1.0}}).endswith("| street | ms | 1.0 |\n")
