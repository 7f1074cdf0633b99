"""The intake against hostile uploads: each is refused for its own reason, and the service goes on unharmed."""

from __future__ import annotations

import io
import json
import os
import pickle
import signal
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import yaml
from click.testing import CliRunner
from onnx import TensorProto, helper

from algorithm_repo.intake.intake import inspect
from algorithm_repo.intake.licence import unfit
from algorithm_repo.intake.reasons import Code, ModelRefused, Refusal
from algorithm_repo.intake.trial import try_model
from algorithm_repo.intake.types import Limits, Report
from cityvision.cli import cli
from contracts.errors import ModelMissing
from tests.contract import intake_uploads as up

WEIGHTS = Path(__file__).resolve().parents[2] / "models" / "weights"
STREET = {
    **up.CARD,
    "name": "street-copy",
    "licence": "AGPL-3.0-or-later",
    "family": "yolox",
    "width": 416,
    "height": 256,
    "labels": ["person", "bicycle", "car", "motorcycle", "bus", "truck"],
}
WATER = {**up.CARD, "name": "water-copy", "family": "segmenter", "width": 320, "height": 192, "labels": ["water"]}
LITTER = {
    **up.CARD,
    "name": "litter-copy",
    "width": 64,
    "height": 64,
    "labels": {"thing": ["litter", "leaves", "object", "ground"], "bin": ["ok", "overflowing"]},
}

Try = Callable[..., Report]


@pytest.fixture
def attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Try:
    """Inspects bytes with a card (fields, or the file's own bytes); afterwards nothing may be left of it."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))

    def run(model: bytes, card: dict[str, Any] | bytes = up.CARD, limits: Limits | None = None) -> Report:
        onnx_path, card_path = tmp_path / "upload.onnx", tmp_path / "card.yaml"
        onnx_path.write_bytes(model)
        card_path.write_bytes(card if isinstance(card, bytes) else yaml.safe_dump(card, sort_keys=False).encode())
        report = inspect(onnx_path, card_path, limits or Limits())
        assert list(scratch.iterdir()) == []
        assert sorted(one.name for one in tmp_path.iterdir()) == ["card.yaml", "scratch", "upload.onnx"]
        assert _children() == []
        return report

    return run


def _children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children(recursive=True) if _is_intake(one)]


def _is_intake(process: psutil.Process) -> bool:
    try:
        return "algorithm_repo.intake.child" in process.cmdline()
    except psutil.Error:
        return False


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _one(report: Report) -> tuple[Code, str, str]:
    assert not report.accepted
    first = report.reasons[0]
    return first.code, first.field, first.what


# --- what is accepted


def test_the_built_in_networks_and_a_small_one_are_accepted(attempt: Try) -> None:
    street = attempt((WEIGHTS / "street.onnx").read_bytes(), STREET)
    assert street.accepted, street.reasons
    assert street.static is not None
    assert street.trial is not None
    assert (street.static.opset, street.static.ir_version, street.static.nodes) == (17, 8, 611)
    assert 800_000 < street.static.parameters < 1_000_000
    assert 0 < street.trial.ms_per_picture < 5000
    assert 50e6 < street.trial.peak_memory_bytes < 1e9
    assert (street.name, street.family, len(street.sha256 or "")) == ("street-copy", "yolox", 64)
    street.demand_accepted()
    for file, card in (("water", WATER), ("litter", LITTER)):
        report = attempt((WEIGHTS / f"{file}.onnx").read_bytes(), card)
        assert report.accepted, report.reasons
    small = attempt(up.saved(up.graph([*up.body([up.nested(2)])], more=[up.condition()])))
    assert small.accepted, small.reasons


@pytest.mark.media
def test_a_published_detector_is_accepted(attempt: Try, mirror: Path) -> None:
    card = {**STREET, "name": "yolox-nano", "width": 416, "height": 416, "labels": "coco"}
    report = attempt((mirror / "models" / "yolox_nano.onnx").read_bytes(), card)
    assert report.accepted, report.reasons


# --- files that are none


def _torch_file() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"w": [1.0]}, 2))
    return packed.getvalue()


def _zip_file() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("model.onnx", up.saved())
    return packed.getvalue()


class _Bomb:
    """A pickle that would say so if anybody opened it."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, ("/tmp/cityvision-pickle-was-opened",)


