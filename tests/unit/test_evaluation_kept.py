"""Quiet hours that were done before count once more, and only together with those of the same code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from algorithm_repo.evaluation import kept
from algorithm_repo.evaluation.job import FileJob, Setup, version_of
from algorithm_repo.evaluation.kept import Kept, digest_of
from algorithm_repo.evaluation.metrics import Score
from algorithm_repo.evaluation.outcome import Finding, Outcome, Raised
from algorithm_repo.evaluation.quiet import QuietJob, blocks
from algorithm_repo.evaluation.suite_clip import Faults, clip_of
from contracts.errors import ConfigError

JOBS = blocks(5, 3, Setup("street"))
ALARM = Raised("e1", "litter", "kerb", 10.0, 40.0, None, (0.1, 0.2, 0.3, 0.4), {"held_s": 30.0}, "left", 0.7)


def outcome_of(job: QuietJob) -> Outcome:
    finding = Finding("false_alarm", job.number, job.name, "litter", "kerb", None, ALARM, picture=b"\xff\xd8 a jpeg")
    score = Score("litter", ("day", "rain"), 3600.0, 0, (), (), 1)
    return Outcome(
        job.number,
        job.name,
        3600.0,
        1800,
        61.25,
        scores=(score,),
        findings=(finding,),
        model=version_of("street", None),
    )


def test_what_was_done_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "hours.jsonl"
    first = Kept(path)
    assert first.find(JOBS[0]) is None
    first.add(JOBS[0], outcome_of(JOBS[0]))
    first.add(JOBS[1], Outcome(2, JOBS[1].name, failed="the detector is not there"))
    found = Kept(path).find(JOBS[0])
    said = outcome_of(JOBS[0])
    assert found is not None
    assert replace(found, wall_s=0) == replace(said, wall_s=0, findings=(replace(said.findings[0], picture=None),))
    assert Kept(path).find(JOBS[1]) is None, "what failed is tried again"


def test_the_mirror_does_not_matter_and_everything_else_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Kept(tmp_path / "hours.jsonl")
    job = JOBS[0]
    one.add(job, outcome_of(job))
    assert one.find(replace(job, setup=replace(job.setup, mirror=tmp_path))) is not None
    assert one.find(replace(job, setup=replace(job.setup, gate=False))) is None
    assert one.find(replace(job, setup=replace(job.setup, model="yolox_nano"))) is None
    assert one.find(replace(job, seconds=60.0)) is None
    assert one.find(replace(job, seed=job.seed + 1)) is None
    monkeypatch.setattr(kept, "code", lambda: "another")
    assert one.find(job) is None


def clip_job(folder: Path, setup: Setup, file: str = "a.mp4") -> FileJob:
    camera = {"zones": [{"id": "kerb", "kind": "no_parking", "polygon": [[0, 0], [1, 0], [1, 1]]}]}
    truth = [{"type": "illegal_parking", "start": 3}]
    entry = {"file": file, "camera": camera, "algorithms": {"illegal_parking": {}}, "truth": truth}
    faults = Faults("suite.yaml")
    clip = clip_of(2, entry, faults)
    assert clip is not None, faults.found
    return FileJob(clip, folder, setup)


def missed(job: FileJob, detector: str) -> Outcome:
    found = (
        Finding("missed", 2, job.name, "illegal_parking", "kerb", (3.0, 60.0), None, picture=b"\xff\xd8 a jpeg"),
        Finding("found", 2, job.name, "illegal_parking", "kerb", (70.0, 90.0), replace(ALARM, type="illegal_parking")),
    )
    score = Score("illegal_parking", (), 60.0, 2, (5.0,), (1.0,), 0, (("frozen", 12.0),))
    return Outcome(2, job.name, 72.0, 36, 2.0, scores=(score,), findings=found, model=detector)


def test_a_clip_is_kept_with_its_detector_and_its_bytes(tmp_path: Path) -> None:
    """A result of the built-in street detector is none of real weights, whatever the run's settings say."""
    (tmp_path / "a.mp4").write_bytes(b"pictures")
    kept = Kept(tmp_path / "clips.jsonl")
    street, real = (clip_job(tmp_path, Setup(name)) for name in ("street", "yolox_nano"))
    said = missed(street, version_of("street", None))
    kept.add(street, said)
    assert kept.find(real) is None
    found = Kept(tmp_path / "clips.jsonl").find(street)
    assert found == replace(said, findings=(replace(said.findings[0], picture=None), said.findings[1]))
    kept.add(real, missed(real, version_of("street", None)))
    assert kept.find(real) is None, "the line says which detector really looked"
    (tmp_path / "a.mp4").write_bytes(b"other pictures")
    assert kept.find(street) is None


def test_a_rendered_clip_is_kept_with_the_detector_of_rendered_clips(tmp_path: Path) -> None:
    job = clip_job(tmp_path, Setup("yolox_nano", drawn="street"), "street:parking_kerb:7")
    assert job.model == "street"
    kept = Kept(tmp_path / "clips.jsonl")
    kept.add(job, missed(job, version_of("street", None)))
    assert kept.find(job) is not None
    assert kept.find(clip_job(tmp_path, Setup("yolox_nano", drawn="yolox_nano"), "street:parking_kerb:7")) is None


def test_a_line_cut_by_a_kill_is_run_again_and_a_wrong_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "hours.jsonl"
    for job in JOBS[:2]:
        Kept(path).add(job, outcome_of(job))
    path.write_bytes(path.read_bytes()[:-20])
    again = Kept(path)
    assert again.find(JOBS[0]) is not None
    assert again.find(JOBS[1]) is None
    again.add(JOBS[1], outcome_of(JOBS[1]))
    assert Kept(path).find(JOBS[1]) is not None
    path.write_text(path.read_text().replace('"looks":1800', '"looks":"many"', 1))
    with pytest.raises(ConfigError, match="line 1"):
        Kept(path)


def test_the_code_is_what_decides(tmp_path: Path) -> None:
    (tmp_path / "rules" / "deep").mkdir(parents=True)
    (tmp_path / "rules" / "deep" / "one.py").write_text("T = 180")
    first = digest_of(tmp_path, ["rules"])
    (tmp_path / "rules" / "notes.md").write_text("T is in seconds")
    assert digest_of(tmp_path, ["rules"]) == first
    (tmp_path / "rules" / "deep" / "one.py").write_text("T = 181")
    assert digest_of(tmp_path, ["rules"]) != first
