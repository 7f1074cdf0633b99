"""What of a replay nobody watched, and that it is no watched time in the figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from algorithm_repo.evaluation.job import FileJob, Setup
from algorithm_repo.evaluation.page import page_of
from algorithm_repo.evaluation.report import Run, figures_of
from algorithm_repo.evaluation.suite import read_suite
from algorithm_repo.evaluation.table import text_table
from pipeline.blindness import EVERY_RULE, Blind, Blindness, seconds_by_reason
from simulator.rtsp.clips import Encoding, render_pattern

CAMERA = {"zones": [{"id": "kerb", "kind": "no_parking", "polygon": [[0, 0], [1, 0], [1, 1]]}]}


def test_looks_that_are_as_late_as_looks_may_be_leave_nothing_unwatched() -> None:
    blindness = Blindness()
    assert [blindness.watched(time, 2.0) for time in (0.0, 2.0, 13.9)] == [0.0, 0.0, 0.0]
    assert blindness.until(20.0) == ()
    assert blindness.watched(40.0, 2.0) == pytest.approx(26.1)
    assert blindness.until(40.0) == (Blind(EVERY_RULE, "offline", 13.9, 40.0),)


def test_lost_pictures_are_another_reason_than_silence() -> None:
    blindness = Blindness()
    blindness.watched(0.0, 2.0)
    blindness.lost()
    blindness.watched(30.0, 2.0)
    assert blindness.until(30.0)[0].reason == "error"


def test_a_rule_is_blind_from_when_it_began_until_it_judges_again() -> None:
    blindness = Blindness()
    blindness.judged(10.0, {"litter": ("frozen", 10.0)})
    blindness.judged(12.0, {"litter": ("frozen", 6.0), "crowding": ("black", 12.0)})
    blindness.judged(20.0, {"crowding": ("covered", 20.0)})
    assert blindness.until(30.0) == (
        Blind("litter", "frozen", 6.0, 20.0),
        Blind("crowding", "black", 12.0, 20.0),
        Blind("crowding", "covered", 20.0, 30.0),
    )


def test_a_moment_with_two_reasons_counts_once_and_none_counts_behind_the_end() -> None:
    blind = (Blind("litter", "frozen", 6.0, 20.0), Blind(EVERY_RULE, "offline", 15.0, 40.0), Blind("x", "black", 0, 9))
    assert seconds_by_reason(blind, "litter", 30.0) == {"frozen": 14.0, "offline": 10.0}
    assert seconds_by_reason(blind, "crowding", 30.0) == {"offline": 15.0}


def run_of(folder: Path, clips: list[dict[str, Any]]) -> tuple[Run, dict[str, Any]]:
    (folder / "suite.yaml").write_text(yaml.safe_dump({"clips": clips}))
    suite = read_suite(folder)
    run = Run(str(folder), None, tuple(FileJob(clip, folder, Setup("street")).run() for clip in suite.clips))
    return run, json.loads(json.dumps(figures_of(run)))


def test_a_black_picture_is_no_watched_time_of_the_rules_it_blinds(tmp_path: Path) -> None:
    scene: dict[str, Any] = {"file": "street:health_black:7", "camera": CAMERA}
    algorithms: dict[str, Any] = {"illegal_parking": {}, "camera_health": {}}
    run, figures = run_of(tmp_path, [scene | {"algorithms": algorithms}])
    (fault,) = (one["truth"] for one in figures["findings"] if one["type"] == "camera_health")
    parking, health = figures["types"]["illegal_parking"], figures["types"]["camera_health"]
    assert list(parking["blind_reasons"]) == ["black"]
    assert parking["blind_seconds"] == pytest.approx(fault["end"] - fault["start"], abs=6)
    assert parking["hours"] * 3600 + parking["blind_seconds"] == pytest.approx(run.outcomes[0].seconds, abs=0.1)
    assert (health["blind_seconds"], health["blind_reasons"]) == (0, {})
    (clip,) = figures["watching"]
    assert clip["types"]["illegal_parking"]["blind_seconds"] == parking["blind_seconds"]
    assert "street:health_black:7 was not watched for illegal_parking: black" in text_table(figures)
    assert "Not watched" in page_of(run, figures)


def test_a_silence_in_a_file_is_watched_by_nobody(tmp_path: Path) -> None:
    parts = [render_pattern(tmp_path / f"{at}.mp4", 5, Encoding((192, 96), 5, 5)) for at in (0, 1)]
    _joined_after(parts, 60.0, tmp_path / "gap.mp4")
    clip = {"file": "gap.mp4", "camera": CAMERA, "algorithms": {"illegal_parking": {}}}
    _, figures = run_of(tmp_path, [clip])
    parking = figures["types"]["illegal_parking"]
    assert parking["blind_reasons"] == {"offline": pytest.approx(61, abs=2)}
    assert parking["hours"] * 3600 == pytest.approx(9, abs=2)


def _joined_after(parts: list[Path], silence: float, path: Path) -> None:
    """The clips one after the other in one timeline, with `silence` s between them."""
    import av

    with av.open(str(path), "w") as out:
        stream, begun = None, 0
        for part in parts:
            with av.open(str(part)) as source:
                video = source.streams.video[0]
                assert video.time_base is not None
                stream = stream or out.add_stream_from_template(video)
                newest = begun
                for packet in source.demux(video):
                    if packet.size and packet.pts is not None and packet.dts is not None:
                        packet.pts, packet.dts, packet.stream = packet.pts + begun, packet.dts + begun, stream
                        newest = max(newest, packet.pts)
                        out.mux(packet)
                begun = newest + round(silence / video.time_base)