FILES = [
    pytest.param(lambda: b"", Code.EMPTY, "empty", id="empty"),
    pytest.param(lambda: up.saved()[:-40], Code.NOT_ONNX, "cut off", id="truncated"),
    pytest.param(lambda: np.random.default_rng(3).bytes(5000), Code.NOT_ONNX, "no ONNX", id="random"),
    pytest.param(lambda: b"\x08\x08", Code.NOT_ONNX, "no graph", id="no graph"),
    pytest.param(_zip_file, Code.ZIP, "zip archive", id="zip"),
    pytest.param(_torch_file, Code.TORCH, "torch file", id="torch"),
    pytest.param(
        lambda: pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(_Bomb(), 2), Code.TORCH, "torch", id="old torch"
    ),
    pytest.param(lambda: pickle.dumps(_Bomb(), 4), Code.PICKLE, "pickle", id="pickle"),
    pytest.param(lambda: pickle.dumps(_Bomb(), 0), Code.PICKLE, "pickle", id="pickle in text"),
    pytest.param(lambda: b"\x1f\x8b" + up.saved(), Code.OTHER_FORMAT, "gzip", id="gzip"),
    pytest.param(lambda: b"<!DOCTYPE html><title>404</title>", Code.OTHER_FORMAT, "web page", id="web page"),
    pytest.param(lambda: b"version https://git-lfs.github.com/spec/v1\n", Code.OTHER_FORMAT, "LFS", id="lfs"),
]


@pytest.mark.parametrize(("make", "code", "words"), FILES)
def test_what_is_no_onnx_file_is_refused_as_what_it_is(
    make: Callable[[], bytes], code: Code, words: str, attempt: Try
) -> None:
    found, field, what = _one(attempt(make()))
    assert (found, field) == (code, "file")
    assert words in what
    assert not Path("/tmp/cityvision-pickle-was-opened").exists()


def test_a_file_above_the_limit_is_refused_before_it_is_parsed(attempt: Try) -> None:
    report = attempt(up.saved(), limits=Limits(file_bytes=100))
    assert _one(report) == (Code.TOO_BIG, "file", "it is larger than 100 bytes")
    assert report.sha256 is None


def test_a_folder_or_a_pipe_in_place_of_the_file_is_refused_without_waiting(tmp_path: Path) -> None:
    card = tmp_path / "card.yaml"
    card.write_text(yaml.safe_dump(up.CARD))
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        assert _one(inspect(path, card))[0] is Code.NOT_A_FILE
    with pytest.raises(ModelMissing, match="No such file"):
        inspect(tmp_path / "nothing.onnx", card)


# --- cards


def _without(field: str) -> dict[str, Any]:
    return {name: value for name, value in up.CARD.items() if name != field}


