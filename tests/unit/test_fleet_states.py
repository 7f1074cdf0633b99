"""Kept states without a camera, lost looks, and why a camera is not watched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from contracts.live import CameraState
from contracts.pool import Camera
from contracts.records import ClockSource, Event, Provenance, Severity, Subject, Transition, Unwatched
from fleet.failed import FailedCamera
from fleet.kept import newer, parse, withdrawn
from fleet.watched import WatchedCamera
from models.zoo import Zoo
from pipeline.chain import CameraChain, ModelIdentity
from pipeline.evidence import NoEvidence
from pipeline.perceive import Perception, decode
from pipeline.plan import LookAt
from pipeline.senses.engine import Sensing
from pipeline.source.decode import DecoderPool
from pipeline.source.gate import ConnectGate
from pipeline.source.ring import PacketRing
from pipeline.source.source import CameraSource
from pipeline.source.types import StreamPacket, StreamParameters
from pipeline.track import FleetTracker
from tests.unit.fleet_scene import camera, car_detector

URL = "rtsp://127.0.0.1:1/cam"


def watched_camera(entry: Camera, now_utc: float) -> WatchedCamera:
    source = CameraSource(entry.id, entry.main.url, PacketRing(), ConnectGate(1))
    chain = CameraChain(entry, ModelIdentity("none", "0" * 64), NoEvidence())
    perception = Perception(car_detector(), FleetTracker(), Sensing(Zoo()))
    return WatchedCamera(chain, perception, source, now_utc, gate=False)


def test_a_camera_that_was_never_set_up_goes_on_with_its_unwatched_time() -> None:
    entry = camera("cam", URL)
    failed = FailedCamera(entry, "w1", None, "rtsp://admin:secret@10.0.0.1/ is wrong", 100.0)
    assert "secret" not in failed.status().error
    begun = failed.unseen()
    assert begun is not None
    assert (begun.reason, begun.start_utc, failed.unseen()) == ("error", 100.0, None)
    watched = watched_camera(entry, 500.0)
    watched.load(parse(failed.dump()))
    ended = watched.calm(600.0)
    assert ended is not None
    assert (ended.id, ended.end_utc) == (begun.id, 600.0)


def test_what_left_the_pool_while_nobody_ran_ends_with_its_last_look() -> None:
    entry = camera("cam", URL)
    failed = FailedCamera(entry, "w1", None, "", 100.0)
    begun = failed.unseen()
    ends = withdrawn(parse(failed.dump()), 160.0)
    assert begun is not None
    assert ends == [begun.model_copy(update={"end_utc": 160.0})]
    with pytest.raises((ValueError, KeyError, TypeError)):
        withdrawn({"chain": {}}, 0.0)


def test_an_event_open_when_its_camera_left_is_closed_with_the_last_look() -> None:
    opened = Event(
        id="a" * 32,
        seq=3,
        transition=Transition.UPDATED,
        type="illegal_parking",
        severity=Severity.MINOR,
        camera="cam",
        department="city",
        zone="kerb",
        started_utc=100.0,
        utc=150.0,
        stream_time=50.0,
        clock_source=ClockSource.RTCP,
        clock_error_ms=1.0,
        subject=Subject(track=7),
        numbers={"still_s": 50.0},
        reason={"zh": "违停", "en": "parked"},
        provenance=Provenance(
            algorithm="illegal_parking", algorithm_version="1", model="none", model_sha256="0" * 64, config_digest="0"
        ),
    )
    book = [{"last": opened.model_dump(mode="json")}, {"last": None}]
    (closed,) = withdrawn({"chain": {"book": book}, "coverage": [180.0, None]}, 999.0)
    assert isinstance(closed, Event)
    assert (closed.id, closed.seq, closed.transition) == (opened.id, 4, Transition.CLOSED)
    assert (closed.utc, closed.ended_utc, closed.stream_time, closed.numbers) == (180.0, 180.0, 80.0, opened.numbers)
    assert closed.reason["en"] == "parked; the camera was taken out of the pool"


def test_the_newer_of_two_states_is_the_one_of_the_later_look() -> None:
    old, young = (b'{"coverage": [%d, null]}' % utc for utc in (100, 200))
    assert newer(old, young) == newer(young, old) == young
    assert newer(None, old) == newer(old, b"{") == old
    assert newer(None, None) is None


def test_a_ptz_camera_that_looks_past_all_its_zones_is_not_watching() -> None:
    entry = camera("cam", URL)
    zones = tuple(zone.model_copy(update={"preset": "north"}) for zone in entry.zones)
    presets = [{"id": name, "name": name} for name in ("home", "north")]
    ptz = Camera.model_validate(entry.model_dump(by_alias=True) | {"kind": "ptz", "presets": presets, "zones": zones})
    watched = watched_camera(ptz, 100.0)
    watched.source._become(CameraState.RUNNING, "")
    assert watched.calm(150.0) is None
    (begun,) = watched.unseen(160.0)
    assert isinstance(begun, Unwatched)
    assert (begun.reason, begun.start_utc) == ("off_preset", 100.0)


@pytest.mark.parametrize("codec", ["no-such-codec", "h264"])
def test_what_cannot_be_decoded_is_one_lost_look(codec: str) -> None:
    ring = PacketRing()
    parameters = StreamParameters(0, codec, b"", 64, 64)
    ring.append(StreamPacket(1.0, 1.0, True, 8, b"\0\0\0\1\x65\xff\xff\xff"), parameters)
    gop = ring.latest_keyframe()
    assert gop is not None
    assert decode(DecoderPool(), gop, LookAt(1.0, keyframe=True)) is None


def test_a_gop_on_a_disk_that_failed_is_one_lost_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    ring = PacketRing(max_bytes=64, spill_folder=tmp_path)
    parameters = StreamParameters(0, "h264", b"", 64, 64)
    for number in range(8):
        ring.append(StreamPacket(1.0 + number, 1.0, number == 0, 32, bytes(32)), parameters)
    gop = ring.latest_keyframe()
    assert gop is not None
    assert gop.spilled
    monkeypatch.setattr(os, "pread", broken)
    assert decode(DecoderPool(), gop, LookAt(8.0, keyframe=False)) is None
