"""Segmenter and classifier readers on outputs made by hand, crops, and weights that ship with the project."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from contracts.errors import ConfigError, HashMismatch, ModelMissing
from contracts.vision import Frame
from models.classifier import build_classifier
from models.crops import crop_bgr, crop_frame
from models.fake_runner import FakeRunner
from models.picture import frame_from_bgr
from models.runner import Tensors, TensorSpec
from models.segmenter import WaterSegmenter, build_segmenter
from models.zoo import Artefact, ArtefactKind, Catalogue, ClassifierSpec, FileState, SegmenterSpec, Zoo, ZooFile

_F32 = np.dtype(np.float32)
_FILE = ZooFile(path="builtin/net.onnx", sha256="0" * 64)


def _artefact(**reader: object) -> Artefact:
    return Artefact.model_validate(
        {"kind": ArtefactKind.MODEL, "source": "", "licence": "", "files": (_FILE,), **reader}
    )


def _segmenter(stride: int = 2) -> WaterSegmenter:
    """Its "water" is whatever is bright: the mean of each cell, as a probability."""

    def bright(inputs: Tensors) -> dict[str, np.ndarray]:
        image = inputs["images"].mean(axis=1, keepdims=True) / 255
        n, _, height, width = image.shape
        cells = image.reshape(n, 1, height // stride, stride, width // stride, stride).mean(axis=(3, 5))
        return {"water": cells.astype(np.float32)}

    image = TensorSpec("images", (-1, 3, 192, 320), _F32)
    output = TensorSpec("water", (-1, 1, 192 // stride, 320 // stride), _F32)
    runner = FakeRunner((image,), (output,), bright)
    return build_segmenter(_artefact(segmenter=SegmenterSpec(label="water")), runner)


def _half_bright(width: int, height: int) -> Frame:
    """The right half white, the lower quarter black."""
    bgr = np.zeros((height, width, 3), np.uint8)
    bgr[: height * 3 // 4, width // 2 :] = 255
    return frame_from_bgr(bgr)


@pytest.mark.parametrize("stride", [2, 4])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (640, 480), (704, 576), (1080, 1920)])
def test_a_map_covers_the_whole_picture_and_nothing_else(width: int, height: int, stride: int) -> None:
    found = _segmenter(stride).segment_frames([_half_bright(width, height)])[0]
    rows, columns = found.shape
    assert found.dtype == np.uint8
    assert columns / rows == pytest.approx(width / height, rel=0.04)
    share = (found > 127).mean(axis=0)
    assert (share > 0).argmax() == pytest.approx(columns / 2, abs=1)
    assert share[-1] == pytest.approx(0.75, abs=1.5 / rows)


def test_a_batch_of_differently_shaped_pictures() -> None:
    segmenter = _segmenter()
    maps = segmenter.segment_frames([_half_bright(1280, 720), _half_bright(480, 480)])
    assert [one.shape for one in maps] == [(90, 160), (96, 96)]
    assert segmenter.segment_frames([]) == []


def test_a_segmenter_that_does_not_cover_its_input_is_refused() -> None:
    image, output = TensorSpec("images", (-1, 3, 192, 320), _F32), TensorSpec("water", (-1, 1, 96, 80), _F32)
    with pytest.raises(ConfigError, match="does not cover"):
        WaterSegmenter(FakeRunner((image,), (output,), lambda _: {}))
    with pytest.raises(ConfigError, match="is no segmenter"):
        build_segmenter(_artefact(), FakeRunner((image,), (output,), lambda _: {}))


def _classifier_runner() -> FakeRunner:
    """Says how bright and how dark a crop is."""

    def bright(inputs: Tensors) -> dict[str, np.ndarray]:
        mean = inputs["crops"].mean(axis=(1, 2, 3)) / 255
        both = np.stack([mean, 1 - mean], axis=1).astype(np.float32)
        return {"thing": both, "bin": both[:, ::-1]}

    image = TensorSpec("crops", (-1, 3, 64, 64), _F32)
    return FakeRunner((image,), (TensorSpec("thing", (-1, 2), _F32), TensorSpec("bin", (-1, 2), _F32)), bright)


def test_a_classifier_cuts_and_says_probabilities_by_head() -> None:
    spec = ClassifierSpec(heads={"thing": ("litter", "other"), "bin": ("ok", "overflowing")}, margin=0)
    classifier = build_classifier(_artefact(classifier=spec), _classifier_runner())
    bgr = np.zeros((360, 640, 3), np.uint8)
    bgr[100:200, 300:400] = 255
    box = (300 / 640, 100 / 360, 400 / 640, 200 / 360)
    crops = [classifier.cut(bgr, box), classifier.cut(frame_from_bgr(bgr), box), classifier.cut(bgr, (0, 0, 0.1, 0.1))]
    found = classifier.classify(crops)
    assert found["thing"][:, 0] == pytest.approx([1, 1, 0], abs=0.03)
    assert classifier.probability(crops, "bin", "overflowing") == pytest.approx(found["thing"][:, 0])
    assert classifier.classify([])["bin"].shape == (0, 2)


def test_a_classifier_without_the_named_head_is_refused() -> None:
    with pytest.raises(ConfigError, match="no output 'size'"):
        build_classifier(_artefact(classifier=ClassifierSpec(heads={"size": ("a", "b")})), _classifier_runner())


@pytest.mark.parametrize("box", [(0.4, 0.4, 0.5, 0.55), (0.0, 0.0, 0.08, 0.1), (0.9, 0.85, 1.0, 1.0)])
def test_crops_of_frames_and_of_bgr_agree_also_at_the_edge(box: tuple[float, float, float, float]) -> None:
    rng = np.random.default_rng(3)
    bgr = np.empty((360, 640, 3), np.uint8)
    cv2.resize(rng.integers(0, 255, (9, 16, 3), np.uint8), (640, 360), dst=bgr, interpolation=cv2.INTER_CUBIC)
    frame = frame_from_bgr(bgr)
    one, other = crop_bgr(bgr, box, 64, 0.5), crop_frame(frame, box, 64, 0.5)
    assert one.shape == other.shape == (64, 64, 3)
    assert np.abs(one.astype(int) - other).mean() < 6


def test_a_crop_shows_the_margin_around_the_box() -> None:
    bgr = np.zeros((200, 200, 3), np.uint8)
    bgr[80:120, 80:120] = 255
    crop = crop_bgr(bgr, (0.4, 0.4, 0.6, 0.6), 64, 0.5)
    assert (crop > 127).mean() == pytest.approx(0.25, abs=0.03)


def test_builtin_weights_need_no_cache_and_are_verified(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "net.onnx").write_bytes(b"trained here")
    file = ZooFile(path="builtin/net.onnx", sha256=hashlib.sha256(b"trained here").hexdigest())
    artefact = Artefact(kind=ArtefactKind.MODEL, source="here", licence="AGPL-3.0-or-later", files=(file,))
    catalogue = Catalogue.model_validate({"schema": 1, "artefacts": {"net": artefact}})
    zoo = Zoo(catalogue, cache=tmp_path / "cache", weights=weights)
    assert zoo.states("net") == {"builtin/net.onnx": FileState.READY}
    assert zoo.fetch("net") == (weights / "net.onnx",)
    assert not (tmp_path / "cache").exists()
    (weights / "net.onnx").write_bytes(b"changed")
    with pytest.raises(HashMismatch, match=r"built-in net\.onnx"):
        zoo.fetch("net")
    assert (weights / "net.onnx").read_bytes() == b"changed"
    (weights / "net.onnx").unlink()
    with pytest.raises(ModelMissing, match="install CityVision again"):
        zoo.fetch("net")