_BOMB = b"a: &a [x, x]\n" + b"".join(b"b%d: &b%d [*a, *a]\n" % (i, i) for i in range(30))
CARDS = [
    pytest.param(_without("licence"), Code.CARD_FIELD, "card.licence", "required", id="licence missing"),
    pytest.param({**up.CARD, "licence": "CC-BY-NC-4.0"}, Code.LICENCE, "card.licence", "NC", id="not commercial"),
    pytest.param({**up.CARD, "licence": "MIT AND SSPL-1.0"}, Code.LICENCE, "card.licence", "SSPL", id="half unfit"),
    pytest.param({**up.CARD, "licence": "MIT OR"}, Code.CARD_FIELD, "card.licence", "missing", id="half a licence"),
    pytest.param({**up.CARD, "name": "../../etc/x"}, Code.CARD_FIELD, "card.name", "pattern", id="path as name"),
    pytest.param({**up.CARD, "name": "a/b"}, Code.CARD_FIELD, "card.name", "pattern", id="slash in name"),
    pytest.param({**up.CARD, "version": "1.2"}, Code.CARD_FIELD, "card.version", "semantic", id="version"),
    pytest.param({**up.CARD, "version": "01.2.3"}, Code.CARD_FIELD, "card.version", "semantic", id="leading zero"),
    pytest.param({**up.CARD, "source": "file:///etc/passwd"}, Code.CARD_FIELD, "card.source", "address", id="source"),
    pytest.param({**up.CARD, "family": "pickle"}, Code.CARD_FIELD, "card.family", "yolox", id="family"),
    pytest.param({**up.CARD, "width": 10**9}, Code.CARD_FIELD, "card.width", "2048", id="width"),
    pytest.param({**up.CARD, "labels": ["a"]}, Code.CARD_FIELD, "card.labels", "each of its outputs", id="labels"),
    pytest.param({**STREET, "labels": ["dog"]}, Code.CARD_FIELD, "card.labels", "'dog' is no class", id="class"),
    pytest.param({**up.CARD, "run": "x"}, Code.CARD_FIELD, "card.run", "not permitted", id="unknown field"),
    pytest.param({**up.CARD, "sha256": "abc"}, Code.CARD_FIELD, "card.sha256", "pattern", id="half a hash"),
    pytest.param({**up.CARD, "sha256": "0" * 64}, Code.HASH, "card.sha256", "the card says 000", id="wrong hash"),
    pytest.param(_BOMB, Code.CARD_ALIAS, "card, line 1", "aliases", id="yaml bomb"),
    pytest.param(b"a: !!python/object/apply:os.system [id]", Code.CARD_TAG, "card, line 1", "os.system", id="tag"),
    pytest.param(b"[" * 60_000, Code.CARD_YAML, "card, line 1", "nested", id="deep yaml"),
    pytest.param(b"name: [", Code.CARD_YAML, "card, line 1", "no YAML", id="no yaml"),
    pytest.param(b"name: a\nname: b", Code.CARD_YAML, "card, line 2", "twice", id="key twice"),
    pytest.param(b"\xff\xfe\x00", Code.CARD_YAML, "card", "UTF-8", id="no text"),
    pytest.param(b"just words", Code.CARD_FIELD, "card", "dictionary", id="no mapping"),
    pytest.param(b"#" * 70_000, Code.CARD_TOO_BIG, "card", "larger", id="large card"),
]


@pytest.mark.parametrize(("card", "code", "field", "words"), CARDS)
def test_a_wrong_card_is_refused_by_field(
    card: dict[str, Any] | bytes, code: Code, field: str, words: str, attempt: Try
) -> None:
    report = attempt(up.saved(), card)
    found, where, what = _one(report)
    assert (found, where) == (code, field)
    assert words in what
    assert report.reasons[0].fix
    assert report.static is None


def test_all_wrong_fields_are_named_at_once(attempt: Try) -> None:
    report = attempt(b"", {"name": "A B", "version": "x", "family": "yolox"})
    assert {one.field for one in report.reasons} >= {"card.name", "card.version", "card.licence", "card.width"}


def test_licence_expressions() -> None:
    for fit in ("MIT", "(MIT OR SSPL-1.0) AND Apache-2.0", "GPL-2.0+", "GPL-3.0-only WITH GCC-exception-3.1"):
        assert unfit(fit) is None, fit
    for wrong in ("GPL-2.0-only", "MIT AND CC-BY-NC-4.0", "BUSL-1.1 OR CC-BY-NC-4.0", "Unknown-1.0"):
        assert unfit(wrong) is not None, wrong
    for broken in ("", "MIT Apache-2.0", "(MIT", "MIT)", "OR MIT", "MIT;ISC", "(" * 150 + "MIT"):
        with pytest.raises(ValueError, match=r"\w"):
            unfit(broken)


# --- graphs


def _with_metadata() -> bytes:
    made = up.model()
    made.metadata_props.add(key="note", value="x" * 100_000)
    return bytes(made.SerializeToString())


