"""Whether a network is closed is found out in seconds, and what an installation then runs on."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from cityvision import detector
from cityvision.settings import load_settings
from contracts.errors import ModelMissing
from contracts.live import BUILT_IN_DETECTOR
from models.reach import within_reach
from models.zoo import Artefact, ArtefactKind, Catalogue, Zoo, ZooFile


def _zoo(tmp_path: Path, *urls: str) -> Zoo:
    file = ZooFile(path="models/net.onnx", sha256="0" * 64, urls=urls)
    artefact = Artefact(kind=ArtefactKind.MODEL, source="", licence="", files=(file,))
    return Zoo(Catalogue(schema=1, artefacts={"net": artefact}), cache=tmp_path / "cache", mirror=tmp_path / "mirror")


class _Busy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answers, but has nothing."""
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Busy) as one:
        threading.Thread(target=one.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{one.server_port}"
        one.shutdown()


def test_a_host_that_answers_is_within_reach_and_one_of_two_is_enough(tmp_path: Path, server: str) -> None:
    assert within_reach(_zoo(tmp_path, f"{server}/net.onnx"), ["net"])
    assert within_reach(_zoo(tmp_path, "http://127.0.0.1:9/net.onnx", f"{server}/net.onnx"), ["net"])
    assert not within_reach(_zoo(tmp_path, "http://127.0.0.1:9/net.onnx"), ["net"])
    assert not within_reach(_zoo(tmp_path), ["net"])


def test_a_host_that_swallows_everything_costs_the_time_limit_and_no_more(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/net.onnx"
        began = time.monotonic()
        assert not within_reach(_zoo(tmp_path, address), ["net"], timeout=0.5)
        assert time.monotonic() - began < 3


def test_what_is_in_the_mirror_is_at_hand(tmp_path: Path) -> None:
    zoo = _zoo(tmp_path, "http://127.0.0.1:9/net.onnx")
    assert not zoo.at_hand("net")
    (tmp_path / "mirror" / "models").mkdir(parents=True)
    (tmp_path / "mirror" / "models" / "net.onnx").write_bytes(b"net")
    assert zoo.at_hand("net")
    assert within_reach(zoo, ["net"])
    with pytest.raises(ModelMissing, match="the zoo has no"):
        zoo.at_hand("other")


def test_only_the_default_detector_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []

    class Closed(Zoo):
        def fetch(self, name: str, on_bytes: object = None) -> tuple[Path, ...]:
            """Has what is built in, and nothing else."""
            if name != BUILT_IN_DETECTOR:
                raise ModelMissing(f"{name} is not here")
            fetched.append(name)
            return ()

    monkeypatch.setattr(detector, "Zoo", Closed)
    monkeypatch.setattr(detector, "within_reach", lambda _zoo, _names: False)
    monkeypatch.delenv("CITYVISION_MODEL", raising=False)
    said: list[str] = []
    settings = detector.with_detector(load_settings(data=tmp_path), said.append)
    assert settings.model == BUILT_IN_DETECTOR
    assert fetched == [BUILT_IN_DETECTOR]
    assert "for simulated streets only" in said[0]
    assert settings.child_environment()["CITYVISION_MODEL"] == BUILT_IN_DETECTOR
    with pytest.raises(ModelMissing):
        detector.with_detector(load_settings(data=tmp_path, model="yolox_nano"), said.append)
