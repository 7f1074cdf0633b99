"""Properties: reading by pieces is reading the whole; export and JSON round-trip; polygons as shapely sees them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import shapely
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from contracts.algorithms import ALGORITHMS
from contracts.polygons import crossing_edges, polygon_problem, quadrilateral_problem
from contracts.pool import Camera, Pool
from contracts.snapshot import SnapshotReader, read_snapshot
from pool.cache import CameraCache
from pool.chunks import split
from pool.export import export
from pool.files import FileContent, read_file, read_pieces, read_whole
from pool.load import load_pool
from pool.merge import merge
from pool.parse import parse_camera
from pool.snapshot import pool_digest, snapshot
from tests.effort import examples

slugs = st.from_regex(r"[a-z][a-z0-9_-]{0,12}", fullmatch=True)
names = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)
coordinates = st.floats(0, 1, allow_nan=False).map(lambda value: round(value, 4))


@st.composite
def rectangles(draw: st.DrawFn) -> list[list[float]]:
    left, top = draw(st.floats(0, 0.8)), draw(st.floats(0, 0.8))
    width, height = draw(st.floats(0.01, 0.2)), draw(st.floats(0.01, 0.2))
    return [[left, top], [left + width, top], [left + width, top + height], [left, top + height]]


@st.composite
def zones(draw: st.DrawFn) -> list[dict[str, Any]]:
    ids = draw(st.lists(slugs, unique=True, max_size=4))
    kinds = st.sampled_from(["no_parking", "road", "square", "bin"])
    return [
        {"id": key, "name": draw(names), "kind": draw(kinds), "polygon": draw(rectangles()), "capacity": 9}
        for key in ids
    ]


@st.composite
def cameras(draw: st.DrawFn, department: str = "dept") -> dict[str, Any]:
    """A right camera as plain data."""
    camera: dict[str, Any] = {
        "id": draw(slugs),
        "name": draw(names),
        "department": department,
        "class": draw(st.sampled_from([1, 2, 3])),
        "main": {"url": f"rtsp://10.0.0.{draw(st.integers(1, 254))}/main"},
        "zones": draw(zones()),
        "algorithms": {},
    }
    kinds = {zone["kind"] for zone in camera["zones"]}
    if "no_parking" in kinds:
        camera["algorithms"]["illegal_parking"] = {"dwell": draw(st.floats(2, 86_400))}
    if not kinds.isdisjoint({"square", "road"}) and draw(st.booleans()):
        camera["algorithms"]["crowding"] = draw(st.sampled_from([None, {}, {"hold": "45s"}, {"max_people": 7}]))
    return camera


pools = st.lists(cameras(), max_size=4, unique_by=lambda camera: camera["id"]).map(
    lambda found: {"version": 1, "departments": [{"id": "dept", "name": "甲"}], "cameras": found}
)


@given(cameras())
def test_a_camera_goes_through_json_and_back(data: dict[str, Any]) -> None:
    camera = parse_camera(data)
    assert all(type(one) is ALGORITHMS[name] for name, one in camera.algorithms.items())
    plain = camera.model_dump(by_alias=True, mode="json")
    again = Camera.model_validate(json.loads(json.dumps(plain)))
    assert again == camera
    assert Camera.model_validate_json(camera.model_dump_json(by_alias=True)) == camera


@given(pools)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=examples(60))
def test_export_is_stable_and_reads_back(tmp_path: Path, data: dict[str, Any]) -> None:
    pool = Pool.model_validate(data)
    text = export(pool)
    file = tmp_path / "streams.yaml"
    file.write_text(text)
    again = load_pool(file)
    assert pool_digest(again) == pool_digest(pool)
    assert export(again) == text
    assert export(Pool(departments=pool.departments, cameras=pool.cameras[::-1])) == text
    assert split(text) is not None or not pool.cameras or any(sign in text for sign in "&*!\x85\u2028\u2029\ufeff")


@given(pools)
@settings(max_examples=examples(40))
def test_a_snapshot_reads_back(data: dict[str, Any]) -> None:
    pool = Pool.model_validate(data)
    body, digest = snapshot(pool)
    assert read_snapshot(body) == Pool.model_validate_json(body) == pool
    assert pool_digest(read_snapshot(body)) == digest


@given(pools, pools)
@settings(max_examples=examples(30))
def test_a_reader_of_snapshots_keeps_what_did_not_change(first: dict[str, Any], second: dict[str, Any]) -> None:
    reader = SnapshotReader()
    before = reader.read(snapshot(Pool.model_validate(first))[0])
    joined = first["cameras"] + [
        one for one in second["cameras"] if one["id"] not in {c["id"] for c in first["cameras"]}
    ]
    after = reader.read(snapshot(Pool.model_validate(first | {"cameras": joined}))[0])
    assert after == Pool.model_validate(first | {"cameras": joined})
    assert all(one is other for one, other in zip(before.cameras, after.cameras, strict=False))


# Lines that a hand might leave in a file, right or wrong, at the usual and at odd depths.
_LINES = st.sampled_from(
    [
        "",
        "# a remark",
        "  # a remark",
        "        # a remark",
        "  - id: other",
        "  - {id: flow, name: x, department: dept, main: {url: 'rtsp://h/m'}}",
        "- id: outdented",
        "    grid: |",
        "      some text",
        "    grid: >-",
        '    grid: "open',
        '      closed"',
        "    grid: 'open",
        "  end'",
        "    zones: [",
        "    ]",
        "    name: twice",
        "    nmae: typo",
        "    class: 9",
        "    grid: &anchor g",
        "    grid: *anchor",
        "    grid: !tag g",
        "cameras:",
        "cameras: []",
        "departments:",
        "  - id: late",
        "    name: 后到",
        "version: 1",
        "---",
        "...",
        "  -",
        "  text",
        "\tgrid: tab",
        "    grid: a: b",
        "    grid: x\r",
        "    grid: a\u2028  - id: z",
        "other: {",
        "}",
        "? complex",
        "    <<: {grid: merged}",
    ]
)


@st.composite
def mangled(draw: st.DrawFn) -> str:
    """A pool file, written in one of several ways, with lines put in, taken out and repeated."""
    data = draw(pools)
    style = draw(st.sampled_from(["export", "safe", "flow"]))
    if style == "export":
        text = export(Pool.model_validate(data))
    else:
        flow = style == "flow"
        text = yaml.safe_dump(data, allow_unicode=draw(st.booleans()), sort_keys=False, default_flow_style=flow)
    lines = text.split("\n")
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(lines)))
        match draw(st.sampled_from(["insert", "delete", "repeat", "indent"])):
            case "insert":
                lines.insert(place, draw(_LINES))
            case "delete":
                del lines[place : place + draw(st.integers(1, 3))]
            case "repeat":
                lines[place:place] = lines[place : place + draw(st.integers(1, 4))]
            case _ if place < len(lines):
                lines[place] = " " + lines[place]
            case _:
                pass
    return "\n".join(lines)


def _said(content: FileContent) -> tuple[list[object], list[object], list[str], bool]:
    return (
        [(item.id, item.refers, item.value, item.location) for item in content.departments],
        [(item.id, item.refers, item.value, item.location) for item in content.cameras],
        sorted(map(str, content.faults)),
        content.readable,
    )


@given(mangled())
@settings(deadline=None, max_examples=examples(150))
def test_by_pieces_or_whole_is_the_same(text: str) -> None:
    pieces = split(text)
    assume(pieces is not None)
    assert pieces is not None
    by_pieces = read_pieces("f", pieces, CameraCache())
    if by_pieces is not None:
        assert _said(by_pieces) == _said(read_whole("f", text))


@given(mangled())
@settings(deadline=None, max_examples=examples(60))
def test_what_was_cached_is_what_is_read(text: str) -> None:
    cache = CameraCache()
    first = read_file("f", text.encode(), cache)
    second = read_file("f", text.encode(), cache)
    assert _said(first) == _said(second)


polygons = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=8)
# Corners on a coarse grid meet, touch and fall on one line far more often.
coarse = st.lists(st.tuples(*[st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])] * 2), min_size=3, max_size=7)


@given(polygons | coarse)
@settings(max_examples=examples(400))
def test_a_polygon_is_right_where_shapely_says_so(corners: list[tuple[float, float]]) -> None:
    shape = shapely.Polygon(corners)
    assume(shape.area == 0 or shape.area > 1e-5)
    repeated = any(corners[i] == corners[i - 1] for i in range(len(corners)))
    right = shape.is_valid and shape.area > 0 and not repeated
    assert (polygon_problem(corners) is None) == right


@given(rectangles())
def test_a_rectangle_has_no_crossing_and_a_bow_tie_has(corners: list[list[float]]) -> None:
    points = [(x, y) for x, y in corners]
    assert crossing_edges(points) is None
    assert crossing_edges([points[0], points[2], points[1], points[3]]) is not None
    assert quadrilateral_problem(points) is None
    assert quadrilateral_problem([points[0], points[2], points[1], points[3]]) is not None


digests = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("123"), max_size=5)


@given(digests, digests, digests)
def test_a_merge_never_undoes_anyones_work(files: dict[str, str], pool: dict[str, str], base: dict[str, str]) -> None:
    merged = merge(files, pool, base)
    parts = (merged.take, merged.drop, merged.same, merged.keep, merged.refuse)
    assert sorted(key for part in parts for key in part) == sorted({*files, *pool, *base})
    for key in (*merged.take, *merged.drop):
        assert pool.get(key) == base.get(key), "only what the console left alone is replaced"
    for key in merged.keep:
        assert files.get(key) == base.get(key), "only what the file left alone is kept in silence"


@pytest.mark.parametrize(
    ("file", "pool", "base", "part"),
    [
        ("1", None, None, "take"),
        ("2", "1", "1", "take"),
        (None, "1", "1", "drop"),
        ("1", "2", "1", "keep"),
        ("2", "3", "1", "refuse"),
        (None, "2", "1", "refuse"),
        ("1", "2", None, "refuse"),
        ("2", "2", "1", "same"),
        (None, "1", None, "keep"),
    ],
)
def test_merge_cases(file: str | None, pool: str | None, base: str | None, part: str) -> None:
    def one(value: str | None) -> dict[str, str]:
        return {} if value is None else {"a": value}

    assert getattr(merge(one(file), one(pool), one(base)), part) == ("a",)