def _with_function() -> bytes:
    made = up.model(domains=["mine"])
    made.functions.append(
        helper.make_function("mine", "F", ["a"], ["b"], [up.node("Relu", ["a"], ["b"])], [helper.make_opsetid("", 17)])
    )
    del made.opset_import[1:]
    return bytes(made.SerializeToString())


def _with_training() -> bytes:
    made = up.model()
    made.training_info.add().algorithm.CopyFrom(up.graph())
    return bytes(made.SerializeToString())


def _weight(tensor: TensorProto) -> bytes:
    return up.saved(up.graph(tensors=[tensor]))


def _tail(*nodes: Any, more: Any = ()) -> bytes:
    return up.saved(up.graph(up.body(nodes), more=more))


def _bomb(*nodes: Any, more: Any) -> bytes:
    """The nodes make "big" of anything; it ends in the output, so that nothing can leave it out."""
    rest = [up.node("ReduceMax", ["big"], ["most"], keepdims=0), up.node("Add", ["l", "most"], ["l2"])]
    return _tail(*nodes, *rest, up.node("Softmax", ["l2"], ["kind"], axis=1), more=more)


_SIX = np.arange(6, dtype=np.float32).tobytes()
_SHAPE = up.constant("sides", [10**5, 10**5], np.int64)
_CAST = up.node("Cast", ["l"], ["kind"], to=TensorProto.DOUBLE)
GRAPHS: list[tuple[str, Callable[[], bytes], Code, str, str]] = [
    ("IR too new", lambda: up.saved(ir=99), Code.IR_VERSION, "ir_version", "99"),
    ("IR too old", lambda: up.saved(ir=3), Code.IR_VERSION, "ir_version", "3 is not"),
    ("opset too new", lambda: up.saved(opset=99), Code.OPSET, "opset_import", "opset 99"),
    ("opset too old", lambda: up.saved(opset=8), Code.OPSET, "opset_import", "opset 8"),
    ("opset twice", lambda: up.saved(domains=["", ""]), Code.OPSET, "opset_import", "3 versions"),
    ("texts", _with_metadata, Code.METADATA, "metadata_props", "bytes of texts"),
    ("functions", _with_function, Code.FUNCTIONS, "functions", "1 functions"),
    ("training", _with_training, Code.TRAINING, "training_info", "training graph"),
    (
        "custom domain",
        lambda: up.saved(domains=["com.microsoft"]),
        Code.CUSTOM_OP,
        "opset_import",
        "'com.microsoft'",
    ),
    (
        "custom operator",
        lambda: _tail(up.node("Evil", ["l"], ["kind"], domain="org.evil")),
        Code.CUSTOM_OP,
        "graph.node[2]",
        "org.evil.Evil",
    ),
    ("unknown operator", lambda: _tail(up.node("Frob", ["l"], ["kind"])), Code.UNKNOWN_OP, "graph.node[2]", "Frob"),
    (
        "operator of a later opset",
        lambda: _tail(up.node("Gelu", ["l"], ["kind"])),
        Code.UNKNOWN_OP,
        "graph.node[2]",
        "Gelu",
    ),
    (
        "operator that is no UTF-8",
        lambda: up.saved().replace(b"Softmax", b"Soft\xffax"),
        Code.UNKNOWN_OP,
        "graph.node[2]",
        "no operator",
    ),
    (
        "path that is no UTF-8",
        lambda: _weight(up.outside("/etc/passwd")).replace(b"/etc/passwd", b"/etc/\xff\xfe\xff\xfewd"),
        Code.EXTERNAL_DATA,
        "graph.initializer[w]",
        "absolute path",
    ),
    ("endless loop", lambda: _tail(up.endless_loop(), more=[up.condition()]), Code.CONTROL_FLOW, "node[2]", "Loop"),
    (
        "random numbers",
        lambda: _tail(up.node("RandomNormalLike", ["l"], ["kind"])),
        Code.RANDOM_OP,
        "graph.node[2]",
        "RandomNormalLike",
    ),
    ("deep nesting", lambda: _tail(up.nested(12), more=[up.condition()]), Code.NESTING, "_branch", "3 deep"),
    ("a million nodes", lambda: up.many_nodes(1_000_000), Code.NODES, "graph", "1000000 nodes"),
    (
        "a loop in a branch",
        lambda: _tail(
            up.node(
                "If",
                ["yes"],
                ["kind"],
                **{
                    name: helper.make_graph(
                        [up.endless_loop()], name, [], [helper.make_tensor_value_info("kind", 1, None)]
                    )
                    for name in ("then_branch", "else_branch")
                },
            ),
            more=[up.condition()],
        ),
        Code.CONTROL_FLOW,
        "_branch.node[0]",
        "Loop",
    ),
    # weights
    ("4 GB declared", lambda: _weight(up.declared("w", [2**15, 2**15])), Code.TENSOR_SIZE, "[w]", "4294967296 bytes"),
    (
        "overflow",
        lambda: _weight(up.declared("w", [2**32, 2**32, 6], _SIX)),
        Code.TENSOR_SIZE,
        "graph.initializer[w]",
        str(2**64 * 24),
    ),
    (
        "overflow hidden by 0",
        lambda: _weight(up.declared("w", [2**62, 0])),
        Code.TENSOR_SIZE,
        "graph.initializer[w]",
        "declares",
    ),
    (
        "negative side",
        lambda: _weight(up.declared("w", [-3, -2], _SIX)),
        Code.TENSOR_SHAPE,
        "[w]",
        "negative: [-3, -2]",
    ),
    ("data too short", lambda: _weight(up.declared("w", [3, 2], _SIX[:-4])), Code.TENSOR_DATA, "[w]", "20 bytes"),
    ("data too long", lambda: _weight(up.declared("w", [3, 2], _SIX + b"1234")), Code.TENSOR_DATA, "[w]", "28 bytes"),
    (
        "listed data too short",
        lambda: _weight(TensorProto(name="w", data_type=1, dims=[3, 2], float_data=[1.0] * 5)),
        Code.TENSOR_DATA,
        "[w]",
        "5 elements of data for 6",
    ),
    (
        "text as weight",
        lambda: _weight(TensorProto(name="w", data_type=8, dims=[1], string_data=[b"x"])),
        Code.TENSOR_TYPE,
        "[w]",
        "STRING",
    ),
    (
        "data in another folder",
        lambda: _weight(up.outside("../../../etc/passwd")),
        Code.EXTERNAL_DATA,
        "graph.initializer[w]",
        "leaves its folder: '../../../etc/passwd'",
    ),
    (
        "data at an absolute path",
        lambda: _weight(up.outside("/etc/passwd")),
        Code.EXTERNAL_DATA,
        "graph.initializer[w]",
        "absolute path: '/etc/passwd'",
    ),
    ("data beside it", lambda: _weight(up.outside("w.bin")), Code.EXTERNAL_DATA, "[w]", "another file: 'w.bin'"),
    ("data nowhere", lambda: _weight(up.outside(None)), Code.EXTERNAL_DATA, "[w]", "does not say where"),
    (
        "constant outside",
        lambda: _tail(up.node("Constant", [], ["c"], value=up.outside("/x")), up.node("Add", ["l", "c"], ["kind"])),
        Code.EXTERNAL_DATA,
        "graph.node[2:Constant].value",
        "absolute",
    ),
    # names
    (
        "a name twice",
        lambda: _tail(up.node("Relu", ["l"], ["m"]), up.node("Relu", ["m"], ["kind"])),
        Code.DUPLICATE_NAME,
        "graph.node[2:Relu]",
        "'m'",
    ),
    (
        "two weights of a name",
        lambda: up.saved(up.graph(more=up.weights())),
        Code.DUPLICATE_NAME,
        "graph.initializer",
        "'w'",
    ),
    (
        "circle",
        lambda: _tail(
            up.node("Add", ["l", "b"], ["a"]), up.node("Relu", ["a"], ["b"]), up.node("Relu", ["a"], ["kind"])
        ),
        Code.CYCLE,
        "graph.node",
        "circle",
    ),
    (
        "wrong order",
        lambda: _tail(up.node("Relu", ["a"], ["kind"]), up.node("Relu", ["l"], ["a"])),
        Code.ORDER,
        "graph.node",
        "before",
    ),
    (
        "input made nowhere",
        lambda: _tail(up.node("Add", ["l", "ghost"], ["kind"])),
        Code.MISSING_INPUT,
        "graph.node[2:Add]",
        "'ghost'",
    ),
    ("output made nowhere", lambda: _tail(up.node("Relu", ["l"], ["x"])), Code.MISSING_INPUT, "graph.output", "'kind'"),
    # inputs and outputs
    (
        "wrong size",
        lambda: up.saved(up.graph(inputs=[up.picture(["N", 3, 31, 32])])),
        Code.INPUT,
        "graph.input[crops]",
        "[?, 3, 31, 32], the card says [N, 3, 32, 32]",
    ),
    (
        "wrong layout",
        lambda: up.saved(up.graph(inputs=[up.picture(["N", 32, 32, 3])])),
        Code.INPUT,
        "[crops]",
        "[?, 32",
    ),
    ("batch of 4", lambda: up.saved(up.graph(inputs=[up.picture([4, 3, 32, 32])])), Code.INPUT, "[crops]", "[4, 3"),
    ("open size", lambda: up.saved(up.graph(inputs=[up.picture(["N", 3, "H", "W"])])), Code.INPUT, "[crops]", "?, ?]"),
    (
        "bytes in",
        lambda: up.saved(up.graph(inputs=[up.picture(kind=TensorProto.UINT8)])),
        Code.INPUT,
        "graph.input[crops]",
        "element type is UINT8",
    ),
    (
        "two inputs",
        lambda: up.saved(up.graph(inputs=[up.picture(), helper.make_tensor_value_info("more", 1, [1])])),
        Code.INPUT,
        "graph.input",
        "2 inputs",
    ),
    (
        "weight as input",
        lambda: up.saved(up.graph(inputs=[up.picture(), helper.make_tensor_value_info("w", 1, [3, 2])])),
        Code.INPUT,
        "graph.input",
        "'w' is also an input",
    ),
    (
        "three classes",
        lambda: up.saved(up.graph(tensors=[up.constant("w", np.ones((3, 3)))], outputs=[up.head(None)])),
        Code.OUTPUT,
        "graph.output[kind]",
        "[1, 3]",
    ),
    (
        "wrong output type",
        lambda: up.saved(up.graph(up.body([_CAST]), outputs=[up.head(kind=TensorProto.DOUBLE)])),
        Code.OUTPUT,
        "graph.output[kind]",
        "DOUBLE",
    ),
    (
        "another output",
        lambda: up.saved(up.graph(up.body([up.node("Relu", ["l"], ["sort"])]), outputs=[up.head(name="sort")])),
        Code.OUTPUT,
        "graph.output",
        "'kind' is missing",
    ),
    (
        "it contradicts itself",
        lambda: up.saved(up.graph(tensors=[up.constant("w", np.ones((5, 2)))])),
        Code.INVALID,
        "graph",
        "contradicts itself",
    ),
    # sizes
    (
        "ConstantOfShape of 10^10",
        lambda: _bomb(up.node("ConstantOfShape", ["sides"], ["big"]), more=[_SHAPE]),
        Code.SIZE_BOMB,
        "graph.value[big]",
        "40000000000 bytes",
    ),
    (
        "Expand",
        lambda: _bomb(
            up.node("ReduceMean", ["l"], ["n"], axes=[0, 1], keepdims=1),
            up.node("Expand", ["n", "sides"], ["big"]),
            more=[_SHAPE],
        ),
        Code.SIZE_BOMB,
        "graph.value[big]",
        "100000 x 100000",
    ),
    (
        "Tile",
        lambda: _bomb(up.node("Tile", ["l", "sides"], ["big"]), more=[_SHAPE]),
        Code.SIZE_BOMB,
        "graph.value[big]",
        "100000 x 200000",
    ),
    (
        "Resize",
        lambda: _bomb(
            up.node("Resize", ["crops", "", "scales"], ["big"], mode="nearest"),
            more=[up.constant("scales", [1, 1, 500, 500])],
        ),
        Code.SIZE_BOMB,
        "graph.value[big]",
        "1 x 3 x 16000 x 16000",
    ),
]


