"""The intake against hostile uploads: each is refused for its own reason, and the service goes on unharmed."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import yaml
from click.testing import CliRunner
from onnx import IR_VERSION, helper

from algorithm_repo.intake.card import parse_card
from algorithm_repo.intake.intake import inspect
from algorithm_repo.intake.licence import unfit
from algorithm_repo.intake.reasons import Code, ModelRefused, Refusal
from algorithm_repo.intake.trial import try_model
from algorithm_repo.intake.types import Limits, Report
from cityvision.cli import cli
from contracts.errors import ModelMissing
from tests.contract import intake_uploads as up
from tests.contract.intake_files import CARDS, FILES, LITTER, STREET, WATER
from tests.contract.intake_graphs import GRAPHS, SHAPE, bomb, tail, weight
from tests.effort import forms

WEIGHTS = Path(__file__).resolve().parents[2] / "models" / "weights"
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
    # As the newest exporter writes it, with the domains that it would have had operators of.
    newest = attempt(up.saved(ir=IR_VERSION, domains=["com.microsoft", "ai.onnx.ml"]))
    assert newest.accepted, newest.reasons


@pytest.mark.media
def test_a_published_detector_is_accepted(attempt: Try, mirror: Path) -> None:
    card = {**STREET, "name": "yolox-nano", "width": 416, "height": 416, "labels": "coco"}
    report = attempt((mirror / "models" / "yolox_nano.onnx").read_bytes(), card)
    assert report.accepted, report.reasons


SOME_GRAPHS = [pytest.param(*one[1:], id=one[0]) for one in forms(GRAPHS[::2], GRAPHS[1::2])]


# --- files that are none


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


@pytest.mark.parametrize(("card", "code", "field", "words"), forms(CARDS[::3], [*CARDS[1::3], *CARDS[2::3]]))
def test_a_wrong_card_is_refused_by_field(
    card: dict[str, Any] | bytes, code: Code, field: str, words: str, attempt: Try
) -> None:
    report = attempt(up.saved(), card)
    found, where, what = _one(report)
    assert (found, where) == (code, field)
    assert words in what
    assert report.reasons[0].fix
    assert report.static is None


def test_an_empty_card_is_told_what_it_needs() -> None:
    for nothing in (b"", b"# later", b"[]", b"just text"):
        with pytest.raises(Refusal) as refused:
            parse_card(nothing)
        (reason,) = refused.value.reasons
        assert (reason.field, reason.what) == ("card", "it holds no fields")
        assert reason.fix.startswith("write the fields name, version, licence, source, family")


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


@pytest.mark.parametrize(("make", "code", "field", "words"), SOME_GRAPHS)
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
    reason = attempt(tail(up.node("Add", ["l", name], ["kind"]))).reasons[0]
    assert "\x1b" not in reason.what
    assert len(reason.what) <= 400


# --- on trial


def test_nan_and_infinity_are_refused(attempt: Try) -> None:
    # The logarithm of what is negative, and of 0 on a black picture.
    minus = up.constant("minus", [[-5.0, -5.0]])
    nan = attempt(tail(up.node("Add", ["l", "minus"], ["n"]), up.node("Log", ["n"], ["kind"]), more=[minus]))
    assert _one(nan)[0] is Code.NOT_FINITE
    assert "NaN" in _one(nan)[2]
    inf = attempt(tail(up.node("Abs", ["l"], ["n"]), up.node("Log", ["n"], ["kind"])))
    assert _one(inf)[:2] == (Code.NOT_FINITE, "graph.output[kind]")
    assert "2 of 2 values are infinite on picture 2" in _one(inf)[2]


def test_numbers_that_are_no_probabilities_are_refused(attempt: Try) -> None:
    found, field, what = _one(attempt(tail(up.node("Identity", ["l"], ["kind"]))))
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
    path.write_bytes(tail(up.node("RandomUniformLike", ["l"], ["kind"])))
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
    large = bomb(up.node("ConstantOfShape", ["sides"], ["big"]), more=[SHAPE])
    for hostile in (b"", up.many_nodes(1_000_000), large):
        assert not attempt(hostile).accepted
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
    model.write_bytes(weight(up.outside("../w.bin")))
    refused = CliRunner().invoke(cli, ["algo", "inspect", str(model), str(card)])
    assert refused.exit_code == 1
    assert "external_data: graph.initializer[w]: its data lie outside the file" in refused.output
    told = CliRunner().invoke(cli, ["algo", "inspect", str(model), str(card), "--json"])
    assert told.exit_code == 1
    answer = json.loads(told.output)
    assert (answer["accepted"], answer["reasons"][0]["code"]) == (False, "external_data")
