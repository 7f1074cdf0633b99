"""Reading detectors' outputs, on outputs made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from contracts.errors import ConfigError
from contracts.vision import Frame, ObjectClass
from models.detector import Detector, build_detector
from models.fake_runner import FakeRunner
from models.runner import TensorSpec
from models.zoo import Artefact, ArtefactKind, DetectorSpec, ZooFile

_FILE = ZooFile(path="models/net.onnx", sha256="0" * 64)
_F32 = np.dtype(np.float32)
# (column, row) of a stride-32 cell of a 416x416 input: after the 52*52 + 26*26 cells of strides 8 and 16.
_STRIDE_32 = 52 * 52 + 26 * 26


def _artefact(spec: DetectorSpec) -> Artefact:
    return Artefact(kind=ArtefactKind.MODEL, source="", licence="", files=(_FILE,), detector=spec)


def _frame(width: int = 1280, height: int = 720) -> Frame:
    half = np.full((height // 2, width // 2), 128, np.uint8)
    return Frame(np.full((height, width), 90, np.uint8), half, half, 0.0, 0.0)


def _yolox(*pictures: list[tuple[int, int, int, float, float]]) -> Detector:
    """A detector whose model sees (column, row, COCO label, objectness, probability), each 64 pixels wide."""
    raw = np.zeros((len(pictures), 3549, 85), np.float32)
    for number, objects in enumerate(pictures):
        for column, row, label, objectness, probability in objects:
            cell = raw[number, _STRIDE_32 + row * 13 + column]
            cell[:4] = (0.5, 0.5, np.log(2), np.log(2))
            cell[4], cell[5 + label] = objectness, probability
    image, output = TensorSpec("images", (-1, 3, 416, 416), _F32), TensorSpec("output", (-1, 3549, 85), _F32)
    runner = FakeRunner((image,), (output,), lambda _: {"output": raw})
    return build_detector(_artefact(DetectorSpec(family="yolox", labels="coco")), runner)


def test_yolox_boxes_come_back_to_the_frame() -> None:
    found = _yolox([(4, 3, 0, 0.9, 0.8)]).detect_frames([_frame()], 0.35)[0]
    # Centre (4.5, 3.5) * 32 = (144, 112), 64 wide; the picture takes 416x234 of the input.
    assert found.boxes[0] == pytest.approx([112 / 416, 80 / 234, 176 / 416, 144 / 234], abs=1e-6)
    assert found.scores[0] == pytest.approx(0.72)
    assert found.classes[0] == ObjectClass.PERSON


def test_yolox_one_floor_a_picture() -> None:
    objects = [(2, 2, 0, 0.9, 0.9), (8, 5, 0, 0.7, 0.7)]
    counts = [len(found) for found in _yolox(objects, objects).detect_frames([_frame()] * 2, [0.3, 0.6])]
    assert counts == [2, 1]


def test_yolox_car_and_truck_on_one_place_are_one_vehicle_but_a_rider_stays() -> None:
    raw = [(4, 3, 2, 0.9, 0.8), (4, 4, 7, 0.8, 0.8)]
    detector = _yolox([*raw, (4, 2, 0, 0.5, 0.9)])
    # The three cells lie 32 pixels apart; make them the same box.
    runner = detector._runner  # type: ignore[attr-defined]
    tensor = runner._compute({})["output"]
    for row, shift in ((3, 0.5), (4, -0.5), (2, 1.5)):
        tensor[0, _STRIDE_32 + row * 13 + 4, 1] = shift
    found = detector.detect_frames([_frame()], 0.3)[0]
    assert [ObjectClass(value) for value in found.classes] == [ObjectClass.CAR, ObjectClass.PERSON]


def test_yolox_classes_without_a_name_here_are_dropped() -> None:
    dog, person = (4, 3, 16, 0.9, 0.9), (8, 3, 0, 0.9, 0.9)
    found = _yolox([dog, person]).detect_frames([_frame()], 0.3)[0]
    assert found.classes.tolist() == [ObjectClass.PERSON]


def test_yolox_far_too_many_candidates() -> None:
    everywhere = [(column, row, 0, 0.9, 0.5 + 0.001 * (column + row)) for column in range(13) for row in range(13)]
    found = _yolox(everywhere, []).detect_frames([_frame(416, 416)] * 2, 0.3)
    assert len(found[0]) == 169  # 32 pixels apart and 64 wide: IoU 1/3, all real
    assert len(found[1]) == 0


def test_yolox_letterbox_is_grey_and_the_picture_free_to_use() -> None:
    detector = _yolox([])
    batch = detector.slots(1)
    prepared = detector.prepare(_frame(), batch[0])
    assert prepared.bgr_small.shape == (234, 416, 3)
    assert (batch[0, :, 234:] == 114).all()
    assert np.array_equal(batch[0, :, :234], prepared.bgr_small.transpose(2, 0, 1))
    tall = detector.prepare(_frame(720, 1280), batch[0])
    assert tall.bgr_small.shape == (416, 234, 3)
    assert (batch[0, :, :, 234:] == 114).all()


def test_no_frames() -> None:
    assert _yolox().detect_frames([], 0.3) == []


def _ssd(rows: NDArray[np.float32], labels: dict[int, str]) -> Detector:
    runner = FakeRunner(
        (TensorSpec("image", (-1, 3, 256, 256), _F32),),
        (TensorSpec("detection_out", (-1, 1, 200, 7), _F32),),
        lambda _: {"detection_out": rows},
    )
    return build_detector(_artefact(DetectorSpec(family="omz_ssd", labels=labels)), runner)


def test_ssd_detection_out() -> None:
    rows = np.zeros((1, 1, 200, 7), np.float32)
    rows[0, 0, 0] = (0, 2, 0.6, 0.5, 0.5, 0.7, 1.2)
    rows[0, 0, 1] = (0, 1, 0.9, 0.1, 0.1, 0.3, 0.4)
    rows[0, 0, 2] = (0, 7, 0.9, 0.1, 0.1, 0.3, 0.4)  # a label the model's card does not name
    rows[0, 0, 3, 0] = -1  # the end of the list
    found = _ssd(rows, {1: "person", 2: "vehicle", 3: "bicycle"}).detect_frames([_frame()], 0.3)[0]
    assert found.classes.tolist() == [ObjectClass.PERSON, ObjectClass.VEHICLE]
    assert found.boxes[1] == pytest.approx([0.5, 0.5, 0.7, 1.0])


def test_ssd_two_heads() -> None:
    boxes, labels = np.zeros((2, 100, 5), np.float32), np.zeros((2, 100), np.int64)
    boxes[1, 0], labels[1, 0] = (86.4, 48, 172.8, 240, 0.8), 1
    runner = FakeRunner(
        (TensorSpec("image", (-1, 3, 480, 864), _F32),),
        (TensorSpec("boxes", (-1, 100, 5), _F32), TensorSpec("labels", (-1, 100), np.dtype(np.int64))),
        lambda _: {"boxes": boxes, "labels": labels},
    )
    spec = DetectorSpec(family="omz_ssd", labels={0: "vehicle", 1: "person", 2: "bicycle"})
    found = build_detector(_artefact(spec), runner).detect_frames([_frame()] * 2, 0.3)
    assert len(found[0]) == 0
    assert found[1].boxes[0] == pytest.approx([0.1, 0.1, 0.2, 0.5])


def test_a_wrong_description_is_named() -> None:
    with pytest.raises(ConfigError, match="tram"):
        _ssd(np.zeros((1, 1, 200, 7), np.float32), {1: "tram"})
    with pytest.raises(ConfigError, match="no detector"):
        build_detector(
            _artefact(DetectorSpec(family="yolox", labels="coco")).model_copy(update={"detector": None}),
            FakeRunner((), (), lambda _: {}),
        )