@pytest.mark.parametrize(("make", "code", "field", "words"), [pytest.param(*one[1:], id=one[0]) for one in GRAPHS])
def test_a_hostile_graph_is_refused_unexecuted(
    make: Callable[[], bytes], code: Code, field: str, words: str, attempt: Try
) -> None:
    report = attempt(make())
    found, where, what = _one(report)
    assert found is code, report.reasons
    assert field in where
    assert words in what
    assert report.static is None


def test_wrong_class_count_of_a_detector_names_both(attempt: Try) -> None:
    report = attempt((WEIGHTS / "street.onnx").read_bytes(), {**STREET, "labels": ["person", "car"]})
    assert _one(report) == (Code.OUTPUT, "graph.output[output]", "its shape for one picture is [1, 2184, 11]")
    assert "[N, 2184, 7]: 2 classes" in report.reasons[0].fix


def test_what_a_file_says_cannot_steer_a_terminal_or_flood_it(attempt: Try) -> None:
    name = "\x1b[2J" + "x" * 5000
    reason = attempt(_tail(up.node("Add", ["l", name], ["kind"]))).reasons[0]
    assert "\x1b" not in reason.what
    assert len(reason.what) <= 400


# --- on trial


def test_nan_and_infinity_are_refused(attempt: Try) -> None:
    # The logarithm of what is negative, and of 0 on a black picture.
    minus = up.constant("minus", [[-5.0, -5.0]])
    nan = attempt(_tail(up.node("Add", ["l", "minus"], ["n"]), up.node("Log", ["n"], ["kind"]), more=[minus]))
    assert _one(nan)[0] is Code.NOT_FINITE
    assert "NaN" in _one(nan)[2]
    inf = attempt(_tail(up.node("Abs", ["l"], ["n"]), up.node("Log", ["n"], ["kind"])))
    assert _one(inf)[:2] == (Code.NOT_FINITE, "graph.output[kind]")
    assert "2 of 2 values are infinite on picture 2" in _one(inf)[2]


