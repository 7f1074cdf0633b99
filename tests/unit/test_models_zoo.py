"""The zoo: cache, mirror, addresses (a real HTTP server), and nothing but the right bytes."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from cityvision.commands.models import command
from contracts.errors import ConfigError, HashMismatch, ModelMissing
from models.zoo import Artefact, ArtefactKind, Catalogue, FileState, Zoo, ZooFile, file_sha256

GOOD = b"weights" * 50_000
SHA = hashlib.sha256(GOOD).hexdigest()


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CITYVISION_MIRROR", raising=False)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the address it is served at."""
    folder = tmp_path / "site"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def _catalogue(*urls: str) -> Catalogue:
    file = ZooFile(path="models/net.onnx", sha256=SHA, urls=urls)
    artefact = Artefact(kind=ArtefactKind.MODEL, source="test", licence="MIT", files=(file,))
    return Catalogue.model_validate({"schema": 1, "artefacts": {"net": artefact}})


def _mirror(tmp_path: Path, data: bytes) -> Path:
    mirror = tmp_path / "mirror"
    (mirror / "models").mkdir(parents=True)
    (mirror / "models" / "net.onnx").write_bytes(data)
    return mirror


def _left_behind(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


def test_from_the_mirror_then_from_the_cache(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = Zoo(_catalogue(), cache=cache, mirror=_mirror(tmp_path, GOOD)).fetch("net")
    assert first == (cache / "models" / "net.onnx",)
    assert first[0].read_bytes() == GOOD
    assert Zoo(_catalogue(), cache=cache).fetch("net") == first
    assert _left_behind(cache) == ["net.onnx"]


def test_a_mirror_with_other_bytes_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    zoo = Zoo(_catalogue(), cache=tmp_path / "cache", mirror=_mirror(tmp_path, b"tampered"))
    with pytest.raises(HashMismatch) as caught:
        zoo.fetch("net")
    assert "models/net.onnx" in str(caught.value)
    assert SHA in str(caught.value)
    assert hashlib.sha256(b"tampered").hexdigest() in str(caught.value)
    assert _left_behind(zoo.cache) == []


def test_a_spoilt_cache_is_replaced(tmp_path: Path) -> None:
    zoo = Zoo(_catalogue(), cache=tmp_path / "cache", mirror=_mirror(tmp_path, GOOD))
    path = zoo.fetch("net")[0]
    path.write_bytes(b"spoilt")
    assert zoo.states("net") == {"models/net.onnx": FileState.WRONG}
    assert zoo.fetch("net")[0].read_bytes() == GOOD


def test_nowhere_names_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="CITYVISION_MIRROR"):
        Zoo(_catalogue(), cache=tmp_path).fetch("net")
    with pytest.raises(ModelMissing, match="the zoo has no 'nett'"):
        Zoo(_catalogue(), cache=tmp_path).fetch("nett")


def test_downloads_with_progress(tmp_path: Path, site: tuple[Path, str]) -> None:
    folder, address = site
    (folder / "net.onnx").write_bytes(GOOD)
    seen: list[tuple[str, int, int | None]] = []
    zoo = Zoo(_catalogue(f"{address}/gone.onnx", f"{address}/net.onnx"), cache=tmp_path / "cache")
    path = zoo.fetch("net", lambda name, done, total: seen.append((name, done, total)))[0]
    assert path.read_bytes() == GOOD
    assert seen[-1] == ("net.onnx", len(GOOD), len(GOOD))


def test_an_address_with_other_bytes_is_passed_over_and_at_last_refused(tmp_path: Path, site: tuple[Path, str]) -> None:
    folder, address = site
    (folder / "other.onnx").write_bytes(b"a newer export")
    (folder / "net.onnx").write_bytes(GOOD)
    both = _catalogue(f"{address}/other.onnx", f"{address}/net.onnx")
    assert Zoo(both, cache=tmp_path / "a").fetch("net")[0].read_bytes() == GOOD
    with pytest.raises(HashMismatch, match="not kept"):
        Zoo(_catalogue(f"{address}/other.onnx", f"{address}/gone.onnx"), cache=tmp_path / "b").fetch("net")
    assert _left_behind(tmp_path / "b") == []


def test_no_such_address_is_missing_not_mismatch(tmp_path: Path, site: tuple[Path, str]) -> None:
    with pytest.raises(ModelMissing, match="404"):
        Zoo(_catalogue(f"{site[1]}/gone.onnx"), cache=tmp_path / "cache").fetch("net")


def _fetch_in_child(cache: Path, mirror: Path) -> str:
    return file_sha256(Zoo(_catalogue(), cache=cache, mirror=mirror).fetch("net")[0])


def test_many_processes_fetch_at_once(tmp_path: Path) -> None:
    mirror = _mirror(tmp_path, GOOD)
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        hashes = pool.starmap(_fetch_in_child, [(tmp_path / "cache", mirror)] * 12)
    assert set(hashes) == {SHA}
    assert _left_behind(tmp_path / "cache") == ["net.onnx"]


def test_the_shipped_catalogue_is_sound() -> None:
    catalogue = Catalogue.read()
    paths = [file.path for one in catalogue.artefacts.values() for file in one.files]
    assert len(paths) == len(set(paths))
    for one in catalogue.artefacts.values():
        assert (one.kind is ArtefactKind.CLIP) == one.files[0].path.startswith("footage/")
        assert one.licence
        assert one.source


def test_a_broken_catalogue_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "zoo.yaml"
    broken.write_text("schema: 1\nartefacts:\n  net: {kind: model, source: x, licence: MIT, files: []}\n")
    with pytest.raises(ConfigError, match=r"zoo\.yaml"):
        Catalogue.read(broken)


def test_a_digest_covers_every_file() -> None:
    catalogue = Catalogue.read()
    nano, intel = catalogue.artefacts["yolox_nano"], catalogue.artefacts["person-vehicle-bike-detection-2003"]
    assert nano.digest == nano.files[0].sha256
    swapped = intel.model_copy(update={"files": (intel.files[0], intel.files[1].model_copy(update={"sha256": SHA}))})
    assert swapped.digest != intel.digest


@pytest.mark.media
def test_the_mirror_holds_what_the_catalogue_names(mirror: Path, tmp_path: Path) -> None:
    zoo = Zoo(cache=tmp_path, mirror=mirror)
    for name in zoo.names():
        zoo.fetch(name)
        assert set(zoo.states(name).values()) == {FileState.READY}


@pytest.mark.media
def test_the_command(mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYVISION_CACHE", str(tmp_path))
    runner = CliRunner()
    fetched = runner.invoke(command, ["fetch", "yolox_nano", "--mirror", str(mirror), "--json"])
    assert fetched.exit_code == 0
    assert json.loads(fetched.stdout)[0]["files"] == {str(tmp_path / "models" / "yolox_nano.onnx"): "ready"}
    listed = json.loads(runner.invoke(command, ["list", "--json"]).stdout)
    assert {row["name"]: row["state"] for row in listed}["yolox_nano"] == "ready"
    assert runner.invoke(command, ["verify", "yolox_nano"]).exit_code == 0
    (tmp_path / "models" / "yolox_nano.onnx").write_bytes(b"spoilt")
    assert runner.invoke(command, ["verify", "yolox_nano", "--json"]).exit_code == 1
    unknown = runner.invoke(command, ["fetch", "no-such", "--json"])
    assert unknown.exit_code == 1
    assert "no-such" in json.loads(unknown.stdout)[0]["error"]
