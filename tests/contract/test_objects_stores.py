"""One suite for both object stores: a folder, and S3 (moto's server; it proves nothing about authentication)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from contracts.errors import ConfigError, ObjectMissing, ObjectsUnavailable, StoreError
from store.objects import DiskObjects, ObjectStore
from store.s3 import S3Objects

DATA = bytes(range(256)) * 40
DIGEST = hashlib.sha256(DATA).hexdigest()
KEY = f"evidence/{DIGEST[:2]}/{DIGEST}.jpg"


@pytest.fixture(scope="module")
def s3_address() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


@pytest.fixture(params=["disk", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "disk":
        return DiskObjects(tmp_path / "objects")
    address = request.getfixturevalue("s3_address")
    return S3Objects(f"s3+http://key:secret@{address}/bucket-{os.urandom(4).hex()}")


def test_comes_back_as_it_was(objects: ObjectStore) -> None:
    objects.put(KEY, DATA, "image/jpeg")
    assert objects.get(KEY) == DATA
    assert objects.size(KEY) == len(DATA)


def test_the_same_again_is_fine_and_other_bytes_are_not(objects: ObjectStore) -> None:
    objects.put(KEY, DATA, "image/jpeg")
    objects.put(KEY, DATA, "image/jpeg")
    objects.put("models/yolox/1.onnx", b"one", "application/octet-stream")
    with pytest.raises(StoreError, match="other bytes"):
        objects.put("models/yolox/1.onnx", b"two", "application/octet-stream")
    assert objects.get("models/yolox/1.onnx") == b"one"


def test_a_key_with_a_hash_takes_only_its_own_bytes(objects: ObjectStore) -> None:
    with pytest.raises(StoreError, match="another hash"):
        objects.put(KEY, DATA + b"x", "image/jpeg")
    with pytest.raises(ObjectMissing):
        objects.get(KEY)


@pytest.mark.parametrize(("start", "end"), [(0, 1), (10, 20), (0, 10_240), (10_000, 99_999), (10_240, 10_250), (5, 5)])
def test_ranges(objects: ObjectStore, start: int, end: int) -> None:
    objects.put(KEY, DATA, "image/jpeg")
    assert objects.read_range(KEY, start, end) == DATA[start:end]


def test_empty_objects(objects: ObjectStore) -> None:
    objects.put("a/empty", b"", "text/plain")
    assert objects.get("a/empty") == b""
    assert objects.size("a/empty") == 0


def test_what_is_missing(objects: ObjectStore) -> None:
    for read in (objects.get, objects.size, lambda key: objects.read_range(key, 0, 10)):
        with pytest.raises(ObjectMissing, match=r"none\.jpg"):
            read("evidence/none.jpg")
    objects.delete("evidence/none.jpg")


def test_deleted_is_gone(objects: ObjectStore) -> None:
    objects.put(KEY, DATA, "image/jpeg")
    objects.delete(KEY)
    with pytest.raises(ObjectMissing):
        objects.get(KEY)


def test_keys_below_a_prefix(objects: ObjectStore) -> None:
    names = ["evidence/ab/2.jpg", "evidence/ab/1.jpg", "evidence/abc/3.jpg", "models/m.onnx"]
    for name in names:
        objects.put(name, name.encode(), "text/plain")
    assert list(objects.keys("evidence/ab")) == ["evidence/ab/1.jpg", "evidence/ab/2.jpg"]
    assert list(objects.keys("evidence")) == ["evidence/ab/1.jpg", "evidence/ab/2.jpg", "evidence/abc/3.jpg"]
    assert list(objects.keys("")) == sorted(names)
    assert list(objects.keys("nothing")) == []


@pytest.mark.parametrize(
    "key",
    ["", "/etc/passwd", "../secret", "a/../../b", "a//b", "a/./b", "a\\b", "a/.hidden", "a\nb", "é", "a/", "x" * 600],
)
def test_keys_that_could_escape_are_refused(objects: ObjectStore, key: str) -> None:
    for act in (
        lambda: objects.put(key, b"", "text/plain"),
        lambda: objects.get(key),
        lambda: objects.size(key),
        lambda: objects.delete(key),
        lambda: objects.read_range(key, 0, 1),
    ):
        with pytest.raises(ConfigError, match="not an object key"):
            act()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    objects = DiskObjects(tmp_path / "objects")
    (tmp_path / "objects" / "evidence").write_text("a file where a folder should be")
    with pytest.raises(ObjectsUnavailable):
        objects.put(KEY, DATA, "image/jpeg")


def test_half_written_objects_are_never_seen(tmp_path: Path) -> None:
    objects = DiskObjects(tmp_path / "objects")
    objects.put("a/whole", b"1", "text/plain")
    (tmp_path / "objects" / "a" / ".half.1234").write_bytes(b"as a crash leaves it")
    assert list(objects.keys("")) == ["a/whole"]


def test_s3_away(free_port: int) -> None:
    objects = S3Objects(f"s3+http://key:secret@127.0.0.1:{free_port}/bucket", timeout_s=1)
    with pytest.raises(ObjectsUnavailable, match="S3 is away") as raised:
        objects.put(KEY, DATA, "image/jpeg")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["http://h/b", "s3://key:hush@/b", "s3://key:hush@h", "s3://key:hush@h/a/b"])
def test_wrong_s3_addresses(url: str) -> None:
    with pytest.raises(ConfigError, match="S3 address") as raised:
        S3Objects(url)
    assert "hush" not in str(raised.value)