def test_numbers_that_are_no_probabilities_are_refused(attempt: Try) -> None:
    found, field, what = _one(attempt(_tail(up.node("Identity", ["l"], ["kind"]))))
    assert (found, field) == (Code.OUT_OF_RANGE, "graph.output[kind]")
    assert "not 0 to 1" in what


def test_a_detector_that_has_decoded_its_boxes_is_refused(attempt: Try) -> None:
    cells = np.zeros((1, 84, 6), np.float32)
    cells[..., :4] = 200  # pixels, where the reader takes offsets and logarithms
    nodes = [
        up.node("ReduceMean", ["crops"], ["m"], axes=[1, 2, 3], keepdims=1),
        up.node("Reshape", ["m", "to"], ["m3"]),
        up.node("Mul", ["m3", "nought"], ["z"]),
        up.node("Add", ["z", "cells"], ["output"]),
    ]
    tensors = [up.constant("to", [-1, 1, 1], np.int64), up.constant("nought", [0.0]), up.constant("cells", cells)]
    output = helper.make_tensor_value_info("output", 1, ["N", 84, 6])
    made = up.saved(up.graph(nodes, tensors=tensors, inputs=[up.picture(["N", 3, 64, 64])], outputs=[output]))
    report = attempt(made, {**STREET, "width": 64, "height": 64, "labels": ["person"]})
    assert _one(report)[0] is Code.OUT_OF_RANGE
    assert "pixels" in _one(report)[2]
    assert "decod" in report.reasons[0].fix


