"""Reading `suite.yaml`: terse entries are filled in, and every fault is told at its clip and key with the fix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from algorithm_repo.evaluation.suite import Suite, SuiteFaults, read_suite, write_suite

FOOTAGE = Path(__file__).parents[2] / "algorithm_repo" / "suites" / "footage"
KERB = {"id": "kerb", "kind": "no_parking", "polygon": [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]}
LANE = {"id": "lane", "kind": "no_parking", "polygon": [[0.1, 0.2], [0.9, 0.2], [0.9, 0.9]]}


def _entry(**keys: Any) -> dict[str, Any]:
    entry = {"file": "Night 1.mp4", "camera": {"zones": [KERB]}, "algorithms": {"illegal_parking": {"dwell": "30s"}}}
    return {key: value for key, value in (entry | keys).items() if value is not ...}


def _read(folder: Path, *entries: Any) -> Suite:
    (folder / "suite.yaml").write_text(yaml.safe_dump({"clips": list(entries)}))
    return read_suite(folder)


def _faults(folder: Path, *entries: Any) -> tuple[str, ...]:
    with pytest.raises(SuiteFaults) as caught:
        _read(folder, *entries)
    return caught.value.faults


def test_a_terse_entry_is_filled_in(tmp_path: Path) -> None:
    clip = _read(tmp_path, _entry(truth=[{"type": "illegal_parking", "start": 12}])).clips[0]
    assert (clip.camera.id, clip.camera.name, clip.number) == ("night-1", "night-1", 1)
    assert (clip.truth[0].zone, clip.truth[0].end) == ("kerb", None)
    assert clip.slices == ()
    assert clip.camera.algorithms["illegal_parking"].model_dump()["dwell"] == 30


def test_algorithms_may_stand_in_the_camera_and_the_clip_wins(tmp_path: Path) -> None:
    camera = {"zones": [KERB], "algorithms": {"illegal_parking": {"dwell": 90}}}
    inside = _read(tmp_path, _entry(camera=camera, algorithms=...)).clips[0].camera.algorithms["illegal_parking"]
    both = _read(tmp_path, _entry(camera=camera)).clips[0].camera.algorithms["illegal_parking"]
    assert (inside.model_dump()["dwell"], both.model_dump()["dwell"]) == (90, 30)


def test_a_type_that_is_true_but_not_named_runs_with_its_defaults(tmp_path: Path) -> None:
    suite = _read(tmp_path, _entry(algorithms=..., truth=[{"type": "illegal_parking", "zone": "kerb", "start": 1}]))
    assert list(suite.clips[0].camera.algorithms) == ["illegal_parking"]
    assert "illegal_parking stands in truth: and not here" in suite.warnings[0]


def test_unknown_keys_are_passed_over_and_said_unless_they_look_mistyped(tmp_path: Path) -> None:
    suite = _read(tmp_path, _entry(source="the depot", slices="night"))
    assert suite.warnings == ("suite.yaml: clip 1 (Night 1.mp4): source: this key is not known and was passed over",)
    assert suite.clips[0].slices == ("night",)
    assert "did you mean truth?" in _faults(tmp_path, _entry(truths=[]))[0]


@pytest.mark.parametrize(
    ("keys", "key", "words"),
    [
        ({"file": "../up.mp4"}, "file", "leaves the suite's folder; write a path below"),
        ({"file": "/etc/passwd"}, "file", "leaves the suite's folder"),
        ({"file": "C:\\clips\\a.mp4"}, "file", "leaves the suite's folder"),
        ({"file": ...}, "file", "no file is named; write file:"),
        ({"algorithms": ...}, "algorithms", "nothing watches this clip; write e.g."),
        ({"algorithms": {"ilegal_parking": {}}}, "algorithms.ilegal_parking", "did you mean illegal_parking?"),
        ({"algorithms": {"illegal_parking": {"dwell": "soon"}}}, "algorithms.illegal_parking.dwell", "not a duration"),
        ({"camera": []}, "camera", "it is no mapping"),
        ({"camera": {"zones": [KERB | {"kind": "parking"}]}}, "camera.zones[0].kind", "'no_parking'"),
        ({"camera": {"zones": []}}, "algorithms.illegal_parking", "the camera has no zone it could watch; add a zone"),
        ({"slices": [1]}, "slices", "it is no list of names"),
        ({"truth": {}}, "truth", "it is no list"),
        ({"truth": [{"type": "parking", "start": 1}]}, "truth[0].type", "no event type 'parking'"),
        ({"truth": [{"start": 1}]}, "truth[0].type", "the type is missing; write one of camera_health, crowding"),
        ({"truth": [{"type": "illegal_parking"}]}, "truth[0].start", "it is no moment of the clip"),
        ({"truth": [{"type": "illegal_parking", "start": -1}]}, "truth[0].start", "it is no moment of the clip"),
        ({"truth": [{"type": "illegal_parking", "start": 9, "end": 3}]}, "truth[0].end", "before it starts at 9 s"),
        (
            {"truth": [{"type": "illegal_parking", "zone": "kerbs", "start": 1}]},
            "truth[0].zone",
            "watches no zone 'kerbs' (did you mean kerb?); write one of kerb",
        ),
        ({"model": 3}, "model", "it is no text"),
    ],
)
def test_each_fault_is_told_with_clip_key_and_fix(tmp_path: Path, keys: dict[str, Any], key: str, words: str) -> None:
    (fault,) = _faults(tmp_path, _entry(), _entry(**keys))
    file = keys.get("file", "Night 1.mp4")
    name = "" if file is ... else f" ({file})"
    assert fault.startswith(f"suite.yaml: clip 2{name}: {key}: ")
    assert words in fault
    assert "; " in fault


def test_all_faults_of_all_clips_are_told_at_once(tmp_path: Path) -> None:
    faults = _faults(tmp_path, _entry(file="../a"), 7, _entry(slices=3, truth=[{"type": "x", "start": 1}]))
    assert [fault.split(": ")[1].split(" (")[0] for fault in faults] == ["clip 1", "clip 2", "clip 3", "clip 3"]


def test_the_zone_must_be_named_where_several_can_be_meant(tmp_path: Path) -> None:
    entry = _entry(camera={"zones": [KERB, LANE]}, truth=[{"type": "illegal_parking", "start": 1}])
    assert "write one of kerb, lane" in _faults(tmp_path, entry)[0]


def test_a_scene_brings_what_its_entry_leaves_out(tmp_path: Path) -> None:
    whole, changed = _read(
        tmp_path,
        {"file": "street:parking_kerb:7"},
        {"file": "street:parking_kerb:7", "algorithms": {"illegal_parking": {"dwell": "20s"}}, "slices": ["mine"]},
    ).clips
    assert [truth.type for truth in whole.truth] == ["illegal_parking"]
    assert whole.truth == changed.truth
    assert whole.camera.zones == changed.camera.zones
    assert whole.camera.algorithms["illegal_parking"].model_dump()["dwell"] == 30
    assert changed.camera.algorithms["illegal_parking"].model_dump()["dwell"] == 20
    assert (whole.camera.id, changed.slices) == ("sim-parking-kerb-7", ("mine",))


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("street:parking_kreb:7", "did you mean parking_kerb?"),
        ("street:parking_kerb:", "the seed '' is no whole number; write e.g. file: street:parking_kerb:7"),
        ("street:parking_kerb:-1", "the seed '-1' is no whole number"),
    ],
)
def test_a_scene_that_does_not_exist(tmp_path: Path, file: str, words: str) -> None:
    faults = _faults(tmp_path, {"file": file})
    assert faults[0].startswith(f"suite.yaml: clip 1 ({file}): file: ")
    assert words in faults[0]


@pytest.mark.parametrize("text", ["", "clips: []", "clips: {}", "- a", "clips: [", "\x00"])
def test_a_file_that_is_no_suite(tmp_path: Path, text: str) -> None:
    (tmp_path / "suite.yaml").write_text(text)
    with pytest.raises(SuiteFaults, match=r"suite.yaml.*; "):
        read_suite(tmp_path)


def test_a_folder_without_one(tmp_path: Path) -> None:
    with pytest.raises(SuiteFaults, match="name the folder of a suite, or `simulated`"):
        read_suite(tmp_path / "nowhere")


def test_what_is_written_reads_the_same(tmp_path: Path) -> None:
    camera = {"id": "gate", "zones": [KERB, LANE], "mounting": "low", "class": 2}
    truth = [{"type": "illegal_parking", "zone": "lane", "start": 1.5, "end": 9}]
    suite = _read(tmp_path, _entry(camera=camera, slices=["rain"], truth=truth, model="yolox_nano"))
    write_suite(tmp_path, suite.clips)
    assert read_suite(tmp_path).clips == suite.clips


def test_the_footage_suite_can_be_read() -> None:
    suite = read_suite(FOOTAGE)
    assert not suite.warnings
    assert all(clip.file.startswith("zoo:") for clip in suite.clips)
    assert {truth.type for clip in suite.clips for truth in clip.truth} == {"illegal_parking", "crowding"}


def test_a_parameter_of_another_version_costs_nothing_but_itself(tmp_path: Path) -> None:
    clip: dict[str, Any] = {
        "file": "a.mp4",
        "camera": {"zones": [{"id": "lane", "kind": "road", "polygon": [[0.1, 0.5], [0.9, 0.5], [0.9, 0.9]]}]},
        "algorithms": {"waterlogging": {"hold": "20s", "persistence": "1min"}},
    }
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump({"clips": [clip]}))
    suite = read_suite(tmp_path)
    assert suite.clips[0].camera.algorithms["waterlogging"].hold == 20.0  # type: ignore[attr-defined]
    assert any("algorithms.waterlogging.persistence" in warning for warning in suite.warnings)
    clip["algorithms"] = {"waterlogging": {"hodl": "20s"}}
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump({"clips": [clip]}))
    with pytest.raises(SuiteFaults, match="did you mean hold"):
        read_suite(tmp_path)
