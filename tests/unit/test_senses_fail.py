"""A sense that does not work costs those who need it their judgement, and nobody else anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contracts.senses import Ask, Senses, WaterMap
from contracts.vision import Tracks
from models.picture import frame_from_bgr
from models.zoo import Zoo
from pipeline.senses.engine import Sensing, Wish
from pipeline.senses.memory import SceneMemory
from pipeline.spool_evidence import EvidenceSpool
from store.objects import DiskObjects
from tests.unit.chain_scene import CLOCK, LEFT, PARKING, Scene, said, watched
from tests.unit.scenes import rectangle

NOBODY = "127.0.0.1:1"  # no Triton server listens there
ROAD = {"id": "road", "name": "road", "kind": "road", "polygon": rectangle(0.0, 0.5, 1.0, 1.0)}


@pytest.fixture
def blobs(tmp_path: Path) -> Iterator[EvidenceSpool]:
    spool = EvidenceSpool(tmp_path / "waiting", DiskObjects(tmp_path / "objects"), min_free_bytes=0)
    yield spool
    spool.close()


def test_the_other_senses_and_looks_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sensing = Sensing(Zoo(cache=tmp_path, mirror=None), triton_url=NOBODY)
    frame = frame_from_bgr(np.full((90, 160, 3), 90, np.uint8))

    def wish(ask: Ask) -> Wish:
        return Wish("cam", frame, Tracks.empty(), ask, (), SceneMemory())

    for _ in range(2):
        both, health, neither = sensing.sense([wish(Ask(water=True, health=True)), wish(Ask(health=True)), wish(Ask())])
        assert both.water is None
        assert both.health is not None
        assert health.health is not None
        assert neither.failed == both.failed
        assert [name for name, _ in both.failed] == ["water"]
    assert [record.message for record in caplog.records if "water is not sensed" in record.message] == [
        f"water is not sensed: {both.failed[0][1]}"
    ]


def test_the_rule_that_lacks_it_pauses_until_it_works_again(tmp_path: Path, blobs: EvidenceSpool) -> None:
    camera = watched(LEFT, ROAD, illegal_parking=PARKING, waterlogging={"hold": 10, "look_every": 0.5})
    scene = Scene(tmp_path / "shelf", blobs, camera=camera)
    chain, told = scene.chain, []

    def looks(end: float, senses: Senses) -> None:
        while scene.time + 0.5 <= end:
            assert chain.asks(scene.time + 0.5).water, "asked for again and again, or nobody would see it come back"
            seen, frame = scene.see(scene.time + 0.5)
            told.extend(chain.look(replace(seen, senses=senses), frame, CLOCK))

    dry = Senses(water=WaterMap(np.zeros((24, 40), np.uint8)))
    looks(3, dry)
    assert chain.paused == {}
    looks(12, Senses(failed=(("litter", "gone"), ("water", "gone"))))
    assert chain.paused == {"waterlogging": "error"}
    assert chain.unwatched == {"waterlogging": ("error", 3.5)}
    looks(20, dry)
    assert (chain.paused, chain.unwatched) == ({}, {})
    assert said(told) == [(0, "opened"), (1, "updated")], "parking was judged all the while"
