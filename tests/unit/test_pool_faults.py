"""Broken pool files: each fault with its line, its path and what to write. See tests/data/pool/broken."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from contracts.algorithms import ALGORITHMS, AlgorithmParameters
from pool.cache import CameraCache
from pool.chunks import split
from pool.faults import PoolFaults
from pool.files import read_whole
from pool.load import load_pool
from pool.nodes import build, compose
from pool.schema import json_schema

DATA = Path(__file__).resolve().parent.parent / "data" / "pool"
BROKEN = sorted((DATA / "broken").glob("*.yaml"))
_MARK = "# expect "


def expected(file: Path) -> list[str]:
    """`LINE: path: what; fix` of each fault, from the comments at the end of the file."""
    return [line.removeprefix(_MARK) for line in file.read_text().splitlines() if line.startswith(_MARK)]


def refused(path: Path) -> PoolFaults:
    with pytest.raises(PoolFaults) as caught:
        load_pool(path)
    return caught.value


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_every_fault_is_named_with_line_and_fix(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    faults = refused(Path(file.name)).faults
    assert [str(fault).removeprefix(f"{file.name}:") for fault in faults] == expected(file)
    assert all(fault.fix and fault.what for fault in faults)


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_no_secret_is_repeated(file: Path) -> None:
    error = refused(file)
    assert "hunter22" not in str(error)
    assert all("hunter22" not in str(fault) for fault in error.faults)


def test_there_are_more_than_twenty() -> None:
    assert len(BROKEN) > 20


def test_the_whole_way_finds_the_same_faults() -> None:
    for file in BROKEN:
        found = read_whole(file.name, file.read_text()).faults
        own = {str(fault) for fault in found}
        said = {str(fault) for fault in refused(file).faults}
        if not file.stem.startswith("syntax"):  # piece by piece, a syntax fault is named more closely
            assert own <= {text.replace(str(file), file.name) for text in said}, file.name


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    file = tmp_path / "streams.yaml"
    file.write_bytes("departments: []\ncameras:\n  - id: a\n    name: 东门\n".encode("gbk"))
    (fault,) = refused(file).faults
    assert (fault.line, fault.what) == (4, "the text is not UTF-8")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (fault,) = refused(tmp_path / "nowhere.yaml").faults
    assert "No such file" in fault.what


@pytest.mark.parametrize(
    "text", ["a: &a [*a]\n", "[" * 5000, "cameras: " + "[" * 900 + "]" * 900, "\ufeff", "%YAML 9.9\n"]
)
def test_strange_yaml_is_refused_not_followed(tmp_path: Path, text: str) -> None:
    file = tmp_path / "streams.yaml"
    file.write_text(text)
    assert refused(file).faults


def test_an_alias_bomb_is_refused_quickly(tmp_path: Path) -> None:
    levels = [f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]" for i in range(9)]
    camera = ["cameras:", "  - id: x", "    grid: *j"]
    file = tmp_path / "streams.yaml"
    file.write_text("\n".join(["a: &a [1, 1]", *levels, *camera]) + "\n")
    assert refused(file).faults


@pytest.fixture
def split_pool(tmp_path: Path) -> Path:
    shutil.copy(DATA / "right" / "streams.yaml", tmp_path)
    shutil.copytree(DATA / "right" / "streams.d", tmp_path / "streams.d")
    return tmp_path / "streams.yaml"


def test_faults_across_files_name_both(split_pool: Path) -> None:
    part = split_pool.parent / "streams.d" / "parks.yaml"
    text = part.read_text()
    part.write_text(text.replace("id: lake-gate", "id: station-east"))
    (fault,) = refused(split_pool).faults
    first = split_pool.read_text()[: split_pool.read_text().index("id: station-east")].count("\n") + 1
    assert (fault.file, fault.path) == (str(part), "cameras[0].id")
    assert f"first at {split_pool}:{first}" in fault.what


def test_a_part_names_the_whole_pool(split_pool: Path) -> None:
    assert load_pool(split_pool.parent / "streams.d" / "parks.yaml") == load_pool(split_pool)


def test_an_unreadable_part_raises_no_false_alarm_about_departments(split_pool: Path) -> None:
    (split_pool.parent / "streams.d" / "police.yaml").write_text("departments: [\n")
    faults = refused(split_pool).faults
    assert [fault.what for fault in faults] == ["a value or a closing bracket is missing"]


def test_line_ends_of_other_systems_and_a_byte_order_mark(split_pool: Path) -> None:
    pool = load_pool(split_pool)
    text = split_pool.read_text().replace("\n", "\r\n")
    assert split(text) is not None
    split_pool.write_bytes(("\ufeff" + text).encode())
    assert load_pool(split_pool) == pool


def _check(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cityvision", "check", *arguments], capture_output=True, text=True, check=False
    )


def test_check_prints_every_fault_and_exits_2() -> None:
    file = DATA / "broken" / "many_at_once.yaml"
    done = _check(str(file))
    assert done.returncode == 2
    assert [line.removeprefix(f"{file}:") for line in done.stdout.splitlines()] == [
        line.replace("many_at_once.yaml:5", f"{file}:5") for line in expected(file)
    ]


def test_check_json() -> None:
    file = DATA / "broken" / "unknown_parameter.yaml"
    done = _check(str(file), "--json")
    said = json.loads(done.stdout)
    assert done.returncode == 2
    assert said["ok"] is False
    assert [(one["line"], one["path"]) for one in said["faults"]] == [
        (16, "cameras[0].algorithms.illegal_parking.dwel")
    ]


def test_check_of_a_right_pool_sums_it_up(split_pool: Path, tmp_path: Path) -> None:
    for _ in range(2):  # the second time from the cache
        done = _check(str(split_pool), "--cache", str(tmp_path / "cache"))
        assert done.returncode == 0, done.stdout + done.stderr
        (line,) = done.stdout.splitlines()
        assert "4 cameras, 5 zones, 3 departments; crowding on 2, illegal_parking on 2" in line


def test_a_cached_camera_still_has_its_line(split_pool: Path, tmp_path: Path) -> None:
    load_pool(split_pool, tmp_path / "cache")
    cache = CameraCache(tmp_path / "cache")
    assert cache.loaded > 0
    text = split_pool.read_text()
    split_pool.write_text(text.replace("id: police", "id: polizei"))
    faults = refused(split_pool).faults
    assert faults
    assert all("department: police" in Path(fault.file).read_text().splitlines()[fault.line - 1] for fault in faults)


def test_the_guides_example_is_right_and_its_schema_agrees(tmp_path: Path) -> None:
    guide = (DATA.parents[2] / "docs" / "streams.md").read_text()
    example = guide.split("```yaml\n", 1)[1].split("```", 1)[0]
    file = tmp_path / "streams.yaml"
    file.write_text(example)
    pool = load_pool(file)
    assert len(pool.cameras) == 2
    for name, model in ALGORITHMS.items():
        if model.__module__ != AlgorithmParameters.__module__:
            continue  # an extension documents itself
        section = guide.split(f"### `{name}`", 1)[1].split("###", 1)[0]
        own = set(model.model_fields) - set(AlgorithmParameters.model_fields)
        assert {line.split("`")[1] for line in section.splitlines() if line.startswith("| `")} == own


def test_the_schema_takes_right_files_and_knows_each_parameter(split_pool: Path) -> None:
    schema = json_schema()
    jsonschema = import_module("jsonschema")
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    data = build(compose(split_pool.read_text())).data
    validator.validate(data)
    data["cameras"][0]["algorithms"]["illegal_parking"]["dwel"] = 5
    assert not validator.is_valid(data)