def test_a_model_that_answers_differently_each_time_is_caught_by_its_answers_too(tmp_path: Path) -> None:
    from algorithm_repo.intake.card import Card

    path = tmp_path / "random.onnx"
    path.write_bytes(_tail(up.node("RandomUniformLike", ["l"], ["kind"])))
    with pytest.raises(Refusal) as refused:
        try_model(path, "0" * 64, Card.model_validate(up.CARD), Limits())
    assert refused.value.reasons[0].code is Code.NOT_DETERMINISTIC
    assert isinstance(refused.value, ModelRefused)


def test_a_model_that_eats_memory_is_refused_for_that(attempt: Try) -> None:
    limits = Limits(memory_bytes=1500 << 20, tensor_bytes=64 << 30)
    found, field, what = _one(attempt(up.hungry(3), limits=limits))
    assert (found, field) == (Code.OUT_OF_MEMORY, "trial")
    assert "1500 MiB" in what


def test_a_model_that_hangs_is_ended_at_the_deadline(attempt: Try) -> None:
    begun = time.monotonic()
    found, field, what = _one(attempt(up.slow(300), limits=Limits(wall_s=3.0)))
    assert (found, field) == (Code.OUT_OF_TIME, "trial")
    assert "3 s" in what
    assert time.monotonic() - begun < 15


