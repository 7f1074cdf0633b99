"""Evidence reaches the object store, at once or later, and survives everything in between."""

from __future__ import annotations

import hashlib
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.errors import DiskFull, ObjectsUnavailable, StoreError
from pipeline.spool_evidence import EvidenceSpool
from store.objects import DiskObjects
from store.s3 import S3Objects


class Switchable(DiskObjects):
    """A real store with a cable that can be pulled, or hang."""

    up = True
    delay_s = 0.0

    def put(self, key: str, data: bytes, media_type: str) -> None:
        time.sleep(self.delay_s)
        if not self.up:
            raise ObjectsUnavailable("pulled")
        super().put(key, data, media_type)


def piece(number: int) -> tuple[str, bytes]:
    data = b"\n picture %d\n" % number
    digest = hashlib.sha256(data).hexdigest()
    return f"evidence/{digest[:2]}/{digest}.jpg", data


@pytest.fixture
def objects(tmp_path: Path) -> Switchable:
    return Switchable(tmp_path / "objects")


@pytest.fixture
def spool(tmp_path: Path, objects: Switchable) -> Iterator[EvidenceSpool]:
    spool = EvidenceSpool(tmp_path / "evidence", objects, min_free_bytes=0)
    yield spool
    spool.close()


def until_empty(spool: EvidenceSpool, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while spool.waiting():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_stored_at_once(spool: EvidenceSpool, objects: Switchable) -> None:
    key, data = piece(1)
    assert spool.put(key, data, "image/jpeg")
    assert objects.get(key) == data
    assert spool.waiting() == 0
    assert spool.get(key) is None


def test_waits_while_the_store_is_down_and_follows(spool: EvidenceSpool, objects: Switchable) -> None:
    objects.up = False
    for number in range(3):
        key, data = piece(number)
        assert not spool.put(key, data, "image/jpeg")
        assert spool.get(key) == data
    assert spool.waiting() == 3
    objects.up = True
    until_empty(spool)
    for number in range(3):
        key, data = piece(number)
        assert objects.get(key) == data
    time.sleep(0.05)
    assert spool.put(*piece(4), "image/jpeg")


def test_survives_a_restart(tmp_path: Path, objects: Switchable) -> None:
    objects.up = False
    spool = EvidenceSpool(tmp_path / "evidence", objects, min_free_bytes=0)
    key, data = piece(1)
    assert not spool.put(key, data, "image/jpeg")
    spool.close()
    (tmp_path / "evidence" / "half.blob.tmp").write_bytes(b"as a crash leaves it")
    objects.up = True
    spool = EvidenceSpool(tmp_path / "evidence", objects, min_free_bytes=0)
    until_empty(spool)
    assert objects.get(key) == data
    spool.close()


def test_a_hanging_store_does_not_hold_the_caller(tmp_path: Path, objects: Switchable) -> None:
    spool = EvidenceSpool(tmp_path / "evidence", objects, patience_s=0.1, min_free_bytes=0)
    objects.delay_s = 1.0
    began = time.monotonic()
    assert not spool.put(*piece(1), "image/jpeg")
    assert not spool.put(*piece(2), "image/jpeg")
    assert time.monotonic() - began < 0.6
    objects.delay_s = 0.0
    until_empty(spool)
    spool.close()


def test_a_store_across_a_network_never_holds_the_caller(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never answers
        port = silent.getsockname()[1]
        store = S3Objects(f"s3+http://key:secret@127.0.0.1:{port}/bucket?region=here", timeout_s=0.5)
        spool = EvidenceSpool(tmp_path / "evidence", store, min_free_bytes=0)
        began = time.monotonic()
        for number in range(5):
            key, data = piece(number)
            assert not spool.put(key, data, "image/jpeg")
            assert spool.get(key) == data
        assert time.monotonic() - began < 0.4
        assert spool.waiting() == 5
        spool.close()


def test_what_waits_goes_out_beside_the_caller(tmp_path: Path, objects: Switchable) -> None:
    spool = EvidenceSpool(tmp_path / "evidence", objects, patience_s=0, min_free_bytes=0)
    for number in range(5):
        assert not spool.put(*piece(number), "image/jpeg")
    until_empty(spool)
    assert {objects.get(piece(number)[0]) for number in range(5)} == {piece(number)[1] for number in range(5)}
    assert not spool.put(*piece(6), "image/jpeg")
    until_empty(spool)
    spool.close()


def test_a_damaged_piece_does_not_hold_the_others(tmp_path: Path, objects: Switchable) -> None:
    objects.up = False
    spool = EvidenceSpool(tmp_path / "evidence", objects, min_free_bytes=0)
    assert not spool.put(*piece(1), "image/jpeg")
    spool.close()
    (tmp_path / "evidence" / "0.blob").write_bytes(b"\0\0\0")
    objects.up = True
    spool = EvidenceSpool(tmp_path / "evidence", objects, min_free_bytes=0)
    until_empty(spool)
    assert objects.get(piece(1)[0]) == piece(1)[1]
    spool.close()


def test_refused_for_good_is_said_and_kept(spool: EvidenceSpool, objects: Switchable, tmp_path: Path) -> None:
    key, data = piece(1)
    with pytest.raises(StoreError, match="another hash"):
        spool.put(key, data + b"x", "image/jpeg")
    objects.up = False
    assert not spool.put(key, data + b"x", "image/jpeg")
    assert not spool.put(*piece(2), "image/jpeg")
    objects.up = True
    until_empty(spool)
    assert objects.get(piece(2)[0]) == piece(2)[1]
    assert len(list((tmp_path / "evidence").glob("*.refused"))) == 1


def test_no_room(tmp_path: Path, objects: Switchable) -> None:
    objects.up = False
    spool = EvidenceSpool(tmp_path / "evidence", objects, min_free_bytes=shutil.disk_usage(tmp_path).free * 2)
    with pytest.raises(DiskFull, match="no room for evidence"):
        spool.put(*piece(1), "image/jpeg")
    spool.close()
