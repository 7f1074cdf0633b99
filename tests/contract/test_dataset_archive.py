"""Versions of training data on a real Postgres and a folder of objects: kept for good, never half, never changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from algorithm_repo.archive import service
from algorithm_repo.datasets.split import split
from algorithm_repo.datasets.types import Box
from contracts.errors import ConfigError, ObjectMissing, StoreError
from store.objects import DiskObjects
from tests.unit.datasets_scene import alike_pair, item, manifest

pytest_plugins = ["tests.embedded"]


@pytest.fixture
def objects(tmp_path: Path) -> DiskObjects:
    return DiskObjects(tmp_path / "objects")


def test_a_version_and_its_child_are_kept_and_read_back(engine: Engine, objects: DiskObjects) -> None:
    parent = split(manifest(*(item(n) for n in range(20)), name="water", note="the first"), [], seed=1).manifest
    labelled = item(50, name="街道 50.jpg", labels=(Box(label="car", box=(0.1, 0.2, 0.3, 0.4)),), side="train")
    grown = (*parent.items, labelled)
    child = manifest(*grown, name="water", parent=parent.digest)
    with engine.begin() as connection:
        kept = service.keep(connection, objects, parent, [], "lin")
        assert service.keep(connection, objects, parent, [], "chen") == kept
        assert (kept.author, kept.items, kept.parent) == ("lin", 20, None)
        service.keep(connection, objects, child, [], "chen")
    with engine.connect() as connection:
        assert service.load(connection, objects, child.digest) == child
        assert service.load(connection, objects, parent.digest) == parent
        assert {one.digest for one in service.listed(connection, "water")} == {child.digest, parent.digest}
        assert service.listed(connection, "litter") == []


def test_what_an_earlier_release_has_checked_is_not_taken_for_checked(engine: Engine, objects: DiskObjects) -> None:
    one = split(manifest(*(item(n) for n in range(20))), [], seed=1).manifest
    with engine.begin() as connection:
        service.keep(connection, objects, one, [], "lin")
        assert service.is_checked(connection, one.digest)
        connection.execute(text("UPDATE dataset_versions SET checked = NULL"))
        assert not service.is_checked(connection, one.digest)
        assert not service.is_checked(connection, "a" * 64)


def test_what_is_not_kept(engine: Engine, objects: DiskObjects) -> None:
    loose = manifest(item(1, side="train"), item(2))
    leaking = manifest(item(1, side="train"), item(2, side="test"))
    orphan = manifest(item(1, side="train"), parent="a" * 64)
    with engine.begin() as connection:
        with pytest.raises(ConfigError, match=r"1 items have no side, '2\.jpg' first"):
            service.keep(connection, objects, loose, [], "lin")
        with pytest.raises(ConfigError, match="it has no items"):
            service.keep(connection, objects, manifest(), [], "lin")
        with pytest.raises(ConfigError, match=r"1 pairs are on two sides, '[12]\.jpg' and '[12]\.jpg' first"):
            service.keep(connection, objects, leaking, [alike_pair(1, 2)], "lin")
        with pytest.raises(ConfigError, match="parent: there is no version"):
            service.keep(connection, objects, orphan, [], "lin")
        with pytest.raises(ConfigError, match="there is no dataset version"):
            service.load(connection, objects, orphan.digest)
        assert service.listed(connection) == []
    assert list(objects.keys("")) == []


def test_what_was_changed_or_lost_is_noticed(engine: Engine, objects: DiskObjects, tmp_path: Path) -> None:
    one = manifest(item(1, side="train"))
    with engine.begin() as connection:
        service.keep(connection, objects, one, [], "lin")
    (key,) = objects.keys("datasets")
    path = tmp_path / "objects" / key
    path.chmod(0o600)
    for bytes_, told in (
        (path.read_bytes().replace(b"1.jpg", b"2.jpg"), "was changed"),
        (b"[]", "is no manifest"),
        (b"", "is no manifest"),
    ):
        path.write_bytes(bytes_)
        with engine.connect() as connection, pytest.raises(StoreError, match=told):
            service.load(connection, objects, one.digest)
    path.unlink()
    with engine.connect() as connection, pytest.raises(ObjectMissing):
        service.load(connection, objects, one.digest)