def test_a_model_that_uses_up_its_cpu_time_is_ended(attempt: Try) -> None:
    found, field, what = _one(attempt(up.slow(300), limits=Limits(cpu_s=3)))
    assert (found, field) == (Code.OUT_OF_CPU, "trial")
    assert "3 s of CPU time" in what


@pytest.mark.parametrize(
    ("with_signal", "code"), [(signal.SIGKILL, Code.KILLED), (signal.SIGSEGV, Code.CRASHED)], ids=["kill", "crash"]
)
def test_a_process_that_is_killed_or_crashes_is_a_refusal(
    with_signal: signal.Signals, code: Code, attempt: Try
) -> None:
    shot: list[int] = []

    def shoot() -> None:
        deadline = time.monotonic() + 20
        while not shot and time.monotonic() < deadline:
            for child in _children():
                if any("trial.json" in word for word in child.cmdline()):
                    os.kill(child.pid, with_signal)
                    shot.append(child.pid)
            time.sleep(0.02)

    gun = threading.Thread(target=shoot)
    gun.start()
    report = attempt(up.slow(300), limits=Limits(wall_s=20))
    gun.join()
    assert len(shot) == 1
    assert _one(report)[:2] == (code, "trial")
    assert with_signal.name in _one(report)[2]
    assert report.static is not None


def test_after_all_that_a_good_model_is_accepted_in_the_same_process(attempt: Try) -> None:
    threads, files = threading.active_count(), _open_files()
    for make in (lambda: b"", lambda: up.many_nodes(1_000_000), lambda: _bomb(
        up.node("ConstantOfShape", ["sides"], ["big"]), more=[_SHAPE]
    )):  # fmt: skip
        assert not attempt(make()).accepted  # type: ignore[no-untyped-call]
    assert attempt((WEIGHTS / "litter.onnx").read_bytes(), LITTER).accepted
    assert (threading.active_count(), _open_files()) == (threads, files)


# --- the command


def test_the_command_says_it_in_words_and_in_json(tmp_path: Path) -> None:
    model, card = tmp_path / "bins.onnx", tmp_path / "card.yaml"
    model.write_bytes(up.saved())
    card.write_text(yaml.safe_dump(up.CARD))
    good = CliRunner().invoke(cli, ["algo", "inspect", str(model), str(card)])
    assert good.exit_code == 0, good.output
    assert "bins.onnx: accepted: bins 1.2.0 (classifier, Apache-2.0)" in good.output
    assert "6 parameters in 3 nodes" in good.output
    model.write_bytes(_weight(up.outside("../w.bin")))
    refused = CliRunner().invoke(cli, ["algo", "inspect", str(model), str(card)])
    assert refused.exit_code == 1
    assert "external_data: graph.initializer[w]: its data lie outside the file" in refused.output
    told = CliRunner().invoke(cli, ["algo", "inspect", str(model), str(card), "--json"])
    assert told.exit_code == 1
    answer = json.loads(told.output)
    assert (answer["accepted"], answer["reasons"][0]["code"]) == (False, "external_data")
